package seed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"slices"
	"unicode/utf8"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/document"
	"seedloom.dev/seedloom/engine/document/chunk"
	"seedloom.dev/seedloom/engine/document/columns"
	"seedloom.dev/seedloom/engine/document/format"
	"seedloom.dev/seedloom/engine/document/process"
	"seedloom.dev/seedloom/engine/table"
)

// DocumentColumns are those that a seed of documents has, whatever the documents are.
func DocumentColumns(spec *v1alpha1.Seed) ([]table.Field, error) {
	return Columns(spec, columns.Fields())
}

// DocumentResult is what has become of a document.
type DocumentResult struct {
	Name string
	// Chunks is how many rows it gives, Characters how long its text is, Hidden how many of its characters can't be seen, Pages how many
	// it has, where it has pages, and Pictures how many of them have no text but a picture.
	Chunks, Characters, Hidden, Pages, Pictures int
	// Problem says why it was left out; empty where it was not.
	Problem string
}

// sourceDocument is a document before it is read.
type sourceDocument struct {
	name   string
	format format.Format
	read   func() ([]byte, error)
}

// loadDocuments opens the documents of a spec as a seed. Each document that was read, or left out, is reported in its order.
func loadDocuments(ctx context.Context, spec *v1alpha1.Seed, options Options) (*Dataset, error) {
	source, documents, closeAll, err := openDocuments(ctx, spec, options)
	if err != nil {
		return nil, classify(ctx, source, err)
	}
	defer closeAll()
	return keepRows(ctx, source, func(dataset *Dataset, encode *encoder) error {
		loader := &documentLoader{
			dataset: dataset, spec: spec, sum: sha256.New(), report: options.Document, limits: wanted(spec, 0), encode: encode,
		}
		if loader.report == nil {
			loader.report = func(DocumentResult) {}
		}
		if options.Few {
			loader.limits = wanted(spec, options.Rows)
		}
		if err := loader.load(ctx, documents); err != nil {
			return err
		}
		if err := encode.to.flush(); err != nil {
			return err
		}
		return loader.finish(len(documents))
	})
}

// openDocuments finds the documents of a spec.
func openDocuments(ctx context.Context, spec *v1alpha1.Seed, options Options) (string, []sourceDocument, func(), error) {
	found := severalOf(spec, options)
	if found == nil {
		source, from, err := open(ctx, spec, options)
		if err != nil {
			return source, nil, nil, err
		}
		opened := from.(*file) // no other source is several files
		known := format.Of(opened.name)
		if known == "" {
			_ = opened.close() // was only read
			return source, nil, nil, unknownEnding(opened.name)
		}
		read := func() ([]byte, error) { return readDocument(opened, opened.size) }
		return source, []sourceDocument{{opened.name, known, read}}, func() { _ = opened.close() }, nil
	}
	folder, err := found.open(ctx)
	if err != nil {
		return found.name, nil, nil, err
	}
	documents, err := listDocuments(ctx, folder, found.patterns)
	if err != nil {
		_ = folder.Close() // was only read
		return found.name, nil, nil, err
	}
	return found.name, documents, func() { _ = folder.Close() }, nil
}

func unknownEnding(name string) error {
	return fmt.Errorf("the ending of %q tells no format of documents: it must be %s", name, format.Endings)
}

// listDocuments finds the documents that paths or patterns name, in the order of their paths. Other files beside them are passed over.
func listDocuments(ctx context.Context, folder Folder, patterns []string) ([]sourceDocument, error) {
	found, err := folder.List(ctx, patterns...)
	if err != nil {
		return nil, err
	}
	if len(found) == 1 && slices.Contains(patterns, found[0].Path) && format.Of(found[0].Path) == "" {
		return nil, unknownEnding(found[0].Path)
	}
	var documents []sourceDocument
	for _, file := range found {
		known := format.Of(file.Path)
		if known == "" {
			continue
		}
		read := func() ([]byte, error) {
			if err := checkSize(file.Size); err != nil { // before it is fetched
				return nil, err
			}
			content, size, err := folder.Open(file.Path)
			if err != nil {
				return nil, err
			}
			defer func() { _ = content.Close() }() // was only read
			return readDocument(content, size)
		}
		documents = append(documents, sourceDocument{file.Path, known, read})
	}
	if len(documents) == 0 {
		return nil, fmt.Errorf("none of its %d files is a document, by its ending: %s", len(found), format.Endings)
	}
	return documents, nil
}

// checkSize says of a document that it is too large.
func checkSize(size int64) error {
	if size > document.MaxBytes {
		return &document.Problem{Message: fmt.Sprintf("it has %d MiB, and a document may have %d: split it", size>>20, document.MaxBytes>>20)}
	}
	return nil
}

// readDocument reads a document whole, but one that is too large.
func readDocument(from io.ReaderAt, size int64) ([]byte, error) {
	if err := checkSize(size); err != nil {
		return nil, err
	}
	data := make([]byte, size)
	count, err := from.ReadAt(data, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return data[:count], nil
}

// documentLoader turns documents into rows.
type documentLoader struct {
	dataset *Dataset
	spec    *v1alpha1.Seed
	columns []chosen
	limits  limits
	passed  int64
	encode  *encoder
	// sum is over all that the rows say.
	sum    hash.Hash
	report func(DocumentResult)
	// skipped counts the documents that were left out; first is what was wrong with the first of them.
	skipped int
	first   error
}

func (l *documentLoader) load(ctx context.Context, documents []sourceDocument) error {
	chosen, fields, err := chooseFields(l.spec, columns.Fields())
	if err != nil {
		return err
	}
	l.columns = chosen
	l.dataset.schema = table.NewSchema(fields...)
	l.dataset.useSpool(l.encode.to, l.dataset.schema.Fields())
	pool := process.NewPool()
	pool.PageMargins = l.spec.Documents.EffectivePageMargins()
	defer pool.Close()
	return inOrder(ctx, pool, documents, l.spec.Documents.EffectiveHiddenText(), l.document)
}

// document takes a document, or what is wrong with it, and says whether more are wanted.
func (l *documentLoader) document(from *sourceDocument, read *document.Document, err error) (more bool, _ error) {
	result := DocumentResult{Name: from.name}
	if problem := problemOf(err); problem != nil {
		if !l.spec.Documents.SkipsErrors() {
			return false, fmt.Errorf("document %q: %w; mend or remove it, or set spec.seed.documents.onError to Skip", from.name, problem)
		}
		if l.skipped++; l.first == nil {
			l.first = fmt.Errorf("%q: %w", from.name, problem)
		}
		result.Problem = problem.Error()
		_, _ = fmt.Fprintf(l.sum, "skipped %q\n", from.name) // a hash takes all
		l.report(result)
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("document %q: %w", from.name, err)
	}
	chunk.Cut(from.name, read, l.spec.Documents.Chunk, func(one chunk.Chunk) bool {
		err = l.row(from.name, int64(result.Chunks), &one)
		result.Chunks++
		result.Hidden += one.Hidden
		return err == nil && l.dataset.index.count != l.limits.count
	})
	result.Characters, result.Pages, result.Pictures = utf8.RuneCountInString(read.Text), len(read.Pages), read.Pictures
	l.report(result)
	return l.dataset.index.count != l.limits.count, err
}

// problemOf is what is wrong with a document itself; nil for what is wrong with reading it.
func problemOf(err error) error {
	var problem *document.Problem
	if errors.As(err, &problem) {
		return problem
	}
	if errors.Is(err, fs.ErrPermission) {
		return errors.New("user 65532 may not read it; change its mode")
	}
	return nil
}

// row keeps a chunk as a row, as far as it is within the limits.
func (l *documentLoader) row(name string, number int64, from *chunk.Chunk) error {
	if l.passed++; l.passed <= l.limits.offset {
		return nil
	}
	headings := make([]any, len(from.Headings))
	for i, heading := range from.Headings {
		headings[i] = heading
	}
	all := []any{
		from.ID, name, number, from.Text, headings, page(from.FirstPage), page(from.LastPage), int64(from.Start), int64(from.End),
		int64(from.Hidden),
	}
	// A hash takes all.
	_, _ = fmt.Fprintf(l.sum, "%s %q %d %q %d %d %d %d %d\n", from.ID, name, number, from.Headings, from.FirstPage, from.LastPage, from.Start,
		from.End, from.Hidden)
	cells := make([]any, len(l.columns))
	for i, column := range l.columns {
		var err error
		if cells[i], err = retyped(column.asked, all[column.source]); err != nil {
			return fmt.Errorf("column %q, document %q: %w", column.name, name, err)
		}
	}
	start, end, err := l.encode.row(l.dataset.schema.Fields(), cells)
	if err != nil {
		return err
	}
	l.dataset.index.add(start, end)
	return nil
}

func page(number int) any {
	if number == 0 {
		return nil
	}
	return int64(number)
}

func (l *documentLoader) finish(documents int) error {
	if l.skipped == documents {
		return fmt.Errorf("none of its %d documents can be read; the first is %w", documents, l.first)
	}
	if l.dataset.index.count == 0 && l.limits.offset > 0 {
		return fmt.Errorf("its documents have no chunks after the first %d, which spec.seed.selection.offset passes over", l.limits.offset)
	}
	return l.dataset.finish(l.spec, hex.EncodeToString(l.sum.Sum(nil)))
}
