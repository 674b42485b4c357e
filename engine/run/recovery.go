package run

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/journal"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// syncInterval is how old a journalled cell may become before it also survives the end of the machine. It survives that of the process
// at once.
const syncInterval = time.Second

// journals keep the finished cells of models for the row groups in work, and give back those that an earlier process has made.
type journals struct {
	job    *Job
	stop   chan struct{}
	synced chan struct{}

	mutex sync.Mutex
	open  map[int64]*groupJournal
}

// groupJournal is the journal of a row group in work.
type groupJournal struct {
	store *store.Store
	index int64
	// recovered are the cells that an earlier process has made. Only the driver's goroutine reads them.
	recovered map[identity][]journal.Cell
	// givenUp are the columns whose cells an earlier process has given up, by the attempts of their rows. Only the executor's goroutine reads it.
	givenUp map[identity][]string
	// attempts are the latest attempts of rows that were started again.
	attempts map[table.RowIndex]int32
	// whole is how many bytes of the file count.
	whole int64
	// end is what is to be noted of the row group's end before the next cell; 0 where the journal has it, or it does not matter.
	end table.RowIndex

	mutex  sync.Mutex
	writer *journal.Writer // from the first cell on
	// closed says that the journal has ended: a task that has not stopped may still come with a cell.
	closed bool
}

type identity struct {
	row              table.RowIndex
	ordinal, attempt int32
}

func identityOf(record *table.Record) identity {
	return identity{record.Row, record.Ordinal, record.Attempt}
}

// newJournals starts the goroutine that syncs them; close ends it.
func newJournals(job *Job) *journals {
	made := &journals{job: job, stop: make(chan struct{}), synced: make(chan struct{}), open: make(map[int64]*groupJournal)}
	go made.syncAll()
	return made
}

// syncAll syncs the journals again and again. That it fails is no harm yet: the checkpoint, which does without them, will tell.
func (j *journals) syncAll() {
	defer close(j.synced)
	ticker := time.NewTicker(syncInterval)
	defer ticker.Stop()
	for {
		select {
		case <-j.stop:
			return
		case <-ticker.C:
		}
		j.mutex.Lock()
		var writers []*journal.Writer
		for _, group := range j.open {
			if writer := group.opened(); writer != nil {
				writers = append(writers, writer)
			}
		}
		j.mutex.Unlock()
		j.checkFence()
		for _, writer := range writers {
			_ = writer.Sync()
		}
	}
}

// checkFence looks, as often as journals are synced, whether this process may still write. Its result is kept by the fence: who appends to a
// journal, and the driver, only look there. What can't be read now is left to the next commit.
func (j *journals) checkFence() {
	if j.job.Fence != nil {
		_ = j.job.Fence.Check()
	}
}

// fenced is why this process may no longer write; nil when it may.
func (j *journals) fenced() error {
	if j.job.Fence == nil {
		return nil
	}
	return j.job.Fence.Lost()
}

// close syncs and closes all journals, and leaves their files.
func (j *journals) close() {
	close(j.stop)
	<-j.synced
	for index := range j.open {
		j.end(index)
	}
}

// begin opens the journal of a row group, and returns what the requests have cost that are in it and not in the group's manifest.
func (j *journals) begin(group *openGroup) ([]runreport.Column, *failure.Error) {
	data, err := j.job.Store.ReadJournal(group.index)
	if err != nil {
		return nil, failure.Of(err)
	}
	content := journal.Read(data, j.job.Plan.Schema)
	if content.Torn {
		j.job.Logger.Warn("the end of a journal is damaged, as after a crash; its last cells are made again", "rowGroup", group.index,
			"bytes", len(data), "whole", content.Valid)
	}
	opened := &groupJournal{store: j.job.Store, index: group.index, whole: content.Valid}
	counted := int64(0)
	if group.manifest != nil {
		counted = group.manifest.JournalBytes
	}
	var usage []runreport.Column
	// Where other rows are to be made than before, columns that are made of all of them are made of others.
	bound := j.job.madeOfWholeGroups()
	moved := content.End != 0 && content.End != group.end
	others := moved || (group.manifest != nil && group.again == nil)
	if len(bound) > 0 && (moved || content.End == 0) {
		opened.end = group.end
	}
	opened.recovered = make(map[identity][]journal.Cell)
	opened.attempts = make(map[table.RowIndex]int32)
	if !others || !j.job.preBatch() {
		opened.attempts = content.Attempts
	}
	opened.givenUp = make(map[identity][]string)
	usable := 0
	for i, cell := range content.Cells {
		if cell.Failed && !others {
			key := identity{cell.Row, cell.Ordinal, cell.Attempt}
			opened.givenUp[key] = append(opened.givenUp[key], cell.Column)
		}
		if !cell.Failed && (!bound[cell.Column] || (!others && i >= content.Current)) {
			usable++
			key := identity{cell.Row, cell.Ordinal, cell.Attempt}
			opened.recovered[key] = append(opened.recovered[key], cell)
		}
		if made := j.job.column(cell.Column); made != nil && made.Model != nil && content.Ends[i] > counted {
			usage = runreport.AddColumns(usage, usageOf(made, cell.Usage))
		}
	}
	if usable > 0 {
		j.job.Logger.Info("cells of an earlier process are used", "rowGroup", group.index, "cells", usable)
	}
	j.mutex.Lock()
	defer j.mutex.Unlock()
	j.open[group.index] = opened
	return usage, nil
}

func (j *journals) of(index int64) *groupJournal {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	return j.open[index]
}

// restart brings the rows to the attempts that the earlier process was at.
func (j *journals) restart(group *openGroup) {
	attempts := j.of(group.index).attempts
	for i := range group.todo {
		todo := &group.todo[i]
		if j.job.preBatch() {
			todo.Resumed = max(todo.Resumed, attempts[todo.Row])
		} else {
			todo.Attempt = max(todo.Attempt, attempts[todo.Row])
		}
		if known := max(todo.Attempt, todo.Resumed); known > 0 {
			attempts[todo.Row] = known
		}
	}
}

// attemptOf is the attempt at which a record goes on in a batch: the first one of which no earlier process has given up a cell that the steps
// make. What was paid for a cell that failed is not paid again.
func (j *journals) attemptOf(record *table.Record, steps []*step) int32 {
	group := j.of(int64(record.Row) / j.job.Plan.RowGroupSize)
	attempt := record.Attempt
	if group == nil {
		return attempt
	}
	makes := func(column string) bool {
		return slices.ContainsFunc(steps, func(step *step) bool { return slices.Contains(step.names(), column) })
	}
	for slices.ContainsFunc(group.givenUp[identity{record.Row, record.Ordinal, attempt}], makes) {
		attempt++
	}
	return attempt
}

// restore writes the cells that an earlier process has made into a new record, and returns the positions of their steps.
func (j *journals) restore(record *table.Record, steps []*step) []int {
	group := j.of(int64(record.Row) / j.job.Plan.RowGroupSize)
	if group == nil {
		return nil
	}
	if j.job.Plan.Mode == v1alpha1.ExecutionAsync && record.Attempt > group.attempts[record.Row] {
		group.attempts[record.Row] = record.Attempt
		j.again(group, record)
	}
	var restored []int
	for _, cell := range group.recovered[identityOf(record)] {
		for position, step := range steps {
			if made := step.columns[0]; made.Model != nil && made.Name == cell.Column {
				write(record, made, cell.Value, cell.SideEffects)
				if !slices.Contains(restored, position) { // of a cell that was made twice, the later one counts
					restored = append(restored, position)
				}
			}
		}
	}
	return restored
}

// again notes that a row is started again, so that no later process goes on with the attempt that has failed, and pays for its failure once
// more. That it can't be written is no harm yet: the checkpoint will tell.
func (j *journals) again(group *groupJournal, record *table.Record) {
	if j.fenced() != nil {
		return
	}
	if writer, err := group.opening(); err == nil {
		_ = writer.Again(record.Row, record.Attempt)
	}
}

// append keeps a finished cell. It is called by the goroutines of tasks.
func (j *journals) append(index int64, record *table.Record, made *plan.Column, answer column.Answer) error {
	group := j.of(index)
	if group == nil {
		// The run was ended without this task, which had not stopped.
		return context.Canceled
	}
	if err := j.fenced(); err != nil {
		return err
	}
	writer, err := group.opening()
	if err != nil {
		return err
	}
	usage := answer.Usage
	usage.Add(answer.Earlier)
	cell := journal.Cell{
		Row: record.Row, Ordinal: record.Ordinal, Attempt: record.Attempt, Column: made.Name,
		Value: answer.Value, SideEffects: answer.SideEffects, Usage: usage,
	}
	if err := writer.Append(cell); err != nil {
		return store.JournalFailed(err, index)
	}
	return nil
}

// failed keeps what a cell has cost that was given up, so that a kill does not take it out of the usage. That it can't be written is no harm
// yet: the checkpoint will tell.
func (j *journals) failed(index int64, record *table.Record, made *plan.Column, answer column.Answer) {
	usage := answer.Usage
	usage.Add(answer.Earlier)
	group := j.of(index)
	if usage.Succeeded == 0 || group == nil || j.fenced() != nil {
		return
	}
	if writer, err := group.opening(); err == nil {
		_ = writer.Append(journal.Cell{Row: record.Row, Ordinal: record.Ordinal, Attempt: record.Attempt, Column: made.Name, Usage: usage, Failed: true})
	}
}

func (g *groupJournal) opened() *journal.Writer {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.writer
}

// closing ends the journal, and returns what is to be closed of it: nil when nothing was ever written.
func (g *groupJournal) closing() *journal.Writer {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.closed = true
	return g.writer
}

func (g *groupJournal) opening() (*journal.Writer, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.closed {
		return nil, context.Canceled
	}
	if g.writer != nil {
		return g.writer, nil
	}
	file, err := g.store.OpenJournal(g.index, g.whole)
	if err != nil {
		return nil, err
	}
	writer := journal.NewWriter(file, g.whole)
	if g.end != 0 {
		if err := writer.Begin(g.end); err != nil {
			return nil, errors.Join(store.JournalFailed(err, g.index), file.Close())
		}
	}
	g.writer = writer
	return writer, nil
}

// size is how many bytes the journal of a row group has.
func (j *journals) size(index int64) int64 {
	group := j.of(index)
	if group == nil {
		return 0
	}
	if writer := group.opened(); writer != nil {
		return writer.Size()
	}
	return group.whole
}

// end closes the journal of a row group in which nothing runs any more.
func (j *journals) end(index int64) {
	group := j.of(index)
	if group == nil {
		return
	}
	if writer := group.closing(); writer != nil {
		_ = writer.Sync()
		_ = writer.Close()
	}
	j.mutex.Lock()
	defer j.mutex.Unlock()
	delete(j.open, index)
}

// remove closes and removes the journal of a row group that is in the store as a whole.
func (j *journals) remove(index int64) *failure.Error {
	group := j.of(index)
	if group == nil {
		return nil
	}
	writer := group.closing()
	if writer != nil {
		_ = writer.Close()
	}
	j.mutex.Lock()
	delete(j.open, index)
	j.mutex.Unlock()
	if writer == nil && group.whole == 0 {
		return nil
	}
	if err := j.job.Store.RemoveJournal(index); err != nil {
		return failure.Of(err)
	}
	return nil
}
