package column_test

import (
	"testing"

	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/structured"
	"seedloom.dev/seedloom/engine/table"
)

// A document is what it is in a template, whatever its form in a file: maps, unions and recursion are text there.
func TestTemplatesSeeDocumentsAsTheyAre(t *testing.T) {
	schema, problems := structured.Compile([]byte(`{"type": "object", "required": ["m"], "properties": {
		"m": {"type": "object", "additionalProperties": {"type": "integer"}},
		"u": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "integer"}}]},
		"tree": {"$ref": "#/$defs/node"}, "s": {"type": "string"}
	}, "$defs": {"node": {"type": "object", "properties": {"v": {"type": "integer"}, "next": {"$ref": "#/$defs/node"}}}}}`))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	value, err := schema.Read(`{"m": {"x": 1, "y": 2}, "u": [3, 4], "tree": {"v": 1, "next": {"v": 2}}, "s": "{\"k\": 1}"}`)
	if err != nil {
		t.Fatal(err)
	}
	record := table.NewRecord(table.NewSchema(table.Field{Name: "t", Type: schema.Type()}), 0, 0)
	record.Cells[0] = value
	for source, want := range map[string]string{
		"{{ t.m.x }}": "1",
		"{% for k, v in t.m.items() %}{{ k }}={{ v }};{% endfor %}": "x=1;y=2;",
		"{{ t.u[1] }}":                 "4",
		"{{ t.tree.next.v }}":          "2",
		"{{ t.s }}":                    `{"k": 1}`,
		"{{ (t.s | fromjson).k + 1 }}": "2",
	} {
		template, err := jinja.Parse(source)
		if err != nil {
			t.Fatal(err)
		}
		got, err := template.Render(t.Context(), column.Vars(record), jinja.Options{Undefined: jinja.UndefinedStrict})
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", source, got, err, want)
		}
	}
}
