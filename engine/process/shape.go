package process

import (
	"slices"

	"seedloom.dev/seedloom/engine/table"
)

// typeOf infers the type of what a node renders to. A null takes the type of what stands beside it in a list, and is a text elsewhere.
func (p *templateParser) typeOf(n *node) table.Type {
	found, known := p.infer(n)
	if !known {
		return table.Type{}
	}
	return typed(found)
}

// infer is typeOf, where a null, and a list of nothing else, have no type yet.
func (p *templateParser) infer(n *node) (table.Type, bool) {
	if n == nil {
		return table.Type{}, false
	}
	kind := table.Type{Kind: n.kind}
	switch n.kind {
	case table.KindString:
		if found, typed := p.valueType(n); typed {
			return found, true
		}
	case table.KindStruct:
		if len(n.children) == 0 {
			p.problem(n.path, "an object without members can't be written to a file")
		}
		for i, child := range n.children {
			member := table.Field{Name: n.names[i], Type: unknown}
			if found, known := p.infer(child); known {
				member.Type = found
			}
			kind.Fields = append(kind.Fields, member)
		}
	case table.KindList:
		element := unknown
		for _, child := range n.children {
			found, known := p.infer(child)
			if !known {
				continue
			}
			merged, fits := merge(element, found)
			if !fits {
				p.problem(child.path, "is a %s, but the items before it are %s; all items of a list have one type", typed(found), typed(element))
				continue
			}
			element = merged
		}
		kind.Element = &element
	}
	return kind, true
}

// unknown is the type of what is null so far: no value has it.
var unknown = table.Type{Kind: -1}

// merge returns the type that holds the values of both.
func merge(a, b table.Type) (table.Type, bool) {
	switch {
	case a.Kind == unknown.Kind:
		return b, true
	case b.Kind == unknown.Kind:
		return a, true
	case a.Kind == table.KindInt && b.Kind == table.KindFloat, a.Kind == table.KindFloat && b.Kind == table.KindInt:
		return table.Type{Kind: table.KindFloat}, true
	case a.Kind != b.Kind:
		return a, false
	case a.Kind == table.KindList:
		element, fits := merge(*a.Element, *b.Element)
		return table.Type{Kind: table.KindList, Element: &element}, fits
	case a.Kind == table.KindStruct:
		return mergeFields(a, b)
	}
	return a, true
}

// mergeFields joins the fields of two structs: what one of them lacks is null in it.
func mergeFields(a, b table.Type) (table.Type, bool) {
	merged := table.Type{Kind: table.KindStruct, Fields: slices.Clone(a.Fields)}
	for _, field := range b.Fields {
		position := slices.IndexFunc(merged.Fields, func(other table.Field) bool { return other.Name == field.Name })
		if position < 0 {
			merged.Fields = append(merged.Fields, field)
			continue
		}
		kind, fits := merge(merged.Fields[position].Type, field.Type)
		if !fits {
			return merged, false
		}
		merged.Fields[position].Type = kind
	}
	return merged, true
}

// typed makes a text of what has no type.
func typed(kind table.Type) table.Type {
	switch kind.Kind {
	case unknown.Kind:
		return table.Type{}
	case table.KindList:
		element := typed(*kind.Element)
		return table.Type{Kind: table.KindList, Element: &element}
	case table.KindStruct:
		result := table.Type{Kind: table.KindStruct}
		for _, field := range kind.Fields {
			result.Fields = append(result.Fields, table.Field{Name: field.Name, Type: typed(field.Type)})
		}
		return result
	}
	return kind
}
