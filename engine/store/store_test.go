package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

var schema = table.NewSchema(
	table.Field{Name: "title", Type: table.Type{Kind: table.KindString}},
	table.Field{Name: "count", Type: table.Type{Kind: table.KindInt}},
)

var layout = &store.Layout{Schema: schema, Preserve: true}

func open(t *testing.T, root string) *store.Store {
	t.Helper()
	opened, err := store.Open(root, "ns/ds/0123", layout)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	return opened
}

// records returns records for rows from start up to, but without, end.
func records(start, end int) []*table.Record {
	var made []*table.Record
	for row := start; row < end; row++ {
		record := table.NewRecord(schema, table.RowIndex(row), 0)
		record.Cells = []any{fmt.Sprintf("title %d", row), int64(row)}
		made = append(made, record)
	}
	return made
}

func manifest(index int64, start, end int) *store.Manifest {
	return &store.Manifest{Index: index, Start: table.RowIndex(start), End: table.RowIndex(end), Mode: "Async", Attempt: 1,
		Columns: []runreport.Column{{Name: "title", Succeeded: int64(end - start)}}}
}

func commit(t *testing.T, s *store.Store, index int64, start, end int) {
	t.Helper()
	if err := s.Commit(manifest(index, start, end), store.Content{Records: records(start, end)}); err != nil {
		t.Fatal(err)
	}
}

func TestACommittedRowGroupIsReadBack(t *testing.T) {
	s := open(t, t.TempDir())
	rows := records(0, 10)
	rows[3].Attempt = 2
	rows = append(rows[:5], rows[6:]...) // row 5 is missing
	second := *rows[7]
	second.Ordinal = 1
	rows = append([]*table.Record{&second}, rows...) // out of order
	if err := s.Commit(manifest(0, 0, 10), store.Content{Records: rows}); err != nil {
		t.Fatal(err)
	}
	found, note, err := s.Group(0)
	if err != nil || note != "" || found == nil || found.Rows != 10 {
		t.Fatalf("got %+v, %q, %v", found, note, err)
	}
	read, err := s.ReadRecords(found)
	if err != nil {
		t.Fatal(err)
	}
	// Commit has sorted the records that it was given.
	if difference := cmp.Diff(rows, read, cmp.Comparer(func(a, b *table.Schema) bool { return a.Len() == b.Len() })); difference != "" {
		t.Error(difference)
	}
	if missing, _, err := s.Group(1); missing != nil || err != nil {
		t.Errorf("row group 1 was never committed, but is %+v, %v", missing, err)
	}
}

func TestAnEmptyRowGroupHasNoFile(t *testing.T) {
	root := t.TempDir()
	s := open(t, root)
	if err := s.Commit(manifest(0, 0, 10), store.Content{}); err != nil {
		t.Fatal(err)
	}
	found, _, err := s.Group(0)
	if err != nil || found == nil || found.File != "" {
		t.Fatalf("got %+v, %v", found, err)
	}
	if read, err := s.ReadRecords(found); len(read) != 0 || err != nil {
		t.Errorf("read %v, %v", read, err)
	}
}

func TestADamagedRowGroupCountsAsNone(t *testing.T) {
	damage := map[string]func(t *testing.T, folder string){
		"a flipped byte": func(t *testing.T, folder string) {
			name := filepath.Join(folder, "parquet-files", "batch_00000.parquet")
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			data[len(data)/2] ^= 1
			if err := os.WriteFile(name, data, 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"a truncated file": func(t *testing.T, folder string) {
			if err := os.Truncate(filepath.Join(folder, "parquet-files", "batch_00000.parquet"), 20); err != nil {
				t.Fatal(err)
			}
		},
		"a missing file": func(t *testing.T, folder string) {
			if err := os.Remove(filepath.Join(folder, "parquet-files", "batch_00000.parquet")); err != nil {
				t.Fatal(err)
			}
		},
		"a truncated manifest": func(t *testing.T, folder string) {
			if err := os.Truncate(filepath.Join(folder, ".seedloom/row-groups", "00000.json"), 20); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, apply := range damage {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			s := open(t, root)
			commit(t, s, 0, 0, 10)
			apply(t, filepath.Join(root, "ns/ds/0123"))
			found, note, err := s.Group(0)
			if found != nil || note == "" || err != nil {
				t.Errorf("got %+v, %q, %v; want none, with a note", found, note, err)
			}
			// It can be made again.
			commit(t, s, 0, 0, 10)
			if found, note, err := s.Group(0); found == nil || note != "" || err != nil {
				t.Errorf("after another commit: %+v, %q, %v", found, note, err)
			}
		})
	}
}

// The variable tells a child process, which is this test program again, what to do.
const childVariable = "SEEDLOOM_STORE_TEST_ROOT"

func TestMain(m *testing.M) {
	if root := os.Getenv(childVariable); root != "" {
		commitForEver(root)
	}
	os.Exit(m.Run())
}

// commitForEver commits the same row group with other rows again and again, until it is killed.
func commitForEver(root string) {
	s, err := store.Open(root, "ns/ds/0123", layout)
	if err != nil {
		panic(err)
	}
	for end := 1; ; end = end%400 + 1 {
		if err := s.Commit(manifest(0, 0, end), store.Content{Records: records(0, end)}); err != nil {
			panic(err)
		}
		fmt.Println(end)
	}
}

func TestAKilledWriterLeavesTheOldOrTheNewRowGroup(t *testing.T) {
	for round := range 25 {
		root := t.TempDir()
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childVariable+"="+root)
		output, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		// It is killed at some moment after its first commits.
		if _, err := output.Read(make([]byte, 1+round)); err != nil {
			t.Fatal(err)
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait()
		s := open(t, root)
		found, note, err := s.Group(0)
		if err != nil {
			t.Fatal(err)
		}
		if found == nil {
			t.Errorf("round %d: the row group is lost: %s", round, note)
			continue
		}
		read, err := s.ReadRecords(found)
		if err != nil || len(read) != int(found.End) {
			t.Errorf("round %d: %d records of %d were read: %v", round, len(read), found.End, err)
		}
	}
}

// fullVolume names the folder in which a process of its own, whose files can't grow, tries to write.
const fullVolume = "SEEDLOOM_TEST_FULL_VOLUME"

func TestAFullVolumeIsSaidAndLeavesWhatWasThere(t *testing.T) {
	if root := os.Getenv(fullVolume); root != "" {
		writeToFullVolume(t, root)
		return
	}
	root := t.TempDir()
	s := open(t, root)
	commit(t, s, 0, 0, 10)
	// The limit is on the whole process, so it must not be that of the tests, which write files of their own.
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$")
	child.Env = append(os.Environ(), fullVolume+"="+root)
	if output, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if found, _, err := s.Group(0); found == nil || err != nil {
		t.Errorf("the earlier row group is gone: %v", err)
	}
	if found, _, _ := s.Group(1); found != nil {
		t.Error("the row group that could not be written counts")
	}
	left, err := filepath.Glob(filepath.Join(root, "ns/ds/0123/*/*.tmp"))
	if err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

// writeToFullVolume writes where no file may grow beyond a few bytes: the file system then refuses to write, as a full one does.
func writeToFullVolume(t *testing.T, root string) {
	t.Helper()
	s := open(t, root)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 64, Max: 64}); err != nil {
		t.Fatal(err)
	}
	err := s.Commit(manifest(1, 10, 20), store.Content{Records: records(10, 20)})
	var failed *failure.Error
	if !errors.As(err, &failed) || failed.Reason != v1alpha1.ReasonStorageFailed || !failed.Temporary {
		t.Fatalf("got %v", err)
	}
}

func finalizeInput(judge func(*store.Summary) (runreport.Outcome, string, string)) store.FinalizeInput {
	return store.FinalizeInput{Description: store.Description{
		Namespace: "ns", Name: "ds", RunID: "ds-1", ConfigHash: "sha256:0123", Attempt: 1, Mode: "Async", Engine: "test",
		Target: 25, RowGroups: 3, RowGroupSize: 10, SeedColumns: []string{"title"}, Spec: json.RawMessage(`{"numRecords":25}`),
		UpdatedAt: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
	}, Judge: judge}
}

func complete(*store.Summary) (runreport.Outcome, string, string) {
	return runreport.OutcomeComplete, "", ""
}

func TestFinalizeDescribesTheWhole(t *testing.T) {
	root := t.TempDir()
	s := open(t, root)
	commit(t, s, 0, 0, 10)
	commit(t, s, 2, 20, 25)
	seedRow := int64(4)
	partial := manifest(1, 10, 20)
	used := runreport.Usage{
		Succeeded: 8, Failed: 2, InputTokens: 30, OutputTokens: 20, CachedInputTokens: 4, ReasoningTokens: 5, ToolCalls: 6, Images: 7,
		Unusable: runreport.Unusable{1, 2}, TruncatedKept: 3,
	}
	partial.Columns = []runreport.Column{{Name: "count", Succeeded: 7, Failed: 1, Usage: used}}
	partial.Models = []runreport.Model{{Alias: "writer", Usage: used}}
	partial.Dropped = []store.DroppedRow{
		{Row: 17, SeedRow: &seedRow, Column: "count", Reason: "ModelGenerationInvalid", Attempts: 2, Message: "empty"},
	}
	partial.Missing = []store.RowRange{{Start: 18, End: 20}}
	if err := s.Commit(partial, store.Content{Records: records(10, 17)}); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(root, "ns/ds/0123")
	if err := os.WriteFile(filepath.Join(folder, "parquet-files", "batch_00009.parquet.tmp"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	input := finalizeInput(complete)
	input.Cost = func(models ...runreport.Model) string { return fmt.Sprintf("0.%d0", len(models)) }
	input.ColumnCost = func(column runreport.Column) string { return fmt.Sprintf("0.%d", column.Usage.Images) }
	summary, err := s.Finalize(t.Context(), input)
	if err != nil {
		t.Fatal(err)
	}
	if want := (runreport.Records{Target: 25, Actual: 22, Dropped: 1, Missing: 2}); summary.Records != want {
		t.Errorf("records are %+v, want %+v", summary.Records, want)
	}
	data, err := os.ReadFile(filepath.Join(folder, "metadata.json"))
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile("testdata/metadata.json")
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(normal(t, golden), normal(t, data)); difference != "" {
		t.Errorf("metadata.json is a contract, and has changed:\n%s\nit is now:\n%s", difference, data)
	}
	dropped, err := os.ReadFile(filepath.Join(folder, "dropped-rows.jsonl"))
	want := `{"row":17,"seed_row":4,"column":"count","reason":"ModelGenerationInvalid","attempts":2,"message":"empty"}` + "\n"
	if err != nil || string(dropped) != want {
		t.Errorf("dropped-rows.jsonl is %q, %v", dropped, err)
	}
	if _, err := os.Stat(filepath.Join(folder, "_SUCCESS")); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "*/*.tmp")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	// Again, with the same bytes; and a failure takes the mark of success away.
	if _, err := s.Finalize(t.Context(), input); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(filepath.Join(folder, "metadata.json")); err != nil || string(again) != string(data) {
		t.Errorf("a second call wrote something else: %v", err)
	}
	failed := func(*store.Summary) (runreport.Outcome, string, string) {
		return runreport.OutcomeFailed, "NoRecords", "none"
	}
	if _, err := s.Finalize(t.Context(), finalizeInput(failed)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "_SUCCESS")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("_SUCCESS of a failed run: %v", err)
	}
}

// normal decodes a document, without the digests and sizes of files.
func normal(t *testing.T, data []byte) any {
	t.Helper()
	var document map[string]any
	if err := json.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	groups, _ := document["row_groups"].([]any)
	for _, group := range groups {
		entry := group.(map[string]any)
		if entry["sha256"] == "" || entry["bytes"] == 0.0 {
			t.Errorf("row group without digest or size: %v", entry)
		}
		entry["sha256"], entry["bytes"] = "", 0.0
	}
	return document
}

func TestAnotherSeedIsRefused(t *testing.T) {
	s := open(t, t.TempDir())
	for _, step := range []struct {
		digest  string
		refused bool
	}{{"aa", false}, {"aa", false}, {"bb", true}} {
		if err := s.PinSeed(step.digest, ""); (err != nil) != step.refused {
			t.Errorf("digest %s: %v", step.digest, err)
		}
	}
}

func TestOpenStaysBelowTheRoot(t *testing.T) {
	root := t.TempDir()
	outside := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(root, "ns")); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(root, "ns/ds/0123", layout); err == nil {
		t.Error("a link out of the volume was followed")
	}
	if entries, _ := os.ReadDir(outside); len(entries) > 0 {
		t.Errorf("something was written outside: %v", entries)
	}
}

func TestShardsThatStartTogetherAgreeOnOneSeed(t *testing.T) {
	for round := range 50 {
		root := t.TempDir()
		const shards = 8
		problems := make([]error, shards)
		var all sync.WaitGroup
		for shard := range shards {
			s := open(t, root)
			all.Go(func() { problems[shard] = s.PinSeed([]string{"one", "two"}[shard%2], "") })
		}
		all.Wait()
		refused := [2]int{}
		for shard, err := range problems {
			var failed *failure.Error
			switch {
			case err == nil:
			case errors.As(err, &failed) && failed.Reason == v1alpha1.ReasonSeedChanged:
				refused[shard%2]++
			default:
				t.Fatalf("round %d, shard %d: %v", round, shard, err)
			}
		}
		if refused != [2]int{0, shards / 2} && refused != [2]int{shards / 2, 0} {
			t.Fatalf("round %d: of two seeds, %d and %d of %d shards each were refused", round, refused[0], refused[1], shards/2)
		}
		if left, _ := filepath.Glob(filepath.Join(root, "ns/ds/0123/*.tmp")); len(left) > 0 {
			t.Errorf("left over: %v", left)
		}
	}
}
