package seed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// format is the one that all files have.
func (j *joined) format(asked v1alpha1.SeedFormat) (v1alpha1.SeedFormat, error) {
	found, first := asked, ""
	for _, one := range j.list {
		format, err := formatOf(asked, path.Base(one.Path))
		if err != nil {
			return "", fmt.Errorf("%s: %w", one.Path, err)
		}
		if found != "" && format != found {
			return "", fmt.Errorf("%s is %s, and %s is %s: all files of a seed have one format; name those of one, as in *.parquet, or set "+
				"spec.seed.format", first, found, one.Path, format)
		}
		if found == "" {
			first = one.Path
		}
		found = format
	}
	return found, nil
}

// close releases the files when they were not made a dataset.
func (j *joined) close() error { return j.Close() }

func (j *joined) load(ctx context.Context, spec *v1alpha1.Seed, format v1alpha1.SeedFormat, limits limits) (*Dataset, error) {
	digest, err := j.identity(ctx)
	if err != nil {
		return nil, err
	}
	version := fmt.Sprintf("%d files, %d bytes", len(j.list), j.ends[len(j.ends)-1])
	dataset := &Dataset{at: j, close: j.Close, version: version}
	into := dataset.scanner(spec, format, limits)
	for number := range j.list {
		if number > 0 && into.isEnough() {
			break
		}
		dataset.index.begin()
		if err = j.with(number, func(opened *file) error { return scanFile(ctx, into, format, opened, j.target(number)) }); err != nil {
			break
		}
	}
	if err == nil {
		err = dataset.complete(into, spec, digest, limits)
	}
	return dataset.orNone(err)
}

// with calls a function with a file, whose name its errors have.
func (j *joined) with(number int, do func(opened *file) error) error {
	opened, err := j.acquire(number)
	if err == nil {
		one := j.list[number]
		err = do(&file{ReaderAt: opened.content, size: one.Size, name: one.Path})
		j.release(opened)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", j.list[number].Path, err)
	}
	return nil
}

// target has the rows of a file read from it, or from what it becomes.
func (j *joined) target(number int) target {
	return target{base: j.start(number), keep: func() (*spool, int64) {
		if j.kept == nil {
			j.kept = &spool{}
		}
		return j.kept, keptBase + j.kept.size
	}}
}

// identity tells the files from others with other content, whatever they are called. The more there are, the fewer samples of each are
// looked at.
func (j *joined) identity(ctx context.Context) (string, error) {
	count := int64(len(j.list))
	sum := sha256.New()
	for number := range j.list {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		if version := j.list[number].Version; version != "" { // which spares fetching the file
			_, _ = fmt.Fprintf(sum, "%d %q\n", j.list[number].Size, version) // a hash takes everything
			continue
		}
		err := j.with(number, func(opened *file) error {
			digest, err := opened.identity(max(wholeSize/count, 2*sampleSize), max(samples/count, 2))
			_, _ = io.WriteString(sum, digest+"\n") // a hash takes everything
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
