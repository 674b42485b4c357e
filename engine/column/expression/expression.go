// Package expression makes columns that are computed from other columns by a template, and converts what the template renders to the
// column's type. It holds no template language of its own.
package expression

import (
	"context"
	"math"
	"strconv"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

// Generator makes the cells of one column.
type Generator struct {
	name     string
	draws    random.Key
	kind     v1alpha1.ValueType
	template *jinja.Template
}

// New parses the template of a column.
func New(name string, spec *v1alpha1.Expression, seed int64) (*Generator, error) {
	template, err := jinja.Parse(spec.Expr)
	if err != nil {
		return nil, failure.Wrap(err, v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: expr", name)
	}
	return &Generator{name: name, draws: random.NewKey(seed, name), kind: spec.Type, template: template}, nil
}

// Generate renders the template with the row's cells and converts the text.
func (g *Generator) Generate(ctx context.Context, record *table.Record) (any, error) {
	text, err := g.template.Render(ctx, column.Vars(record), column.TemplateOptions(g.draws, record))
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, failure.New(v1alpha1.ReasonTemplateError, failure.DropRow, "the expression of column %q failed: %v", g.name, err)
	}
	if strings.TrimSpace(text) == "" {
		return nil, failure.New(v1alpha1.ReasonTemplateError, failure.DropRow, "the expression of column %q rendered to nothing", g.name)
	}
	value, converts := convert(text, g.kind)
	if !converts {
		return nil, failure.New(v1alpha1.ReasonConversionFailed, failure.DropRow,
			"the expression of column %q rendered to a text of %d characters that is not of the type %s", g.name, len([]rune(text)), g.kind)
	}
	return value, nil
}

// maxExactFloat is the bound below which every whole number is a float64 of its own.
const maxExactFloat = 1 << 53

// convert reads a text as a type. A float with a whole value is taken for an int; what does not fit is refused, never cut.
func convert(text string, kind v1alpha1.ValueType) (any, bool) {
	trimmed := strings.TrimSpace(text)
	switch kind {
	case v1alpha1.ValueTypeInt:
		if number, err := strconv.ParseInt(trimmed, 10, 64); err == nil {
			return number, true
		}
		number, err := strconv.ParseFloat(trimmed, 64)
		if err != nil || number != math.Trunc(number) || math.Abs(number) >= maxExactFloat {
			return nil, false
		}
		return int64(number), true
	case v1alpha1.ValueTypeFloat:
		number, err := strconv.ParseFloat(trimmed, 64)
		if err != nil || math.IsNaN(number) || math.IsInf(number, 0) {
			return nil, false
		}
		return number, true
	case v1alpha1.ValueTypeBool:
		switch strings.ToLower(trimmed) {
		case "true", "1", "yes":
			return true, true
		case "false", "0", "no":
			return false, true
		}
		return nil, false
	}
	return text, true
}
