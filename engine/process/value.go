package process

import (
	"context"
	"encoding/json"

	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/table"
)

// cellPath leads to a value of a record: a column, and the fields of structs and items of lists below it.
type cellPath struct {
	column int
	steps  []int
	kind   table.Type
}

// valueType returns the type of the value that a text leads to, where it is nothing but a path to one that is no text, and notes the way.
func (p *templateParser) valueType(n *node) (table.Type, bool) {
	if p.schema == nil || n.template == nil {
		return table.Type{}, false
	}
	path, isPath := n.template.Expression()
	if !isPath {
		return table.Type{}, false
	}
	index, found := p.schema.Index(path.Name)
	if !found {
		return table.Type{}, false
	}
	kind, way := p.schema.Fields()[index].Type, &cellPath{column: index}
	for _, step := range path.Steps {
		next, at, known := below(kind, step)
		if !known {
			return table.Type{}, false
		}
		kind, way.steps = next, append(way.steps, at)
	}
	if kind.Kind == table.KindString {
		return table.Type{}, false
	}
	way.kind, n.cell = kind, way
	return kind, true
}

// below returns the type of a member or an item, and its place.
func below(kind table.Type, step any) (table.Type, int, bool) {
	switch typed := step.(type) {
	case string:
		if kind.Kind != table.KindStruct {
			return table.Type{}, 0, false
		}
		for i, field := range kind.Fields {
			if field.Name == typed {
				return field.Type, i, true
			}
		}
	case int64:
		if kind.Kind == table.KindList && kind.Element != nil && typed >= 0 {
			return *kind.Element, int(typed), true
		}
	}
	return table.Type{}, 0, false
}

// fits says whether the values of all paths can stand in the type that was found for the whole.
func (n *node) fits(kind table.Type) bool {
	if n == nil {
		return true
	}
	if n.cell != nil {
		return n.cell.kind.Equal(kind) || n.cell.kind.Kind == table.KindInt && kind.Kind == table.KindFloat
	}
	for i, child := range n.children {
		part := table.Type{}
		switch {
		case n.kind == table.KindList:
			part = *kind.Element
		case n.kind == table.KindStruct:
			for _, field := range kind.Fields {
				if field.Name == n.names[i] {
					part = field.Type
				}
			}
		}
		if !child.fits(part) {
			return false
		}
	}
	return true
}

// of returns the value in a record, in a type that it fits; null where the way ends before.
func (w *cellPath) of(record *table.Record, kind table.Type) any {
	value := record.Cells[w.column]
	for _, step := range w.steps {
		parts, _ := value.([]any)
		if step >= len(parts) {
			return nil
		}
		value = parts[step]
	}
	if whole, isWhole := value.(int64); isWhole && kind.Kind == table.KindFloat {
		return float64(whole)
	}
	return value
}

// renderer renders the texts of a template for one record.
type renderer struct {
	ctx     context.Context
	record  *table.Record
	vars    jinja.Vars
	options jinja.Options
}

// value returns what a text becomes. A text that is one expression keeps null, and a document becomes JSON; every other one is what is
// rendered.
func (r *renderer) value(n *node, kind table.Type) (any, error) {
	if n.cell != nil {
		return n.cell.of(r.record, kind), nil
	}
	if !n.template.IsExpression() {
		return n.template.Render(r.ctx, r.vars, r.options)
	}
	value, err := n.template.Evaluate(r.ctx, r.vars, r.options)
	if err != nil {
		return nil, err
	}
	switch typed := jinja.Unwritten(value).(type) {
	case nil, jinja.Undefined:
		return nil, nil
	case *jinja.List, jinja.Tuple, *jinja.Dict:
		text, err := json.Marshal(typed)
		return string(text), err
	}
	return jinja.Str(value), nil
}
