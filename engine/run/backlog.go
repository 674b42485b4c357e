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
	executor *executor
	// known are the row groups of which the store has something; those to which nothing is missing are nil.
	known map[int64]*rowGroup
	// position is the row group to look at next, and left how many there are.
	position, left int64
	// heads are the first ones, once somebody has looked at them.
	heads []*rowGroup
	// reader reads the seed for the next ones; nil where nothing does.
	reader *ahead
}

// openBacklog looks at what the store has of the shard: it counts that as progress, and returns the row groups that are to be generated.
// What earlier attempts have dropped, and is tried again now, is no longer counted.
func (e *executor) openBacklog(ctx context.Context) (*backlog, *failure.Error) {
	open := &backlog{executor: e, known: make(map[int64]*rowGroup), position: int64(e.Shard), left: e.Plan.ShardRowGroups(e.Shard, e.Shards)}
	e.Progress.Add(progress.Counts{Records: runreport.Records{Target: e.Plan.ShardRows(e.Shard, e.Shards)}})
	groups, err := e.Store.Groups()
	if err != nil {
		return nil, failure.Of(err)
	}
	for _, index := range groups {
		if !plan.Owns(e.Shard, e.Shards, index) || index >= e.Plan.RowGroups() {
			continue
		}
		if ctx.Err() != nil {
			return nil, failure.Of(context.Cause(ctx))
		}
		if err := open.look(index); err != nil {
			return nil, failure.Of(err)
		}
	}
	e.Progress.Begin()
	return open, nil
}

// look looks at a row group of which the store has something.
func (b *backlog) look(index int64) error {
	e := b.executor
	manifest, note, err := e.Store.Group(index)
	if err != nil {
		return err
	}
	if note != "" {
		e.Logger.Warn("a row group is made again", "rowGroup", index, "cause", note)
	}
	if manifest == nil {
		return nil
	}
	start, end := e.Plan.RowGroup(index)
	group := &rowGroup{index: index, start: start, end: end, manifest: manifest}
	if err := e.listMissing(group); err != nil {
		return err
	}
	e.ledger.committed(e.countsOf(group))
	if len(group.todo) > 0 {
		b.known[index] = group
		return nil
	}
	b.known[index] = nil
	b.left--
	return e.Store.RemoveJournal(index)
}

// more says whether there are row groups left.
func (b *backlog) more() bool { return b.left > 0 }

// listed returns one of the first row groups, from 0, with its rows, and leaves it where it is; nil when there are no so many.
func (b *backlog) listed(number int) *rowGroup {
	if int64(number) >= b.left {
		return nil
	}
	for len(b.heads) <= number {
		group, known := b.known[b.position]
		if !known {
			start, end := b.executor.Plan.RowGroup(b.position)
			group = &rowGroup{index: b.position, start: start, end: end}
		}
		delete(b.known, b.position)
		b.position += int64(b.executor.Shards)
		if group != nil {
			group.list()
			b.heads = append(b.heads, group)
		}
	}
	return b.heads[number]
}

// begin returns the first row group with its rows, which is in the backlog no more; nil when there is none.
func (b *backlog) begin() *rowGroup {
	group := b.listed(0)
	if group != nil {
		b.heads[0] = nil // so that it isn't kept
		b.heads = b.heads[1:]
		b.reader.begun()
		b.left--
	}
	return group
}

func (b *backlog) loaded() <-chan *rowGroup { return b.reader.returned() }

func (b *backlog) take(loaded *rowGroup) { b.reader.take(loaded) }

// rows is how many rows the row groups that are left have, or a little more.
func (b *backlog) rows() int { return int(b.left * b.executor.Plan.RowGroupSize) }

// next lets the first row group go on from its journal, and takes it; nil when there is none, none of at most so many rows, or its values
// of the seed are still being read.
func (b *backlog) next(room int) (*rowGroup, *failure.Error) {
	group := b.listed(0)
	if group == nil || len(group.todo) > room {
		return nil, nil
	}
	if b.reader != nil {
		b.reader.receive()
		b.reader.want(b.listed)
		if !group.loaded {
			return nil, nil
		}
	}
	usage, err := b.executor.recovery.begin(group)
	if err != nil {
		return nil, err
	}
	b.executor.recovery.resume(group)
	group.usage = usage
	b.executor.ledger.spentEarlier(usage...)
	return b.begin(), nil
}
