package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/table"
)

// Skip says when cells of a column are left out, and what they hold then.
type Skip struct {
	// When is the template that decides; empty when cells are only skipped since others were.
	When string
	// Value is that of a skipped cell, in the type of the column.
	Value any
	// Propagates are the schema indexes of the columns that the column reads as data: where a cell of theirs was skipped in a row, this
	// column's is too. Ascending; nil when the column does not want that.
	Propagates []int
}

// skipField checks what a column says of skipping, and notes the columns that it reads for that.
func (v *validation) skipField(index int, field string) {
	column := &v.spec.Columns[index]
	if column.Skip == nil {
		return
	}
	row := rowOf(column)
	if row != nil && row.sampled {
		v.add(field, ReasonInvalidValue, "is not possible for samplers: what they draw costs nothing, and does not depend on other columns")
		return
	}
	v.skipWhen(index, field+".when", column.Skip.When)
	kind, err := columnType(column)
	if err != nil {
		return // said elsewhere
	}
	if _, problem := skipValue(column.Skip.Value, kind); problem != "" {
		v.add(field+".value", ReasonInvalidValue, "%s", problem)
	}
}

func (v *validation) skipWhen(index int, field, source string) {
	for _, name := range v.condition(field, source) {
		if producer, found := v.producers[name]; found && producer == index {
			v.add(field, ReasonCycle, "must not refer to %q, which is made only if the cell is not skipped", name)
			continue
		}
		v.references[index] = append(v.references[index], reference{name: name, field: field, decides: true})
	}
}

// condition parses a template that decides something of each row, and returns the columns that it reads.
func (v *validation) condition(field, source string) []string {
	if strings.TrimSpace(source) == "" {
		v.add(field, ReasonRequired, "must not be empty")
		return nil
	}
	condition, err := jinja.Parse(source)
	if err != nil {
		v.add(field, ReasonTemplateSyntax, "is not a valid template: %v", err)
		return nil
	}
	v.templates = append(v.templates, fieldTemplate{field, condition})
	names := v.columnReferences(condition.References())
	if len(names) == 0 {
		v.add(field, ReasonInvalidValue,
			"must refer to at least one other column, as in {{ stars > 2 }}, or it would decide the same for every row")
	}
	return names
}

// planSkip is what a valid column says of skipping; nil when none of its cells can ever be skipped.
func planSkip(plan *Plan, spec *v1alpha1.Column, references []reference) *Skip {
	skip := &Skip{}
	if spec.Skip != nil {
		skip.When = spec.Skip.When
		skip.Value, _ = skipValue(spec.Skip.Value, plan.Schema.Fields()[index(plan, spec.Name)].Type)
	}
	if spec.PropagatesSkip() {
		for _, read := range references {
			if !read.decides {
				skip.Propagates = append(skip.Propagates, index(plan, read.name))
			}
		}
		slices.Sort(skip.Propagates)
		skip.Propagates = slices.Compact(skip.Propagates)
	}
	return skip
}

// skippable removes, in topological order, what can never happen: a column is skipped only when it has a condition, or reads one that is.
func skippable(columns []*Column) {
	possible := map[int]bool{}
	for _, column := range columns {
		column.Skip.Propagates = slices.DeleteFunc(column.Skip.Propagates, func(index int) bool { return !possible[index] })
		if column.Skip.When == "" && len(column.Skip.Propagates) == 0 {
			column.Skip = nil
			continue
		}
		possible[column.Index] = true
		for _, index := range column.SideEffects {
			possible[index] = true
		}
	}
}

// skipValue is the value of a skipped cell in the type of its column, or what is wrong with it.
func skipValue(value *apiextensionsv1.JSON, kind table.Type) (any, string) {
	if value == nil || len(bytes.TrimSpace(value.Raw)) == 0 {
		return nil, ""
	}
	decoder := json.NewDecoder(bytes.NewReader(value.Raw))
	decoder.UseNumber()
	var decoded any
	if err := decoder.Decode(&decoded); err != nil {
		return nil, "is not valid JSON"
	}
	if decoded == nil {
		return nil, ""
	}
	switch decoded.(type) {
	case map[string]any, []any:
		return nil, "must be a text, a number, true, false or null"
	}
	if converted, converts := scalar(decoded, kind); converts {
		return converted, ""
	}
	return nil, fmt.Sprintf("%s can't be the value of a column of the type %s; null always can", value.Raw, kind)
}

// scalar converts what stands in JSON to a kind, where nothing is lost.
func scalar(value any, kind table.Type) (any, bool) {
	text := fmt.Sprint(value)
	if flag, isFlag := value.(bool); isFlag {
		text = map[bool]string{true: "True", false: "False"}[flag] // as templates print it
	}
	switch kind.Kind {
	case table.KindString:
		return text, !kind.Document
	case table.KindDate, table.KindTime, table.KindTimestamp, table.KindDecimal:
		parsed, err := table.Parse(kind, text)
		return parsed, err == nil
	case table.KindInt:
		if number, err := strconv.ParseInt(text, 10, 64); err == nil {
			return number, true
		}
		number, err := strconv.ParseFloat(text, 64)
		return int64(number), err == nil && number == math.Trunc(number) && math.Abs(number) < 1<<53
	case table.KindFloat:
		number, err := strconv.ParseFloat(text, 64)
		return number, err == nil && !math.IsNaN(number) && !math.IsInf(number, 0)
	case table.KindBool:
		switch strings.ToLower(text) {
		case "true", "yes", "1":
			return true, true
		case "false", "no", "0":
			return false, true
		}
	}
	return nil, false
}
