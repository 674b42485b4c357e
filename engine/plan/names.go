package plan

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"seedloom.dev/seedloom/engine/jinja"
)

// columnName reports a name that templates can't use, or that readers don't tell from another one.
func (v *validation) columnName(index int, field string) {
	name := v.spec.Columns[index].Name
	switch {
	case name == "":
		v.add(field, ReasonRequired, "a column needs a name")
		return
	case !columnName.MatchString(name):
		v.add(field, ReasonInvalidName, "%q can't be used in templates: a name starts with a letter and holds only letters, digits and '_'", name)
	case jinja.IsReserved(name):
		v.add(field, ReasonInvalidName, "%q is a word of the template language, so that no template can read the column: rename it", name)
	case v.columns[name] != index:
		v.add(field, ReasonDuplicateColumn, "spec.columns[%d] is called %q too", v.columns[name], name)
	default:
		if other, found := v.sameButForCase(name, index); found {
			v.add(field, ReasonDuplicateColumn, "spec.columns[%d] is called %q, which %s", other, v.spec.Columns[other].Name, caseAlone)
		}
	}
	v.seedClash(field, name)
}

// caseAlone says why two names may not differ in their case alone.
const caseAlone = "differs in nothing but upper and lower case, which DuckDB, Spark and others don't tell apart: rename one of them"

// sameButForCase returns the first column before one whose name differs in nothing but upper and lower case.
func (v *validation) sameButForCase(name string, before int) (int, bool) {
	for i := range v.spec.Columns[:before] {
		other := v.spec.Columns[i].Name
		if other != name && strings.EqualFold(other, name) {
			return i, true
		}
	}
	return 0, false
}

// seedClash reports a name that a column of the seed has.
func (v *validation) seedClash(field, name string) {
	for _, seedName := range v.seedNames {
		switch {
		case seedName == name:
			v.add(field, ReasonSeedColumnClash, "the seed has a column %q too: rename this one", name)
		case strings.EqualFold(seedName, name):
			v.add(field, ReasonSeedColumnClash, "the seed has a column %q, which %s", seedName, caseAlone)
		}
	}
}

// sideEffectNames reports side-effect columns whose names are taken.
func (v *validation) sideEffectNames(index int) {
	column := &v.spec.Columns[index]
	configured := kindsOf(column)
	if len(configured) != 1 {
		return
	}
	for _, effect := range sideEffects(column) {
		field := fmt.Sprintf("spec.columns[%d].%s.%s", index, configured[0], effect.setting)
		sameName := func(name string) bool { return strings.EqualFold(name, effect.Name) }
		for other := range v.spec.Columns {
			switch name := v.spec.Columns[other].Name; {
			case name == effect.Name:
				v.add(field, ReasonDuplicateColumn, "adds a column %q, but spec.columns[%d] is called so: rename it", effect.Name, other)
			case sameName(name):
				v.add(field, ReasonDuplicateColumn, "adds a column %q, but spec.columns[%d] is called %q: rename it", effect.Name, other, name)
			}
		}
		if clash := slices.IndexFunc(v.seedNames, sameName); clash >= 0 {
			v.add(field, ReasonSeedColumnClash, "adds a column %q, but the seed has a column %q: rename column %q", effect.Name, v.seedNames[clash],
				column.Name)
		}
	}
}

// formNames reports columns of another form of the rows whose names readers don't tell apart.
func (v *validation) formNames(field string, names []string) {
	seen := map[string]string{}
	for _, name := range names {
		folded := strings.ToLower(name)
		if other, taken := seen[folded]; taken && other != name {
			v.add(field, ReasonDuplicateColumn, "the members %q and %q %s", other, name, strings.Replace(caseAlone, "differs", "differ", 1))
		}
		seen[folded] = name
	}
}

// processorName is what a processor may be called: the name of its folder. The custom resource has the same pattern.
var processorName = regexp.MustCompile(`^[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`)

// maxProcessorName bounds the length of a processor's name.
const maxProcessorName = 63
