package parquetfile

import (
	"errors"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"seedloom.dev/seedloom/engine/table"
)

// maxDepth bounds how deep columns are nested.
const maxDepth = 64

// readNode is a node of a file's schema in the engine's terms. Levels are those of Dremel (S. Melnik and others, 2010).
type readNode struct {
	kind table.Type
	// present is the definition level from which on the node is not null.
	present int16
	// repeat is, of a list, the repetition level of its elements; filled is the definition level of a list that is not empty.
	repeat, filled int16
	// first and last bound the leaf columns below the node: first <= column < last.
	first, last int
	children    []*readNode
	// read turns a value of a leaf into a cell.
	read leafRead
	// plain hands a value of a leaf out without a box; nil where it is none of a plain type.
	plain leafHand
}

// readBuilder gives nodes their levels and leaf columns, from left to right.
type readBuilder struct{ leaves, depth int }

// node returns a node of any file.
func (b *readBuilder) node(of schema.Node, repeat, present int16) (*readNode, error) {
	if of.RepetitionType() == parquet.Repetitions.Repeated {
		// A repeated field that stands in no list is a list that is never null, of elements that are never null.
		list := &readNode{present: present, repeat: repeat + 1, filled: present + 1, first: b.leaves}
		element, err := b.content(of, list.repeat, list.filled)
		if err != nil {
			return nil, err
		}
		return b.listOf(list, element), nil
	}
	if of.RepetitionType() == parquet.Repetitions.Optional {
		present++
	}
	return b.content(of, repeat, present)
}

func (b *readBuilder) listOf(list, element *readNode) *readNode {
	list.kind = table.Type{Kind: table.KindList, Element: &element.kind}
	list.children, list.last = []*readNode{element}, b.leaves
	return list
}

// content returns a node without regard to whether it may be null or is repeated.
func (b *readBuilder) content(of schema.Node, repeat, present int16) (*readNode, error) {
	if b.depth++; b.depth > maxDepth {
		return nil, fmt.Errorf("it is nested more than %d deep", maxDepth)
	}
	defer func() { b.depth-- }()
	result := &readNode{present: present, first: b.leaves}
	if leaf, isLeaf := of.(*schema.PrimitiveNode); isLeaf {
		b.leaves++
		result.last = b.leaves
		var err error
		result.kind, result.read, err = leafType(leaf)
		result.plain = plainType(leaf, &result.kind)
		return result, err
	}
	group, isGroup := of.(*schema.GroupNode)
	if !isGroup || group.NumFields() == 0 {
		return nil, errors.New("it is a struct without members, which is not supported")
	}
	if repeated := repeatedOf(group); repeated != nil {
		result.repeat, result.filled = repeat+1, present+1
		element, err := b.element(group, repeated, result.repeat, result.filled)
		if err != nil {
			return nil, err
		}
		return b.listOf(result, element), nil
	}
	return b.members(result, group, repeat)
}

func (b *readBuilder) members(result *readNode, group *schema.GroupNode, repeat int16) (*readNode, error) {
	result.kind.Kind = table.KindStruct
	for i := range group.NumFields() {
		child, err := b.node(group.Field(i), repeat, result.present)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", group.Field(i).Name(), err)
		}
		result.children = append(result.children, child)
		result.kind.Fields = append(result.kind.Fields, table.Field{Name: group.Field(i).Name(), Type: child.kind})
	}
	result.last = b.leaves
	return result, nil
}

// element returns the element of a list or a map, which stands in its repeated node, or is that itself in files of old writers.
func (b *readBuilder) element(list *schema.GroupNode, repeated schema.Node, repeat, present int16) (*readNode, error) {
	group, isGroup := repeated.(*schema.GroupNode)
	if isMap(list) && isGroup {
		entry, err := b.members(&readNode{present: present, first: b.leaves}, group, repeat)
		if err == nil {
			for i, name := range []string{"key", "value"}[:min(2, len(entry.kind.Fields))] {
				entry.kind.Fields[i].Name = name // whatever the writer calls them
			}
		}
		return entry, err
	}
	if isGroup && group.NumFields() == 1 && group.Name() != "array" && !strings.HasSuffix(group.Name(), "_tuple") {
		return b.node(group.Field(0), repeat, present)
	}
	return b.content(repeated, repeat, present)
}

// repeatedOf returns the repeated node of a group that is annotated as a list or a map; nil where it is neither.
func repeatedOf(group *schema.GroupNode) schema.Node {
	if group.NumFields() != 1 || group.Field(0).RepetitionType() != parquet.Repetitions.Repeated {
		return nil
	}
	_, isList := group.LogicalType().(schema.ListLogicalType)
	if isList || group.ConvertedType() == schema.ConvertedTypes.List || isMap(group) {
		return group.Field(0)
	}
	return nil
}

func isMap(group *schema.GroupNode) bool {
	_, isMap := group.LogicalType().(schema.MapLogicalType)
	return isMap || group.ConvertedType() == schema.ConvertedTypes.Map || group.ConvertedType() == schema.ConvertedTypes.MapKeyValue
}
