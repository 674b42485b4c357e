package plan

import (
	"fmt"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/table"
)

// paths reports what a template reads of columns that these never have: every row would be dropped for it, after it was paid for.
func (v *validation) paths(field string, template *jinja.Template) {
	reported := map[string]bool{}
	guarded := map[string]bool{}
	for _, path := range template.Paths() {
		if path.Guarded {
			guarded[pathText(path, len(path.Steps))] = true
		}
	}
	for _, path := range template.Paths() {
		kind, known := v.typeOf(path.Name)
		if !known || path.Guarded {
			continue
		}
		problem, at := missingMember(kind, path)
		text := pathText(path, at)
		if problem == "" || guarded[text] || reported[text] {
			continue
		}
		reported[text] = true
		v.add(field, ReasonUnknownReference, "%s", problem)
	}
}

// typeOf is the type of a column's values, as far as it is known before the run. That of a seed in JSON is not: a member that the rows read
// so far lack may be in others.
func (v *validation) typeOf(name string) (table.Type, bool) {
	if kind, isSeed := v.seedTypes[name]; isSeed {
		return kind, v.spec.Seed != nil && seedFormat(v.spec.Seed) == v1alpha1.SeedFormatParquet
	}
	if index, isColumn := v.columns[name]; isColumn {
		// An error is reported where the column is checked.
		kind, err := columnType(&v.spec.Columns[index])
		return kind, err == nil
	}
	return table.Type{}, false
}

// fieldType is the type of a column that is not sampled, as far as it is known.
func (v *validation) fieldType(name string) (table.Type, bool) {
	if kind, isSeed := v.seedTypes[name]; isSeed {
		return kind, true
	}
	index, isColumn := v.columns[name]
	if !isColumn {
		return table.Type{}, false
	}
	kind, err := columnType(&v.spec.Columns[index])
	return kind, err == nil // an error is reported where the column is checked
}

// missingMember says what of a path a type does not have, and after how many steps; nothing where it has all, as far as it is known.
func missingMember(kind table.Type, path jinja.Path) (problem string, at int) {
	for i, step := range path.Steps {
		name, isName := step.(string)
		switch {
		case kind.Kind == table.KindStruct && isName:
			next, found := member(kind, name)
			if !found {
				return fmt.Sprintf("%s has no member %q%s", pathText(path, i), name, suggestion(name, fieldNames(kind.Fields))), i + 1
			}
			kind = next
		case kind.Kind == table.KindList && !isName && kind.Element != nil:
			kind = *kind.Element
		case kind.Kind == table.KindList && isName:
			list := pathText(path, i)
			return fmt.Sprintf("%s is a list, which has no member %q; take an item of it, such as %s[0], or loop over it", list, name, list), i + 1
		default:
			// Documents without a type may have anything, and texts and numbers have methods.
			return "", i
		}
	}
	return "", len(path.Steps)
}

func member(kind table.Type, name string) (table.Type, bool) {
	for _, field := range kind.Fields {
		if field.Name == name {
			return field.Type, true
		}
	}
	return table.Type{}, false
}

func fieldNames(fields []table.Field) []string {
	names := make([]string, len(fields))
	for i, field := range fields {
		names[i] = field.Name
	}
	return names
}

// pathText writes a path as a template has it, up to so many steps.
func pathText(path jinja.Path, steps int) string {
	var text strings.Builder
	text.WriteString(path.Name)
	for _, step := range path.Steps[:steps] {
		switch typed := step.(type) {
		case string:
			text.WriteString("." + typed)
		default:
			fmt.Fprintf(&text, "[%v]", typed)
		}
	}
	return text.String()
}
