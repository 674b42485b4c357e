package seed

import (
	"cmp"
	"errors"
	"io"
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/table"
)

const (
	// maxFetched is how many bytes of records are fetched together, but for a single one.
	maxFetched = 8 << 20
	// readAhead is how much is read at once at most, and maxGap what may lie between two records that are read at once: reading it costs
	// less than another call.
	readAhead = 1 << 20
	maxGap    = 8 << 10
)

// Rows are rows of a seed that were read from where they lie, and are still to be decoded. They belong to one goroutine.
type Rows struct {
	dataset   *Dataset
	positions []int
	// records are the bytes of all records, one after the other in the order of the positions from first on; ends says where each ends.
	records []byte
	first   int
	ends    []int
	decode  rowDecoder
}

// place is where a record is to be found: before records stand before it in the range from start to end.
type place struct {
	start, end, before int64
	// row is its place among the rows that are fetched.
	row int
}

// Fetch reads the rows at some positions, from 0, in the order in which they lie: all of them, or the first where they are too large to be
// in memory together. Several goroutines may call it. Its errors are failure.Error.
func (d *Dataset) Fetch(positions []int) (*Rows, error) {
	places := d.places(positions)
	rows := &Rows{dataset: d, positions: positions[:len(places)], ends: make([]int, len(places)), decode: d.decoder()}
	if err := rows.fetch(places); err != nil {
		return nil, err
	}
	return rows, nil
}

// places returns where the first records of some are, as many as may be read together.
func (d *Dataset) places(positions []int) []place {
	places := make([]place, 0, len(positions))
	size := int64(0)
	for row, position := range positions {
		start, end, before := d.index.find(d.first + int64(position))
		size += (end - start) / d.index.stride
		if size > maxFetched && row > 0 {
			break
		}
		places = append(places, place{start, end, before, row})
	}
	return places
}

// fetch reads the records from the first to the last in the file, and keeps them in the order of the rows.
func (r *Rows) fetch(places []place) error {
	if r.dataset.index.stride == 1 {
		size := 0
		for _, place := range places {
			size += int(place.end - place.start)
			r.ends[place.row] = size
		}
		r.records = make([]byte, size)
	}
	inFile := func(a, b place) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.before, b.before)) }
	if !slices.IsSortedFunc(places, inFile) {
		slices.SortFunc(places, inFile)
	}
	if r.dataset.index.stride > 1 {
		return r.fetchSplit(places)
	}
	var block []byte
	for first := 0; first < len(places); {
		next := first + 1
		for next < len(places) && places[next].start-places[next-1].end <= maxGap && places[next].end-places[first].start <= readAhead {
			next++
		}
		start := places[first].start
		var err error
		if block, err = r.read(block, start, places[next-1].end, places[first]); err != nil {
			return err
		}
		for _, place := range places[first:next] {
			copy(r.records[r.ends[place.row]-int(place.end-place.start):], block[place.start-start:place.end-start])
		}
		first = next
	}
	return nil
}

// fetchSplit does so where the index does not know each record: ranges are read, and split into their records.
func (r *Rows) fetchSplit(places []place) error {
	found := make([][]byte, len(places))
	var block []byte
	for first := 0; first < len(places); {
		var err error
		if block, err = r.read(block, places[first].start, places[first].end, places[first]); err != nil {
			return err
		}
		rest, passed, next := block, int64(0), first
		for ; next < len(places) && places[next].start == places[first].start; next++ {
			if next > first && places[next].before == places[next-1].before {
				found[places[next].row] = found[places[next-1].row]
				continue
			}
			length := 0
			for ; passed <= places[next].before; passed++ {
				rest = rest[length:]
				if length, err = r.decode.split(rest); err != nil {
					return r.dataset.unreadable(r.positions[places[next].row], err)
				}
			}
			found[places[next].row] = slices.Clone(rest[:length])
			rest = rest[length:]
		}
		first = next
	}
	for row, record := range found {
		r.records = append(r.records, record...)
		r.ends[row] = len(r.records)
	}
	return nil
}

// read reads a range into a block that is used again.
func (r *Rows) read(block []byte, start, end int64, first place) ([]byte, error) {
	block = slices.Grow(block[:0], int(end-start))[:end-start]
	if _, err := r.dataset.at.ReadAt(block, start); err != nil && !errors.Is(err, io.EOF) {
		return nil, r.dataset.unreadable(r.positions[first.row], err)
	}
	return block, nil
}

// Len is how many rows there are.
func (r *Rows) Len() int { return len(r.positions) }

// Row decodes a row into cells, which has room for each column of the seed. Texts are what the file says, of cells that a template would
// print in another way; nil where there is none. Both are the caller's.
func (r *Rows) Row(number int, cells []any) (texts []string, err error) {
	if texts, err = r.decode.decode(r.record(number), cells); err != nil {
		return nil, r.dataset.unreadable(r.positions[number], err)
	}
	return texts, nil
}

func (r *Rows) record(number int) []byte {
	start := r.first
	if number > 0 {
		start = r.ends[number-1]
	}
	return r.records[start:r.ends[number]]
}

// Part returns the rows from start to, but without, end, which may belong to another goroutine than these.
func (r *Rows) Part(start, end int) *Rows {
	first := r.first
	if start > 0 {
		first = r.ends[start-1]
	}
	return &Rows{
		dataset: r.dataset, positions: r.positions[start:end], records: r.records, first: first, ends: r.ends[start:end],
		decode: r.dataset.decoder(),
	}
}

// Size is how many bytes the rows have where they lie.
func (r *Rows) Size() int64 {
	if len(r.ends) == 0 {
		return 0
	}
	return int64(r.ends[len(r.ends)-1] - r.first)
}

// HasColumns says whether the rows can be decoded column by column.
func (r *Rows) HasColumns() bool {
	_, can := r.decode.(columnDecoder)
	return can
}

// Columns decodes the columns of the seed, of all rows. Texts are parts of what was fetched.
func (r *Rows) Columns() ([]*table.Column, error) {
	builders := newBuilders(r.dataset.schema.Fields(), r.Len())
	decode := r.decode.(columnDecoder)
	for number := range r.positions {
		if err := decode.decodeInto(r.record(number), builders); err != nil {
			return nil, r.dataset.unreadable(r.positions[number], err)
		}
	}
	columns := make([]*table.Column, len(builders))
	for i := range builders {
		columns[i] = &builders[i].Column
	}
	return columns, nil
}

// unreadable is the failure of a row that was there when the seed was opened.
func (d *Dataset) unreadable(position int, err error) error {
	return failure.New(v1alpha1.ReasonSeedFailed, failure.EndRun,
		"row %d of the seed can't be read, which could be read before (did the file change?): %v", d.Number(position)+1, err)
}
