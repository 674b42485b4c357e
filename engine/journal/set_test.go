package journal

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"seedloom.dev/seedloom/engine/table"
)

// folder is a folder with the journal of one row group.
type folder string

func (f folder) name() string { return filepath.Join(string(f), "journal") }

func (f folder) ReadJournal(int64) ([]byte, error) {
	data, err := os.ReadFile(f.name())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

func (f folder) OpenJournal(int64, int64) (File, error) {
	return os.OpenFile(f.name(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
}

func (f folder) RemoveJournal(int64) error { return os.Remove(f.name()) }

func newTestSet(t *testing.T, files Files) *Set {
	t.Helper()
	set := NewSet(Config{
		Files: files, WriteFailure: func(err error, _ int64) error { return err }, RowGroupSize: 10, Logger: slog.New(slog.DiscardHandler),
		Schema: table.NewSchema(table.Field{Name: "text", Type: table.Type{Kind: table.KindString}}),
	})
	t.Cleanup(set.Close)
	return set
}

// A task that has not stopped comes with its cell when the journal of its row group has ended already.
func TestAJournalThatHasEndedIsNotBegunAgain(t *testing.T) {
	for name, end := range map[string]func(*Set) error{
		"end":    func(s *Set) error { s.End(0); return nil },
		"remove": func(s *Set) error { return s.Remove(0) },
	} {
		t.Run(name, func(t *testing.T) {
			files := folder(t.TempDir())
			kept := newTestSet(t, files)
			late, err := kept.Begin(Start{})
			if err != nil {
				t.Fatal(err)
			}
			if err := end(kept); err != nil {
				t.Fatal(err)
			}
			if _, err := late.opening(); !errors.Is(err, context.Canceled) {
				t.Errorf("it was opened: %v", err)
			}
			if err := kept.Append(0, Cell{Column: "text", Value: "late"}); !errors.Is(err, context.Canceled) {
				t.Errorf("a cell was appended: %v", err)
			}
			if _, err := os.Stat(files.name()); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("there is a journal: %v", err)
			}
		})
	}
}

// What a set has appended, the set of the next process gives back: cells by their attempts, what was given up, and the usage that no
// manifest has counted.
func TestTheNextSetGoesOnFromTheJournal(t *testing.T) {
	files := folder(t.TempDir())
	record := func(row table.RowIndex, attempt int32) *table.Record {
		return &table.Record{Row: row, Attempt: attempt}
	}
	first := newTestSet(t, files)
	group, err := first.Begin(Start{End: 10})
	if err != nil {
		t.Fatal(err)
	}
	group.Restart(record(3, 1))
	cell := Cell{Row: 3, Attempt: 1, Column: "text", Value: "kept"}
	cell.Usage.Succeeded = 2
	if err := first.Append(0, cell); err != nil {
		t.Fatal(err)
	}
	first.AppendFailed(0, Cell{Row: 4, Column: "text", Usage: cell.Usage})
	first.AppendFailed(0, Cell{Row: 5, Column: "text"}) // it has cost nothing
	first.End(0)

	next, err := newTestSet(t, files).Begin(Start{End: 10})
	if err != nil {
		t.Fatal(err)
	}
	if cells := next.Cells(record(3, 1)); len(cells) != 1 || cells[0].Value != "kept" || next.Attempt(3) != 1 ||
		len(next.Cells(record(3, 0))) != 0 {
		t.Errorf("row 3 goes on at attempt %d with %+v", next.Attempt(3), cells)
	}
	if len(next.GivenUp(record(4, 0), 0)) != 1 || len(next.GivenUp(record(5, 0), 0)) != 0 {
		t.Error("what was given up is not known")
	}
	if usage := next.Usage(); len(usage) != 1 || usage[0].Succeeded != 0 || usage[0].Usage.Succeeded != 4 {
		t.Errorf("the usage is %+v", usage)
	}
	others, err := newTestSet(t, files).Begin(Start{End: 10, OtherRows: true, Counted: next.whole})
	if err != nil {
		t.Fatal(err)
	}
	if len(others.GivenUp(record(4, 0), 0)) != 0 || len(others.Usage()) != 0 || len(others.Cells(record(3, 1))) != 1 {
		t.Error("a row group of other rows goes on with what is not its own, or without what is")
	}
}
