package schedule_test

import (
	"cmp"
	"container/heap"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
)

// shape is a graph of columns of models: by their names, what each needs, in which lane it is made, and how long that takes.
type shape struct {
	name    string
	columns []shaped
	// lanes are the slots of each model.
	lanes []int
	// least is which share of the bound must be reached, 0.97 where it is 0. No order is known to come as close where tasks differ much.
	least float64
}

type shaped struct {
	needs []int
	lane  int
	takes time.Duration
}

const took = 200 * time.Millisecond

func shapes(slots int) []shape {
	chain := func(length int) (columns []shaped) {
		for i := range length {
			column := shaped{takes: took}
			if i > 0 {
				column.needs = []int{i - 1}
			}
			columns = append(columns, column)
		}
		return columns
	}
	uneven := chain(4)
	uneven[0].takes, uneven[2].takes = took/4, 3*took
	judged := chain(2)
	judged[1].lane = 1
	back := chain(3)
	back[1].lane = 1
	return []shape{
		{"one column", chain(1), []int{slots}, 0},
		{"chain of 2", chain(2), []int{slots}, 0},
		{"chain of 5", chain(5), []int{slots}, 0},
		{"chain of 12", chain(12), []int{slots}, 0},
		{"uneven chain", uneven, []int{slots}, 0.8},
		{"side by side", []shaped{{takes: took}, {takes: took}, {takes: took}}, []int{slots}, 0},
		{"fan out", []shaped{{takes: took}, {needs: []int{0}, takes: took}, {needs: []int{0}, takes: took}, {needs: []int{0}, takes: took}}, []int{slots}, 0},
		{"fan in", []shaped{{takes: took}, {takes: took}, {takes: took}, {needs: []int{0, 1, 2}, takes: took}}, []int{slots}, 0},
		{"diamond", []shaped{
			{takes: took}, {needs: []int{0}, takes: took}, {needs: []int{0}, takes: took}, {needs: []int{1, 2}, takes: took},
		}, []int{slots}, 0},
		{"a chain beside a column", []shaped{
			{takes: took}, {takes: took}, {needs: []int{1}, takes: took}, {needs: []int{2}, takes: took},
		}, []int{slots}, 0},
		{"a writer and its judge", judged, []int{slots, slots}, 0},
		{"a writer, its judge, and the writer again", back, []int{slots, slots}, 0},
	}
}

// bound is the least time that anything could take: for each lane, the shortest way to its first cell, the rounds of all its cells, and the
// shortest way from its last one; or the longest way of a row. Where cells take the same time, no round is shorter than one of them.
func (s shape) bound(rows int) time.Duration {
	head, tail := make([]time.Duration, len(s.columns)), make([]time.Duration, len(s.columns))
	longest := time.Duration(0)
	for i, column := range s.columns {
		for _, required := range column.needs {
			head[i] = max(head[i], head[required]+s.columns[required].takes)
		}
		longest = max(longest, head[i]+column.takes)
	}
	for i := len(s.columns) - 1; i >= 0; i-- {
		for _, required := range s.columns[i].needs {
			tail[required] = max(tail[required], tail[i]+s.columns[i].takes)
		}
	}
	for lane, slots := range s.lanes {
		var work, unit time.Duration
		first, last := time.Hour, time.Hour
		for i, column := range s.columns {
			if column.lane == lane {
				work += time.Duration(rows) * column.takes
				unit = greatestCommonDivisor(unit, column.takes)
				first, last = min(first, head[i]), min(last, tail[i])
			}
		}
		for i, column := range s.columns {
			if column.lane == lane {
				longest = max(longest, head[i]+time.Duration((rows+slots-1)/slots)*column.takes+tail[i])
			}
		}
		rounds := (work/unit + time.Duration(slots) - 1) / time.Duration(slots)
		longest = max(longest, first+rounds*unit+last)
	}
	return longest
}

func greatestCommonDivisor(a, b time.Duration) time.Duration {
	for b > 0 {
		a, b = b, a%b
	}
	return a
}

// run takes rows through the scheduler, in row groups, in a time of its own; each task takes the time that takes says,
// which is told when it starts.
func (s shape) run(
	t *testing.T, rows, groupSize int, ahead bool, takes func(column int, now time.Duration) time.Duration,
) time.Duration {
	t.Helper()
	config := chain()
	config.Columns, config.Lanes = nil, config.Lanes[:1]
	for i, slots := range s.lanes {
		config.Lanes = append(config.Lanes, schedule.Lane{Limit: slots, Endpoint: 0, Pool: i})
	}
	var fields []table.Field
	for i, column := range s.columns {
		name := fmt.Sprint("column-", i)
		fields = append(fields, table.Field{Name: name})
		config.Columns = append(config.Columns, schedule.Column{Parts: []string{name}, Lane: 1 + column.lane, Requires: column.needs})
	}
	wide := table.NewSchema(fields...)
	config.NewRecord = func(row table.RowIndex, attempt int32) *table.Record { return table.NewRecord(wide, row, attempt) }
	core := schedule.New(config)
	var running events
	now, added, done := time.Duration(0), 0, 0
	for done < rows {
		if ahead {
			core.Ahead(rows - added)
		}
		for added < rows && core.NeedsRows() {
			next := min(rows, added+groupSize)
			core.Add(int64(added/groupSize), todo(added, next))
			added = next
		}
		for lane := range s.lanes {
			for task, found := core.Next(1+lane, beginning.Add(now)); found; task, found = core.Next(1+lane, beginning.Add(now)) {
				heap.Push(&running, event{at: now + takes(task.Column, now), task: &task})
			}
		}
		if running.Len() == 0 {
			t.Fatalf("nothing runs, and %d of %d rows are whole", done, rows)
		}
		now = running[0].at
		for running.Len() > 0 && running[0].at == now {
			core.Succeeded(*heap.Pop(&running).(event).task, beginning.Add(now))
		}
		done += int(core.Take().Done)
	}
	return now
}

// Where there are few rows beside the slots, no slot is empty until the end is near, whatever the columns need.
func TestFewRowsKeepAllSlotsBusy(t *testing.T) {
	for _, size := range []struct{ slots, rows, groupSize int }{
		{256, 400, 1000}, {256, 400, 100}, {256, 256, 100}, {256, 300, 50}, {256, 520, 100}, {256, 1000, 100}, {64, 150, 1000}, {64, 1000, 100}, {8, 13, 4},
	} {
		for _, s := range shapes(size.slots) {
			t.Run(fmt.Sprintf("%s/%d rows in groups of %d on %d slots", s.name, size.rows, size.groupSize, size.slots), func(t *testing.T) {
				took := s.run(t, size.rows, size.groupSize, true, func(column int, _ time.Duration) time.Duration { return s.columns[column].takes })
				share := float64(s.bound(size.rows)) / float64(took)
				if least := cmp.Or(s.least, 0.97); share < least {
					t.Errorf("it takes %s, and could take %s: %.3f of what is possible, want %g", took, s.bound(size.rows), share, least)
				}
			})
		}
	}
}

// Where latencies are not known before, the order of the last rows is never worse than the one before them.
func TestTheLastRowsAreNoSlowerWithLatenciesThatDiffer(t *testing.T) {
	for _, s := range shapes(64) {
		t.Run(s.name, func(t *testing.T) {
			var sum [2]float64
			for seed := range uint64(20) {
				for i, ahead := range []bool{true, false} {
					random := rand.New(rand.NewPCG(seed, 1))
					sum[i] += s.run(t, 100, 1000, ahead, func(column int, _ time.Duration) time.Duration {
						return time.Duration(float64(s.columns[column].takes) * (0.5 + random.Float64()))
					}).Seconds()
				}
			}
			t.Logf("%.3f s on average, and %.3f s in the other order", sum[0]/20, sum[1]/20)
			if sum[0] > 1.02*sum[1] {
				t.Errorf("it takes %.2f s on average, and %.2f s in the other order", sum[0]/20, sum[1]/20)
			}
		})
	}
}
