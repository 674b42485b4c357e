package column_test

import (
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

func draw(seed int64, name string, record *table.Record, n int) int {
	return column.TemplateOptions(random.NewKey(seed, name), record).Random(n)
}

func TestVarsKnowTheColumnsOfTheRecordOnly(t *testing.T) {
	record := table.NewRecord(table.NewSchema(table.Field{Name: "title"}, table.Field{Name: "nothing"}), 0, 0)
	record.Cells[0] = "Emma"
	vars := column.Vars(record)
	if value, found := vars.Lookup("title"); !found || value != "Emma" {
		t.Errorf("title: got %#v, %t", value, found)
	}
	if value, found := vars.Lookup("nothing"); !found || value != jinja.Null {
		t.Errorf("a null cell: got %#v, %t", value, found)
	}
	if value, found := vars.Lookup("author"); found {
		t.Errorf("a name that is not there: got %#v", value)
	}
}

// What draws depend on is part of the contract with users: the same spec gives the same rows.
func TestRandomDrawsDependOnSeedColumnRowAndAttempt(t *testing.T) {
	const n = 1 << 40
	schema := table.NewSchema()
	base := draw(1, "a", table.NewRecord(schema, 5, 0), n)
	if again := draw(1, "a", table.NewRecord(schema, 5, 0), n); again != base {
		t.Errorf("drew %d and then %d", base, again)
	}
	ordinal := table.NewRecord(schema, 5, 0)
	ordinal.Ordinal = 1
	for name, other := range map[string]int{
		"seed":    draw(2, "a", table.NewRecord(schema, 5, 0), n),
		"column":  draw(1, "b", table.NewRecord(schema, 5, 0), n),
		"row":     draw(1, "a", table.NewRecord(schema, 6, 0), n),
		"attempt": draw(1, "a", table.NewRecord(schema, 5, 1), n),
		"ordinal": draw(1, "a", ordinal, n),
	} {
		if other == base {
			t.Errorf("another %s draws the same", name)
		}
	}
}

func TestRandomDrawsCoverTheirRange(t *testing.T) {
	options := column.TemplateOptions(random.NewKey(1, "a"), table.NewRecord(table.NewSchema(), 0, 0))
	counts := make([]int, 8)
	for range 8000 {
		counts[options.Random(8)]++
	}
	for value, count := range counts {
		if count < 800 || count > 1200 {
			t.Errorf("%d was drawn %d times of 8000, want about 1000", value, count)
		}
	}
	for _, n := range []int{0, -3} {
		if value := options.Random(n); value != 0 {
			t.Errorf("Random(%d) = %d", n, value)
		}
	}
}

// A column of texts, lists and objects has the texts as they are, and the others as what they hold.
func TestMixedColumnsHoldDocuments(t *testing.T) {
	schema := table.NewSchema(table.Field{Name: "mixed", Type: table.Type{Kind: table.KindString, Mixed: true}})
	for cell, want := range map[string]string{
		`{"k": [1, "x"]}`: "{{ mixed.k[1] }}=x", "[7, 8]": "{{ mixed[0] + 1 }}=8", "1": "{{ mixed }}{{ mixed is string }}=1True",
		"null": "{{ mixed }}=null", "[no list": "{{ mixed }}=[no list", "": "{{ mixed }}=",
	} {
		record := table.NewRecord(schema, 0, 0)
		record.Cells[0] = cell
		source, text, _ := strings.Cut(want, "=")
		template, err := jinja.Parse(source)
		if err != nil {
			t.Fatal(err)
		}
		got, err := template.Render(t.Context(), column.Vars(record), jinja.Options{Undefined: jinja.UndefinedStrict})
		if err != nil || got != text {
			t.Errorf("%s of %s: got %q, %v; want %q", source, cell, got, err, text)
		}
	}
}
