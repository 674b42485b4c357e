package run

import (
	"context"
	"fmt"
	"strings"
	"time"

	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/engine/trace"
	"seedloom.dev/seedloom/engine/watch"
	"seedloom.dev/seedloom/internal/runreport"
)

// driver runs the tasks of a scheduler in goroutines of its own, and waits for all of them. It owns the row groups in work and their
// commits; one goroutine at a time owns it, and with it the scheduler.
type driver struct {
	executor *executor
	core     *schedule.Core
	steps    []*step
	traced   []trace.Step // the steps as spans name them
	turns    []turn
	slots    int      // of all lanes
	lanes    []string // their names

	// workers run the tasks by the performer, and are those of the present run.
	workers   *workers
	performer *performer
	results   chan result
	// besides are what is done beside the tasks; hold is among it, nil where no row group is held.
	besides *besides
	hold    *hold

	groups *openGroups
	// columnar makes row groups beside the scheduler, where it can; again are those that have to be made row by row after all.
	columnar *columnar
	again    []*rowGroup

	watch   *watch.Watch
	fails   *watch.Failures
	work    *work
	sharing *sharing
	wake    *waker
	hedges  hedges
	// missed says that a wake-up was lost, since the last look at all queues.
	missed bool
	// resized are, of each record that code has resized last, the values of the records that take its place.
	resized map[*table.Record][]any
}

// source says which rows come next.
type source interface {
	// more says whether there are row groups that were not begun yet, and rows how many rows they have, or a little more.
	more() bool
	rows() int
	// next begins the next row group, and returns it with its rows listed; nil when there is none, or none of at most so many rows.
	next(room int) (*rowGroup, *failure.Error)
	// loaded is where row groups come back for which the seed was read; take takes one, which next may then return.
	loaded() <-chan *rowGroup
	take(loaded *rowGroup)
}

// assignment is what a driver is for: columns of the records that newRecord returns. With held, processors work on what was sampled before
// any other column is generated. A driver without columns does work beside tasks alone.
type assignment struct {
	columns   []*plan.Column
	newRecord func(row table.RowIndex, attempt int32) *table.Record
	held      bool
}

func newDriver(e *executor, of assignment) *driver {
	now := time.Now()
	steps := stepsOf(of.columns, of.held)
	config, lanes := e.schedulerConfig(steps, of.newRecord)
	d := &driver{
		executor: e, steps: steps, traced: tracedSteps(steps), turns: lanes.turns(), lanes: lanes.names,
		performer: &performer{steps: steps, generators: e.Generators, skips: e.skips, journals: e.journals, logger: e.Logger},
		groups:    newOpenGroups(e, steps),
		watch:     watch.New(e.Logger, e.Plan.Spec, lanes.names, now), fails: watch.NewFailures(e.Logger, now),
		work: newWork(e.Progress, steps, config.Columns), sharing: newSharing(e.Shares, e.Logger), wake: newWaker(),
	}
	for _, lane := range config.Lanes {
		d.slots += lane.Limit
	}
	d.results = make(chan result, d.slots)
	d.besides = newBesides(d.watch)
	config.Ready = e.tracer.Ready(d.traced)
	if of.held {
		d.hold = &hold{executor: e, columns: sampledIndexes(e.Plan)}
		config.Hold, config.Restarted = true, d.hold.restarted
	}
	d.core = schedule.New(config)
	if of.held {
		d.hold.core = d.core
	}
	return d
}

// run drives the scheduler through a source until it has nothing left to do, or has ended. When it returns, nothing of it runs any more.
func (d *driver) run(ctx context.Context, next source) *failure.Error {
	// The tasks don't end with ctx by themselves: see Drain.
	tasks, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	drain := newDraining(d.executor.Drain, cancel)
	defer drain.timer.Stop()
	d.workers = newWorkers()
	defer func() { d.workers.stop(drain.abandoned) }()
	ticker := time.NewTicker(watch.Interval)
	defer ticker.Stop()
	defer d.wake.timer.Stop()
	d.watch.Progressed(time.Now())
	defer d.fails.Flush()
	defer d.executor.tracer.End()
	defer d.sharing.begin(d.core)()
	stop := ctx.Done()
	for {
		if stop != nil && ctx.Err() != nil {
			stop = nil // before anything else is started, however much else there is to do
			d.interrupt(context.Cause(ctx), drain)
		}
		d.refill(next)
		d.deliver()
		d.heedEnding(drain)
		d.startWaiting(tasks)
		if d.isOver(drain, next) {
			return d.ending(drain)
		}
		d.wake.set(d.core.NextWake())
		select {
		case back := <-d.results:
			d.apply(back)
			d.applyWaiting()
		case back := <-d.besides.returned:
			back()
		case group := <-next.loaded():
			next.take(group)
		case back := <-d.groups.commits.returned():
			d.committed(back)
		case <-d.wake.timer.C:
		case <-d.sharing.changed:
			d.sharing.follow(d.core, time.Now())
		case <-ticker.C:
			d.look(time.Now(), drain)
		case <-stop:
		case <-drain.timer.C:
			d.drained(drain)
		}
	}
}

// interrupt ends the run because it was asked to stop, which may be while it is ending already.
func (d *driver) interrupt(cause error, drain *draining) {
	d.core.End(failure.Of(cause))
	if drain.begun {
		drain.interrupted()
	}
}

// refill begins row groups where a lane has nothing to do, and there is room.
func (d *driver) refill(next source) {
	if err := d.executor.seedFailed.Load(); err != nil {
		d.core.End(err) // the first reason stays
	}
	d.core.Ahead(next.rows())
	for d.core.Ending() == nil && d.more(next) && !d.groups.full() && (d.core.Open() == 0 || d.core.NeedsRows()) {
		group, err := d.nextGroup(next)
		if err != nil {
			d.core.End(err)
			return
		}
		if group == nil {
			return
		}
		if d.columnar.takes(group) {
			d.groups.beginWhole(group, d.columnar, d.watch)
			continue
		}
		d.groups.add(group)
		values := group.takeValues().rowByRow()
		d.executor.values = values
		d.core.Add(group.index, group.todo)
		d.executor.values = nil
		d.groups.grow(group.index, values.bytes)
		d.core.Ahead(next.rows())
	}
}

// more says whether there are row groups that were not begun yet.
func (d *driver) more(next source) bool { return len(d.again) > 0 || next.more() }

// nextGroup returns the next row group; nil where none can be begun now.
func (d *driver) nextGroup(next source) (*rowGroup, *failure.Error) {
	if len(d.again) == 0 {
		return next.next(d.groups.room())
	}
	group := d.again[0]
	if len(group.todo) > d.groups.room() {
		return nil, nil
	}
	d.again = d.again[1:]
	group.values = group.read(d.executor.Seed, d.executor.Plan.Schema.Len())
	return group, nil
}

// deliver takes the rows and row groups that have met their fate, and those that have come to their hold.
func (d *driver) deliver() {
	due := d.core.Take()
	if due.Done > 0 || len(due.Dropped) > 0 {
		d.watch.Progressed(time.Now())
		if d.groups.commits != nil { // else they are counted when the whole batch is written
			d.executor.ledger.met(due.Done, due.Skipped, d.groups.droppedRows(due.Dropped), d.accounted())
		}
	}
	for _, group := range due.Held {
		d.besides.waiting = append(d.besides.waiting, d.hold.process(group))
	}
	for _, group := range due.Finished {
		d.executor.tracer.Done(group.Index)
		d.groups.finish(group, d.watch)
	}
}

// committed takes what a commit came to.
func (d *driver) committed(back commitResult) {
	d.groups.committed(back)
	d.watch.Ended(back.number)
	switch {
	case back.err != nil:
		d.core.End(back.err)
	case back.failed:
		back.whole.rowByRow, back.whole.bytes = true, 0
		d.again = append(d.again, back.whole)
	case back.whole != nil:
		d.watch.Progressed(time.Now())
		d.executor.ledger.met(int64(len(back.whole.todo)), nil, nil, d.accounted())
		d.executor.ledger.draw(back.drawn)
	}
}

// accounted notes that the rows that are whole have been counted, and returns the work without them.
func (d *driver) accounted() *progress.Work {
	d.work.accounted = d.core.DoneRows()
	return d.work.of(d.core)
}

// heedEnding begins to drain once the run has an ending.
func (d *driver) heedEnding(drain *draining) {
	ending := d.core.Ending()
	if ending == nil || drain.begun {
		return
	}
	drain.begin(ending)
	d.executor.Progress.SetPhase(runreport.PhaseDraining)
	d.executor.describer.Enter(runreport.PhaseDraining)
}

// startWaiting starts all that may start now.
func (d *driver) startWaiting(ctx context.Context) {
	if d.core.Ending() == nil {
		d.besides.start(ctx)
	}
	d.besides.waiting = nil // after the end it never comes, and what is not released is not written
	if started := d.startTasks(ctx); d.missed && started > 0 {
		d.executor.Logger.Warn("a wake-up was lost; tasks that waited for it were started by the look at all queues", "tasks", started)
	}
	d.missed = false
}

// startTasks starts all tasks that may start now, and returns how many. Lanes that may have to do with the same share of an endpoint take
// turns.
func (d *driver) startTasks(ctx context.Context) (started int) {
	now := time.Now()
	for i := range d.turns {
		current := &d.turns[i]
		for idle := 0; idle < len(current.lanes); {
			if !d.start(ctx, current.take(), now) {
				idle++
				continue
			}
			idle = 0
			started++
		}
	}
	d.sharing.note(d.core, now)
	underway := d.work.of(d.core)
	underway.Batches = d.watch.AtWork()
	d.executor.Progress.SetWork(underway)
	return started
}

// start starts the next task of a lane, if one may start now.
func (d *driver) start(ctx context.Context, lane int, now time.Time) bool {
	if lane != schedule.Local && d.core.MayStart(lane) {
		if ending := d.executor.ledger.budget.exhausted(d.requests()); ending != nil {
			d.core.End(ending)
		}
	}
	task, found := d.core.Next(lane, now)
	if !found && lane != schedule.Local && d.executor.ledger.budget.exhausted(d.requests()) == nil {
		task, found = d.core.Hedge(lane, now)
	}
	if !found {
		return false
	}
	tracer := d.executor.tracer
	begun := result{task: task, traced: tracer.Admitted(task, d.traced[task.Column], d.lanes[lane], now)}
	if column := d.steps[task.Column].columns[0]; column.Execution == plan.Remote {
		ctx, begun.requests = model.WithProgress(ctx, tracer != nil)
		begun.request = d.watch.BeginRequest(column, task, begun.requests, now)
		if !task.Hedge {
			begun.kept = takeKept(task.Records[0], column.Index)
		}
		if d.core.Hedges(task) {
			ctx, begun.try = d.hedges.begin(ctx, task)
		}
	} else if column.Execution == plan.Batch {
		begun.request = d.watch.BeginBatch(fmt.Sprintf("column %q", column.Name), len(task.Records), now)
	}
	d.workers.do(func() { d.results <- d.performer.perform(ctx, begun) })
	return true
}

// requests is how many requests are under way: the tasks of all lanes but the local one.
func (d *driver) requests() int {
	count := 0
	for lane := schedule.Local + 1; lane < len(d.lanes); lane++ {
		running, _ := d.core.Load(lane)
		count += running
	}
	return count
}

// isOver says whether nothing is left to wait for.
func (d *driver) isOver(drain *draining, next source) bool {
	if (d.core.InFlight() > 0 && !drain.abandoned) || d.besides.running > 0 || d.groups.commits.busy() {
		return false
	}
	return drain.begun || (d.core.Open() == 0 && !d.more(next))
}

// look is what is done once in an interval, whatever happens.
func (d *driver) look(now time.Time, drain *draining) {
	e := d.executor
	d.sharing.follow(d.core, now)
	e.Progress.SetTroubles(d.watch.Look(now, d.core))
	if !drain.begun && d.watch.Overdue(now, d.core) {
		d.core.End(d.watch.Stalled(now, d.core, func(text []byte) (string, error) { return e.Store.WriteStall(e.Shard, e.Attempt, text) }))
	}
	if err := e.journals.Lost(); err != nil {
		d.core.End(failure.Of(err))
	}
	d.missed = d.wake.missed(now)
	e.Progress.SetSpansDropped(e.tracer.Dropped())
	d.fails.Look(now)
}

// drained notes that the time that tasks have to end is over.
func (d *driver) drained(drain *draining) {
	drain.passed()
	if drain.abandoned {
		d.groups.commits.giveUp()
	}
}

// ending is the end of the run, with what did not stop.
func (d *driver) ending(drain *draining) *failure.Error {
	ending := d.core.Ending()
	if !drain.abandoned || ending == nil || d.core.InFlight() == 0 {
		return ending
	}
	left := d.core.RunningCells()
	var places []string
	for _, cell := range left[:min(len(left), 5)] {
		places = append(places, fmt.Sprintf("column %q, row %d", strings.Join(d.steps[cell.Column].names(), ", "), cell.Row))
	}
	noun := "tasks"
	if d.core.InFlight() == 1 {
		noun = "task"
	}
	d.executor.Logger.Warn("tasks did not stop", "tasks", d.core.InFlight(), "cells", places)
	with := *ending
	with.Message += fmt.Sprintf("; %d %s did not stop within %s (%s); what is still made is discarded",
		d.core.InFlight(), noun, d.executor.Drain.stop(), strings.Join(places, "; "))
	return &with
}

// applyWaiting applies the results that are there already, so that one round serves them all.
func (d *driver) applyWaiting() {
	for {
		select {
		case back := <-d.results:
			d.apply(back)
		default:
			return
		}
	}
}

// apply takes what a task came back with.
func (d *driver) apply(back result) {
	now := time.Now()
	step := d.steps[back.task.Column]
	column := step.columns[0]
	if back.try != nil {
		d.hedges.end(back.try, back.task, &back.answer.Usage, back.err)
	}
	spent := back.answer.Usage
	back.task.Cost = schedule.Cost{
		Requests: spent.Succeeded + spent.Failed, Tokens: spent.InputTokens + spent.OutputTokens, OutputTokens: spent.OutputTokens,
	}
	d.watch.Ended(back.request)
	if column.Execution == plan.Remote && spent != (runreport.Usage{}) {
		d.groups.spend(back.task.Group(), runreport.Column{Name: column.Name, Usage: spent})
	}
	late := back.try != nil && back.try.late
	if back.err == nil {
		d.watch.Progressed(now)
	} else if column.Execution == plan.Remote && !late {
		d.watch.Refused(column.Lane.Provider, failure.Of(back.err), now)
	}
	for _, failed := range back.failures {
		d.fails.Cell(step.columns[failed.Part].Name, failed.Cause)
	}
	if !late {
		d.fails.Task(column.Name, back.err)
	}
	d.hand(step, column, back, now)
	if tracer := d.executor.tracer; tracer != nil {
		outcome := trace.Outcome{Err: back.err, Failures: back.failures, Requests: back.requests}
		tracer.Returned(back.traced, outcome, d.core.Deferred(back.task))
	}
}

// takeKept takes from a record what a try of a cell goes on from; nil where it begins anew.
func takeKept(record *table.Record, column int) any {
	kept := record.Unfinished[column]
	delete(record.Unfinished, column)
	return kept
}

// keep leaves with a record what the next try of a cell goes on from.
func keep(record *table.Record, column int, kept any) {
	if record.Unfinished == nil {
		record.Unfinished = make(map[int]any, 1)
	}
	record.Unfinished[column] = kept
}

// hand hands what a task came back with to its records and to the scheduler.
func (d *driver) hand(step *step, column *plan.Column, back result, now time.Time) {
	switch {
	case back.err != nil:
		if back.answer.Kept != nil && d.core.Wants(back.task, 0) {
			keep(back.task.Records[0], column.Index, back.answer.Kept)
		}
		d.core.Failed(back.task, failure.Of(back.err), now)
		return
	case step.local:
		d.groups.grow(back.task.Group(), back.bytes)
		d.groups.draw(back.task.Group(), back.drawn)
		d.core.Returned(back.task, back.failures, now)
		return
	case column.Resize:
		d.resized = resizedBy(back)
		d.core.Succeeded(back.task, now)
		return
	}
	for i, record := range back.task.Records {
		if !d.core.Wants(back.task, i) {
			continue
		}
		if column.Execution == plan.Batch {
			record.Cells[column.Index] = back.values[i].Value
			d.groups.grow(back.task.Group(), table.Bytes(back.values[i].Value))
		} else {
			write(record, column, back.answer.Value, back.answer.SideEffects)
			d.groups.grow(back.task.Group(), table.Bytes(back.answer.Value)+table.Bytes(back.answer.SideEffects))
		}
	}
	d.core.Succeeded(back.task, now)
}
