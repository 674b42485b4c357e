package engine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"seedloom.dev/seedloom/internal/runreport"
)

const seedSamplesSpec = `
numRecords: 12
randomSeed: 7
seed:
  configMap: {name: m, key: seed.csv}
  sampleRows:
  - {name: others, count: 2}
  - {name: after, count: 1, from: Next}
columns:
- name: prompt
  expression: {expr: "{% for one in others %}{{ one.title }} of {{ one.year }}, {% endfor %}then {{ title }}, before {{ after[0].title }}"}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 5}
processors:
- {name: lean, dropColumns: {columnNames: [others]}}
`

// The rows are the same in one process and in several, and in templates the lists are what they are.
func TestRowsHaveFurtherRowsOfTheSeed(t *testing.T) {
	alone := newWorld(t, seedSamplesSpec, "")
	checkEnding(t, alone.generate(t.Context(), 0), runreport.OutcomeComplete, "", 0, 12, 0)
	names, rows := alone.rows()
	if fmt.Sprint(names) != "[title year after prompt]" {
		t.Errorf("the dataset has the columns %v", names)
	}
	titles, different := []string{"Alien", "Brazil", "Heat"}, map[string]bool{}
	for i, row := range rows {
		own, after, prompt := titles[i%3], titles[(i+1)%3], row[3].(string)
		if examples, _, found := strings.Cut(prompt, fmt.Sprintf("then %s, before %s", own, after)); !found || strings.Contains(examples, own) ||
			!strings.Contains(examples, after) {
			t.Errorf("row %d begins with %s, and has %q", i, own, prompt)
		}
		different[prompt] = true
	}
	if len(different) < 4 {
		t.Errorf("only %d different prompts: %v", len(different), different)
	}
	sharded := newWorld(t, seedSamplesSpec, "")
	sharded.shards = 2
	for shard := range int32(2) {
		sharded.generate(t.Context(), shard)
	}
	if _, again := sharded.rows(); fmt.Sprint(again) != fmt.Sprint(rows) {
		t.Errorf("two shards have the rows\n%v\nand one has\n%v", again, rows)
	}
}

// Rows that follow from the same row of the seed have examples of their own.
func TestRowsOfOneSeedRowHaveExamplesOfTheirOwn(t *testing.T) {
	text := strings.Replace(seedSamplesSpec, "  sampleRows:",
		"  rowsPerSeedRow: {count: 4, numberColumn: number}\n  order: Shuffled\n  sampleRows:", 1)
	w := newWorld(t, text, "")
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", 0, 12, 0)
	names, rows := w.rows()
	if fmt.Sprint(names) != "[title year number after prompt]" {
		t.Errorf("the dataset has the columns %v", names)
	}
	different := map[string]bool{}
	for i, row := range rows {
		if row[0] != rows[i/4*4][0] || row[2] != int64(i%4+1) || !strings.Contains(row[4].(string), fmt.Sprintf("then %s, before ", row[0])) {
			t.Errorf("row %d is %v", i, row)
		}
		different[row[4].(string)] = true
	}
	if len(different) < 4 {
		t.Errorf("only %d different prompts: %v", len(different), different)
	}
}

// A row with much of the seed is read in parts: its rows of the seed are larger together than what is read at once.
func TestRowsMayHaveMoreOfTheSeedThanIsReadAtOnce(t *testing.T) {
	w := newWorld(t, `
numRecords: 5
randomSeed: 7
seed: {configMap: {name: m, key: seed.csv}, sampleRows: [{name: others, count: 4}]}
columns:
- {name: sum, expression: {expr: "{{ others | sum(attribute='year') }} and {{ year }}"}}
output: {persistentVolumeClaim: {claimName: c}}
processors:
- {name: lean, dropColumns: {columnNames: [title, others]}}
run: {preserveDroppedColumns: false}
`, "")
	var text strings.Builder
	text.WriteString("title,year\n")
	for number := range 5 {
		fmt.Fprintf(&text, "%s,%d\n", strings.Repeat(string(rune('a'+number)), 3<<20), 1<<number)
	}
	if err := os.WriteFile(filepath.Join(w.seeds, "seed.csv"), []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", 0, 5, 0)
	_, rows := w.rows()
	for i, row := range rows {
		if want := fmt.Sprintf("%d and %d", 31-(1<<i), 1<<i); row[1] != want {
			t.Errorf("row %d has %q, want %q", i, row[1], want)
		}
	}
}
