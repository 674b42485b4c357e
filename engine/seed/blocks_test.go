package seed_test

import (
	"fmt"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/seed"
	"seedloom.dev/seedloom/engine/table"
)

// longCSV is a CSV of several MiB with a note in each row, which ends with a line that follows.
func longCSV(rows int, note, last string) []byte {
	var text strings.Builder
	text.WriteString("id,share,at,note\n")
	for row := range rows {
		fmt.Fprintf(&text, "%d,%d.5,2026-01-02T03:04:05Z,%s\n", row, row%100, fmt.Sprintf(note, row))
	}
	text.WriteString(last)
	return []byte(text.String())
}

// What is read of a long text does not depend on which of its blocks are parsed at once.
func TestALongCSVIsReadAsAShortOne(t *testing.T) {
	const rows = 60_000
	// Half of what a note has is between two line breaks, so that blocks begin there too.
	inLines := "\"note %d\n" + strings.Repeat("1,2,3,4\n", 6) + "its \"\"end\"\"\""
	for name, note := range map[string]string{
		"lines": "a note of some length that is the same in each row %d", "lines in cells": inLines, "CRLF": "note %d\r", "one long cell": "%d" + strings.Repeat("x", 40),
	} {
		t.Run(name, func(t *testing.T) {
			last := "60000,7.5,2026-01-02T03:04:05Z,end\n"
			if name == "one long cell" {
				last = "60000,7.5,2026-01-02T03:04:05Z,\"" + strings.Repeat("x\n", 2<<20) + "\"\n"
			}
			dataset, err := parse(t, longCSV(rows, note, last), csvFormat)
			if err != nil {
				t.Fatal(err)
			}
			checkLong(t, dataset, rows+1, note)
			if kinds := kindsOf(dataset); kinds != "int64, double, timestamp[us, tz=UTC], string" {
				t.Errorf("the types are %s", kinds)
			}
		})
	}
}

func kindsOf(dataset *seed.Dataset) string {
	var kinds []string
	for _, field := range dataset.Schema().Fields() {
		kinds = append(kinds, field.Type.String())
	}
	return strings.Join(kinds, ", ")
}

func checkLong(t *testing.T, dataset *seed.Dataset, rows int, note string) {
	t.Helper()
	if dataset.Len() != rows {
		t.Fatalf("%d rows, want %d", dataset.Len(), rows)
	}
	if strings.HasPrefix(note, `"`) {
		note = strings.ReplaceAll(note[1:len(note)-1], `""`, `"`)
	}
	for number := 0; number < rows-1; number += 97 {
		want := fmt.Sprintf(strings.TrimSuffix(note, "\r"), number)
		cells := row(t, dataset, number).Cells
		if cells[0] != int64(number) || cells[1] != float64(number%100)+0.5 || cells[3] != want {
			t.Fatalf("row %d: %.200v, want the note %.200q", number, cells, want)
		}
	}
	if cells := row(t, dataset, rows-1).Cells; cells[0] != int64(rows-1) {
		t.Errorf("the last row is %.200v", cells)
	}
}

// The last cells of a long text count as the first do, and problems are told with their line.
func TestTheEndOfALongCSVCounts(t *testing.T) {
	const note = "a note of some length that is the same in each row %d"
	asked := func(kind v1alpha1.SeedColumnType) *v1alpha1.Seed {
		return &v1alpha1.Seed{Columns: []v1alpha1.SeedColumn{{Name: "id"}, {Name: "at", Type: kind}}}
	}
	for name, c := range map[string]struct {
		last, kinds, problem string
		spec                 *v1alpha1.Seed
	}{
		"a word":                {last: "x,x,x,x\n", kinds: "string, string, string, string"},
		"other numbers":         {last: "1.25,12345678901234567890,2026-01-02T03:04:05.123456789Z,\n", kinds: "double, decimal128(21, 1), timestamp[ns, tz=UTC], string"},
		"no zone":               {last: "1,1,2026-01-02T03:04:05,\n", kinds: "int64, double, string, string"},
		"no zone, as timestamp": {last: "1,1,2026-01-02T03:04:05,\n", spec: asked(v1alpha1.SeedColumnTimestamp), problem: `column "at", line 60002: some timestamps have a time zone, and some have none`},
		"a word, as timestamp":  {last: "1,1,x,\n", spec: asked(v1alpha1.SeedColumnTimestamp), problem: `column "at", line 60002: "x" is not`},
		"too few cells":         {last: "1,1\n", problem: "line 60002 has 2 cells"},
		"a quote":               {last: "1,1,1,\"x\n", problem: "line 60002 opens a quoted cell"},
		"no UTF-8":              {last: "1,1,1,\xff\n", problem: "line 60002 is not text in UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := c.spec
			if spec == nil {
				spec = &v1alpha1.Seed{}
			}
			dataset, err := parseAs(t, longCSV(60_000, note, c.last), "rows.csv", spec, 0)
			switch {
			case c.problem != "":
				if err == nil || !strings.Contains(err.Error(), c.problem) {
					t.Errorf("got %v, want %q", err, c.problem)
				}
			case err != nil:
				t.Fatal(err)
			case kindsOf(dataset) != c.kinds:
				t.Errorf("the types are %s, want %s", kindsOf(dataset), c.kinds)
			}
		})
	}
}

// Of a long text no more rows count than are wanted.
func TestTheFirstRowsOfALongCSV(t *testing.T) {
	for _, rows := range []int64{1, 20_000, 50_000, 59_999} {
		dataset, err := parseAs(t, longCSV(60_000, "a note of some length that is the same in each row %d", "x,x,x,x\n"), "rows.csv", &v1alpha1.Seed{}, rows)
		if err != nil {
			t.Fatal(err)
		}
		if dataset.Len() != int(rows) || dataset.Schema().Fields()[0].Type.Kind != table.KindInt {
			t.Errorf("%d of %d rows, of %s", dataset.Len(), rows, kindsOf(dataset))
		}
	}
}
