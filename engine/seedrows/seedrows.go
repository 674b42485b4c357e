// Package seedrows says how many rows of a dataset follow from each row of its seed, and which of them is which: pure functions of the
// spec, so that shards and resumed runs agree without asking each other. Where the seed lies, and what is in it, is not known here.
package seedrows

import (
	"context"
	"fmt"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/sampler"
	"seedloom.dev/seedloom/engine/table"
)

const (
	// MaxPerRow bounds how many rows follow from one row of the seed.
	MaxPerRow = 1_000_000
	// maxDrawn bounds for how many rows of a seed numbers are drawn to tell how many rows there are in all: some seconds.
	maxDrawn = 20_000_000
	// maxRecords is how many records a dataset may have.
	maxRecords = 1_000_000_000
	// samplerName is the name under which the numbers are drawn, which no column can have.
	samplerName = "seed.rowsPerSeedRow"
)

// Expansion says how many rows follow from each row of a seed. It is immutable.
type Expansion struct {
	count int64
	draws *sampler.Sampler
}

// New returns the expansion of a spec that is valid; nil where each row of the seed is one row.
func New(spec *v1alpha1.DatasetGenerationSpec) (*Expansion, error) {
	if spec.Seed == nil || spec.Seed.RowsPerSeedRow == nil {
		return nil, nil
	}
	rows := spec.Seed.RowsPerSeedRow
	if rows.Sampler == nil {
		return &Expansion{count: int64(*rows.Count)}, nil
	}
	draws, err := sampler.New(samplerName, rows.Sampler, sampler.Dataset{Seed: spec.RandomSeed, Schema: table.NewSchema()})
	return &Expansion{draws: draws}, err
}

// Of is how many rows follow from a row of the seed, by its number in the file.
func (e *Expansion) Of(seedRow int64) int64 {
	if e.draws == nil {
		return e.count
	}
	value, err := e.draws.Generate(context.Background(), &table.Record{Row: table.RowIndex(seedRow)})
	count, isWhole := value.(int64)
	if err != nil || !isWhole {
		return 0 // validation has seen that the sampler draws whole numbers, from nothing else
	}
	return min(max(count, 0), MaxPerRow)
}

// Selected returns which rows of a seed are used: so many from the first on.
func Selected(selection *v1alpha1.SeedSelection, rows int64) (first, count int64) {
	if selection == nil {
		return 0, rows
	}
	first = min(selection.EffectiveOffset(), rows)
	count = rows - first
	if selection.Limit != nil {
		count = min(count, *selection.Limit)
	}
	if selection.Partition != nil {
		number, parts := selection.Partition.Number(), int64(selection.Partition.Count)
		start := count * number / parts
		first, count = first+start, count*(number+1)/parts-start
	}
	return first, count
}

// NumRecords is how many rows follow from a seed with so many rows. The error says what the user can do.
func NumRecords(spec *v1alpha1.DatasetGenerationSpec, rows int64) (int64, error) {
	first, count := Selected(spec.Seed.Selection, rows)
	expansion, err := New(spec)
	if err != nil {
		return 0, err
	}
	total := count
	switch {
	case expansion == nil:
	case expansion.draws == nil:
		total = count * expansion.count
	case count > maxDrawn:
		return 0, fmt.Errorf("the seed has %d rows, and how many rows follow from them is summed up for at most %d: set spec.numRecords",
			count, maxDrawn)
	default:
		total = 0
		for row := range count {
			total += expansion.Of(first + row)
		}
	}
	switch {
	case total == 0:
		return 0, fmt.Errorf("no row follows from the %d rows of the seed that are used", count)
	case total > maxRecords:
		return 0, fmt.Errorf("%d rows follow from the %d rows of the seed, and a dataset has at most %d: "+
			"set spec.numRecords, or select fewer rows", total, count, maxRecords)
	}
	return total, nil
}
