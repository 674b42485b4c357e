package schedule

import (
	"slices"
	"time"

	"seedloom.dev/seedloom/engine/table"
)

// queuedCell is a cell, or a batch of cells, that may run. Older row groups come first, and within them the rows that are
// closest to their end: so memory stays small and checkpoints come early. Among the last rows of a run, those with the longest way to go
// come before that.
type queuedCell struct {
	group     int64
	remaining int16
	column    int16
	// way is how many milliseconds there are to the end of the row; 0 for all before the last rows.
	way   int32
	index table.RowIndex
	row   *row
	// rows are those of a chunk or a batch; nil for row alone.
	rows []*row
}

//nolint:unused // queue calls it by its constraint
func (a queuedCell) before(b queuedCell) bool {
	switch {
	case a.way != b.way:
		return a.way > b.way
	case a.group != b.group:
		return a.group < b.group
	case a.remaining != b.remaining:
		return a.remaining < b.remaining
	case a.index != b.index:
		return a.index < b.index
	}
	return a.column < b.column
}

// deferredCell is a cell that waits for its next try.
type deferredCell struct {
	until  time.Time
	row    *row
	epoch  int32
	column int16
}

//nolint:unused // queue calls it by its constraint
func (a deferredCell) before(b deferredCell) bool { return a.until.Before(b.until) }

// queue is a binary heap. The one of container/heap would allocate for each cell.
type queue[T interface{ before(T) bool }] struct{ items []T }

func (q *queue[T]) len() int { return len(q.items) }

func (q *queue[T]) first() T { return q.items[0] }

func (q *queue[T]) push(item T) {
	q.items = append(q.items, item)
	for child := len(q.items) - 1; child > 0; {
		parent := (child - 1) / 2
		if !q.items[child].before(q.items[parent]) {
			return
		}
		q.items[child], q.items[parent] = q.items[parent], q.items[child]
		child = parent
	}
}

func (q *queue[T]) pop() T {
	var none T
	top, last := q.items[0], len(q.items)-1
	q.items[0], q.items[last] = q.items[last], none
	q.items = q.items[:last]
	q.sink(0)
	return top
}

// sink takes an item down to its place.
func (q *queue[T]) sink(parent int) {
	for {
		child := 2*parent + 1
		if child >= len(q.items) {
			return
		}
		if child+1 < len(q.items) && q.items[child+1].before(q.items[child]) {
			child++
		}
		if !q.items[child].before(q.items[parent]) {
			return
		}
		q.items[child], q.items[parent] = q.items[parent], q.items[child]
		parent = child
	}
}

// order restores the order after items have changed.
func (q *queue[T]) order() {
	for parent := len(q.items)/2 - 1; parent >= 0; parent-- {
		q.sink(parent)
	}
}

func sortGroups(groups []*Group) {
	slices.SortFunc(groups, func(a, b *Group) int { return int(a.Index - b.Index) })
}
