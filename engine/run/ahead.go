package run

import (
	"context"
	"sync"

	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
)

const (
	// aheadRows is how many rows of the seed are fetched together at most, but for those of a single row group: rows of a shuffled seed that
	// lie near each other are read at once.
	aheadRows = 64 << 10
	// aheadGroups is below how many row groups that are not loaded more are asked for.
	aheadGroups = 2
)

// ahead reads the values that row groups take from the seed before it is their turn, in a goroutine of its own, for which stop waits. But
// for that goroutine, it belongs to that of the driver.
type ahead struct {
	seed  Seed
	width int
	// values are those of the rows of a row group, among rows that were fetched, of which its own begin at first.
	values func(todo []schedule.Todo, fetched SeedRows, first, width int) *seedValues
	wanted chan []*rowGroup
	// loaded has no room: two row groups are decoded before they are begun, one of them still with the goroutine.
	loaded  chan *rowGroup
	cancel  context.CancelFunc
	reading sync.WaitGroup
	// asked is how many row groups of the backlog were asked for, and missing how many of them are not loaded.
	asked, missing int
	// most is how many are asked for at once: at first few, so that a run begins soon.
	most int
}

// startAhead starts the goroutine. Where row groups are made column by column, their values are decoded there too.
func startAhead(ctx context.Context, seed Seed, width int, byColumn bool) *ahead {
	ctx, cancel := context.WithCancel(ctx)
	a := &ahead{
		seed: seed, width: width, values: decodeValues, wanted: make(chan []*rowGroup, 1), loaded: make(chan *rowGroup), cancel: cancel,
		most: 1,
	}
	if byColumn {
		a.values = valuesByColumn
	}
	a.reading.Go(func() {
		for groups := range a.wanted {
			a.read(ctx, groups)
		}
	})
	return a
}

// want has the next row groups read, where those that were asked for are nearly all there. They are listed by their places in the backlog.
func (a *ahead) want(listed func(number int) *rowGroup) {
	if a.missing > aheadGroups || len(a.wanted) > 0 {
		return
	}
	var groups []*rowGroup
	rows := 0
	for len(groups) < a.most && (len(groups) == 0 || rows < aheadRows) {
		group := listed(a.asked + len(groups))
		if group == nil {
			break
		}
		groups = append(groups, group)
		rows += len(group.todo)
	}
	if len(groups) == 0 {
		return
	}
	a.asked += len(groups)
	a.missing += len(groups)
	a.most = min(2*a.most, aheadRows)
	a.wanted <- groups
}

// read reads the values of some row groups, and hands each back as soon as it has them.
func (a *ahead) read(ctx context.Context, groups []*rowGroup) {
	for len(groups) > 0 && ctx.Err() == nil {
		var rows []table.RowIndex
		for _, group := range groups {
			rows = append(rows, group.rows()...)
		}
		fetched, err := a.seed.Fetch(rows)
		at := 0
		// Of a row group that is too large the first rows are read now, and the others when they are begun.
		for first := true; len(groups) > 0 && (first || err != nil || at+len(groups[0].todo) <= fetched.Len()); first = false {
			if err == nil { // else it shows when the rows are begun
				groups[0].values = a.values(groups[0].todo, fetched, at, a.width)
			}
			at += len(groups[0].todo)
			select {
			case a.loaded <- groups[0]:
			case <-ctx.Done():
				return
			}
			groups = groups[1:]
		}
	}
}

// returned is where row groups come back: nil while one waits to be begun, so that no more are decoded. A nil ahead never has any.
func (a *ahead) returned() <-chan *rowGroup {
	if a == nil || a.asked > a.missing {
		return nil
	}
	return a.loaded
}

// take notes that a row group has come back.
func (a *ahead) take(group *rowGroup) {
	group.loaded = true
	a.missing--
}

// begun notes that the first row group that was asked for is in the backlog no more.
func (a *ahead) begun() {
	if a != nil {
		a.asked--
	}
}

// receive takes the row group that has come back, if one has.
func (a *ahead) receive() {
	select {
	case group := <-a.returned():
		a.take(group)
	default:
	}
}

// stop returns when nothing is read any more.
func (a *ahead) stop() {
	if a == nil {
		return
	}
	a.cancel()
	close(a.wanted)
	a.reading.Wait()
}
