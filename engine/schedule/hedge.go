package schedule

import (
	"math"
	"time"

	"seedloom.dev/seedloom/engine/table"
)

// Hedge says when a cell that takes too long gets another task beside the one that runs, as in "The Tail at Scale" (Dean and Barroso,
// Communications of the ACM 56(2), 2013). The first task that comes back with a value counts.
type Hedge struct {
	// Quantile is that of the times of the column's tasks from which on a task is slow, in (0, 1).
	Quantile float64
	// MaxExtra is how many more tasks there may be, as a share of those of the column that have come back.
	MaxExtra float64
	// After is how many times must be known before a task is called slow, at least 1.
	After int64
}

// mostHedges is how many tasks may be started beside the first one of a cell.
const mostHedges = 2

// hedging is what is known of the tasks of a column whose slow cells get another task.
type hedging struct {
	Hedge
	times timesTaken
	// extra is how many tasks were started beside others.
	extra int64
	// running are the cells that run.
	running []*hedged
}

// hedged is a running cell that may get another task.
type hedged struct {
	row    *row
	epoch  int32
	at     int // in running
	latest time.Time
	// tasks is how many of the cell run, hedges how many were started beside the first.
	tasks, hedges int
}

// slowAt is when the latest task of a cell is slow; false where no more are started.
func (h *hedging) slowAt(of *hedged) (time.Time, bool) {
	if of.hedges >= mostHedges || h.times.count < h.After || float64(h.extra+1) > h.MaxExtra*float64(h.times.count) {
		return time.Time{}, false
	}
	return of.latest.Add(h.times.quantile(h.Quantile)), true
}

// newHedgings are those of the columns that have a hedge; nil for the others.
func newHedgings(columns []Column) []*hedging {
	all := make([]*hedging, len(columns))
	for i, column := range columns {
		if column.Hedge != nil {
			all[i] = &hedging{Hedge: *column.Hedge}
		}
	}
	return all
}

// Hedge returns another task for a cell of a lane whose task is slow, if one may start now. It is asked when Next has nothing for the lane,
// so that the slots are free all the same.
func (c *Core) Hedge(index int, now time.Time) (Task, bool) {
	current := &c.lanes[index]
	current.hedgeAt = time.Time{}
	if c.closed || current.wanted > 0 || current.limiter.Running() >= current.limiter.Limit() {
		return Task{}, false
	}
	column, slowest := c.slowest(current)
	if slowest == nil || current.hedgeAt.After(now) {
		return Task{}, false
	}
	current.hedgeAt = time.Time{}
	if current.Endpoint >= 0 && !c.endpoints[current.Endpoint].allows(now) {
		return Task{}, false
	}
	if !current.limiter.Room(now) {
		current.hedgeAt = current.limiter.Waits().Until // the zero time where it is another task's end that is waited for
		return Task{}, false
	}
	r := slowest.row
	r.running++
	task := Task{
		Lane: index, Column: column, Hedge: true, hedged: slowest,
		rows: []*row{r}, epochs: []int32{r.epoch}, Records: []*table.Record{r.record},
	}
	c.counts[column].Running++
	c.hedgings[column].extra++
	slowest.hedges++
	c.started(&task, now)
	return task, true
}

// Hedges says whether the cell of a task may get another one.
func (c *Core) Hedges(task Task) bool { return task.hedged != nil }

// slowest finds the running cell of a lane whose latest task is slow first, and notes when that is.
func (c *Core) slowest(current *lane) (column int, slowest *hedged) {
	for _, i := range current.columns {
		hedging := c.hedgings[i]
		if hedging == nil {
			continue
		}
		for _, of := range hedging.running {
			at, may := hedging.slowAt(of)
			if !may || of.row.epoch != of.epoch || of.row.state != rowActive || of.row.cells[i].state != cellRunning {
				continue
			}
			if slowest == nil || at.Before(current.hedgeAt) || at.Equal(current.hedgeAt) && of.row.index < slowest.row.index {
				column, slowest, current.hedgeAt = i, of, at
			}
		}
	}
	return column, slowest
}

// noteStarted notes a task of a column whose slow cells get another one.
func (h *hedging) noteStarted(task *Task) {
	if task.hedged == nil {
		task.hedged = &hedged{row: task.rows[0], epoch: task.epochs[0], at: len(h.running)}
		h.running = append(h.running, task.hedged)
	}
	task.hedged.tasks++
	task.hedged.latest = task.started
}

// noteReturned notes that a task has come back, with a value or without, and says whether others for the cell still run.
func (h *hedging) noteReturned(task *Task, succeeded bool, now time.Time) (othersRun bool) {
	if succeeded {
		h.times.add(now.Sub(task.started))
	}
	of := task.hedged
	of.tasks--
	if of.tasks == 0 {
		last := len(h.running) - 1
		h.running[of.at] = h.running[last]
		h.running[of.at].at = of.at
		h.running[last] = nil
		h.running = h.running[:last]
	}
	return of.tasks > 0
}

// timesTaken counts times by their magnitude, in steps of 9 % from a millisecond on.
type timesTaken struct {
	counts [timeSteps]int64
	count  int64
}

const (
	timeSteps   = 200 // up to nine hours
	stepsPerTwo = 8
)

func (t *timesTaken) add(took time.Duration) {
	step := 0
	if took > time.Millisecond {
		step = min(int(math.Log2(took.Seconds()*1e3)*stepsPerTwo)+1, timeSteps-1)
	}
	t.counts[step]++
	t.count++
}

// quantile is a time that a share of the times is below.
func (t *timesTaken) quantile(share float64) time.Duration {
	rank := int64(math.Ceil(share * float64(t.count)))
	for step, count := range t.counts {
		rank -= count
		if rank <= 0 {
			return time.Duration(math.Exp2(float64(step)/stepsPerTwo) * float64(time.Millisecond))
		}
	}
	return time.Duration(math.MaxInt64)
}
