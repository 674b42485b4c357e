// Package expression makes columns that are computed from other columns by a template, and converts what the template renders to the
// column's type. It holds no template language of its own.
package expression

import (
	"context"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/structured"
	"seedloom.dev/seedloom/engine/table"
)

// Generator makes the cells of one column.
type Generator struct {
	name     string
	draws    random.Key
	kind     table.Type
	template *jinja.Template
	// keepsSpace says that the value is a text with the space around the one expression of the template.
	keepsSpace bool
	// schema is that of the values, where they are documents; nil for others.
	schema *structured.Schema
}

// New parses the template of a column whose values have the type.
func New(name string, spec *v1alpha1.Expression, kind table.Type, seed int64) (*Generator, error) {
	template, err := jinja.Parse(spec.Expr)
	if err != nil {
		return nil, failure.Wrap(err, v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: expr", name)
	}
	schema, err := column.SchemaOf(name, spec.Schema)
	if err != nil {
		return nil, err
	}
	generator := &Generator{name: name, draws: random.NewKey(seed, name), kind: kind, template: template, schema: schema}
	generator.keepsSpace = spec.Schema == nil && kind.Kind == table.KindString && template.IsExpression() && !template.IsBare()
	return generator, nil
}

// Generate evaluates the template with the row's cells, and brings what it gives into the column's type.
func (g *Generator) Generate(ctx context.Context, record *table.Record) (any, error) {
	vars := column.Vars(record)
	value, err := g.template.Evaluate(ctx, vars, column.TemplateOptions(g.draws, record))
	if err == nil && g.keepsSpace && value != jinja.Null {
		value, err = g.template.Render(ctx, vars, column.TemplateOptions(g.draws, record))
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, failure.New(v1alpha1.ReasonTemplateError, failure.DropRow, "the expression of column %q failed: %v", g.name, err)
	}
	if value == jinja.Null {
		return nil, nil
	}
	text := jinja.Str(value)
	if isText(value) && strings.TrimSpace(text) == "" {
		return nil, failure.New(v1alpha1.ReasonTemplateError, failure.DropRow, "the expression of column %q rendered to nothing", g.name)
	}
	if g.schema != nil {
		return g.document(value, text)
	}
	converted, converts := convert(text, g.kind)
	if !converts {
		return nil, failure.New(v1alpha1.ReasonConversionFailed, failure.DropRow,
			"the expression of column %q rendered to a text of %d characters that is not of the type %s", g.name, len([]rune(text)), g.kind)
	}
	return converted, nil
}

// isText says whether a value is nothing but text, be it none at all.
func isText(value jinja.Value) bool {
	switch value.(type) {
	case string, jinja.Undefined:
		return true
	}
	return false
}

// document brings a value into the form of the schema. A text that the schema does not take as it is is read as JSON.
func (g *Generator) document(value jinja.Value, text string) (any, error) {
	var converted any
	var mismatch error
	if !isText(value) || g.template.IsExpression() && g.schema.TakesText() {
		data, err := json.Marshal(value)
		if err != nil {
			return nil, failure.New(v1alpha1.ReasonConversionFailed, failure.DropRow, "the value of column %q can't be written as JSON: %v",
				g.name, err)
		}
		converted, mismatch = g.schema.Convert(string(data))
	}
	if isText(value) && converted == nil {
		var err error
		if converted, err = g.schema.Convert(text); err == nil || mismatch == nil {
			mismatch = err
		}
	}
	if mismatch != nil {
		return nil, failure.New(v1alpha1.ReasonConversionFailed, failure.DropRow, "the value of column %q does not match its schema: %v", g.name,
			mismatch)
	}
	return converted, nil
}

// maxExactFloat is the bound below which every whole number is a float64 of its own.
const maxExactFloat = 1 << 53

// convert reads a text as a type. A float with a whole value is taken for an int; what does not fit is refused, never cut.
func convert(text string, kind table.Type) (any, bool) {
	trimmed := strings.TrimSpace(text)
	switch kind.Kind {
	case table.KindString:
		return text, true
	case table.KindInt:
		if number, err := strconv.ParseInt(trimmed, 10, 64); err == nil {
			return number, true
		}
		number, err := strconv.ParseFloat(trimmed, 64)
		if err != nil || number != math.Trunc(number) || math.Abs(number) >= maxExactFloat {
			return nil, false
		}
		return int64(number), true
	case table.KindFloat:
		number, err := strconv.ParseFloat(trimmed, 64)
		if err != nil || math.IsNaN(number) || math.IsInf(number, 0) {
			return nil, false
		}
		return number, true
	case table.KindBool:
		switch strings.ToLower(trimmed) {
		case "true", "1", "yes":
			return true, true
		case "false", "0", "no":
			return false, true
		}
		return nil, false
	}
	value, err := table.Parse(kind, trimmed)
	return value, err == nil
}
