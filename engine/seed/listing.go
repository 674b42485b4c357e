package seed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/seed/files"
	"seedloom.dev/seedloom/engine/table"
)

// maxText bounds the text of a file that becomes a value.
const maxText = 16 << 20

// folderAt and modifiedAt are the places of columns of such a row.
const (
	folderAt   = 2
	modifiedAt = 5
)

// listingFields are the columns of a seed in which each file is a row.
func listingFields(spec *v1alpha1.SeedFiles) []table.Field {
	names := spec.FileColumns()
	fields := make([]table.Field, len(names))
	for i, name := range names {
		fields[i] = table.Field{Name: name, Type: table.Type{Kind: table.KindString}}
		switch name {
		case "size":
			fields[i].Type.Kind = table.KindInt
		case "modified":
			fields[i].Type.Kind = table.KindTimestamp
		}
	}
	return fields
}

// FileColumns are those that a seed has in which each file is a row, whatever the files are.
func FileColumns(spec *v1alpha1.Seed) ([]table.Field, error) {
	return Columns(spec, listingFields(spec.Files))
}

// loadListing opens files as a seed in which each is a row.
func loadListing(ctx context.Context, spec *v1alpha1.Seed, options Options) (*Dataset, error) {
	from := severalOf(spec, options)
	if from == nil {
		return nil, invalid("of spec.seed.files", errors.New("files are listed on a volume or in a bucket"))
	}
	return keepRowsOfFolder(ctx, from, func(folder Folder, dataset *Dataset, encode *encoder) error {
		into := &listing{
			dataset: dataset, spec: spec, folder: folder, limits: wanted(spec, options.Rows), encode: encode, sum: sha256.New(),
		}
		return into.load(ctx, from.patterns)
	})
}

// listing turns files into rows.
type listing struct {
	dataset *Dataset
	spec    *v1alpha1.Seed
	folder  Folder
	columns []chosen
	limits  limits
	encode  *encoder
	// decode turns the text of a file into UTF-8; nil where it is that already.
	decode *encoding.Decoder
	// sum is over what tells the files from others.
	sum hash.Hash
}

func (l *listing) load(ctx context.Context, patterns []string) (err error) {
	if l.decode, err = decoderOf(l.spec.Files); err != nil {
		return err
	}
	columns, fields, err := chooseFields(l.spec, listingFields(l.spec.Files))
	if err != nil {
		return err
	}
	l.columns, l.dataset.schema = columns, table.NewSchema(fields...)
	l.dataset.useSpool(l.encode.to, l.dataset.schema.Fields())
	list, err := l.folder.List(ctx, patterns...)
	if err != nil {
		return err
	}
	for number, file := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		// All files tell a run from others, and not only those whose rows are wanted.
		_, _ = fmt.Fprintf(l.sum, "%q %d %s %q\n", file.Path, file.Size, file.Modified.UTC(), file.Version) // a hash takes all
		if int64(number) < l.limits.offset || l.dataset.index.count == l.limits.count {
			continue
		}
		if err := l.row(&file); err != nil {
			return fmt.Errorf("%q: %w", file.Path, err)
		}
	}
	if err := l.encode.to.flush(); err != nil {
		return err
	}
	if l.dataset.index.count == 0 && l.limits.offset > 0 {
		return fmt.Errorf("there are no files after the first %d, which spec.seed.selection.offset passes over", l.limits.offset)
	}
	l.dataset.version = fmt.Sprintf("%d files", len(list))
	return l.dataset.finish(l.spec, hex.EncodeToString(l.sum.Sum(nil)))
}

// row keeps a file as a row.
func (l *listing) row(file *files.File) error {
	all := []any{
		file.Path, path.Base(file.Path), path.Dir(file.Path), strings.TrimPrefix(path.Ext(file.Path), "."), file.Size, nil,
	}
	if !file.Modified.IsZero() {
		all[modifiedAt] = file.Modified.UTC()
	}
	if all[folderAt] == "." {
		all[folderAt] = ""
	}
	if l.spec.Files.HasText() {
		text, err := l.text(file)
		if err != nil {
			return err
		}
		all = append(all, text)
	}
	cells := make([]any, len(l.columns))
	for i, column := range l.columns {
		var err error
		if cells[i], err = retyped(column.asked, all[column.source]); err != nil {
			return fmt.Errorf("column %q: %w", column.name, err)
		}
	}
	start, end, err := l.encode.row(l.dataset.schema.Fields(), cells)
	if err == nil {
		l.dataset.index.add(start, end)
	}
	return err
}

// text is the text of a file.
func (l *listing) text(file *files.File) (string, error) {
	if file.Size > maxText {
		return "", fmt.Errorf("it has %d MiB, and the text of a file may have %d: leave it out, or read it as a document (spec.seed.documents)",
			file.Size>>20, maxText>>20)
	}
	content, size, err := l.folder.Open(file.Path)
	if err != nil {
		return "", err
	}
	defer func() { _ = content.Close() }() // was only read
	data, err := io.ReadAll(io.NewSectionReader(content, 0, size))
	if err != nil {
		return "", err
	}
	text, err := l.decoded(data)
	if strings.ContainsRune(text, 0) {
		err = errors.New("it is no text: it has bytes that are zero; leave it out, or read it as a document (spec.seed.documents)")
	}
	return strings.TrimPrefix(text, "\ufeff"), err
}

// decoded is what bytes say in the encoding of the spec; beside an error, as far as they say something.
func (l *listing) decoded(data []byte) (string, error) {
	switch {
	case l.decode != nil:
		return decodedBy(l.decode, data, fmt.Sprintf("it is not text in %s; say its encoding in spec.seed.files.encoding, or leave it out",
			l.spec.Files.EffectiveEncoding()))
	case beginsWith(data, []byte{0xff, 0xfe}, []byte{0xfe, 0xff}):
		return decodedBy(unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder(), data,
			"it is not text in UTF-16, which its first bytes say; leave it out")
	case !utf8.Valid(data):
		return string(data), errors.New("it is not text in UTF-8; say its encoding in spec.seed.files.encoding, such as windows-1252, or " +
			"leave it out")
	}
	return string(data), nil
}

func decodedBy(decoder *encoding.Decoder, data []byte, problem string) (string, error) {
	text, err := decoder.Bytes(data)
	if err != nil || bytes.ContainsRune(text, utf8.RuneError) {
		err = errors.New(problem)
	}
	return string(text), err
}

// decoderOf decodes the texts of files; nil for UTF-8.
func decoderOf(spec *v1alpha1.SeedFiles) (*encoding.Decoder, error) {
	name := spec.EffectiveEncoding()
	if name == v1alpha1.EncodingUTF8 {
		return nil, nil
	}
	found, err := htmlindex.Get(string(name))
	if err != nil {
		return nil, fmt.Errorf("spec.seed.files.encoding: no encoding is called %q", name)
	}
	return found.NewDecoder(), nil
}
