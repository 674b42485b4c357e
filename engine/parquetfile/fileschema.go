package parquetfile

import (
	"math/bits"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"

	"seedloom.dev/seedloom/engine/table"
)

// fileSchema is the schema of a file as its footer has it, and its leaf columns.
type fileSchema struct {
	elements []format.SchemaElement
	orders   []format.ColumnOrder
	leaves   []*leafNode
}

// leafNode is a leaf of the schema of a file that is written.
type leafNode struct {
	path     []string
	physical format.Type
	// definition and repetition are its highest levels, and definitions and repetitions encode them.
	definition, repetition   int
	definitions, repetitions rle.Encoding
}

// fileSchemaOf returns the schema of a file with columns.
func fileSchemaOf(fields []table.Field) *fileSchema {
	schema := &fileSchema{}
	schema.add("row", groupOf(fields), nil, 0, 0)
	return schema
}

// add adds a node, and those below it. The path of the root is nil.
func (s *fileSchema) add(name string, node parquet.Node, path []string, repetition, definition int) {
	kind := node.Type()
	element := format.SchemaElement{Name: name}
	if path != nil {
		element.RepetitionType.Set(format.Required)
	}
	switch {
	case node.Optional():
		element.RepetitionType.Set(format.Optional)
		definition++
	case node.Repeated():
		element.RepetitionType.Set(format.Repeated)
		definition++
		repetition++
	}
	if logical := kind.LogicalType(); logical != nil {
		element.LogicalType = *logical
		if decimal, isDecimal := logical.Value.(*format.DecimalType); isDecimal {
			element.Scale.Set(decimal.Scale)
			element.Precision.Set(decimal.Precision)
		}
	}
	if converted := kind.ConvertedType(); converted != nil {
		element.ConvertedType.Set(*converted)
	}
	if !node.Leaf() {
		fields := node.Fields()
		element.NumChildren.Set(int32(len(fields)))
		s.elements = append(s.elements, element)
		for _, field := range fields {
			s.add(field.Name(), field, append(path[:len(path):len(path)], field.Name()), repetition, definition)
		}
		return
	}
	physical := *kind.PhysicalType()
	element.Type.Set(physical)
	if physical == format.FixedLenByteArray {
		element.TypeLength.Set(int32(kind.Length()))
	}
	s.elements = append(s.elements, element)
	s.orders = append(s.orders, *kind.ColumnOrder())
	s.leaves = append(s.leaves, &leafNode{
		path: path, physical: physical, definition: definition, repetition: repetition,
		definitions: rle.Encoding{BitWidth: bits.Len(uint(definition))}, repetitions: rle.Encoding{BitWidth: bits.Len(uint(repetition))},
	})
}
