package store

import (
	"bytes"
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/table"
)

// Layout says which columns records have, and which of them are in which file of a row group. It is immutable.
type Layout struct {
	// Schema has all columns of the records.
	Schema *table.Schema
	// Output are the columns in parquet-files; nil stands for all.
	Output *table.Schema
	// Dropped are the columns that are not in there; nil stands for none.
	Dropped *table.Schema
	// Preserve says that the dropped columns are kept in files of their own.
	Preserve bool
}

func (l *Layout) output() *table.Schema {
	if l.Output == nil {
		return l.Schema
	}
	return l.Output
}

func (l *Layout) dropped() []table.Field {
	if l.Dropped == nil {
		return nil
	}
	return l.Dropped.Fields()
}

// File is a file of a row group that is written beside its records, such as what a processor makes of them.
type File struct {
	// Folder is where it lies below the dataset's folder.
	Folder string
	Schema *table.Schema
	// Rows have their cells in the order of the schema. Without rows there is no file.
	Rows [][]any
}

// Content is what a row group holds.
type Content struct {
	Records []*table.Record
	// Layout says which columns of the records go where. Nil stands for the layout of the store.
	Layout *Layout
	Files  []File
}

// files are the files of the content: that with the dataset's rows first.
func (c *Content) files() []File {
	files := []File{{Folder: parquetFolder, Schema: c.Layout.output(), Rows: project(c.Records, c.Layout.Schema, c.Layout.output())}}
	dropped := File{Folder: droppedFolder, Schema: c.Layout.Dropped}
	if c.Layout.Preserve && len(c.Layout.dropped()) > 0 {
		dropped.Rows = project(c.Records, c.Layout.Schema, c.Layout.Dropped)
	}
	return append(append(files, dropped), c.Files...)
}

// project returns some of the columns of records.
func project(records []*table.Record, from, to *table.Schema) [][]any {
	rows := make([][]any, len(records))
	if from == to {
		for i, record := range records {
			rows[i] = record.Cells
		}
		return rows
	}
	indexes := make([]int, to.Len())
	for i, field := range to.Fields() {
		indexes[i], _ = from.Index(field.Name)
	}
	for i, record := range records {
		rows[i] = make([]any, len(indexes))
		for position, index := range indexes {
			rows[i][position] = record.Cells[index]
		}
	}
	return rows
}

// ReadRecords reads the rows of a committed row group back, with all their columns: those that were dropped, and not kept, are null.
func (s *Store) ReadRecords(manifest *Manifest) ([]*table.Record, error) {
	if manifest.File == "" {
		return nil, nil
	}
	schema := s.layout.Schema
	identities, err := manifest.Identities.all(manifest)
	if err != nil || int64(len(identities)) != manifest.Rows {
		return nil, misfit(manifest, manifest.File)
	}
	records := make([]*table.Record, len(identities))
	for i, identity := range identities {
		records[i] = table.NewRecord(schema, identity.Row, identity.Attempt)
		records[i].Ordinal = identity.Ordinal
	}
	if err := s.readColumns(manifest, manifest.File, s.layout.output(), records); err != nil {
		return nil, err
	}
	if dropped := manifest.file(droppedFolder); dropped != nil {
		if err := s.readColumns(manifest, dropped.Path, s.layout.Dropped, records); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// readColumns reads the columns of one file into the records.
func (s *Store) readColumns(manifest *Manifest, name string, columns *table.Schema, records []*table.Record) error {
	data, err := s.root.ReadFile(name)
	if err != nil {
		return fail(err, "reading "+name)
	}
	schema, rows, err := parquetfile.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return failure.Wrap(err, v1alpha1.ReasonStorageFailed, failure.EndRun, "reading %s", name)
	}
	if columns == nil || !sameSchema(schema, columns) {
		return failure.New(v1alpha1.ReasonStorageFailed, failure.EndRun,
			"%s has other columns than the dataset has now: the data behind the seed has changed; change spec.randomSeed to start a new run", name)
	}
	if len(rows) != len(records) {
		return misfit(manifest, name)
	}
	for position, field := range columns.Fields() {
		index, _ := s.layout.Schema.Index(field.Name)
		for i, record := range records {
			record.Cells[index] = rows[i][position]
		}
	}
	return nil
}

func misfit(manifest *Manifest, file string) error {
	return failure.New(v1alpha1.ReasonStorageFailed, failure.EndRun, "the manifest of row group %d does not fit %s", manifest.Index, file)
}

func sameSchema(a, b *table.Schema) bool {
	return slices.EqualFunc(a.Fields(), b.Fields(), func(x, y table.Field) bool { return x.Name == y.Name && x.Type.Equal(y.Type) })
}
