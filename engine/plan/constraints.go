package plan

import (
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/constraint"
	"seedloom.dev/seedloom/engine/column/sampler"
)

// constraints checks all constraints, and makes what the linked columns read a dependency of each of them.
func (v *validation) constraints(unknownSeed bool) {
	v.links = newLinks(len(v.spec.Columns))
	var relations []constraint.Relation
	for i := range v.spec.Constraints {
		if relation, valid := v.constraint(i, unknownSeed); valid {
			relations = append(relations, relation)
			v.links.join(i, v.columns[relation.Left], v.sampledIndex(relation.Right))
		}
	}
	if len(relations) == 0 || len(findCycles(v.producers, v.references, v.spec.Columns)) > 0 {
		return // circles are reported where they are looked for
	}
	v.joinBetween()
	v.dependTogether()
	v.contradictions(relations)
}

// constraint checks one constraint by itself.
func (v *validation) constraint(index int, unknownSeed bool) (relation constraint.Relation, valid bool) {
	spec, field := &v.spec.Constraints[index], constraintField(index)
	before := len(v.violations)
	if constraint.Symbol(spec.Operator) == "" {
		v.add(field+".operator", ReasonInvalidValue, "must be one of %s, but is %q", constraint.Operators(), spec.Operator)
	}
	if (spec.Value == nil) == (spec.OtherColumn == "") {
		v.add(field, ReasonInvalidUnion, "exactly one of value and otherColumn must be set")
		return relation, false
	}
	form := v.constrained(field+".column", spec.Column)
	if form == constraint.None {
		return relation, false
	}
	relation = constraint.Relation{Path: field, Left: spec.Column, Operator: spec.Operator, Right: spec.OtherColumn}
	if spec.Value != nil {
		value, err := constraint.Value(spec.Value.Raw, form)
		if err != nil {
			v.add(field+".value", ReasonInvalidValue, "%v", err)
		}
		relation.Value = value
	} else {
		v.otherSide(field+".otherColumn", spec, form, unknownSeed)
	}
	for _, name := range []string{spec.Column, spec.OtherColumn} {
		if problem := sampler.Unreadable(v.samplerOf(name)); problem != "" {
			v.add(field, ReasonInvalidValue, "column %q %s", name, problem)
		}
	}
	if sampler.IsFixed(v.samplerOf(spec.Column)) && (spec.Value != nil || v.isFixed(spec.OtherColumn)) {
		v.add(field, ReasonInvalidValue, "the values of column %q follow from the row, so that no other ones can be drawn", spec.Column)
	}
	return relation, len(v.violations) == before
}

// isFixed says whether drawing again changes nothing of a column.
func (v *validation) isFixed(name string) bool {
	of := v.samplerOf(name)
	return of == nil || sampler.IsFixed(of)
}

// constrained is the form of a column that is to be constrained; None where it can't be, which is reported.
func (v *validation) constrained(field, name string) constraint.Form {
	spec := v.samplerOf(name)
	switch _, known := v.producers[name]; {
	case spec != nil && len(sampler.Validate(spec)) > 0:
		return constraint.None // reported where the sampler is checked
	case spec != nil && spec.Category.TakesValues():
		return constraint.None // looked at once the seed is read
	case spec != nil:
		form := sampler.FormOf(spec)
		if form == constraint.None {
			v.add(field, ReasonInvalidValue, "column %q has %s", name, form)
		}
		return form
	case known || v.isSeedName(name):
		v.add(field, ReasonInvalidValue, "column %q is not drawn: a constraint is one of a column with a sampler, which may have "+
			"%q as otherColumn", name, name)
	default:
		v.add(field, ReasonUnknownReference, "no column with a sampler is called %q%s", name, suggestion(name, v.candidates(-1)))
	}
	return constraint.None
}

// otherSide checks the column with which one is compared.
func (v *validation) otherSide(field string, spec *v1alpha1.Constraint, form constraint.Form, unknownSeed bool) {
	if spec.OtherColumn == spec.Column {
		v.add(field, ReasonInvalidValue, "must be another column")
		return
	}
	other := form
	_, isColumn := v.producers[spec.OtherColumn]
	switch sampled := v.samplerOf(spec.OtherColumn); {
	case sampled != nil && len(sampler.Validate(sampled)) > 0:
		return // reported where the sampler is checked
	case sampled != nil && sampled.Category.TakesValues():
		return // looked at once the seed is read
	case sampled != nil:
		other = sampler.FormOf(sampled)
	case isColumn || v.isSeedName(spec.OtherColumn):
		if kind, known := v.fieldType(spec.OtherColumn); known {
			other = constraint.FormOf(kind.Kind)
			if other == constraint.Texts && form == constraint.Moments {
				other = form // which may well be read from them
			}
		}
	case !unknownSeed:
		v.add(field, ReasonUnknownReference, "no column is called %q%s", spec.OtherColumn, suggestion(spec.OtherColumn, v.candidates(-1)))
	}
	if other != form {
		v.add(field, ReasonInvalidValue, "column %q has %s, and %q has %s", spec.Column, form, spec.OtherColumn, other)
	}
}

// sampledIndex is the index of a column with a sampler, and -1 for any other one.
func (v *validation) sampledIndex(name string) int {
	if index, isColumn := v.columns[name]; isColumn && v.spec.Columns[index].Sampler != nil {
		return index
	}
	return -1
}

// joinBetween has the samplers that stand between linked columns drawn with these: they read one, and another one reads them.
func (v *validation) joinBetween() {
	reads := edges(v.producers, v.references)
	reached := make([][]bool, len(reads))
	for i := range reads {
		reached[i] = reachable(reads, i)
	}
	for changed := true; changed; {
		changed = false
		for between := range reads {
			for _, first := range v.links.roots() {
				members := v.links.members(first)
				readsOne := slices.ContainsFunc(members, func(member int) bool { return reached[between][member] })
				isRead := slices.ContainsFunc(members, func(member int) bool { return reached[member][between] })
				if !readsOne || !isRead || slices.Contains(members, between) {
					continue
				}
				if v.spec.Columns[between].Sampler == nil {
					v.notRedrawn(first, between)
					return
				}
				v.links.join(-1, first, between)
				changed = true
			}
		}
	}
}

// notRedrawn reports a column between linked ones that is not drawn.
func (v *validation) notRedrawn(first, between int) {
	linked := v.links.constraintsOf(first)
	v.add(constraintField(linked[0]), ReasonCycle, "links columns that are drawn together until it holds, but the column %q, which is "+
		"not drawn, stands between them: it reads one of them, and another one reads it", v.spec.Columns[between].Name)
}

// dependTogether makes what one of the linked columns reads of others a dependency of all of them: each draws them all.
func (v *validation) dependTogether() {
	for _, root := range v.links.roots() {
		members := v.links.members(root)
		isMember := func(name string) bool {
			index, isColumn := v.producers[name]
			return isColumn && slices.Contains(members, index)
		}
		var outside []reference
		for _, member := range members {
			for _, read := range v.references[member] {
				if !isMember(read.name) {
					outside = append(outside, reference{name: read.name, field: read.field, decides: true})
				}
			}
		}
		for _, index := range v.links.constraintsOf(root) {
			if other := v.spec.Constraints[index].OtherColumn; other != "" && !isMember(other) {
				outside = append(outside, reference{name: other, field: constraintField(index) + ".otherColumn", decides: true})
			}
		}
		for _, member := range members {
			v.references[member] = append(v.references[member], outside...)
		}
	}
}

// contradictions reports the constraints that can never be met.
func (v *validation) contradictions(relations []constraint.Relation) {
	supports := map[string]constraint.Support{}
	for _, relation := range relations {
		for _, name := range []string{relation.Left, relation.Right} {
			if _, known := supports[name]; known || name == "" {
				continue
			}
			supports[name] = constraint.Support{}
			if spec := v.samplerOf(name); spec != nil {
				supports[name] = sampler.SupportOf(spec, v.samplerOf, v.spec.NumRecords)
			}
		}
	}
	for _, problem := range constraint.Contradictions(supports, relations) {
		v.add(problem.Path, ReasonInvalidValue, "%s", problem.Message)
	}
}
