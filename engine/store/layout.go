package store

import (
	"cmp"
	"path"
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/table"
)

// Layout says which columns records have, and which of them are in which file of a row group. It is immutable.
type Layout struct {
	// Schema has all columns of the records; nil until they are known.
	Schema *table.Schema
	// Output are the columns in parquet-files; nil stands for all.
	Output *table.Schema
	// Dropped are the columns that are not in there; nil stands for none.
	Dropped *table.Schema
	// Preserve says that the dropped columns are kept in files of their own.
	Preserve bool
	// Numbered says that the files with the rows, and with their dropped columns, begin with a column of the numbers of the rows.
	Numbered bool
	// Writer writes the Parquet files; the zero value is usable.
	Writer parquetfile.Writer
	// Staged says that row groups are kept as they were made, beside their manifests and with their dropped columns; the dataset is what is
	// made of them when the run is finalized.
	Staged bool
}

// main says where the file with the rows of a row group lies, and what it holds.
func (l *Layout) main() (folder string, schema *table.Schema) {
	switch {
	case l.Staged && l.Preserve:
		return manifestFolder, l.Schema
	case l.Staged:
		return manifestFolder, l.output()
	}
	return parquetFolder, l.output()
}

func (l *Layout) output() *table.Schema {
	if l.Output == nil {
		return l.Schema
	}
	return l.Output
}

// OutputColumns are those of the files with the rows of the dataset.
func (l *Layout) OutputColumns() *table.Schema { return table.NewSchema(l.columns(l.output())...) }

// RowColumn is the column with the numbers of the rows, as code of users has it.
const RowColumn = "_row"

// columns are those that the files of the dataset have for some of those of the records.
func (l *Layout) columns(of *table.Schema) []table.Field {
	if !l.Numbered {
		return of.Fields()
	}
	return append([]table.Field{{Name: RowColumn, Type: table.Type{Kind: table.KindInt}}}, of.Fields()...)
}

func (l *Layout) dropped() []table.Field {
	if l.Dropped == nil {
		return nil
	}
	return l.Dropped.Fields()
}

// File is a file of a row group that is written beside its records.
type File struct {
	// Folder is where it lies below the dataset's folder.
	Folder string
	Schema *table.Schema
	// Rows have their cells in the order of the schema. Without rows there is no file.
	Rows [][]any
	// Columns, where they aren't nil, stand in the place of the rows.
	Columns *table.Columns
	// Identities say which row is which record, where the rows are others than those of the dataset.
	Identities Identities
	// main says that it is the file with the rows of the row group.
	main bool
}

// rows is how many rows the file has.
func (f *File) rows() int64 {
	if f.Columns != nil {
		return int64(f.Columns.Rows)
	}
	return int64(len(f.Rows))
}

// FormFile is the file with another form of records that a processor has made. It sorts the records.
func FormFile(processor string, schema *table.Schema, records []*table.Record) File {
	sortRecords(records)
	return File{Folder: formFolder(processor), Schema: schema, Rows: project(records, schema, schema), Identities: identitiesOf(records)}
}

func formFolder(processor string) string { return path.Join(formsFolder, processor) }

func sortRecords(records []*table.Record) {
	slices.SortFunc(records, func(a, b *table.Record) int {
		return cmp.Or(cmp.Compare(a.Row, b.Row), cmp.Compare(a.Ordinal, b.Ordinal))
	})
}

// Content is what a row group holds.
type Content struct {
	Records []*table.Record
	// Columns, where they aren't nil, stand in the place of the records. They are in the order of the layout's schema.
	Columns *table.Columns
	// Layout says which columns of the records go where. Nil stands for the layout of the store.
	Layout *Layout
	Files  []File
}

// files are the files of the content: that with the dataset's rows first.
func (c *Content) files() []File {
	folder, schema := c.Layout.main()
	files := []File{c.file(folder, schema)}
	files[0].main = true
	if c.Layout.Staged {
		return append(files, c.Files...)
	}
	files[0] = c.numbered(files[0])
	dropped := File{Folder: droppedFolder, Schema: c.Layout.Dropped}
	if c.Layout.Preserve && len(c.Layout.dropped()) > 0 {
		dropped = c.numbered(c.file(droppedFolder, c.Layout.Dropped))
	}
	return append(append(files, dropped), c.Files...)
}

// file is one with some of the columns of the content.
func (c *Content) file(folder string, schema *table.Schema) File {
	if c.Columns == nil {
		return File{Folder: folder, Schema: schema, Rows: project(c.Records, c.Layout.Schema, schema)}
	}
	columns := &table.Columns{First: c.Columns.First, Rows: c.Columns.Rows}
	for _, field := range schema.Fields() {
		index, _ := c.Layout.Schema.Index(field.Name)
		columns.Of = append(columns.Of, c.Columns.Of[index])
	}
	return File{Folder: folder, Schema: schema, Columns: columns}
}

// rows is how many rows the row group has.
func (c *Content) rows() int64 {
	if c.Columns != nil {
		return int64(c.Columns.Rows)
	}
	return int64(len(c.Records))
}

// identities say which rows the row group has.
func (c *Content) identities() Identities {
	if c.Columns != nil {
		return identitiesOfRange(c.Columns.First, c.Columns.Rows)
	}
	return identitiesOf(c.Records)
}

// numbered returns a file with the numbers of the rows before their cells, where the layout wants them.
func (c *Content) numbered(file File) File {
	if !c.Layout.Numbered {
		return file
	}
	file.Schema = table.NewSchema(c.Layout.columns(file.Schema)...)
	if file.Columns != nil {
		numbers := &table.Column{Ints: make([]int64, file.Columns.Rows)}
		for i := range numbers.Ints {
			numbers.Ints[i] = int64(file.Columns.First) + int64(i)
		}
		file.Columns.Of = append([]*table.Column{numbers}, file.Columns.Of...)
		return file
	}
	rows := make([][]any, len(file.Rows))
	for i, cells := range file.Rows {
		rows[i] = append([]any{int64(c.Records[i].Row)}, cells...)
	}
	file.Rows = rows
	return file
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
	records, err := manifest.Identities.records(s.layout.Schema, manifest.Rows)
	if err != nil {
		return nil, misfit(manifest, manifest.File)
	}
	_, columns := s.layout.main()
	if err := s.readColumns(manifest, manifest.File, columns, records); err != nil {
		return nil, err
	}
	if dropped := manifest.file(droppedFolder); dropped != nil {
		if err := s.readColumns(manifest, dropped.Path, s.layout.Dropped, records); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// ReadForm reads the form of a committed row group's records that a processor has made.
func (s *Store) ReadForm(manifest *Manifest, processor string, schema *table.Schema) ([]*table.Record, error) {
	file := manifest.file(formFolder(processor))
	if file == nil {
		return nil, nil
	}
	records, err := file.Identities.records(schema, file.Rows)
	if err != nil {
		return nil, misfit(manifest, file.Path)
	}
	return records, s.readColumns(manifest, file.Path, schema, records)
}

// readColumns reads the columns of one file into the records.
func (s *Store) readColumns(manifest *Manifest, name string, columns *table.Schema, records []*table.Record) error {
	schema, rows, err := s.readRows(name)
	if err != nil {
		return err
	}
	numbers := 0
	if columns != nil && s.isNumbered(schema, columns) {
		numbers, schema = 1, table.NewSchema(schema.Fields()[1:]...)
	}
	if columns == nil || !sameSchema(schema, columns) {
		return failure.New(v1alpha1.ReasonStorageFailed, failure.EndRun,
			"%s has other columns than the dataset has now: the data behind the seed has changed; change spec.randomSeed to start a new run", name)
	}
	if len(rows) != len(records) {
		return misfit(manifest, name)
	}
	for position, field := range columns.Fields() {
		if len(records) == 0 {
			break
		}
		index, _ := records[0].Schema.Index(field.Name)
		for i, record := range records {
			record.Cells[index] = rows[i][numbers+position]
		}
	}
	return nil
}

// isNumbered says whether a file has the numbers of the rows before the columns that are wanted of it.
func (s *Store) isNumbered(schema, columns *table.Schema) bool {
	_, wanted := columns.Index(RowColumn) // as a form may have it
	return s.layout.Numbered && !wanted && schema.Len() > 0 && schema.Fields()[0].Name == RowColumn
}

func misfit(manifest *Manifest, file string) error {
	return failure.New(v1alpha1.ReasonStorageFailed, failure.EndRun, "the manifest of row group %d does not fit %s", manifest.Index, file)
}

func sameSchema(a, b *table.Schema) bool {
	return slices.EqualFunc(a.Fields(), b.Fields(), func(x, y table.Field) bool { return x.Name == y.Name && x.Type.Equal(y.Type) })
}
