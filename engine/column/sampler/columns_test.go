package sampler_test

import (
	"context"
	"testing"

	"seedloom.dev/seedloom/engine/column/sampler"
	"seedloom.dev/seedloom/engine/table"
)

// What is drawn at once is what is drawn row by row, bit by bit.
func TestColumnsAreDrawnAsTheirCellsAre(t *testing.T) {
	atOnce := 0
	for _, text := range ofEachType {
		s, err := sampler.New("column", parse(t, text), sampler.Dataset{Seed: 42})
		if err != nil {
			t.Fatal(err)
		}
		const first, rows = 1_000_000, 3000
		column := s.GenerateColumn(first, rows)
		if column == nil {
			continue
		}
		atOnce++
		for position := range rows {
			cell, err := s.Generate(context.Background(), table.NewRecord(table.NewSchema(), table.RowIndex(first+position), 0))
			if err != nil || column.Value(position) != cell {
				t.Errorf("%s: row %d is %#v at once, and %#v (%v) alone", text, first+position, column.Value(position), cell, err)
				break
			}
		}
	}
	if atOnce < 8 {
		t.Errorf("only %d samplers draw at once", atOnce)
	}
}

func BenchmarkGenerateColumn(b *testing.B) {
	for _, text := range ofEachType {
		s, err := sampler.New("column", parse(b, text), sampler.Dataset{Seed: 42})
		if err != nil {
			b.Fatal(err)
		}
		if s.GenerateColumn(0, 1) == nil {
			continue
		}
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			const rows = 1000
			for b.Loop() {
				s.GenerateColumn(0, rows)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/value")
		})
	}
}
