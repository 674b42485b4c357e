package schedule

import (
	"fmt"
	"math"
	"slices"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/admission"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/internal/reason"
)

// The backoff of retries: exponential with full jitter.
const (
	firstBackoff = 500 * time.Millisecond
	maxBackoff   = 30 * time.Second
)

// MaxRetryAfter is up to where a server's own wish is honoured.
const MaxRetryAfter = admission.MaxRetryAfter

// maxRefusals is after how many refusals a request is given up, if as many others have got through in the meantime.
const maxRefusals = 100

// Backoff returns how long the retry with this number, from 1, waits. jitter is in [0, 1).
func Backoff(retry int, jitter float64, wish time.Duration) time.Duration {
	if wish > 0 {
		wish = min(wish, MaxRetryAfter)
		// Many cells get the same wish at once: spread them a little beyond it.
		return wish + time.Duration(jitter*float64(firstBackoff))
	}
	limit := maxBackoff
	if retry < 8 {
		limit = min(limit, firstBackoff<<(retry-1))
	}
	return time.Duration(jitter * float64(limit))
}

// Succeeded notes that a task came back with values, which its owner has written into the records.
func (c *Core) Succeeded(task Task, now time.Time) { c.Returned(task, nil, now) }

// Failed notes that a task came back with a failure, for all its rows.
func (c *Core) Failed(task Task, cause *failure.Error, now time.Time) {
	failures := make([]RowFailure, len(task.rows))
	for i := range failures {
		failures[i] = RowFailure{Position: i, Cause: cause}
	}
	c.Returned(task, failures, now)
}

// RowFailure is the failure of one of the rows of a task.
type RowFailure struct {
	// Position is that of the record in the task, Part that of the column that failed in the parts of the task's column.
	Position, Part int
	Cause          *failure.Error
}

// Returned notes that a task came back: with values for all its rows, but for those that failed, in ascending order.
func (c *Core) Returned(task Task, failures []RowFailure, now time.Time) {
	var cause *failure.Error
	if len(failures) > 0 {
		cause = failures[0].Cause
	}
	c.release(task, now, cause)
	othersRun := false
	if hedging := c.hedgings[task.Column]; hedging != nil {
		othersRun = hedging.noteReturned(&task, cause == nil, now)
	}
	if cause == nil || !othersRun {
		c.worked(task, now)
	}
	c.counts[task.Column].Running -= int64(len(task.rows))
	for i, r := range task.rows {
		r.running--
		failed := len(failures) > 0 && failures[0].Position == i
		var problem RowFailure
		if failed {
			problem, failures = failures[0], failures[1:]
		}
		switch {
		case r.epoch != task.epochs[i] || r.state != rowActive:
			c.restartOrDrop(r)
		case r.cells[task.Column].state != cellRunning: // another task for the cell was faster
			c.complete(r)
		case failed && othersRun && problem.Cause.Consequence != failure.EndRun:
			// What else runs for the cell may still bring its value.
		case failed:
			if problem.Cause.Consequence == failure.DropRow {
				c.gates[task.Column][problem.Part].requests += task.Cost.Requests / int64(len(task.rows))
			}
			c.failed(r, task.Column, problem, now)
		default:
			c.passed(r, task.Column, len(c.gates[task.Column]))
			c.resolved(r, task.Column, cellDone)
		}
	}
	c.queueFormed()
	c.after(task)
	c.lookAtLast()
}

// passed notes that the first parts of a column were made. Those that were left out say nothing of how often the column fails.
func (c *Core) passed(r *row, column, parts int) {
	cells := c.config.Columns[column].Cells
	for part := range parts {
		if part >= len(cells) || !r.record.IsSkipped(cells[part]) {
			c.gates[column][part].add(false)
		}
	}
}

func (c *Core) failed(r *row, column int, problem RowFailure, now time.Time) {
	switch cause := problem.Cause; {
	case cause.Consequence == failure.EndRun:
		// It is unfinished: whoever goes on with the run makes it.
		r.cells[column].state = cellDeferred
		c.counts[column].Deferred++
		c.End(cause)
	case cause.Consequence == failure.DropRow || c.config.Columns[column].Batch || c.config.Columns[column].Chunk > 1:
		c.fail(r, column, problem.Part, cause)
	default:
		c.retry(r, column, cause, now)
	}
}

// Wants says whether the value that a task made for one of its records is still wanted.
func (c *Core) Wants(task Task, position int) bool {
	r := task.rows[position]
	return r.epoch == task.epochs[position] && r.state == rowActive && r.cells[task.Column].state == cellRunning
}

// resolved notes that a cell is done or skipped.
func (c *Core) resolved(r *row, column int, state cellState) {
	r.cells[column].state = state
	c.counts[column].Completed++
	r.remaining--
	c.resolvedBeforeHold(r, column)
	for _, dependent := range c.dependents[column] {
		next := &r.cells[dependent]
		next.unmet--
		if next.unmet == 0 && next.state == cellWaiting {
			c.met(r, dependent)
		}
	}
	c.complete(r)
}

// complete finishes a row all of whose cells are there, once nothing of it runs: a task for a cell that another one was faster for has to
// come back first.
func (c *Core) complete(r *row) {
	if r.remaining > 0 || r.running > 0 || r.state != rowActive || r.group.held {
		return
	}
	r.state = rowDone
	r.group.open--
	c.openRows--
	r.group.Done = append(r.group.Done, r.record)
	c.harvest.Done++
	c.doneRows++
	if slices.Contains(r.record.Skipped, true) {
		c.harvest.Skipped = append(c.harvest.Skipped, r.record)
	}
}

func (c *Core) after(task Task) {
	for i, r := range task.rows {
		if i > 0 && r.group == task.rows[i-1].group {
			continue
		}
		c.fireBatches(r.group)
		if _, open := c.groups[r.group.Index]; open {
			c.finish(r.group)
		}
	}
}

// release gives the slot back, and notes what the outcome says of the endpoint.
func (c *Core) release(task Task, now time.Time, cause *failure.Error) {
	current := &c.lanes[task.Lane]
	current.limiter.Done(task.lease, now, resultOf(task, cause))
	c.inFlight--
	if current.Endpoint < 0 {
		return
	}
	health := &c.endpoints[current.Endpoint]
	switch {
	case cause == nil || cause.Consequence == failure.DropRow || cause.Traits().Signal == reason.SignalAnswered:
		// Whoever answers is there.
		health.succeeded()
	case cause.Consequence == failure.EndRun:
		// It says nothing of the endpoint, but a probe is over all the same.
		health.probing = health.probing && !task.probe
	default:
		first := task.rows[0].cells[task.Column].requests == 0
		if outage := health.failed(now, task.probe, first, c.config.Outage, cause); outage != nil {
			c.End(outage)
		}
	}
}

// retry defers a cell, or fails the row when the budget of the request is used up. What fails while nothing at all gets through to the
// endpoint does not use up the budget: the row is not to blame.
func (c *Core) retry(r *row, column int, cause *failure.Error, now time.Time) {
	endpoint := c.lanes[c.config.Columns[column].Lane].Endpoint
	current := &r.cells[column]
	if cause.Overloaded && endpoint >= 0 {
		c.refused(r, column, cause, now)
		return
	}
	if endpoint >= 0 && (cause.Consequence == failure.PauseEndpoint || c.endpoints[endpoint].paused()) {
		if successes := int32(c.endpoints[endpoint].successes); successes == current.mark && current.requests > 0 {
			current.requests--
		} else {
			current.mark = successes
		}
	}
	current.requests++
	tries := int(current.requests)
	if tries >= c.config.MaxRequestAttempts {
		c.fail(r, column, 0, &failure.Error{Reason: cause.Reason, Consequence: failure.DropRow, Cause: cause.Cause,
			Message: fmt.Sprintf("gave up after %d requests: %s", tries, cause.Message)})
		return
	}
	c.deferCell(r, column, now.Add(Backoff(tries, c.config.Jitter(column, r.record, tries), cause.RetryAfter)))
}

// refused defers a cell for which the provider had too much to do. That uses up no budget: nothing is wrong with the request. Only when
// others get through again and again and this one never does, it is given up all the same.
func (c *Core) refused(r *row, column int, cause *failure.Error, now time.Time) {
	current, limiter := &r.cells[column], c.lanes[c.config.Columns[column].Lane].limiter
	passed := int32(limiter.Stats().Passed)
	if current.refusals == 0 {
		current.passed = passed
	}
	current.refusals = min(current.refusals+1, math.MaxUint8-1)
	refusals := int(current.refusals)
	switch {
	case refusals >= maxRefusals && int(passed-current.passed) >= refusals:
		c.fail(r, column, 0, &failure.Error{Reason: cause.Reason, Consequence: failure.DropRow, Cause: cause.Cause,
			Message: fmt.Sprintf("gave up after %d refusals, while others were answered: %s", refusals, cause.Message)})
	case refusals == 1 && limiter.Adaptive():
		// The lane as a whole waits as long as it must; where it goes on at once, the request alone does.
		until := now
		if !limiter.PausedUntil().After(now) {
			until = now.Add(min(cause.RetryAfter, MaxRetryAfter))
		}
		c.deferCell(r, column, until)
	default:
		c.deferCell(r, column, now.Add(Backoff(refusals, c.config.Jitter(column, r.record, refusals), cause.RetryAfter)))
	}
}

// deferCell has a cell wait for its next try.
func (c *Core) deferCell(r *row, column int, until time.Time) {
	r.cells[column].state = cellDeferred
	c.counts[column].Deferred++
	c.deferred.push(deferredCell{until: until, row: r, epoch: r.epoch, column: int16(column)})
}

// fail ends this attempt of a row. Its other cells don't start any more.
func (c *Core) fail(r *row, column, part int, cause *failure.Error) {
	c.passed(r, column, part)
	if c.gates[column][part].add(true) {
		c.trip(column, part, cause)
	}
	c.withdraw(r)
	r.state = rowFailing
	r.failed, r.part, r.cause = column, part, cause
	c.restartOrDrop(r)
}

// withdraw takes the cells of a row out of the counts and lanes.
func (c *Core) withdraw(r *row) {
	for i, spec := range c.config.Columns {
		switch state := r.cells[i].state; {
		case spec.Batch && state != cellWaiting:
			// A batch waits for the rows that are started again.
			r.group.batchUnmet[i]++
		case !spec.Batch && state == cellQueued:
			c.lanes[spec.Lane].wanted--
		}
		c.forget(i, r.cells[i].state)
		r.cells[i].state = cellWaiting
	}
}

// restartOrDrop starts a failed row again, or drops it, once nothing of it runs any more.
func (c *Core) restartOrDrop(r *row) {
	if r.state != rowFailing || r.running > 0 {
		return
	}
	r.tries++
	r.attempt++
	if r.tries < c.config.MaxRowAttempts && !c.closed {
		c.start(r)
		return
	}
	if c.closed && r.tries < c.config.MaxRowAttempts {
		// It would have been tried again: it is unfinished, not dropped.
		return
	}
	r.state = rowDropped
	for i, spec := range c.config.Columns {
		if spec.Batch {
			r.group.batchUnmet[i]--
		}
	}
	r.group.open--
	c.openRows--
	if r.group.held && r.beforeHold > 0 {
		c.arrived(r.group)
	}
	dropped := Dropped{Row: r.index, Column: r.failed, Part: r.part, Attempts: r.attempt, Failure: r.cause}
	r.group.Dropped = append(r.group.Dropped, dropped)
	c.harvest.Dropped = append(c.harvest.Dropped, dropped)
}

// trip ends the run because a column fails too often.
func (c *Core) trip(column, part int, cause *failure.Error) {
	gate := &c.gates[column][part]
	c.End(failure.New(v1alpha1.ReasonEarlyShutdown, failure.EndRun,
		"column %q failed in %d of its last %d cells, so the run was ended early; the last failure: %s",
		c.config.Columns[column].Parts[part], gate.failures, gate.count, cause.Message))
}
