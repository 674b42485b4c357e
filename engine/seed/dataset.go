package seed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/parquetfile"
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
	kept := &spool{}
	dataset := &Dataset{at: kept, close: kept.Close}
	err := dataset.loadParts(ctx, spec, kept, parts, wanted(spec, rows))
	if err == nil {
		err = dataset.finish(spec, digest)
	}
	if err == nil {
		return dataset, nil
	}
	_ = kept.Close() // what it holds is of no use any more
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

// loadParts decodes the rows of files into the spool, as far as they are within the limits. Of files whose rows are all passed over, none
// is read but the first, which tells the columns.
func (d *Dataset) loadParts(ctx context.Context, spec *v1alpha1.Seed, kept *spool, parts []Part, limits limits) error {
	for number, part := range parts {
		passed := part.Rows <= limits.offset
		if number > 0 && passed {
			limits.offset -= part.Rows
			continue
		}
		if err := d.loadPart(ctx, spec, kept, part, limits); err != nil {
			return fmt.Errorf("%s: %w", part.Name, err)
		}
		limits.offset = max(0, limits.offset-part.Rows)
		if d.index.count == limits.count {
			break
		}
	}
	return kept.flush()
}

func (d *Dataset) loadPart(ctx context.Context, spec *v1alpha1.Seed, kept *spool, part Part, limits limits) error {
	data, err := part.Read()
	if err != nil {
		return err
	}
	reader, err := parquetfile.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	columns, fields, err := chooseFields(spec, reader.Schema().Fields())
	if err != nil {
		return err
	}
	if d.schema == nil {
		d.schema = table.NewSchema(fields...)
		d.useSpool(kept, fields)
	}
	same := func(a, b table.Field) bool { return a.Name == b.Name && a.Type.Equal(b.Type) }
	if !slices.EqualFunc(d.schema.Fields(), fields, same) {
		return errors.New("it has other columns than the files before it")
	}
	_, err = d.spoolRows(ctx, reader, columns, kept, limits)
	return err
}

// Columns are those that a seed uses of a dataset with some columns.
func Columns(spec *v1alpha1.Seed, source []table.Field) ([]table.Field, error) {
	_, fields, err := chooseFields(spec, source)
	return fields, err
}
