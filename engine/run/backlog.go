package run

import (
	"context"

	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/internal/runreport"
)

// backlog is the row groups of a shard that are still to be generated, in their order. Those of which the store has nothing are not listed
// before it is their turn, so that a run begins as soon however many rows are asked for. It belongs to one goroutine.
type backlog struct {
	job *Job
	// known are the row groups of which the store has something; those to which nothing is missing are nil.
	known map[int64]*openGroup
	// next is the row group to look at next, and left how many there are.
	next, left int64
	// head is the first one, once somebody has looked at it.
	head *openGroup
}

// openGroups looks at what the store has of the shard: it counts that as progress, and returns the row groups that are to be generated.
// What earlier attempts have dropped, and is tried again now, is no longer counted.
func (j *Job) openGroups(ctx context.Context) (*backlog, *failure.Error) {
	open := &backlog{job: j, known: make(map[int64]*openGroup), next: int64(j.Shard), left: j.Plan.ShardRowGroups(j.Shard, j.Shards)}
	j.Progress.Add(progress.Counts{Records: runreport.Records{Target: j.Plan.ShardRows(j.Shard, j.Shards)}})
	groups, err := j.Store.Groups()
	if err != nil {
		return nil, failure.Of(err)
	}
	for _, index := range groups {
		if !plan.Owns(j.Shard, j.Shards, index) || index >= j.Plan.RowGroups() {
			continue
		}
		if ctx.Err() != nil {
			return nil, failure.Of(context.Cause(ctx))
		}
		if err := open.look(index); err != nil {
			return nil, failure.Of(err)
		}
	}
	j.Progress.Begin()
	return open, nil
}

// look looks at a row group of which the store has something.
func (b *backlog) look(index int64) error {
	job := b.job
	manifest, note, err := job.Store.Group(index)
	if err != nil {
		return err
	}
	if note != "" {
		job.Logger.Warn("a row group is made again", "rowGroup", index, "cause", note)
	}
	if manifest == nil {
		return nil
	}
	start, end := job.Plan.RowGroup(index)
	group := &openGroup{index: index, start: start, end: end, manifest: manifest}
	if err := job.plan(group); err != nil {
		return err
	}
	counts := job.countsOf(group)
	job.Progress.Add(counts)
	job.budget.spend(counts.Models)
	if len(group.todo) > 0 {
		b.known[index] = group
		return nil
	}
	b.known[index] = nil
	b.left--
	return job.Store.RemoveJournal(index)
}

// more says whether there are row groups left.
func (b *backlog) more() bool { return b.left > 0 }

// first returns the first row group with its rows, and leaves it where it is; nil when there is none.
func (b *backlog) first() *openGroup {
	for b.head == nil && b.left > 0 {
		group, known := b.known[b.next]
		if !known {
			start, end := b.job.Plan.RowGroup(b.next)
			group = &openGroup{index: b.next, start: start, end: end}
		}
		b.head = group
		delete(b.known, b.next)
		b.next += int64(b.job.Shards)
	}
	if b.head != nil {
		b.head.list()
	}
	return b.head
}

// take returns the first row group with its rows, which is in the backlog no more; nil when there is none.
func (b *backlog) take() *openGroup {
	group := b.first()
	if group != nil {
		b.head = nil
		b.left--
	}
	return group
}
