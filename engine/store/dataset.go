package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/table"
)

// Dataset is what is in the output, as its readers see it.
type Dataset struct {
	// Schema are the columns of the files; nil when there are none. Rows have their cells in its order.
	Schema *table.Schema
	Rows   [][]any
	// Dropped are the rows that were given up.
	Dropped []DroppedRow
	// Metadata is metadata.json; nil when it was not written.
	Metadata json.RawMessage
}

// ReadDataset reads the whole dataset into memory, in the order of its rows. It is for small ones.
func (s *Store) ReadDataset() (*Dataset, error) {
	manifests, err := s.manifests()
	if err != nil {
		return nil, err
	}
	dataset := &Dataset{}
	for _, manifest := range manifests {
		dataset.Dropped = append(dataset.Dropped, manifest.Dropped...)
		if manifest.File == "" {
			continue
		}
		data, err := s.root.ReadFile(manifest.File)
		if err != nil {
			return nil, fail(err, "reading "+manifest.File)
		}
		schema, rows, err := parquetfile.Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return nil, failure.Wrap(err, v1alpha1.ReasonStorageFailed, failure.EndRun, "reading %s", manifest.File)
		}
		dataset.Schema, dataset.Rows = schema, append(dataset.Rows, rows...)
	}
	dataset.Metadata, err = s.root.ReadFile(metadataFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fail(err, "reading "+metadataFile)
	}
	return dataset, nil
}

// LastAttempt returns the highest attempt that has committed a row group; 0 when none has.
func (s *Store) LastAttempt() (int32, error) {
	manifests, err := s.manifests()
	if err != nil {
		return 0, err
	}
	last := int32(0)
	for _, manifest := range manifests {
		last = max(last, manifest.Attempt)
	}
	return last, nil
}
