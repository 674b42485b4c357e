package plan

import (
	"slices"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/table"
)

// anyText is what stands for any characters in the names of dropColumns.
const anyText = "*"

// dropPatterns are the names, and patterns of names, of the columns that processors drop.
func dropPatterns(spec *v1alpha1.DatasetGenerationSpec) []string {
	var patterns []string
	for i := range spec.Processors {
		if drop := spec.Processors[i].DropColumns; drop != nil {
			patterns = append(patterns, drop.ColumnNames...)
		}
	}
	return patterns
}

func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, name) })
}

// matches says whether a name is that of a pattern, in which * stands for any characters.
func matches(pattern, name string) bool {
	parts := strings.Split(pattern, anyText)
	if len(parts) == 1 {
		return pattern == name
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(name) < len(first)+len(last) || !strings.HasPrefix(name, first) || !strings.HasSuffix(name, last) {
		return false
	}
	name = name[len(first) : len(name)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(name, part)
		if at < 0 {
			return false
		}
		name = name[at+len(part):]
	}
	return true
}

// split tells the columns that are in the dataset from those that are left out of it: those with drop, with their side effects, and those
// that processors name.
func split(spec *v1alpha1.DatasetGenerationSpec, fields []table.Field) (output, dropped []table.Field) {
	patterns := dropPatterns(spec)
	left := map[string]bool{}
	for i := range spec.Columns {
		column := &spec.Columns[i]
		left[column.Name] = column.IsDropped()
		for _, effect := range sideEffects(column) {
			left[effect.Name] = column.IsDropped()
		}
	}
	for _, field := range fields {
		if left[field.Name] || matchesAny(patterns, field.Name) {
			dropped = append(dropped, field)
		} else {
			output = append(output, field)
		}
	}
	return output, dropped
}

// UnmatchedPatterns are the patterns of dropColumns that are the name of no column.
func (p *Plan) UnmatchedPatterns() []string {
	var unmatched []string
	for _, pattern := range dropPatterns(p.Spec) {
		if !slices.ContainsFunc(p.Schema.Fields(), func(field table.Field) bool { return matches(pattern, field.Name) }) {
			unmatched = append(unmatched, pattern)
		}
	}
	return unmatched
}

// droppedReferences reports the names of columns that are not kept.
func (v *validation) droppedReferences(field string, names, patterns []string) {
	for _, name := range names {
		index, isColumn := v.producers[name]
		if isColumn && (v.spec.Columns[index].IsDropped() || matchesAny(patterns, name)) {
			v.add(field, ReasonInvalidValue, "reads %q, a dropped column that is not kept until the dataset is there: set "+
				"run.preserveDroppedColumns, or put the processor before those of the stage AfterGeneration", name)
		}
	}
}
