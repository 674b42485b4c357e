package run

import (
	"context"
	"sync"

	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
)

// Seed has the rows of the seed, by the rows of the dataset that they belong to.
type Seed interface {
	// Fetch reads what belongs to some rows: to all of them, or to the first where they are too large to be in memory together. Several
	// goroutines may call it.
	Fetch(rows []table.RowIndex) (SeedRows, error)
	// Number is the number of the row in the seed.
	Number(row table.RowIndex) int64
}

// SeedRows are rows of the seed that were fetched. They belong to one goroutine.
type SeedRows interface {
	Len() int
	// Row writes the values of the seed's columns into the first cells, and returns what the file says of some of them (see table.Record).
	Row(number int, cells []any) (texts []string, err error)
}

// seedValues are what the seed has for the first rows of a row group, in their order; what is missing is read when the rows are begun.
type seedValues struct {
	todo []schedule.Todo
	// cells are those of the records of all rows, width for each.
	cells []any
	width int
	texts [][]string
	// err is why the last of these rows could not be read; nil where all could.
	err error
	// bytes is how large the values are.
	bytes int64
	// next is the row that is begun next.
	next int
}

// take returns the cells of a row if it is the next; false where it isn't.
func (v *seedValues) take(row table.RowIndex) (cells []any, texts []string, err error, there bool) {
	if v == nil || v.next == len(v.texts) || v.todo[v.next].Row != row {
		return nil, nil, nil, false
	}
	first := v.next * v.width
	cells, texts = v.cells[first:first+v.width:first+v.width], v.texts[v.next]
	if v.next++; v.next == len(v.texts) {
		err = v.err
	}
	return cells, texts, err, true
}

// takeValues returns the values of the row group's first rows, which the group keeps no more.
func (g *rowGroup) takeValues() *seedValues {
	values := g.values
	if g.values = nil; values == nil {
		values = &seedValues{}
	}
	return values
}

// decode reads the values of a row group's rows, or of the first of them, from rows that were fetched; its own begin at first. Records
// will have so many cells.
func (g *rowGroup) decode(fetched SeedRows, first, width int) *seedValues {
	count := min(len(g.todo), fetched.Len()-first)
	values := &seedValues{todo: g.todo, cells: make([]any, count*width), width: width, texts: make([][]string, count)}
	for i := range values.texts {
		cells := values.cells[i*width : (i+1)*width]
		if values.texts[i], values.err = fetched.Row(first+i, cells); values.err != nil {
			values.texts = values.texts[:i+1]
			return values
		}
		values.bytes += table.Bytes(cells)
	}
	return values
}

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
	seed   Seed
	width  int
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

func startAhead(ctx context.Context, seed Seed, width int) *ahead {
	ctx, cancel := context.WithCancel(ctx)
	a := &ahead{
		seed: seed, width: width, wanted: make(chan []*rowGroup, 1), loaded: make(chan *rowGroup), cancel: cancel, most: 1,
	}
	a.reading.Go(func() {
		for groups := range a.wanted {
			a.read(ctx, groups)
		}
	})
	return a
}

// want has the next row groups of a backlog read, where those that were asked for are nearly all there.
func (a *ahead) want(from *backlog) {
	if a.missing > aheadGroups || len(a.wanted) > 0 {
		return
	}
	var groups []*rowGroup
	rows := 0
	for len(groups) < a.most && (len(groups) == 0 || rows < aheadRows) {
		group := from.listed(a.asked + len(groups))
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
				groups[0].values = groups[0].decode(fetched, at, a.width)
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

// read returns the values of the row group's first rows, or nil: what is missing is read when the rows are begun.
func (g *rowGroup) read(from Seed, width int) *seedValues {
	if from == nil {
		return nil
	}
	fetched, err := from.Fetch(g.rows())
	if err != nil {
		return nil
	}
	return g.decode(fetched, 0, width)
}

func (g *rowGroup) rows() []table.RowIndex {
	rows := make([]table.RowIndex, len(g.todo))
	for i, todo := range g.todo {
		rows[i] = todo.Row
	}
	return rows
}
