package store

import (
	"bytes"
	"encoding/json"
	"path"
	"slices"

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
	// Forms are the other forms of the rows that processors have made.
	Forms []DatasetForm
	// Dropped are the rows that were given up.
	Dropped []DroppedRow
	// Filtered are the rows that were generated, and that processors have left out of the dataset.
	Filtered []FilteredRow
	// Metadata is metadata.json; nil when it was not written.
	Metadata json.RawMessage
}

// DatasetForm is another form of the rows, which a processor has made.
type DatasetForm struct {
	Processor string
	Schema    *table.Schema
	Rows      [][]any
}

// FilteredRow is a row that a processor has left out of the dataset. Fields are its columns, those that are dropped among them.
type FilteredRow struct {
	Row    table.RowIndex
	Fields []table.Field
	Cells  []any
}

// ReadDataset reads the whole dataset into memory, in the order of its rows. It is for small ones.
func (s *Store) ReadDataset() (*Dataset, error) {
	manifests, err := s.manifests()
	if err != nil {
		return nil, err
	}
	dataset := &Dataset{}
	for _, manifest := range manifests {
		if err := s.readFiltered(dataset, manifest); err != nil {
			return nil, err
		}
	}
	if manifests, _, err = s.dataset(manifests); err != nil {
		return nil, err
	}
	for _, manifest := range manifests {
		dataset.Dropped = append(dataset.Dropped, manifest.Dropped...)
		if err := s.readForms(dataset, manifest); err != nil {
			return nil, err
		}
		if manifest.File == "" {
			continue
		}
		schema, rows, err := s.readRows(manifest.File)
		if err != nil {
			return nil, err
		}
		dataset.Schema, dataset.Rows = schema, append(dataset.Rows, rows...)
	}
	dataset.Metadata, err = s.get(metadataFile)
	return dataset, err
}

// readFiltered adds the rows of a row group that processors have left out of the dataset.
func (s *Store) readFiltered(dataset *Dataset, manifest *Manifest) error {
	published, err := s.published(manifest)
	if err != nil || published == nil || published.Filtered == 0 || manifest.File == "" {
		return err
	}
	kept := map[table.RowIndex]bool{}
	identities, err := published.Identities.all(published.Rows)
	if err != nil {
		return misfit(published, published.File)
	}
	for _, identity := range identities {
		kept[identity.Row] = true
	}
	schema, rows, err := s.readRows(manifest.File)
	if err != nil {
		return err
	}
	identities, err = manifest.Identities.all(manifest.Rows)
	if err != nil || len(identities) != len(rows) {
		return misfit(manifest, manifest.File)
	}
	for i, identity := range identities {
		if !kept[identity.Row] {
			dataset.Filtered = append(dataset.Filtered, FilteredRow{Row: identity.Row, Fields: schema.Fields(), Cells: rows[i]})
		}
	}
	return nil
}

// readForms adds the files of a row group that processors have made.
func (s *Store) readForms(dataset *Dataset, manifest *Manifest) error {
	for _, file := range manifest.Files {
		folder := path.Dir(file.Path)
		if path.Dir(folder) != formsFolder {
			continue
		}
		schema, rows, err := s.readRows(file.Path)
		if err != nil {
			return err
		}
		processor := path.Base(folder)
		position := slices.IndexFunc(dataset.Forms, func(f DatasetForm) bool { return f.Processor == processor })
		if position < 0 {
			position = len(dataset.Forms)
			dataset.Forms = append(dataset.Forms, DatasetForm{Processor: processor})
		}
		form := &dataset.Forms[position]
		form.Schema, form.Rows = schema, append(form.Rows, rows...)
	}
	return nil
}

func (s *Store) readRows(name string) (*table.Schema, [][]any, error) {
	data, err := s.volume.Get(name)
	if err != nil {
		return nil, nil, fail(err, "reading "+name)
	}
	schema, rows, err := parquetfile.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, nil, failure.Wrap(err, v1alpha1.ReasonStorageFailed, failure.EndRun, "reading %s", name)
	}
	return schema, rows, nil
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
