package store_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
)

const (
	kept    = "parquet-files/batch_00000.parquet"
	dropped = "dropped-columns-parquet-files/batch_00000.parquet"
	extra   = "processors-files/chat/batch_00000.parquet"
	// manifests is where the manifests of row groups lie.
	manifests = ".seedloom/row-groups"
)

// splitLayout leaves the title out of the dataset.
func splitLayout(preserve bool) *store.Layout {
	title, count := schema.Fields()[0], schema.Fields()[1]
	return &store.Layout{Schema: schema, Output: table.NewSchema(count), Dropped: table.NewSchema(title), Preserve: preserve}
}

func openWith(t *testing.T, root string, layout *store.Layout) (s *store.Store, folder string) {
	t.Helper()
	s, err := store.Open(root, "ns/ds/0123", layout)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // only the tests' own files are in it
	return s, filepath.Join(root, "ns/ds/0123")
}

func chat(rows int) store.File {
	file := store.File{Folder: "processors-files/chat", Schema: table.NewSchema(table.Field{Name: "message"})}
	for range rows {
		file.Rows = append(file.Rows, []any{"hello"})
	}
	return file
}

func readFile(t *testing.T, name string) (names []string, rows [][]any) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	read, rows, err := parquetfile.Read(file, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range read.Fields() {
		names = append(names, field.Name)
	}
	return names, rows
}

func TestDroppedColumnsAreBesideTheDatasetAndComeBack(t *testing.T) {
	s, folder := openWith(t, t.TempDir(), splitLayout(true))
	rows := records(0, 10)
	if err := s.Commit(manifest(0, 0, 10), store.Content{Records: rows, Files: []store.File{chat(10)}}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{kept: "count", dropped: "title", extra: "message"} {
		if names, cells := readFile(t, filepath.Join(folder, name)); len(names) != 1 || names[0] != want || len(cells) != 10 {
			t.Errorf("%s has the columns %v and %d rows", name, names, len(cells))
		}
	}
	found, note, err := s.Group(0)
	if found == nil || note != "" || err != nil {
		t.Fatalf("got %+v, %q, %v", found, note, err)
	}
	read, err := s.ReadRecords(found)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(rows, read, cmp.Comparer(func(a, b *table.Schema) bool { return a.Len() == b.Len() })); difference != "" {
		t.Error(difference)
	}
	if _, err := s.Finalize(t.Context(), finalizeInput(complete)); err != nil {
		t.Fatal(err)
	}
	metadata := readMetadata(t, folder)
	if difference := cmp.Diff([]any{"title"}, metadata["dropped_columns"]); difference != "" {
		t.Error(difference)
	}
	wantPaths := map[string]any{
		"parquet-files": []any{kept}, "dropped-columns-parquet-files": []any{dropped}, "processor-files": map[string]any{"chat": []any{extra}},
	}
	if difference := cmp.Diff(wantPaths, metadata["file_paths"]); difference != "" {
		t.Error(difference)
	}
	if difference := cmp.Diff(map[string]any{"count": "int64"}, metadata["schema"]); difference != "" {
		t.Error(difference)
	}
	if metadata["preserve_dropped_columns"] != true || len(metadata["columns"].([]any)) != 2 {
		t.Errorf("got %v", metadata)
	}
}

func readMetadata(t *testing.T, folder string) map[string]any {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, "metadata.json"))
	if err != nil {
		t.Fatal(err)
	}
	var metadata map[string]any
	if err := json.Unmarshal(data, &metadata); err != nil {
		t.Fatal(err)
	}
	return metadata
}

func TestDroppedColumnsThatAreNotKeptComeBackAsNull(t *testing.T) {
	root := t.TempDir()
	s, folder := openWith(t, root, splitLayout(false))
	if err := s.Commit(manifest(0, 0, 3), store.Content{Records: records(0, 3)}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, dropped)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file for the dropped columns: %v", err)
	}
	found, _, err := s.Group(0)
	if err != nil {
		t.Fatal(err)
	}
	read, err := s.ReadRecords(found)
	if err != nil || len(read) != 3 || read[2].Cells[0] != nil || read[2].Cells[1] != int64(2) {
		t.Errorf("got %v, %v", read, err)
	}
	if _, err := s.Finalize(t.Context(), finalizeInput(complete)); err != nil {
		t.Fatal(err)
	}
	if metadata := readMetadata(t, folder); metadata["preserve_dropped_columns"] != false {
		t.Errorf("got %v", metadata["preserve_dropped_columns"])
	}
}

func TestADamagedFileBesideTheDatasetMakesTheRowGroupAnew(t *testing.T) {
	for _, name := range []string{dropped, extra} {
		s, folder := openWith(t, t.TempDir(), splitLayout(true))
		if err := s.Commit(manifest(0, 0, 10), store.Content{Records: records(0, 10), Files: []store.File{chat(10)}}); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(filepath.Join(folder, name), 20); err != nil {
			t.Fatal(err)
		}
		if found, note, err := s.Group(0); found != nil || note == "" || err != nil {
			t.Errorf("%s is damaged: %+v, %q, %v", name, found, note, err)
		}
		// What it had, and has no more, is removed.
		if err := s.Commit(manifest(0, 0, 10), store.Content{Files: []store.File{chat(0)}}); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{kept, dropped, extra} {
			if _, err := os.Stat(filepath.Join(folder, name)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s is still there: %v", name, err)
			}
		}
	}
}

// The writer is gone at some moment between the first and the last renaming. All files are from the same commit afterwards.
func TestACommitOfSeveralFilesThatWasCutOffIsOneOrTheOther(t *testing.T) {
	manifestName := ".seedloom/row-groups/00000.json"
	names := []string{kept, dropped, extra, manifestName}
	for cut := range len(names) + 1 {
		s, folder := openWith(t, t.TempDir(), splitLayout(true))
		contents := map[string][]byte{}
		commitRows := func(end int) {
			t.Helper()
			if err := s.Commit(manifest(0, 0, end), store.Content{Records: records(0, end), Files: []store.File{chat(end)}}); err != nil {
				t.Fatal(err)
			}
		}
		commitRows(10)
		for _, name := range names {
			data, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil {
				t.Fatal(err)
			}
			contents[name] = data
		}
		commitRows(12)
		// The first ones have their names, the others wait for them, beside what was there before.
		for _, name := range names[cut:] {
			path := filepath.Join(folder, name)
			if err := os.Rename(path, path+".next"); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, contents[name], 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want := 12
		if cut == 0 {
			want = 10 // nothing of the next commit is visible yet
		}
		found, note, err := s.Group(0)
		if found == nil || note != "" || err != nil {
			t.Fatalf("cut off after %d renamings: %+v, %q, %v", cut, found, note, err)
		}
		read, err := s.ReadRecords(found)
		if err != nil || len(read) != want || read[want-1].Cells[0] == nil {
			t.Errorf("cut off after %d renamings: %d records, %v", cut, len(read), err)
		}
		if _, rows := readFile(t, filepath.Join(folder, extra)); len(rows) != want {
			t.Errorf("cut off after %d renamings: %d rows of the processor", cut, len(rows))
		}
		if _, err := s.Finalize(t.Context(), finalizeInput(complete)); err != nil {
			t.Fatal(err)
		}
		left, err := filepath.Glob(filepath.Join(folder, "*", "*.next"))
		below, _ := filepath.Glob(filepath.Join(folder, "*", "*", "*.next"))
		if err != nil || len(left)+len(below) > 0 {
			t.Errorf("cut off after %d renamings: %v %v are left", cut, left, below)
		}
	}
}
