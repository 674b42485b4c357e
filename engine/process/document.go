package process

import (
	"context"
	"encoding/json"
	"fmt"

	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/table"
)

// renderJSON renders the template as a document: a text of it that is one expression is the value of the expression, with its type.
func (t *Template) renderJSON(ctx context.Context, record *table.Record, options jinja.Options) ([]byte, error) {
	return t.root.appendJSON(nil, &renderer{ctx: ctx, record: record, vars: column.Vars(record), options: options})
}

// appendJSON appends the value of a node.
func (n *node) appendJSON(to []byte, with *renderer) ([]byte, error) {
	if n == nil {
		return append(to, "null"...), nil
	}
	switch n.kind {
	case table.KindString:
		return n.appendText(to, with)
	case table.KindStruct, table.KindList:
		return n.appendChildren(to, with)
	}
	constant, err := json.Marshal(n.constant)
	return append(to, constant...), err
}

// appendChildren appends an object or a list.
func (n *node) appendChildren(to []byte, with *renderer) ([]byte, error) {
	brackets := "[]"
	if n.kind == table.KindStruct {
		brackets = "{}"
	}
	to = append(to, brackets[0])
	for i, child := range n.children {
		if i > 0 {
			to = append(to, ',')
		}
		if n.kind == table.KindStruct {
			name, err := json.Marshal(n.names[i])
			if err != nil {
				return nil, err
			}
			to = append(append(to, name...), ':')
		}
		var err error
		if to, err = child.appendJSON(to, with); err != nil {
			return nil, err
		}
	}
	return append(to, brackets[1]), nil
}

// appendText appends what a text of the template becomes.
func (n *node) appendText(to []byte, with *renderer) ([]byte, error) {
	value, err := n.template.Evaluate(with.ctx, with.vars, with.options)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.path, err)
	}
	data, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.path, err)
	}
	return append(to, data...), nil
}
