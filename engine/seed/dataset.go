package seed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/table"
)

// Part is one of the Parquet files of a dataset.
type Part struct {
	Name string
	// Rows is how many rows it has.
	Rows int64
	// Read returns the file.
	Read func() ([]byte, error)
}

// LoadDataset opens a dataset of several files as a seed: their rows follow each other. Source is what messages call it, digest what
// tells its rows from others. Its errors are failure.Error.
func LoadDataset(ctx context.Context, spec *v1alpha1.Seed, source, digest string, parts []Part, rows int64) (*Dataset, error) {
	dataset := &Dataset{close: func() error { return nil }}
	into := &parquetScan{scan: scan{dataset: dataset, spec: spec, limits: wanted(spec, rows)}}
	err := into.parts(ctx, parts)
	if err == nil {
		err = dataset.finish(spec, digest)
	}
	if err == nil {
		return dataset, nil
	}
	_ = dataset.close() // what it holds is of no use any more
	var failed *failure.Error
	switch {
	case ctx.Err() != nil:
		return nil, failure.Of(ctx.Err())
	case errors.As(err, &failed):
		return nil, failed // by the volume
	}
	return nil, invalid(source, err)
}

// finish settles which of the rows are used, and what tells the dataset from others.
func (d *Dataset) finish(spec *v1alpha1.Seed, digest string) error {
	if d.index.count == 0 {
		return errNoRows
	}
	if spec.Selection != nil {
		d.offsetRows = spec.Selection.EffectiveOffset()
	}
	if err := d.partition(spec.Selection); err != nil {
		return err
	}
	kinds := sha256.Sum256(fmt.Append(nil, d.schema.Fields()))
	d.digest = digest + "-" + hex.EncodeToString(kinds[:8])
	return nil
}

// parts reads the files of a dataset, as far as their rows are within the limits. Of files whose rows are all passed over, none is read but
// the first, which tells the columns.
func (s *parquetScan) parts(ctx context.Context, parts []Part) error {
	for number, part := range parts {
		if number > 0 && part.Rows <= s.limits.offset {
			s.limits.offset -= part.Rows
			continue
		}
		data, err := part.Read()
		if err == nil {
			err = s.parquet(ctx, bytes.NewReader(data), int64(len(data)))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", part.Name, err)
		}
		if s.isEnough() {
			break
		}
	}
	if s.kept == nil {
		return nil
	}
	return s.kept.flush()
}

// Columns are those that a seed uses of a dataset with some columns.
func Columns(spec *v1alpha1.Seed, source []table.Field) ([]table.Field, error) {
	_, fields, err := chooseFields(spec, source)
	return fields, err
}
