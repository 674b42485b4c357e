package seed_test

import (
	"bytes"
	"fmt"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/table"
)

// manyRows is a CSV of rows as those of hack/bench.
func manyRows(rows int) []byte {
	var text bytes.Buffer
	text.WriteString("id,name,score,city,note\n")
	for i := range rows {
		fmt.Fprintf(&text, "%d,name %d of somebody,%g,%s,\"a note, quoted %d with some text that is long\"\n", i, i%1000, float64(i%977)/8,
			"Zurich", i)
	}
	return text.Bytes()
}

// BenchmarkOpen reads all rows once, to know their places and types.
func BenchmarkOpen(b *testing.B) {
	text := manyRows(100_000)
	dataset, err := parse(b, text, csvFormat)
	if err != nil {
		b.Fatal(err)
	}
	var rows [][]any
	for i := range dataset.Len() {
		rows = append(rows, row(b, dataset, i).Cells)
	}
	var file bytes.Buffer
	if err := new(parquetfile.Writer).Write(&file, dataset.Schema(), rows); err != nil {
		b.Fatal(err)
	}
	var lines bytes.Buffer
	for _, cells := range rows {
		line, err := table.AppendRecordJSON(nil, dataset.Schema().Fields(), cells)
		if err != nil {
			b.Fatal(err)
		}
		lines.Write(append(line, '\n'))
	}
	for _, c := range []struct {
		format v1alpha1.SeedFormat
		data   []byte
	}{{csvFormat, text}, {linesFormat, lines.Bytes()}, {v1alpha1.SeedFormatParquet, file.Bytes()}} {
		b.Run(string(c.format), func(b *testing.B) {
			b.SetBytes(int64(len(c.data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := parse(b, c.data, c.format); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(rows)*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkFetch fetches and decodes rows, a thousand at once, in their order and in another.
func BenchmarkFetch(b *testing.B) {
	for name, step := range map[string]int{"Ordered": 1, "Shuffled": 7919} {
		b.Run(name, func(b *testing.B) {
			dataset, err := parse(b, manyRows(100_000), csvFormat)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			position, positions := 0, make([]int, 1000)
			cells := make([]any, dataset.Schema().Len())
			for b.Loop() {
				for i := range positions {
					position = (position + step) % dataset.Len()
					positions[i] = position
				}
				rows, err := dataset.Fetch(positions)
				if err != nil {
					b.Fatal(err)
				}
				for number := range rows.Len() {
					if _, err := rows.Row(number, cells); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(len(positions)*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
