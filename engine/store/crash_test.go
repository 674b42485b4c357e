package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/store/memory"
	"seedloom.dev/seedloom/engine/table"
)

// life is what a process does with a dataset, from its fence to the end of the run. It notes what it has been told is done.
type life struct {
	// committed are the ends of the rows of the last commit that has returned for a row group, attempted those of the last one that was begun.
	committed, attempted map[int64]int
	finalized            bool
}

// steps are the commits of a run: row group 0 grows, and row group 2 loses its rows.
var steps = []struct {
	group      int64
	start, end int
}{{0, 0, 4}, {1, 10, 20}, {0, 0, 10}, {2, 20, 25}, {2, 20, 20}}

func (l *life) live(s *store.Store) error {
	if _, err := s.TakeFence("ds-1", 1, 0); err != nil {
		return err
	}
	input := finalizeInput(complete)
	if err := errors.Join(s.PinSeed("digest", ""), s.Describe(&input.Description, running)); err != nil {
		return err
	}
	for _, step := range steps {
		if err := l.journal(s, step.group); err != nil {
			return err
		}
		l.attempted[step.group] = step.end
		content := store.Content{Records: records(step.start, step.end), Files: []store.File{chat(step.end - step.start)}}
		described := manifest(step.group, step.start, step.end)
		if step.start == step.end {
			described.Filtered = 5
		}
		if err := s.Commit(described, content); err != nil {
			return err
		}
		l.committed[step.group] = step.end
		if err := s.RemoveJournal(step.group); err != nil {
			return err
		}
	}
	_, err := s.Finalize(context.Background(), input)
	l.finalized = err == nil
	return err
}

// journal writes a line to the journal of a row group.
func (l *life) journal(s *store.Store, group int64) error {
	data, err := s.ReadJournal(group)
	if err != nil {
		return err
	}
	whole := int64(strings.LastIndexByte(string(data), '\n') + 1)
	file, err := s.OpenJournal(group, whole)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "a cell of row group %d\n", group)
	return errors.Join(err, file.Sync(), file.Close())
}

func openOn(disk *memory.Disk) *store.Store {
	return store.On(disk.Open(), "ns/ds/0123", splitLayout(true))
}

// checkGroups holds what is there after an end to what the process was told.
func (l *life) checkGroups(t *testing.T, s *store.Store) {
	t.Helper()
	for _, step := range steps {
		found, note, err := s.Group(step.group)
		if err != nil || note != "" {
			t.Fatalf("row group %d: %q, %v", step.group, note, err)
		}
		committed, wasCommitted := l.committed[step.group]
		attempted, wasAttempted := l.attempted[step.group]
		switch {
		case found == nil && wasCommitted:
			t.Fatalf("row group %d was committed, and is gone", step.group)
		case found == nil:
		case !wasAttempted, int(found.End) != committed && int(found.End) != attempted:
			t.Fatalf("row group %d ends at %d, want %d or %d", step.group, found.End, committed, attempted)
		default:
			checkRecords(t, s, found)
		}
	}
}

// checkRecords checks that all files of a row group are those of one commit.
func checkRecords(t *testing.T, s *store.Store, found *store.Manifest) {
	t.Helper()
	read, err := s.ReadRecords(found)
	want := int(found.End - found.Start)
	if err != nil || len(read) != want {
		t.Fatalf("row group %d has %d records, want %d: %v", found.Index, len(read), want, err)
	}
	for i, record := range read {
		row := int(found.Start) + i
		if record.Row != table.RowIndex(row) || record.Cells[0] != fmt.Sprintf("title %d", row) || record.Cells[1] != int64(row) {
			t.Fatalf("row %d of row group %d is %v", row, found.Index, record.Cells)
		}
	}
}

// checkEnd checks a dataset that was finalized.
func checkEnd(t *testing.T, disk *memory.Disk, s *store.Store) {
	t.Helper()
	dataset, err := s.ReadDataset()
	if err != nil || len(dataset.Rows) != 20 || len(dataset.Forms) != 1 || len(dataset.Forms[0].Rows) != 20 || dataset.Metadata == nil {
		t.Fatalf("the dataset is %+v, %v", dataset, err)
	}
	if _, err := disk.Open().Get("_SUCCESS"); err != nil {
		t.Fatal(err)
	}
	for _, name := range disk.Names() {
		if strings.HasSuffix(name, ".next") || strings.Contains(name, "journal/") || strings.Contains(name, "fences/") {
			t.Errorf("%s is left over", name)
		}
	}
}

func newLife() *life { return &life{committed: map[int64]int{}, attempted: map[int64]int{}} }

// TestAnEndAtAnyOperationLeavesWholeRowGroups ends a process, or its machine, at each of its operations: what was committed is there,
// whole, and the next process comes to the same end. Where volumes are best worked with as buckets are, new row groups are committed
// otherwise.
func TestAnEndAtAnyOperationLeavesWholeRowGroups(t *testing.T) {
	for name, empty := range map[string]func() *memory.Disk{"as a file system": memory.New, "as a bucket": memory.NewBucket} {
		t.Run(name, func(t *testing.T) { endAtAnyOperation(t, empty) })
	}
}

func endAtAnyOperation(t *testing.T, empty func() *memory.Disk) {
	t.Helper()
	whole := empty()
	if err := newLife().live(openOn(whole)); err != nil {
		t.Fatal(err)
	}
	checkEnd(t, whole, openOn(whole))
	wantNames := whole.Names()
	t.Logf("%d operations", whole.Operations())
	for operation := 1; operation <= whole.Operations(); operation++ {
		for _, end := range memory.Ends {
			disk := empty()
			disk.StopAt(operation, end)
			first := newLife()
			if err := first.live(openOn(disk)); !errors.Is(err, memory.ErrStopped) {
				t.Fatalf("%s operation %d: %v", end, operation, err)
			}
			disk.Restart()
			s := openOn(disk)
			if _, err := disk.Open().Get("_SUCCESS"); err == nil && len(first.committed) < 3 {
				t.Fatalf("%s operation %d: it has succeeded with %v", end, operation, first.committed)
			}
			first.checkGroups(t, s)
			if err := newLife().live(s); err != nil {
				t.Fatalf("%s operation %d, then again: %v", end, operation, err)
			}
			checkEnd(t, disk, openOn(disk))
			if names := disk.Names(); !slices.Equal(names, wantNames) {
				t.Errorf("%s operation %d: in the end there are %q, want %q", end, operation, names, wantNames)
			}
			if t.Failed() {
				t.Fatalf("%s operation %d", end, operation)
			}
		}
	}
}

// TestAnEndWhileItIsFinalizedLeavesOneEnding ends a machine while metadata are replaced: they are the old ones or the new ones.
func TestAnEndWhileItIsFinalizedLeavesOneEnding(t *testing.T) {
	for operation := 1; ; operation++ {
		disk := memory.New()
		s := openOn(disk)
		for index := range int64(3) {
			commit(t, s, index, int(index)*10, min(25, int(index)*10+10))
		}
		input := finalizeInput(complete)
		if err := s.Describe(&input.Description, running); err != nil {
			t.Fatal(err)
		}
		disk.StopAt(operation, memory.PowerAfter)
		_, err := s.Finalize(t.Context(), input)
		if err == nil {
			return // it has come to its end before
		}
		disk.Restart()
		data, err := disk.Open().Get("metadata.json")
		if err != nil {
			t.Fatal(err)
		}
		_, success := disk.Open().Get("_SUCCESS")
		ended := strings.Contains(string(data), `"outcome": "Complete"`)
		if !ended && success == nil {
			t.Errorf("after operation %d the dataset is marked as complete, and its metadata say that it runs", operation)
		}
	}
}
