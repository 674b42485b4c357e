// Package parquetfile writes and reads tables as Parquet files: it maps the engine's types to Parquet's and back. It knows nothing of
// where files lie, what they belong to, or when they are written.
package parquetfile

import (
	"fmt"
	"reflect"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"seedloom.dev/seedloom/engine/table"
)

// shape is a node of a Parquet schema in the engine's terms. Levels are those of Dremel (S. Melnik and others, 2010).
type shape struct {
	kind     table.Kind
	optional bool
	// present is the definition level from which on the node is not null.
	present int
	// repeat is, of a list, the repetition level of its elements; filled is the definition level of a list that is not empty.
	repeat, filled int
	// first and last bound the leaf columns below the node: first <= column < last.
	first, last int
	children    []*shape
	names       []string
	// read turns a value of a leaf into a cell.
	read func(parquet.Value) (any, error)
}

// tableType returns the type of the node's values.
func (s *shape) tableType() table.Type {
	kind := table.Type{Kind: s.kind}
	switch s.kind {
	case table.KindList:
		element := s.children[0].tableType()
		kind.Element = &element
	case table.KindStruct:
		for i, child := range s.children {
			kind.Fields = append(kind.Fields, table.Field{Name: s.names[i], Type: child.tableType()})
		}
	}
	return kind
}

// builder gives nodes their levels and leaf columns, from left to right.
type builder struct{ columns int }

// ofType returns the shape in which this package writes a type: everything may be null.
func (b *builder) ofType(kind table.Type, repeat, present int) *shape {
	node := &shape{kind: kind.Kind, optional: true, present: present + 1, first: b.columns}
	switch kind.Kind {
	case table.KindList:
		node.repeat, node.filled = repeat+1, node.present+1
		node.children = []*shape{b.ofType(*kind.Element, node.repeat, node.filled)}
	case table.KindStruct:
		for _, field := range kind.Fields {
			node.names = append(node.names, field.Name)
			node.children = append(node.children, b.ofType(field.Type, repeat, node.present))
		}
	default:
		b.columns++
	}
	node.last = b.columns
	return node
}

// nodeOf returns the Parquet node of a type.
func nodeOf(kind table.Type) parquet.Node {
	switch kind.Kind {
	case table.KindInt:
		return parquet.Optional(parquet.Int(64))
	case table.KindFloat:
		return parquet.Optional(parquet.Leaf(parquet.DoubleType))
	case table.KindBool:
		return parquet.Optional(parquet.Leaf(parquet.BooleanType))
	case table.KindTimestamp:
		return parquet.Optional(parquet.Timestamp(parquet.Microsecond))
	case table.KindList:
		return parquet.Optional(parquet.List(nodeOf(*kind.Element)))
	case table.KindStruct:
		return parquet.Optional(groupOf(kind.Fields))
	}
	return parquet.Optional(parquet.String())
}

// orderedGroup keeps the order of its fields; a parquet.Group is a map, and sorts them.
type orderedGroup struct {
	parquet.Group
	names []string
}

func groupOf(fields []table.Field) parquet.Node {
	group := orderedGroup{Group: parquet.Group{}}
	for _, field := range fields {
		group.Group[field.Name] = nodeOf(field.Type)
		group.names = append(group.names, field.Name)
	}
	return group
}

// Fields returns the fields in their order.
func (g orderedGroup) Fields() []parquet.Field {
	fields := make([]parquet.Field, len(g.names))
	for i, name := range g.names {
		fields[i] = namedField{g.Group[name], name}
	}
	return fields
}

type namedField struct {
	parquet.Node
	name string
}

// Name returns the name of the field.
func (f namedField) Name() string { return f.name }

// Value returns the field's value in a map; rows are written without it, but the interface wants it.
func (f namedField) Value(base reflect.Value) reflect.Value {
	if base.Kind() == reflect.Interface {
		base = base.Elem()
	}
	return base.MapIndex(reflect.ValueOf(f.name))
}

// ofNode returns the shape of a node of any file.
func (b *builder) ofNode(node parquet.Node, path string, repeat, present int) (*shape, error) {
	made := &shape{optional: node.Optional(), present: present, first: b.columns}
	if made.optional {
		made.present++
	}
	if node.Repeated() {
		// A repeated field that stands in no list is a list that is never null, of elements that are never null.
		made.kind, made.repeat, made.filled = table.KindList, repeat+1, present+1
		element, err := b.ofRequired(node, path, made.repeat, made.filled)
		if err != nil {
			return nil, err
		}
		made.children, made.last = []*shape{element}, b.columns
		return made, nil
	}
	return b.fill(made, node, path, repeat)
}

func (b *builder) ofRequired(node parquet.Node, path string, repeat, present int) (*shape, error) {
	return b.fill(&shape{present: present, first: b.columns}, node, path, repeat)
}

func (b *builder) fill(made *shape, node parquet.Node, path string, repeat int) (*shape, error) {
	defer func() { made.last = b.columns }()
	if node.Leaf() {
		b.columns++
		kind, read, err := leafReader(node)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", path, err)
		}
		made.kind, made.read = kind, read
		return made, nil
	}
	if element, isList := listElement(node); isList {
		made.kind, made.repeat, made.filled = table.KindList, repeat+1, made.present+1
		child, err := b.ofElement(element, path, made.repeat, made.filled)
		if err != nil {
			return nil, err
		}
		made.children = []*shape{child}
		return made, nil
	}
	made.kind = table.KindStruct
	for _, field := range node.Fields() {
		child, err := b.ofNode(field, path+"."+field.Name(), repeat, made.present)
		if err != nil {
			return nil, err
		}
		made.children = append(made.children, child)
		made.names = append(made.names, field.Name())
	}
	return made, nil
}

// ofElement returns the shape of a list's element. It is the repeated node itself in files of old writers.
func (b *builder) ofElement(element parquet.Node, path string, repeat, present int) (*shape, error) {
	if element.Repeated() {
		return b.ofRequired(element, path, repeat, present)
	}
	return b.ofNode(element, path, repeat, present)
}

// listElement returns the element of a node that is annotated as a list or a map.
func listElement(node parquet.Node) (parquet.Node, bool) {
	fields := node.Fields()
	if len(fields) != 1 || !fields[0].Repeated() {
		return nil, false
	}
	repeated := fields[0]
	logical := node.Type().LogicalType()
	if logical == nil {
		return nil, false
	}
	switch logical.Value.(type) {
	case *format.ListType:
		if !repeated.Leaf() && len(repeated.Fields()) == 1 {
			return repeated.Fields()[0], true
		}
		return repeated, true
	case *format.MapType:
		return repeated, true
	}
	return nil, false
}
