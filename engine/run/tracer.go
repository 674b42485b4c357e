package run

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/engine/trace"
)

// tracer makes the spans of a run. It belongs to the goroutine of the driver that is at work, and is nil where a run is not traced: then it costs nothing.
type tracer struct {
	sink         trace.Sink
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
	deferred map[tracedCell]*trace.Span
}

// tracedCell is a cell of a row, whatever its attempt: an attempt begins when the one before it is over.
type tracedCell struct {
	row     table.RowIndex
	ordinal int32
	column  int
}

func cellOf(record *table.Record, step *step) tracedCell {
	return tracedCell{record.Row, record.Ordinal, step.columns[0].Index}
}

// tracedTask is a task that runs. Its goroutine writes started and finished, and what its requests did.
type tracedTask struct {
	span              *trace.Span
	cell              tracedCell
	slot              int
	admitted          time.Time
	started, finished time.Time
}

func newTracer(sink trace.Sink, rowGroupSize int64) *tracer {
	if sink == nil {
		return nil
	}
	return &tracer{sink: sink, rowGroupSize: rowGroupSize, groups: make(map[int64]*tracedGroup), slots: make(map[string][]bool)}
}

// ready returns what notes that a cell of one of the steps has all its inputs; nil where nobody traces.
func (t *tracer) ready(steps []*step) func(*table.Record, int) {
	if t == nil {
		return nil
	}
	return func(record *table.Record, position int) {
		t.group(int64(record.Row) / t.rowGroupSize).ready[cellOf(record, steps[position])] = time.Now()
	}
}

func (t *tracer) group(index int64) *tracedGroup {
	group := t.groups[index]
	if group == nil {
		group = &tracedGroup{ready: make(map[tracedCell]time.Time), deferred: make(map[tracedCell]*trace.Span)}
		t.groups[index] = group
	}
	return group
}

// admitted notes that a task has got a slot, and returns what follows it.
func (t *tracer) admitted(task schedule.Task, step *step, lane string, now time.Time) *tracedTask {
	if t == nil {
		return nil
	}
	first := cellOf(task.Records[0], step)
	running := &tracedTask{cell: first, slot: t.take(lane), admitted: now}
	group := t.group(task.Group())
	readyAt := time.Time{}
	for _, record := range task.Records {
		cell := cellOf(record, step)
		if at := group.ready[cell]; at.After(readyAt) {
			readyAt = at
		}
		delete(group.ready, cell)
	}
	if readyAt.IsZero() || readyAt.After(now) {
		readyAt = now
	}
	if span := group.deferred[first]; span != nil && !step.columns[0].Batch {
		delete(group.deferred, first)
		if span.Attempt == task.Records[0].Attempt {
			running.span = span
			return running
		}
		t.giveUp(span)
	}
	t.last++
	running.span = &trace.Span{
		Task: t.last, Kind: kindOf(task, step), Column: strings.Join(step.names(), ","), RowGroup: task.Group(), Row: int64(first.row),
		Rows: len(task.Records), Attempt: task.Records[0].Attempt, Lane: lane, ReadyAt: readyAt, AdmittedAt: now,
	}
	return running
}

func kindOf(task schedule.Task, step *step) trace.Kind {
	switch {
	case step.columns[0].Batch:
		return trace.KindBatch
	case len(task.Records) > 1:
		return trace.KindChunk
	}
	return trace.KindCell
}

// take takes the first free slot of a lane.
func (t *tracer) take(lane string) int {
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

// returned notes that a task has come back. again says that it is tried once more.
func (t *tracer) returned(back *result, again bool) {
	if t == nil {
		return
	}
	running, span := back.traced, back.traced.span
	t.slots[span.Lane][running.slot] = false
	if len(span.Tries) == 0 {
		span.StartedAt = running.started
	}
	try := running.try(back)
	span.Tries = append(span.Tries, try)
	span.FinishedAt, span.Status, span.Reason, span.FailedRows = try.FinishedAt, try.Status, try.Reason, len(back.failures)
	if back.err != nil {
		span.FailedRows = span.Rows
	}
	if again {
		t.group(span.RowGroup).deferred[running.cell] = span
		return
	}
	t.sink.Add(span)
}

// try describes the time that a task ran.
func (r *tracedTask) try(back *result) trace.Try {
	try := trace.Try{Slot: r.slot, AdmittedAt: r.admitted, StartedAt: r.started, FinishedAt: r.finished, Status: trace.StatusOK}
	switch {
	case errors.Is(back.err, context.Canceled):
		try.Status, try.Reason = trace.StatusCancelled, v1alpha1.ReasonInterrupted
	case back.err != nil:
		try.Status, try.Reason = trace.StatusError, failure.Of(back.err).Reason
	case len(back.failures) > 0:
		try.Reason = back.failures[0].Cause.Reason
		if len(back.failures) == len(back.task.Records) {
			try.Status = trace.StatusError
		}
	}
	if back.requests != nil {
		for _, exchange := range back.requests.Exchanges() {
			try.Requests = append(try.Requests, requestOf(exchange, try.Status))
		}
	}
	return try
}

// requestOf describes a request. Without a good answer it has ended as its task has.
func requestOf(exchange *model.Exchange, task trace.Status) trace.Request {
	request := trace.Request{
		StartedAt: exchange.Started(), ConnectedAt: exchange.Connected(), SentAt: exchange.Sent(), AnsweredAt: exchange.Answered(),
		FirstTokenAt: exchange.FirstToken(),
		FinishedAt:   exchange.Ended(), Status: trace.StatusOK, HTTPStatus: exchange.Status(), Bytes: exchange.Bytes(),
	}
	switch {
	case exchange.Whole():
	case task == trace.StatusCancelled:
		request.Status = task
	default:
		request.Status = trace.StatusError
	}
	return request
}

// done forgets a row group in which nothing runs any more.
func (t *tracer) done(group int64) {
	if t == nil || t.groups[group] == nil {
		return
	}
	left := slices.SortedFunc(maps.Values(t.groups[group].deferred), func(a, b *trace.Span) int { return cmp.Compare(a.Task, b.Task) })
	for _, span := range left {
		t.giveUp(span)
	}
	delete(t.groups, group)
}

// end forgets all row groups. It is called when nothing runs any more.
func (t *tracer) end() {
	if t == nil {
		return
	}
	for _, group := range slices.Sorted(maps.Keys(t.groups)) {
		t.done(group)
	}
}

// giveUp hands over the span of a task that was to be tried again, and won't be.
func (t *tracer) giveUp(span *trace.Span) {
	span.Status = trace.StatusCancelled
	t.sink.Add(span)
}

// dropped is how many spans have found no room.
func (t *tracer) dropped() int64 {
	if t == nil {
		return 0
	}
	return t.sink.Dropped()
}
