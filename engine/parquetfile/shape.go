// Package parquetfile writes and reads tables as Parquet files: it maps the engine's types to Parquet's and back. It knows nothing of
// where files lie, what they belong to, or when they are written.
package parquetfile

import (
	"reflect"

	"github.com/parquet-go/parquet-go"

	"seedloom.dev/seedloom/engine/table"
)

// shape is a node of a Parquet schema in the engine's terms. Levels are those of Dremel (S. Melnik and others, 2010).
type shape struct {
	kind table.Type
	// present is the definition level from which on the node is not null.
	present int
	// repeat is, of a list, the repetition level of its elements; filled is the definition level of a list that is not empty.
	repeat, filled int
	// first and last bound the leaf columns below the node: first <= column < last.
	first, last int
	children    []*shape
}

// isLeaf says whether the node is no list and no struct.
func (s *shape) isLeaf() bool {
	return s.kind.Kind != table.KindList && s.kind.Kind != table.KindStruct
}

// builder gives nodes their levels and leaf columns, from left to right.
type builder struct{ columns int }

// ofType returns the shape in which this package writes a type: everything may be null.
func (b *builder) ofType(kind table.Type, repeat, present int) *shape {
	node := &shape{kind: kind, present: present + 1, first: b.columns}
	switch kind.Kind {
	case table.KindList:
		node.repeat, node.filled = repeat+1, node.present+1
		node.children = []*shape{b.ofType(*kind.Element, node.repeat, node.filled)}
	case table.KindStruct:
		for _, field := range kind.Fields {
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
		return parquet.Optional(parquet.TimestampAdjusted(unit(kind), !kind.Local))
	case table.KindTime:
		return parquet.Optional(parquet.TimeAdjusted(unit(kind), false))
	case table.KindDate:
		return parquet.Optional(parquet.Date())
	case table.KindDecimal:
		return parquet.Optional(parquet.Decimal(int(kind.Scale), int(kind.Precision),
			parquet.FixedLenByteArrayType(decimalBytes(kind.Precision))))
	case table.KindBinary:
		return parquet.Optional(parquet.Leaf(parquet.ByteArrayType))
	case table.KindList:
		return parquet.Optional(parquet.List(nodeOf(*kind.Element)))
	case table.KindStruct:
		return parquet.Optional(groupOf(kind.Fields))
	}
	return parquet.Optional(parquet.String())
}

func unit(kind table.Type) parquet.TimeUnit {
	if kind.Nanoseconds {
		return parquet.Nanosecond
	}
	return parquet.Microsecond
}

// orderedGroup keeps the order of its fields; a parquet.Group is a map, and sorts them.
type orderedGroup struct {
	parquet.Group
	names []string
}

// groupOf is the node of a struct, or of all columns.
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
