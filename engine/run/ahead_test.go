package run

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/skip"
	"seedloom.dev/seedloom/engine/table"
)

// numbered is a seed whose row 7 is the integer 7 and a text, at most so many of which are fetched together.
type numbered struct {
	most int
	text string
	// broken is the row that can't be fetched, 0 is none.
	broken table.RowIndex
}

type numberedRows struct {
	rows []table.RowIndex
	text string
}

var errBroken = errors.New("broken")

func (n *numbered) Fetch(rows []table.RowIndex) (SeedRows, error) {
	if n.broken > 0 && slices.Contains(rows, n.broken) {
		return nil, errBroken
	}
	return &numberedRows{rows[:min(n.most, len(rows))], n.text}, nil
}

func (n *numbered) Number(row table.RowIndex) int64 { return int64(row) }

func (r *numberedRows) Len() int { return len(r.rows) }

func (r *numberedRows) Row(number int, cells []any) ([]string, error) {
	cells[0], cells[1] = int64(r.rows[number]), r.text
	return nil, nil
}

// readingAhead is a backlog of row groups of 10 rows, the second of which is in the store, for which a seed is read ahead.
func readingAhead(t *testing.T, seed Seed, groups int64) *backlog {
	schema := table.NewSchema(table.Field{Name: "a", Type: table.Type{Kind: table.KindInt}}, table.Field{Name: "b"}, table.Field{Name: "c"})
	executor := &executor{Job: &Job{Plan: &plan.Plan{Schema: schema, RowGroupSize: 10, NumRecords: 10 * groups}, Seed: seed, Shards: 1}, skips: &skip.Rules{}}
	open := &backlog{executor: executor, known: map[int64]*rowGroup{1: nil}, left: groups - 1}
	open.reader = startAhead(context.Background(), seed, schema.Len(), false)
	return open
}

// begin takes the next row group as the driver does, once its values are there, and returns what its records have in their first column.
func begin(t *testing.T, open *backlog) (rows []table.RowIndex, bytes int64) {
	t.Helper()
	for deadline := time.After(time.Minute); ; {
		open.reader.receive()
		open.reader.want(open.listed)
		if open.listed(0).loaded {
			break
		}
		select {
		case group := <-open.reader.returned():
			open.reader.take(group)
		case <-deadline:
			t.Fatal("the values never come")
		}
	}
	group := open.begin()
	values := group.takeValues()
	open.executor.values = values
	for _, todo := range group.todo {
		record := open.executor.newRecord(todo.Row, 0)
		if number, there := record.Cells[0].(int64); there && len(record.Cells) == 3 {
			rows = append(rows, table.RowIndex(number))
		}
	}
	return rows, values.bytes
}

func TestRowGroupsGetTheValuesThatWereReadAhead(t *testing.T) {
	for name, most := range map[string]int{"many row groups at once": 1000, "one and a half": 15, "less than one": 4, "row by row": 1} {
		t.Run(name, func(t *testing.T) {
			open := readingAhead(t, &numbered{most: most, text: strings.Repeat("x", 100)}, 40)
			defer open.reader.stop()
			want := table.RowIndex(0)
			for open.more() {
				rows, bytes := begin(t, open)
				for _, row := range rows {
					if row != want {
						t.Fatalf("row %d has the values of row %d", want, row)
					}
					want++
				}
				if len(rows) != 10 || bytes != 1000 {
					t.Fatalf("%d rows with %d bytes of values are open, want 10 with 1000", len(rows), bytes)
				}
				if want == 10 {
					want = 20 // the second row group is there already
				}
			}
			if want != 400 {
				t.Errorf("the rows end at %d", want)
			}
		})
	}
}

func TestARowThatCantBeReadAheadFailsWhenItIsBegun(t *testing.T) {
	open := readingAhead(t, &numbered{most: 1000, broken: 25}, 4)
	defer open.reader.stop()
	if rows, _ := begin(t, open); len(rows) != 10 || open.executor.seedFailed.Load() != nil {
		t.Fatalf("the first row group has %d rows: %v", len(rows), open.executor.seedFailed.Load())
	}
	if rows, _ := begin(t, open); len(rows) != 9 {
		t.Errorf("%d rows could be read, want 9", len(rows))
	}
	if err := open.executor.seedFailed.Load(); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("it failed with %v", err)
	}
}

// TestFewRowGroupsAreDecodedAhead is of a seed that is read faster than rows are made of it.
func TestFewRowGroupsAreDecodedAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := readingAhead(t, &numbered{most: 1000}, 200)
		defer open.reader.stop()
		for range 50 {
			begin(t, open)
			synctest.Wait() // until nothing is read any more
			open.reader.receive()
			synctest.Wait()
			decoded := 0
			for _, group := range open.heads {
				if group.values != nil {
					decoded++
				}
			}
			if decoded > 2 {
				t.Fatalf("%d row groups are decoded before they are begun", decoded)
			}
		}
	})
}

func TestReadingAheadStops(t *testing.T) {
	open := readingAhead(t, &numbered{most: 1000}, 1000)
	defer open.reader.stop()
	open.reader.want(open.listed)
	for range 3 {
		begin(t, open) // more are asked for than anybody takes
	}
}
