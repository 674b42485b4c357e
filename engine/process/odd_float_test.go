package process

import (
	"log/slog"
	"math"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/sandbox"
	"seedloom.dev/seedloom/engine/table"
)

// A seed may hold infinite numbers, and what is none: code that returns its rows as they are keeps them, but makes none.
func TestInfiniteNumbersOfASeedPassThroughCode(t *testing.T) {
	numbers := table.NewSchema(table.Field{Name: "x", Type: table.Type{Kind: table.KindFloat}})
	given := &Batch{Stage: v1alpha1.ProcessorPostBatch, Columns: []int{0}}
	for row, value := range []float64{math.Inf(1), math.Inf(-1), math.NaN(), 0.1} {
		record := table.NewRecord(numbers, table.RowIndex(row), 0)
		record.Cells[0] = value
		given.Records = append(given.Records, record)
	}
	workers := sandbox.NewWorkers()
	t.Cleanup(workers.Close)
	run := func(body string) ([]*table.Record, error) {
		program, err := newProgram(&v1alpha1.StarlarkProcessor{Source: "def process(rows):\n    " + body}, numbers, workers)
		if err != nil {
			t.Fatal(err)
		}
		result, failed := setOf(program).Run(t.Context(), slog.Default(), given)
		if failed != nil {
			return nil, failed
		}
		return result.Records, nil
	}
	records, err := run("return rows")
	if err != nil {
		t.Fatal(err)
	}
	for i, record := range records {
		got, want := record.Cells[0].(float64), given.Records[i].Cells[0].(float64)
		if math.Float64bits(got) != math.Float64bits(want) {
			t.Errorf("row %d is %v, want %v", i, got, want)
		}
	}
	if _, err := run(`return [dict(r, x=float("inf")) for r in rows]`); err == nil || !strings.Contains(err.Error(), "not a finite number") {
		t.Errorf("code makes an infinite number: %v", err)
	}
}
