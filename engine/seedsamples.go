package engine

import (
	"errors"

	"seedloom.dev/seedloom/engine/run"
	"seedloom.dev/seedloom/engine/seed"
	"seedloom.dev/seedloom/engine/table"
)

// maxSampled is how many rows of the seed are fetched together at most where each row of the dataset has several, but for those of a single
// one.
const maxSampled = 64 << 10

// fetchSampled reads the rows of the seed that rows of the dataset have, with the further ones, or those of the first of them. Own are the
// positions of their own.
func (s *seedRows) fetchSampled(rows []table.RowIndex, own []int) (run.SeedRows, error) {
	counts := s.samples.Counts()
	group := 1
	for _, count := range counts {
		group += count
	}
	rows = rows[:min(len(rows), max(1, maxSampled/group))]
	positions := make([]int, 0, group*len(rows))
	for i, row := range rows {
		positions = s.samples.Append(append(positions, own[i]), own[i], row)
	}
	width := s.dataset.Schema().Len()
	fetched := &sampledRows{counts: counts, group: group, width: width, first: width}
	if s.numbered {
		fetched.first++
	}
	for read := 0; read < group; read += fetched.parts[len(fetched.parts)-1].Len() {
		part, err := s.dataset.Fetch(positions[read:])
		if err != nil {
			return nil, err
		}
		fetched.parts = append(fetched.parts, part)
	}
	return fetched, nil
}

// sampledRows are rows of the dataset as the seed begins them, where each has several rows of it. Those of the first may be in several
// parts, since a part has as much as may be in memory together.
type sampledRows struct {
	parts []*seed.Rows
	// group is how many rows of the seed a row has: its own, and then those of each sample, which are counts.
	group  int
	counts []int
	// width is how many columns the seed has, and first the place of the column with the first sample.
	width, first int
}

// Len implements run.SeedRows.
func (r *sampledRows) Len() int {
	read := 0
	for _, part := range r.parts {
		read += part.Len()
	}
	return read / r.group
}

// Row implements run.SeedRows.
func (r *sampledRows) Row(number int, cells []any) (texts []string, err error) {
	at := number * r.group
	if texts, err = r.read(at, cells[:r.width]); err != nil {
		return nil, err
	}
	for i, count := range r.counts {
		others := make([]any, count)
		for j := range others {
			at++
			other := make([]any, r.width)
			if _, err := r.read(at, other); err != nil {
				return nil, err
			}
			others[j] = other
		}
		cells[r.first+i] = others
	}
	return texts, nil
}

var errNotFetched = errors.New("a row of the seed was not fetched")

// read decodes one of the rows of the seed.
func (r *sampledRows) read(at int, cells []any) ([]string, error) {
	for _, part := range r.parts {
		if at < part.Len() {
			return part.Row(at, cells)
		}
		at -= part.Len()
	}
	return nil, errNotFetched
}
