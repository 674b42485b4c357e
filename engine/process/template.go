package process

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"

	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/table"
)

// Template is a tree of JSON in which every text is a template. Its members become the columns of another form of the rows.
type Template struct {
	root   *node
	schema *table.Schema
	texts  []text
}

// text is a template with its place in the tree.
type text struct {
	path     string
	template *jinja.Template
}

// Problem is something that is wrong with a template.
type Problem struct {
	// Path is the place in the tree, such as messages[0].content; empty for the whole.
	Path    string
	Message string
}

// node is a value in the tree. Its kind is that of the value that it becomes; null is a nil *node.
type node struct {
	kind     table.Kind
	constant any
	template *jinja.Template
	names    []string
	children []*node
	path     string
	// cell is where the value stands in a record, for a text that is nothing but a path to a value of another type than a text.
	cell *cellPath
}

// maxDepth bounds how deep values lie in a template.
const maxDepth = 32

// ParseTemplate reads a template, or says everything that is wrong with it. The order of its members is kept.
func ParseTemplate(raw []byte) (*Template, []Problem) { return parseTemplate(raw, nil) }

// ParseDocument reads a template of which a schema says the types: those of its values need not go together.
func ParseDocument(raw []byte) (*Template, []Problem) {
	parser, root, problems := parseTree(raw, nil)
	if len(problems) > 0 {
		return nil, problems
	}
	parser.template.root = root
	return parser.template, nil
}

// parseTypedTemplate reads a template for records of a schema: a text that is nothing but a path keeps the value that it leads to, with its
// type. Where the types do not go together, as in a list of a number and a text, all texts are texts.
func parseTypedTemplate(raw []byte, schema *table.Schema) (*Template, []Problem) {
	template, problems := parseTemplate(raw, schema)
	if len(problems) == 0 && template.root.fits(table.Type{Kind: table.KindStruct, Fields: template.schema.Fields()}) {
		return template, nil
	}
	return parseTemplate(raw, nil)
}

func parseTemplate(raw []byte, schema *table.Schema) (*Template, []Problem) {
	parser, root, problems := parseTree(raw, schema)
	if root == nil {
		return nil, problems
	}
	kind := parser.typeOf(root)
	if len(parser.problems) > 0 {
		return nil, parser.problems
	}
	parser.template.root, parser.template.schema = root, table.NewSchema(kind.Fields...)
	return parser.template, nil
}

// parseTree reads the tree of a template. Without a root nothing more can be said of it.
func parseTree(raw []byte, schema *table.Schema) (*templateParser, *node, []Problem) {
	parser := &templateParser{decoder: json.NewDecoder(bytes.NewReader(raw)), template: &Template{}, schema: schema}
	parser.decoder.UseNumber()
	root, err := parser.value("", 0)
	if err == nil {
		if _, err = parser.decoder.Token(); errors.Is(err, io.EOF) {
			err = nil
		} else if err == nil {
			err = errors.New("something follows the object")
		}
	}
	if err != nil {
		return nil, nil, append(parser.problems, Problem{Message: fmt.Sprintf("is not valid JSON: %v", err)})
	}
	if root == nil || root.kind != table.KindStruct {
		return nil, nil, []Problem{{Message: "must be an object, whose members become the columns"}}
	}
	return parser, root, parser.problems
}

// Schema is that of what the template renders to.
func (t *Template) Schema() *table.Schema { return t.schema }

// Texts are the texts of the template with their places, in their order.
func (t *Template) Texts() iter.Seq2[string, *jinja.Template] {
	return func(yield func(string, *jinja.Template) bool) {
		for _, text := range t.texts {
			if !yield(text.path, text.template) {
				return
			}
		}
	}
}

// Render renders the template with the cells of a record. The cells that it returns stand in the order of the schema.
func (t *Template) Render(ctx context.Context, record *table.Record, options jinja.Options) ([]any, error) {
	renderer := &renderer{ctx: ctx, record: record, vars: column.Vars(record), options: options}
	rendered, err := t.root.render(table.Type{Kind: table.KindStruct, Fields: t.schema.Fields()}, renderer)
	if err != nil {
		return nil, err
	}
	cells, _ := rendered.([]any)
	return cells, nil
}

// render makes the value of a node in the type that it was found to have, which may be wider than the node's own.
func (n *node) render(kind table.Type, with *renderer) (any, error) {
	if n == nil {
		return nil, nil
	}
	switch n.kind {
	case table.KindString:
		rendered, err := with.value(n, kind)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.path, err)
		}
		return rendered, nil
	case table.KindStruct:
		values := make([]any, len(kind.Fields))
		for i, field := range kind.Fields {
			position := slices.Index(n.names, field.Name)
			if position < 0 {
				continue
			}
			var err error
			if values[i], err = n.children[position].render(field.Type, with); err != nil {
				return nil, err
			}
		}
		return values, nil
	case table.KindList:
		values := make([]any, len(n.children))
		for i, child := range n.children {
			var err error
			if values[i], err = child.render(*kind.Element, with); err != nil {
				return nil, err
			}
		}
		return values, nil
	}
	if whole, isInt := n.constant.(int64); isInt && kind.Kind == table.KindFloat {
		return float64(whole), nil
	}
	return n.constant, nil
}

type templateParser struct {
	// schema is that of the records; nil where it is not known yet.
	schema   *table.Schema
	decoder  *json.Decoder
	template *Template
	problems []Problem
}

func (p *templateParser) problem(path, format string, arguments ...any) {
	p.problems = append(p.problems, Problem{Path: path, Message: fmt.Sprintf(format, arguments...)})
}

// value reads the next value. Its error says that the JSON is broken, and nothing more can be read.
func (p *templateParser) value(path string, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("values lie more than %d levels deep", maxDepth)
	}
	token, err := p.decoder.Token()
	if err != nil {
		return nil, err
	}
	current := &node{path: path}
	switch typed := token.(type) {
	case nil:
		return nil, nil
	case bool:
		current.kind, current.constant = table.KindBool, typed
	case json.Number:
		p.number(current, typed)
	case string:
		current.kind = table.KindString
		if current.template, err = jinja.Parse(typed); err != nil {
			p.problem(path, "is not a valid template: %v", err)
			return current, nil
		}
		p.template.texts = append(p.template.texts, text{path, current.template})
	case json.Delim:
		if typed == '{' {
			return current, p.object(current, depth)
		}
		return current, p.list(current, depth)
	}
	return current, nil
}

func (p *templateParser) number(current *node, number json.Number) {
	if whole, err := strconv.ParseInt(number.String(), 10, 64); err == nil {
		current.kind, current.constant = table.KindInt, whole
		return
	}
	fraction, err := number.Float64()
	if err != nil {
		p.problem(current.path, "the number %s is too large", number)
	}
	current.kind, current.constant = table.KindFloat, fraction
}

func (p *templateParser) object(current *node, depth int) error {
	current.kind = table.KindStruct
	for p.decoder.More() {
		key, err := p.decoder.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string) // the decoder accepts nothing else
		path := name
		if current.path != "" {
			path = current.path + "." + name
		}
		switch {
		case name == "":
			p.problem(current.path, "a member needs a name")
		case slices.Contains(current.names, name):
			p.problem(path, "stands here more than once")
		}
		child, err := p.value(path, depth+1)
		if err != nil {
			return err
		}
		current.names = append(current.names, name)
		current.children = append(current.children, child)
	}
	_, err := p.decoder.Token()
	return err
}

func (p *templateParser) list(current *node, depth int) error {
	current.kind = table.KindList
	for p.decoder.More() {
		child, err := p.value(fmt.Sprintf("%s[%d]", current.path, len(current.children)), depth+1)
		if err != nil {
			return err
		}
		current.children = append(current.children, child)
	}
	_, err := p.decoder.Token()
	return err
}
