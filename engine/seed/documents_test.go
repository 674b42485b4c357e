package seed_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/seed"
	"seedloom.dev/seedloom/engine/seed/files"
	"seedloom.dev/seedloom/internal/samplepdf"
)

// library is a folder with documents, by their paths.
func library(t *testing.T, documents map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range documents {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func documentSeed(path string) *v1alpha1.Seed {
	return &v1alpha1.Seed{
		PersistentVolumeClaim: &v1alpha1.PersistentVolumeClaimSeed{ClaimName: "library", Path: path},
		Documents:             &v1alpha1.SeedDocuments{Chunk: &v1alpha1.DocumentChunk{By: v1alpha1.ChunkByHeadings}},
	}
}

// documentRows are the rows of a seed of documents, some columns of each.
func documentRows(t *testing.T, data *seed.Dataset, names ...string) []string {
	t.Helper()
	positions := make([]int, data.Len())
	for i := range positions {
		positions[i] = i
	}
	fetched, err := data.Fetch(positions)
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for i := range positions {
		cells := make([]any, data.Schema().Len())
		if _, err := fetched.Row(i, cells); err != nil {
			t.Fatal(err)
		}
		var parts []string
		for _, name := range names {
			index, _ := data.Schema().Index(name)
			parts = append(parts, fmt.Sprint(cells[index]))
		}
		rows = append(rows, strings.Join(parts, "|"))
	}
	return rows
}

func load(t *testing.T, spec *v1alpha1.Seed, options seed.Options) *seed.Dataset {
	t.Helper()
	data, err := seed.Load(t.Context(), spec, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = data.Close() })
	return data
}

var handbook = map[string]string{
	"handbook/b.md": "# B\nbee\n## C\nsea <!-- not seen -->", "handbook/a.txt": "ay", "handbook/deep/d.html": "<h1>D</h1>dee",
	"handbook/data.bin": "\x00\x01", "handbook/.hidden.md": "# no",
}

func TestDocumentsAreRows(t *testing.T) {
	folder := library(t, handbook)
	want := []string{
		"handbook/a.txt|0|ay|[]|<nil>|0|2|0", "handbook/b.md|0|# B\nbee|[B]|<nil>|0|7|0", "handbook/b.md|1|## C\nsea|[B C]|<nil>|8|16|17",
		"handbook/deep/d.html|0|# D\n\ndee|[D]|<nil>|0|8|0",
	}
	data := load(t, documentSeed("handbook/**"), seed.Options{Directory: folder})
	rows := documentRows(t, data, "document", "chunk", "text", "headings", "first_page", "start", "end", "hidden")
	if !slices.Equal(rows, want) {
		t.Errorf("got %q, want %q", rows, want)
	}
	flat := load(t, documentSeed("handbook"), seed.Options{Directory: folder})
	if rows := documentRows(t, flat, "document"); !slices.Equal(rows, []string{"handbook/a.txt", "handbook/b.md", "handbook/b.md"}) {
		t.Errorf("a folder gives %q", rows)
	}
	several := documentSeed("")
	several.PersistentVolumeClaim.Paths = []string{"handbook/deep", "handbook/a.txt"}
	list := load(t, several, seed.Options{Directory: folder})
	if rows := documentRows(t, list, "document"); !slices.Equal(rows, []string{"handbook/a.txt", "handbook/deep/d.html"}) {
		t.Errorf("a list of a folder and a document gives %q", rows)
	}
}

func TestColumnsOfDocumentsAreChosen(t *testing.T) {
	spec := documentSeed("handbook/*.md")
	spec.Columns = []v1alpha1.SeedColumn{{Name: "passage", From: "text"}, {Name: "number", From: "chunk", Type: v1alpha1.SeedColumnStr}}
	data := load(t, spec, seed.Options{Directory: library(t, handbook)})
	if rows := documentRows(t, data, "passage", "number"); !slices.Equal(rows, []string{"# B\nbee|0", "## C\nsea|1"}) || data.Schema().Len() != 2 {
		t.Errorf("got %q", rows)
	}
}

// The rows tell a seed from others, and how many of them are asked for does not.
func TestTheDigestOfDocumentsIsThatOfTheirRows(t *testing.T) {
	digest := func(documents map[string]string, change func(*v1alpha1.Seed), rows int64) string {
		spec := documentSeed("handbook/**")
		change(spec)
		return load(t, spec, seed.Options{Directory: library(t, documents), Rows: rows}).Digest()
	}
	same := func(*v1alpha1.Seed) {}
	first := digest(handbook, same, 1)
	if digest(handbook, same, 100) != first {
		t.Error("the number of rows that are asked for changes the digest")
	}
	for name, other := range map[string]string{
		"a text": digest(with(handbook, "handbook/a.txt", "az"), same, 1), "a document more": digest(with(handbook, "handbook/z.md", "z"), same, 1),
		"the cutting": digest(handbook, func(spec *v1alpha1.Seed) { spec.Documents.Chunk = nil }, 1),
		"hidden text": digest(handbook, func(spec *v1alpha1.Seed) { spec.Documents.HiddenText = v1alpha1.HiddenTextKeep }, 1),
	} {
		if other == first {
			t.Errorf("%s changes nothing of the digest", name)
		}
	}
	if digest(with(handbook, "handbook/other.bin", "x"), same, 1) != first {
		t.Error("what is no document changes the digest")
	}
}

func with(documents map[string]string, name, text string) map[string]string {
	all := map[string]string{name: text}
	for other, text := range documents {
		if other != name {
			all[other] = text
		}
	}
	return all
}

// Chunks of a PDF say on which pages they are, and those of other formats don't.
func TestChunksHaveThePagesOfTheirDocument(t *testing.T) {
	spec := documentSeed("*")
	spec.Documents.Chunk = &v1alpha1.DocumentChunk{By: v1alpha1.ChunkByCharacters, Size: new(int32(18))}
	folder := library(t, map[string]string{"a.pdf": string(samplepdf.Text("one", "", "two and some more")), "b.txt": "three"})
	rows := documentRows(t, load(t, spec, seed.Options{Directory: folder}), "document", "text", "first_page", "last_page")
	if want := []string{"a.pdf|one\n\n\n\ntwo and|1|3", "a.pdf|some more|3|3", "b.txt|three|<nil>|<nil>"}; !slices.Equal(rows, want) {
		t.Errorf("got %q, want %q", rows, want)
	}
}

func TestSelectionsAreOfChunks(t *testing.T) {
	folder := library(t, handbook)
	spec := documentSeed("handbook/**")
	spec.Selection = &v1alpha1.SeedSelection{Offset: new(int64(1)), Limit: new(int64(2))}
	if rows := documentRows(t, load(t, spec, seed.Options{Directory: folder}), "document", "chunk"); !slices.Equal(rows,
		[]string{"handbook/b.md|0", "handbook/b.md|1"}) {
		t.Errorf("got %q", rows)
	}
	var names []string
	options := seed.Options{Directory: folder, Rows: 1, Few: true, Document: func(one seed.DocumentResult) { names = append(names, one.Name) }}
	if data := load(t, documentSeed("handbook/**"), options); data.Len() != 1 || !slices.Equal(names, []string{"handbook/a.txt"}) {
		t.Errorf("for a look at a row, %d rows of %q were read", data.Len(), names)
	}
}

func TestABadDocumentFailsTheRunOrIsLeftOut(t *testing.T) {
	documents := with(handbook, "handbook/bad.md", "caf\xe9")
	_, err := seed.Load(t.Context(), documentSeed("handbook/**"), seed.Options{Directory: library(t, documents)})
	for _, part := range []string{
		`"handbook/**" on claim "library"`, `document "handbook/bad.md"`, "byte 3 is 0xe9", "spec.seed.documents.onError to Skip",
	} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not say %q", err, part)
		}
	}
	spec := documentSeed("handbook/**")
	spec.Documents.OnError = v1alpha1.DocumentErrorSkip
	var left []string
	data := load(t, spec, seed.Options{Directory: library(t, documents), Document: func(one seed.DocumentResult) {
		if one.Problem != "" {
			left = append(left, one.Name+": "+one.Problem)
		}
	}})
	if data.Len() != 4 || len(left) != 1 || !strings.HasPrefix(left[0], "handbook/bad.md: it is not text in UTF-8") {
		t.Errorf("got %d rows, left out are %q", data.Len(), left)
	}
}

func TestDocumentsThatCantBeUsed(t *testing.T) {
	skip := func(spec *v1alpha1.Seed) { spec.Documents.OnError = v1alpha1.DocumentErrorSkip }
	for name, test := range map[string]struct {
		path   string
		change func(*v1alpha1.Seed)
		want   string
	}{
		"nothing is there":    {"other/*.md", nil, "check the name"},
		"no such file":        {"handbook/x.md", nil, "check the name"},
		"no documents":        {"handbook/*.bin", nil, "none of its 1 files is a document"},
		"an unknown ending":   {"handbook/data.bin", nil, `the ending of "handbook/data.bin" tells no format of documents`},
		"all are left out":    {"bad", skip, `none of its 1 documents can be read; the first is "bad/bad.md": it is not text in UTF-8`},
		"all are passed over": {"handbook/**", func(spec *v1alpha1.Seed) { spec.Selection = &v1alpha1.SeedSelection{Offset: new(int64(9))} }, "no chunks after the first 9"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := documentSeed(test.path)
			if test.change != nil {
				test.change(spec)
			}
			_, err := seed.Load(t.Context(), spec, seed.Options{Directory: library(t, with(handbook, "bad/bad.md", "caf\xe9"))})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// elsewhere is a place with a document that is too large, which fails where it is asked for it.
type elsewhere struct{}

func (elsewhere) List(context.Context, ...string) ([]files.File, error) {
	return []files.File{{Path: "film.txt", Size: 5 << 30}}, nil
}

func (elsewhere) Open(string) (files.Content, int64, error) {
	return nil, 0, errors.New("it was fetched")
}
func (elsewhere) Close() error { return nil }

func TestDocumentsThatAreTooLargeAreNotFetched(t *testing.T) {
	spec := &v1alpha1.Seed{ObjectStore: &v1alpha1.ObjectStoreSeed{URL: "s3://library/*"}, Documents: &v1alpha1.SeedDocuments{}}
	_, err := seed.Load(t.Context(), spec, seed.Options{Remote: func(context.Context) (seed.Folder, error) { return elsewhere{}, nil }})
	if err == nil || !strings.Contains(err.Error(), `document "film.txt": it has 5120 MiB, and a document may have 64: split it`) {
		t.Errorf("got %v", err)
	}
}
