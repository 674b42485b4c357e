package run

import (
	"slices"

	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/process"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// rowGroup is a row group of which rows are missing in the store.
type rowGroup struct {
	index      int64
	start, end table.RowIndex
	// manifest is what the store has of the group, or nil.
	manifest *store.Manifest
	// again is the manifest of a partial batch of a sync run that is made again as a whole; manifest only has its usage then. Else it is nil.
	again *store.Manifest
	// todo are the rows to make; of a group of which the store has nothing, they are listed when it is begun.
	todo []schedule.Todo
	// values are what the seed has for its rows, once it is loaded; nil where they are read when the rows are begun.
	values *seedValues
	loaded bool
	// rowByRow says that its columns can't be made at once: a row has failed.
	rowByRow bool
	// usage is what the requests of its columns have used, beside what the manifest says.
	usage []runreport.Column
	// drawn are the draws of its columns that have constraints, beside what the manifest says.
	drawn []runreport.Column
	// bytes is how large the values are that were made for its rows so far, those of failed attempts among them.
	bytes int64
}

// list lists the rows of a group of which the store has nothing: all of them.
func (g *rowGroup) list() {
	if g.manifest != nil || g.todo != nil {
		return
	}
	g.todo = make([]schedule.Todo, 0, g.end-g.start)
	for row := g.start; row < g.end; row++ {
		g.todo = append(g.todo, schedule.Todo{Row: row})
	}
}

// takeValues returns the values of the row group's first rows, which the group keeps no more.
func (g *rowGroup) takeValues() *seedValues {
	values := g.values
	if g.values = nil; values == nil {
		values = &seedValues{}
	}
	return values
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
	return decodeValues(g.todo, fetched, 0, width)
}

func (g *rowGroup) rows() []table.RowIndex {
	rows := make([]table.RowIndex, len(g.todo))
	for i, todo := range g.todo {
		rows[i] = todo.Row
	}
	return rows
}

// keptDrops are the dropped rows of the manifest that are not tried again.
func (g *rowGroup) keptDrops() []store.DroppedRow {
	if g.manifest == nil {
		return nil
	}
	again := map[table.RowIndex]bool{}
	for _, todo := range g.todo {
		again[todo.Row] = true
	}
	var kept []store.DroppedRow
	for _, dropped := range g.manifest.Dropped {
		if !again[dropped.Row] {
			kept = append(kept, dropped)
		}
	}
	return kept
}

// onlyGroup is a source of one row group that was begun elsewhere, or of none.
type onlyGroup struct{ group *rowGroup }

func (o *onlyGroup) more() bool { return o.group != nil }

func (o *onlyGroup) rows() int {
	if o.group == nil {
		return 0
	}
	return len(o.group.todo)
}

func (o *onlyGroup) next(int) (*rowGroup, *failure.Error) {
	group := o.group
	o.group = nil
	return group, nil
}

func (o *onlyGroup) loaded() <-chan *rowGroup { return nil }

func (o *onlyGroup) take(*rowGroup) {}

// output is what was generated of a row group, and is not in the store yet.
type output struct {
	records []*table.Record
	// columns, where they aren't nil, stand in the place of the records.
	columns *table.Columns
	dropped []store.DroppedRow
	missing []schedule.Todo
	// cut are the records of a batch that were in work when the run ended, and whole says whether the others have all columns.
	cut   []*table.Record
	whole bool

	usage, drawn    []runreport.Column
	added, filtered int64
	// forms are other forms of the records that processors have made.
	forms []process.Form
}

// rows is how many records there are.
func (o *output) rows() int64 {
	if o.columns != nil {
		return int64(o.columns.Rows)
	}
	return int64(len(o.records))
}

// giveUp drops all records of a row group, and returns them.
func (o *output) giveUp(job *Job, cause *failure.Error) []*table.Record {
	records := o.records
	for _, record := range records {
		o.dropped = append(o.dropped, job.droppedByProcessor(record.Row, record.Attempt+1, cause))
	}
	o.records = nil
	return records
}

// keepWholeRows leaves the rows of which every record has met its fate, and lists the others as missing. A row that a resize has made
// several records of is whole with all of them only.
func (o *output) keepWholeRows(group *rowGroup) {
	cut := map[table.RowIndex]bool{}
	unfinished := o.cut
	if !o.whole {
		unfinished = append(unfinished, o.records...)
	}
	for _, record := range unfinished {
		cut[record.Row] = true
	}
	o.records = slices.DeleteFunc(o.records, func(record *table.Record) bool { return cut[record.Row] })
	o.dropped = slices.DeleteFunc(o.dropped, func(row store.DroppedRow) bool { return cut[row.Row] })
	records := map[table.RowIndex]int64{}
	for _, record := range o.records {
		records[record.Row]++
	}
	for _, row := range o.dropped {
		records[row.Row]++
	}
	o.missing, o.added, o.filtered = nil, 0, 0
	for _, todo := range group.todo {
		switch count := records[todo.Row]; {
		case cut[todo.Row]:
			o.missing = append(o.missing, schedule.Todo{Row: todo.Row, Attempt: todo.Attempt})
		case count == 0:
			o.filtered++
		default:
			o.added += count - 1
		}
	}
}

// rangesOf joins ascending rows that go on at the same attempt to ranges.
func rangesOf(rows []schedule.Todo) []store.RowRange {
	var joined []store.RowRange
	for _, todo := range rows {
		if last := len(joined) - 1; last >= 0 && joined[last].End == todo.Row && joined[last].Attempt == todo.Attempt {
			joined[last].End++
			continue
		}
		joined = append(joined, store.RowRange{Start: todo.Row, End: todo.Row + 1, Attempt: todo.Attempt})
	}
	return joined
}
