package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/export"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/table"
)

// Export is what is written of the dataset in another format when the run has ended with one.
type Export struct {
	Name string `json:"-"`
	// Of is the processor whose form of the rows is written; empty for the dataset.
	Of      string         `json:"of,omitempty"`
	Options export.Options `json:"options"`
}

const (
	exportsFolder = "exports"
	// exportStates has, by the names of the exports, what was written and of what.
	exportStates  = engineFolder + "/exports"
	exportVersion = 1
)

// exportState says of what an export was written, and what it holds. Its object is empty until all of the export is there.
type exportState struct {
	Version int           `json:"version"`
	Export  Export        `json:"export"`
	Sources []string      `json:"sources"`
	Result  export.Result `json:"result"`
}

func exportStatePath(name string) string { return path.Join(exportStates, name+".json") }

// export writes the exports that are not written as they are now, one after another, and removes those that are no longer asked for. Cut
// off, it may be called again: what is whole is left alone.
func (s *Store) export(ctx context.Context, exports []Export, manifests []*Manifest) ([]metadataExport, error) {
	described := make([]metadataExport, 0, len(exports))
	for _, one := range exports {
		result, err := s.exportOne(ctx, one, manifests)
		if err != nil {
			return nil, err
		}
		described = append(described, describeExport(one, result))
	}
	return described, s.removeExports(exports)
}

// exportOne writes an export, unless it is there.
func (s *Store) exportOne(ctx context.Context, wanted Export, manifests []*Manifest) (*export.Result, error) {
	state := exportState{Version: exportVersion, Export: wanted, Sources: sourcesOf(manifests, wanted.Of, wanted.Options.SplitBy)}
	folder := path.Join(exportsFolder, wanted.Name)
	if before, err := s.exported(&state, folder); err != nil || before != nil {
		return before, err
	}
	// From here on the files are no longer those of an earlier state, and whoever asks for others knows that there are some.
	if err := s.putExport(exportStatePath(wanted.Name), nil); err != nil {
		return nil, err
	}
	result, err := s.writeExport(ctx, manifests, wanted, func(name string) (io.WriteCloser, error) {
		return &exportFile{put: func(data []byte) error { return s.putExport(path.Join(folder, name), data) }}, nil
	})
	if err != nil {
		return nil, exportFailed(wanted.Name, err)
	}
	if err := s.removeOthers(folder, result); err != nil {
		return nil, err
	}
	state.Result = *result
	data, err := seal(&state)
	if err != nil {
		return nil, failure.Wrap(err, v1alpha1.ReasonInternalError, failure.EndRun, "encoding the state of the export %s", wanted.Name)
	}
	return result, s.put(exportStatePath(wanted.Name), data)
}

// putExport writes an object of an export, while this process has the right to.
func (s *Store) putExport(name string, data []byte) error {
	if err := s.guard(); err != nil {
		return err
	}
	return s.put(name, data)
}

// exportFailed names the export that can't be written.
func exportFailed(name string, err error) error {
	if failed := new(failure.Error); errors.As(err, &failed) {
		return failed // of the volume, of a file of the dataset, or of the context
	}
	return failure.Wrap(err, v1alpha1.ReasonExportFailed, failure.EndRun, "the export %q can't be written", name)
}

// exportFile is a file that is written as a whole.
type exportFile struct {
	bytes.Buffer
	put func(data []byte) error
}

// Close writes the file.
func (f *exportFile) Close() error { return f.put(f.Bytes()) }

// exported returns what an export holds, where it was written with the same options of the same rows, and all of its files are there.
func (s *Store) exported(wanted *exportState, folder string) (*export.Result, error) {
	data, err := s.get(exportStatePath(wanted.Export.Name))
	if err != nil || data == nil {
		return nil, err
	}
	var before exportState
	if unseal(data, &before) != nil || before.Version != exportVersion || before.Export.Of != wanted.Export.Of ||
		before.Export.Options != wanted.Export.Options || !slices.Equal(before.Sources, wanted.Sources) {
		return nil, nil
	}
	entries, err := s.list(folder)
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	for _, entry := range entries {
		there[entry.Name] = true
	}
	for _, file := range before.Result.Files {
		if !there[file.Name] {
			return nil, nil
		}
	}
	return &before.Result, nil
}

// sourcesOf are the digests of the files that an export is made of, in their order.
func sourcesOf(manifests []*Manifest, of, split string) []string {
	sources := []string{}
	for _, manifest := range manifests {
		if file := manifest.fileOf(of); file != nil {
			sources = append(sources, file.SHA256)
		}
		if of != "" && split != "" {
			sources = append(sources, manifest.SHA256)
		}
	}
	return sources
}

// fileOf is the file with the rows of a row group, or with a form of them; nil where there is none.
func (m *Manifest) fileOf(form string) *FileEntry {
	switch {
	case form != "":
		return m.file(formFolder(form))
	case m.File == "":
		return nil
	}
	return &FileEntry{Path: m.File, SHA256: m.SHA256, Bytes: m.Bytes}
}

// WriteExport writes the dataset, or a form of it, with an export's options. Its errors are failure.Error, or those of the export.
func (s *Store) WriteExport(ctx context.Context, wanted Export, create export.Create) (*export.Result, error) {
	manifests, err := s.manifests()
	if err != nil {
		return nil, err
	}
	if manifests, _, err = s.dataset(manifests); err != nil {
		return nil, err
	}
	return s.writeExport(ctx, manifests, wanted, create)
}

func (s *Store) writeExport(ctx context.Context, manifests []*Manifest, wanted Export, create export.Create) (*export.Result, error) {
	writing := &exportWriting{store: s, wanted: wanted, create: create}
	for _, manifest := range manifests {
		if ctx.Err() != nil {
			return nil, failure.Of(context.Cause(ctx))
		}
		if file := manifest.fileOf(wanted.Of); file != nil {
			if err := writing.rowGroup(manifest, file); err != nil {
				return nil, err
			}
		}
	}
	if writing.writer == nil {
		return &export.Result{}, nil
	}
	return writing.writer.Close()
}

// exportWriting writes one row group after another.
type exportWriting struct {
	store  *Store
	wanted Export
	create export.Create
	// writer and columns are there from the first row group on.
	writer  *export.Writer
	columns *table.Schema
	// isSplitByDataset says that a form is split by a column that it does not have, and the dataset does.
	isSplitByDataset bool
}

func (e *exportWriting) rowGroup(manifest *Manifest, file *FileEntry) error {
	schema, rows, err := e.store.readRows(file.Path)
	if err != nil {
		return err
	}
	if _, found := schema.Index(e.wanted.Options.SplitBy); e.writer == nil {
		e.columns, e.isSplitByDataset = schema, e.wanted.Of != "" && e.wanted.Options.SplitBy != "" && !found
	}
	if !sameSchema(schema, e.columns) {
		return misfit(manifest, file.Path)
	}
	if e.isSplitByDataset {
		return e.formRows(manifest, file, rows)
	}
	if e.writer == nil {
		if e.writer, err = export.NewWriter(schema, e.wanted.Options, e.create); err != nil {
			return err
		}
	}
	for _, cells := range rows {
		if err := e.writer.Write(cells); err != nil {
			return err
		}
	}
	return nil
}

// formRows writes the rows of a form, each for the value that its row of the dataset has. A row that the dataset does not have has none.
func (e *exportWriting) formRows(manifest *Manifest, file *FileEntry, rows [][]any) error {
	identities, err := file.Identities.all(file.Rows)
	if err != nil || len(identities) != len(rows) {
		return misfit(manifest, file.Path)
	}
	values, dataset, err := e.splitValues(manifest)
	if err != nil {
		return err
	}
	if e.writer == nil {
		if dataset == nil {
			return nil // of which no row is left
		}
		if e.writer, err = export.NewSplitWriter(e.columns, e.wanted.Options, dataset, e.create); err != nil {
			return err
		}
	}
	for i, cells := range rows {
		identity := identities[i]
		identity.Attempt = 0
		if err := e.writer.WriteFor(values[identity], cells); err != nil {
			return err
		}
	}
	return nil
}

// splitValues are the values of the column that rows are split by, by the rows of the dataset; its columns are nil where it has no row.
func (e *exportWriting) splitValues(manifest *Manifest) (map[recordIdentity]any, *table.Schema, error) {
	if manifest.File == "" {
		return nil, nil, nil
	}
	schema, rows, err := e.store.readRows(manifest.File)
	if err != nil {
		return nil, nil, err
	}
	identities, err := manifest.Identities.all(manifest.Rows)
	if err != nil || len(identities) != len(rows) {
		return nil, nil, misfit(manifest, manifest.File)
	}
	index, found := schema.Index(e.wanted.Options.SplitBy)
	values := make(map[recordIdentity]any, len(rows))
	for i, identity := range identities {
		identity.Attempt = 0
		if found {
			values[identity] = rows[i][index]
		}
	}
	return values, schema, nil
}

// Forms are the names of the processors that have made other forms of the rows.
func (s *Store) Forms() ([]string, error) {
	entries, err := s.list(formsFolder)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name)
	}
	return names, err
}

// removeOthers removes the files of a folder that are not those of the export.
func (s *Store) removeOthers(folder string, result *export.Result) error {
	entries, err := s.list(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if slices.ContainsFunc(result.Files, func(file export.File) bool { return file.Name == entry.Name }) {
			continue
		}
		if err := s.remove(path.Join(folder, entry.Name)); err != nil {
			return err
		}
	}
	return nil
}

// removeExports removes the exports that are not wanted any more: they would be taken for ones of the dataset as it is now.
func (s *Store) removeExports(wanted []Export) error {
	entries, err := s.list(exportStates)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := strings.TrimSuffix(entry.Name, ".json")
		if slices.ContainsFunc(wanted, func(one Export) bool { return one.Name == name }) {
			continue
		}
		if err := s.removeAll(path.Join(exportsFolder, name)); err != nil {
			return err
		}
		if err := s.remove(path.Join(exportStates, entry.Name)); err != nil {
			return err
		}
	}
	return nil
}

// metadataExport is an export as metadata.json lists it.
type metadataExport struct {
	Name        string               `json:"name"`
	Of          string               `json:"of"`
	Format      string               `json:"format"`
	Compression string               `json:"compression"`
	Rows        int64                `json:"rows"`
	CutTexts    int64                `json:"cut_texts"`
	MarkedCells int64                `json:"marked_cells"`
	Files       []metadataExportFile `json:"files"`
}

type metadataExportFile struct {
	Path   string `json:"path"`
	Rows   int64  `json:"rows"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	// Split is the value of the column that rows are split by; it is not there for null, and where they are not split.
	Split *string `json:"split,omitempty"`
}

func describeExport(of Export, result *export.Result) metadataExport {
	compression := of.Options.Compression
	if compression == "" {
		compression = v1alpha1.ExportUncompressed
	}
	described := metadataExport{
		Name: of.Name, Of: of.Of, Format: string(of.Options.Format), Compression: string(compression), Rows: result.Rows,
		CutTexts: result.Cut, MarkedCells: result.Marked, Files: []metadataExportFile{},
	}
	for _, file := range result.Files {
		described.Files = append(described.Files, metadataExportFile{
			Path: path.Join(exportsFolder, of.Name, file.Name), Rows: file.Rows, Bytes: file.Bytes, SHA256: file.SHA256, Split: file.Split,
		})
	}
	return described
}
