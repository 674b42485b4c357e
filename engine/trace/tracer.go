package trace

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
)

// Tracer makes the spans of a run. It belongs to the goroutine that owns the scheduler, and is nil where a run is not traced: then it costs
// nothing.
type Tracer struct {
	sink         Sink
	rowGroupSize int64
	last         int64
	// groups are what is known of the row groups in work.
	groups map[int64]*tracedGroup
	// slots are, for each lane by its name, which of its slots are taken.
	slots map[string][]bool
}

// tracedGroup is what is known of the cells of a row group that have no span yet.
type tracedGroup struct {
	ready map[tracedCell]time.Time
	// deferred are the spans of tasks that will be tried again.
	deferred map[tracedCell]*Span
}

// tracedCell is a cell of a row, whatever its attempt: an attempt begins when the one before it is over.
type tracedCell struct {
	row     table.RowIndex
	ordinal int32
	column  int
}

// Step is what a task makes, as spans name it.
type Step struct {
	// Columns names the column, or the columns of a chunk with commas between them; First is the index of the first one in the schema.
	Columns string
	First   int
	// Batch says that it is made for all rows of a row group at once.
	Batch bool
}

func (s Step) cellOf(record *table.Record) tracedCell {
	return tracedCell{record.Row, record.Ordinal, s.First}
}

// Task is a task that runs. Its goroutine calls Begin and End; a nil one, where nobody traces, does nothing.
type Task struct {
	span              *Span
	cell              tracedCell
	slot              int
	admitted          time.Time
	started, finished time.Time
}

// Begin notes that the task has begun to run.
func (t *Task) Begin() {
	if t != nil {
		t.started = time.Now()
	}
}

// End notes that it has ended.
func (t *Task) End() {
	if t != nil {
		t.finished = time.Now()
	}
}

// Outcome is what a task came back with: its failure, those of single rows, and its requests, nil where it sends none.
type Outcome struct {
	Err      error
	Failures []schedule.RowFailure
	Requests *model.Progress
}

// NewTracer returns what makes spans for a sink; nil without one.
func NewTracer(sink Sink, rowGroupSize int64) *Tracer {
	if sink == nil {
		return nil
	}
	return &Tracer{sink: sink, rowGroupSize: rowGroupSize, groups: make(map[int64]*tracedGroup), slots: make(map[string][]bool)}
}

// Ready returns what notes that a cell of one of the steps has all its inputs; nil where nobody traces.
func (t *Tracer) Ready(steps []Step) func(*table.Record, int) {
	if t == nil {
		return nil
	}
	return func(record *table.Record, position int) {
		t.group(int64(record.Row) / t.rowGroupSize).ready[steps[position].cellOf(record)] = time.Now()
	}
}

func (t *Tracer) group(index int64) *tracedGroup {
	group := t.groups[index]
	if group == nil {
		group = &tracedGroup{ready: make(map[tracedCell]time.Time), deferred: make(map[tracedCell]*Span)}
		t.groups[index] = group
	}
	return group
}

// Admitted notes that a task has got a slot, and returns what follows it.
func (t *Tracer) Admitted(task schedule.Task, step Step, lane string, now time.Time) *Task {
	if t == nil {
		return nil
	}
	first := step.cellOf(task.Records[0])
	running := &Task{cell: first, slot: t.take(lane), admitted: now}
	group := t.group(task.Group())
	readyAt := time.Time{}
	for _, record := range task.Records {
		cell := step.cellOf(record)
		if at := group.ready[cell]; at.After(readyAt) {
			readyAt = at
		}
		delete(group.ready, cell)
	}
	if readyAt.IsZero() || readyAt.After(now) {
		readyAt = now
	}
	if span := group.deferred[first]; span != nil && !step.Batch {
		delete(group.deferred, first)
		if span.Attempt == task.Records[0].Attempt {
			running.span = span
			return running
		}
		t.giveUp(span)
	}
	t.last++
	running.span = &Span{
		Task: t.last, Kind: kindOf(task, step), Column: step.Columns, RowGroup: task.Group(), Row: int64(first.row),
		Rows: len(task.Records), Attempt: task.Records[0].Attempt, Lane: lane, ReadyAt: readyAt, AdmittedAt: now,
	}
	return running
}

func kindOf(task schedule.Task, step Step) Kind {
	switch {
	case step.Batch:
		return KindBatch
	case len(task.Records) > 1:
		return KindChunk
	}
	return KindCell
}

// take takes the first free slot of a lane.
func (t *Tracer) take(lane string) int {
	slots := t.slots[lane]
	for i, taken := range slots {
		if !taken {
			slots[i] = true
			return i
		}
	}
	t.slots[lane] = append(slots, true)
	return len(slots)
}

// Returned notes that a task has come back. again says that it is tried once more.
func (t *Tracer) Returned(running *Task, outcome Outcome, again bool) {
	if t == nil {
		return
	}
	span := running.span
	t.slots[span.Lane][running.slot] = false
	if len(span.Tries) == 0 {
		span.StartedAt = running.started
	}
	try := running.try(outcome)
	span.Tries = append(span.Tries, try)
	span.FinishedAt, span.Status, span.Reason, span.FailedRows = try.FinishedAt, try.Status, try.Reason, len(outcome.Failures)
	if outcome.Err != nil {
		span.FailedRows = span.Rows
	}
	if again {
		t.group(span.RowGroup).deferred[running.cell] = span
		return
	}
	t.sink.Add(span)
}

// try describes the time that a task ran.
func (t *Task) try(outcome Outcome) Try {
	try := Try{Slot: t.slot, AdmittedAt: t.admitted, StartedAt: t.started, FinishedAt: t.finished, Status: StatusOK}
	switch {
	case errors.Is(outcome.Err, context.Canceled):
		try.Status, try.Reason = StatusCancelled, v1alpha1.ReasonInterrupted
	case outcome.Err != nil:
		try.Status, try.Reason = StatusError, failure.Of(outcome.Err).Reason
	case len(outcome.Failures) > 0:
		try.Reason = outcome.Failures[0].Cause.Reason
		if len(outcome.Failures) == t.span.Rows {
			try.Status = StatusError
		}
	}
	if outcome.Requests != nil {
		for _, exchange := range outcome.Requests.Exchanges() {
			try.Requests = append(try.Requests, requestOf(exchange, try.Status))
		}
	}
	return try
}

// requestOf describes a request. Without a good answer it has ended as its task has.
func requestOf(exchange *model.Exchange, task Status) Request {
	request := Request{
		StartedAt: exchange.Started(), ConnectedAt: exchange.Connected(), SentAt: exchange.Sent(), AnsweredAt: exchange.Answered(),
		FirstTokenAt: exchange.FirstToken(), FinishedAt: exchange.Ended(),
		Status: StatusOK, HTTPStatus: exchange.Status(), Bytes: exchange.Bytes(),
	}
	switch {
	case exchange.Whole():
	case task == StatusCancelled:
		request.Status = task
	default:
		request.Status = StatusError
	}
	return request
}

// Done forgets a row group in which nothing runs any more.
func (t *Tracer) Done(group int64) {
	if t == nil || t.groups[group] == nil {
		return
	}
	left := slices.SortedFunc(maps.Values(t.groups[group].deferred), func(a, b *Span) int { return cmp.Compare(a.Task, b.Task) })
	for _, span := range left {
		t.giveUp(span)
	}
	delete(t.groups, group)
}

// End forgets all row groups. It is called when nothing runs any more.
func (t *Tracer) End() {
	if t == nil {
		return
	}
	for _, group := range slices.Sorted(maps.Keys(t.groups)) {
		t.Done(group)
	}
}

// giveUp hands over the span of a task that was to be tried again, and won't be.
func (t *Tracer) giveUp(span *Span) {
	span.Status = StatusCancelled
	t.sink.Add(span)
}

// Dropped is how many spans have found no room.
func (t *Tracer) Dropped() int64 {
	if t == nil {
		return 0
	}
	return t.sink.Dropped()
}
