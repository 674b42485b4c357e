package run

import (
	"context"
	"fmt"
	"strings"
	"time"

	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/journal"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/engine/trace"
	"seedloom.dev/seedloom/engine/watch"
	"seedloom.dev/seedloom/internal/runreport"
)

// source feeds a driver with row groups and takes those that are finished. Its methods are called by the driver's goroutine.
type source interface {
	// refill adds row groups to the scheduler where there is room.
	refill(core *schedule.Core) *failure.Error
	// more says whether there are row groups that were not added yet.
	more() bool
	// finished takes a row group all of whose rows have met their fate, with what its requests have cost.
	finished(group *schedule.Group, usage []runreport.Column)
	// fates takes the rows that have met their fate.
	fates(schedule.Fates)
	// settled is where results of work that the source has started arrive; nil when it starts none.
	settled() <-chan commitResult
	// committed notes that a result of such work was taken.
	committed(commitResult)
	// busy says whether work of the source is under way.
	busy() bool
}

// driver runs the tasks of a scheduler in goroutines of its own, and waits for all of them. One goroutine owns the scheduler.
type driver struct {
	job   *Job
	core  *schedule.Core
	steps []*step
	turns []turn
	slots int // of all lanes
	// workers run the tasks, and are those of the present run.
	workers *workers
	results chan result
	usage   map[int64][]runreport.Column
	names   []string // of the lanes
	watch   *watch.Watch
	work    *work
	fails   *watch.Failures
	trace   *trace.Tracer
	// traced are the steps as spans name them.
	traced  []trace.Step
	sharing *sharing
	// due is when the driver is to be woken; zero when nothing waits for time.
	due time.Time
	// early are the columns that processors work on while a row group is held; processing counts the row groups on which they do.
	early      []int
	processing int
	processed  chan func()
	// giveUp ends what the source has started when tasks are left behind; nil where it starts nothing.
	giveUp context.CancelFunc
	// besides are to be started beside the tasks.
	besides []beside
	// resized are, of each record that code has resized last, the values of the records that take its place.
	resized map[*table.Record][]any
}

// result is what a task came back with.
type result struct {
	task schedule.Task
	// request is the number of the request, or the batch, in the watch; 0 is none.
	request int64
	answer  column.Answer
	values  []column.BatchValue
	// failures are those of single rows of a local step.
	failures []schedule.RowFailure
	err      error
	// requests are those that the task has sent to a model; nil for one that sends none.
	requests *model.Progress
	// traced is nil where the run is not traced.
	traced *trace.Task
}

// newDriver returns a driver for some columns. With hold, processors work on what was sampled before any other column is made.
func newDriver(job *Job, columns []*plan.Column, newRecord func(table.RowIndex, int32) *table.Record, hold bool) *driver {
	steps := stepsOf(columns, hold)
	config, lanes := job.coreConfig(steps, newRecord)
	early := job.early()
	if hold {
		config.Hold, config.Restarted = true, job.restarted(early)
	}
	traced := tracedSteps(steps)
	config.Ready = job.tracer.Ready(traced)
	slots := 0
	for _, lane := range config.Lanes {
		slots += lane.Limit
	}
	return &driver{
		early: early, processed: make(chan func()),
		trace: job.tracer, traced: traced, names: lanes.names, sharing: newSharing(job.Shares, job.Logger), work: newWork(job.Progress, steps, config.Columns), fails: watch.NewFailures(job.Logger, time.Now()),
		job: job, core: schedule.New(config), steps: steps, slots: slots, turns: lanes.turns(),
		results: make(chan result, slots), usage: make(map[int64][]runreport.Column),
		watch: watch.New(job.Logger, job.Plan.Spec, lanes.names, time.Now()),
	}
}

// column is the one that caused the drop of a row.
func (d *driver) column(dropped schedule.Dropped) *plan.Column {
	return d.steps[dropped.Column].columns[dropped.Part]
}

// run drives the scheduler until it has nothing left to do, or has ended. When it returns, nothing of it runs any more.
func (d *driver) run(ctx context.Context, from source) *failure.Error {
	// The tasks don't end with ctx by themselves: see Drain.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	drain := newDraining(d.job.Drain, cancel)
	defer drain.timer.Stop()
	d.workers = newWorkers()
	defer func() { d.workers.stop(drain.abandoned) }()
	ticker := time.NewTicker(watch.Interval)
	defer ticker.Stop()
	wake := time.NewTimer(time.Hour)
	defer wake.Stop()
	stop := ctx.Done()
	d.watch.Progressed(time.Now())
	defer d.fails.Flush()
	defer d.trace.End()
	defer d.sharing.begin(d.core)()
	missed := false
	for {
		if stop != nil && ctx.Err() != nil {
			// Before anything else is started, however much else there is to do.
			stop = nil
			d.core.End(failure.Of(context.Cause(ctx)))
			if drain.begun {
				drain.interrupted()
			}
		}
		if d.core.Ending() == nil {
			if err := from.refill(d.core); err != nil {
				d.core.End(err)
			}
		}
		if err := d.job.seedFailed.Load(); err != nil && d.core.Ending() == nil {
			d.core.End(err)
		}
		d.deliver(from)
		if ending := d.core.Ending(); ending != nil && !drain.begun {
			drain.begin(ending)
			d.job.Progress.SetPhase(runreport.PhaseDraining)
			d.job.describer.Enter(runreport.PhaseDraining)
		}
		d.startBesides(work)
		if started := d.dispatch(work); missed && started > 0 {
			d.job.Logger.Warn("a wake-up was lost; tasks that waited for it were started by the look at all queues", "tasks", started)
		}
		missed = false
		idle := (d.core.InFlight() == 0 || drain.abandoned) && d.processing == 0 && !from.busy()
		if idle && (drain.begun || (d.core.Open() == 0 && !from.more())) {
			return d.ended(drain.abandoned)
		}
		if idle && d.core.Open() == 0 {
			// Dispatching has cleared away what nobody waits for any more, and had kept the next row group out.
			continue
		}
		d.setWake(wake)
		select {
		case back := <-d.results:
			d.apply(back)
			d.applyWaiting()
		case back := <-d.processed:
			back()
		case result := <-from.settled():
			from.committed(result)
			if result.err != nil {
				d.core.End(result.err)
			}
		case <-wake.C:
		case <-d.sharing.changed:
			d.sharing.follow(d.core, time.Now())
		case <-ticker.C:
			now := time.Now()
			d.sharing.follow(d.core, now)
			d.job.Progress.SetTroubles(d.watch.Look(now, d.core))
			if !drain.begun && d.watch.Overdue(now, d.core) {
				d.core.End(d.watch.Stalled(now, d.core, d.writeStall))
			}
			if err := d.job.journals.Lost(); err != nil {
				d.core.End(failure.Of(err))
			}
			missed = d.missed(wake, now)
			d.job.Progress.SetSpansDropped(d.trace.Dropped())
			d.fails.Look(now)
		case <-stop:
		case <-drain.timer.C:
			drain.passed()
			if drain.abandoned && d.giveUp != nil {
				d.giveUp()
			}
		}
	}
}

// writeStall leaves what a stalled run was doing in the output.
func (d *driver) writeStall(text []byte) (name string, err error) {
	return d.job.Store.WriteStall(d.job.Shard, d.job.Attempt, text)
}

func (d *driver) setWake(timer *time.Timer) {
	wait := time.Hour
	d.due = time.Time{}
	if next, waits := d.core.NextWake(); waits {
		d.due, wait = next, max(0, time.Until(next))
	}
	if d.job.loseWakes {
		wait = time.Hour
	}
	timer.Reset(wait)
}

// missed says whether the driver should have been woken and was not. Then the look at all queues that follows each tick goes on.
func (d *driver) missed(timer *time.Timer, now time.Time) bool {
	if d.due.IsZero() || !now.After(d.due) {
		return false
	}
	select {
	case <-timer.C:
		return false // it comes together with the tick
	default:
		return true
	}
}

// deliver hands over the rows and row groups that have met their fate, and what is to be done with those that have come to their hold.
func (d *driver) deliver(to source) {
	due := d.core.Take()
	if due.Done > 0 || len(due.Dropped) > 0 {
		d.watch.Progressed(time.Now())
		to.fates(due.Fates)
	}
	for _, group := range due.Held {
		d.processHeld(group)
	}
	for _, group := range due.Finished {
		d.trace.Done(group.Index)
		to.finished(group, d.takeUsage(group.Index))
	}
}

func (d *driver) takeUsage(group int64) []runreport.Column {
	usage := d.usage[group]
	delete(d.usage, group)
	return usage
}

// dispatch starts all tasks that may start now, and returns how many. Lanes that may have to do with the same share of an endpoint take turns.
func (d *driver) dispatch(ctx context.Context) (started int) {
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
	work := d.work.of(d.core)
	work.Batches = d.watch.AtWork()
	d.job.Progress.SetWork(work)
	return started
}

// start starts the next task of a lane, if one may start now.
func (d *driver) start(ctx context.Context, lane int, now time.Time) bool {
	if lane != schedule.Local && d.core.MayStart(lane) {
		if ending := d.job.budget.exhausted(d.requests()); ending != nil {
			d.core.End(ending)
		}
	}
	task, found := d.core.Next(lane, now)
	if !found {
		return false
	}
	step := d.steps[task.Column]
	begun := result{task: task, traced: d.trace.Admitted(task, d.traced[task.Column], d.names[lane], now)}
	if column := step.columns[0]; column.Execution == plan.Remote {
		ctx, begun.requests = model.WithProgress(ctx, d.trace != nil)
		begun.request = d.watch.BeginRequest(column, task, begun.requests, now)
	} else if column.Execution == plan.Batch {
		begun.request = d.watch.BeginBatch(fmt.Sprintf("column %q", column.Name), len(task.Records), now)
	}
	d.workers.do(func() { d.results <- d.perform(ctx, begun) })
	return true
}

// requests is how many requests are under way: the tasks of all lanes but the local one.
func (d *driver) requests() int {
	count := 0
	for lane := schedule.Local + 1; lane < len(d.names); lane++ {
		running, _ := d.core.Load(lane)
		count += running
	}
	return count
}

// perform runs a task in a goroutine that has nothing else to do. A panic of a generator is a defect of ours, and ends the run in order.
func (d *driver) perform(ctx context.Context, started result) (back result) {
	back = started
	task := back.task
	step := d.steps[task.Column]
	column := step.columns[0]
	back.traced.Begin()
	defer back.traced.End()
	defer func() {
		if cause := recover(); cause != nil {
			back.err = d.job.panicked(strings.Join(step.names(), ", "), cause)
		}
	}()
	switch {
	case step.local:
		back.failures = d.performLocal(ctx, step.columns, task)
	case column.Execution == plan.Batch:
		back.values, back.err = d.job.Generators.Batch[column.Index].GenerateBatch(ctx, task.Records, column.Resize)
	default:
		back.answer, back.err = d.job.Generators.Model[column.Index].Ask(ctx, task.Records[0])
		if back.err == nil {
			back.err = d.job.journals.Append(task.Group(), journalled(task.Records[0], column, back.answer))
		} else if failure.Of(back.err).Consequence == failure.DropRow {
			back.answer.Value, back.answer.SideEffects = nil, nil
			d.job.journals.AppendFailed(task.Group(), journalled(task.Records[0], column, back.answer))
		}
	}
	return back
}

// journalled is what is kept of an answer, whatever becomes of the process.
func journalled(record *table.Record, made *plan.Column, answer column.Answer) journal.Cell {
	usage := answer.Usage
	usage.Add(answer.Earlier)
	return journal.Cell{
		Row: record.Row, Ordinal: record.Ordinal, Attempt: record.Attempt, Column: made.Name,
		Value: answer.Value, SideEffects: answer.SideEffects, Usage: usage,
	}
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

func (d *driver) apply(back result) {
	now := time.Now()
	step := d.steps[back.task.Column]
	column := step.columns[0]
	spent := back.answer.Usage
	back.task.Cost = schedule.Cost{Requests: spent.Succeeded + spent.Failed, Tokens: spent.InputTokens + spent.OutputTokens, OutputTokens: spent.OutputTokens}
	d.watch.Ended(back.request)
	if column.Execution == plan.Remote {
		if usage := usageOf(column, back.answer.Usage); usage.Usage != (runreport.Usage{}) {
			d.addUsage(back.task.Group(), usage)
		}
	}
	if back.err == nil {
		d.watch.Progressed(now)
	} else if column.Execution == plan.Remote {
		d.watch.Refused(column.Lane.Provider, failure.Of(back.err), now)
	}
	for _, failed := range back.failures {
		d.fails.Cell(step.columns[failed.Part].Name, failed.Cause)
	}
	d.fails.Task(column.Name, back.err)
	d.settle(step, column, back, now)
	if d.trace != nil {
		d.trace.Returned(back.traced, trace.Outcome{Err: back.err, Failures: back.failures, Requests: back.requests}, d.core.Deferred(back.task))
	}
}

// settle hands over what a task came back with, to the records and to the scheduler.
func (d *driver) settle(step *step, column *plan.Column, back result, now time.Time) {
	if back.err != nil {
		d.core.Failed(back.task, failure.Of(back.err), now)
		return
	}
	if step.local {
		d.core.Returned(back.task, back.failures, now)
		return
	}
	if column.Resize {
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
		} else {
			write(record, column, back.answer.Value, back.answer.SideEffects)
		}
	}
	d.core.Succeeded(back.task, now)
}

// write writes the value of a column, and those of its side-effect columns.
func write(record *table.Record, made *plan.Column, value any, sideEffects []any) {
	record.Cells[made.Index] = value
	for i, index := range made.SideEffects {
		if i < len(sideEffects) {
			record.Cells[index] = sideEffects[i]
		}
	}
}

// settled notes that the rows that are whole have been counted, and returns the work without them.
func (d *driver) settled() *progress.Work {
	d.work.settled = d.core.DoneRows()
	return d.work.of(d.core)
}
