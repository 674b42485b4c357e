package sampler

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	sigsjson "sigs.k8s.io/json"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

// conditionLimits are those of conditions, which are evaluated for each cell.
var conditionLimits = jinja.Limits{Steps: 20_000, OutputBytes: 64 << 10, MemoryBytes: 4 << 20}

// choice is what is drawn from where a condition holds.
type choice struct {
	when *jinja.Condition
	draw drawFunc
}

// choose returns what a record's value is drawn from.
func (s *Sampler) choose(ctx context.Context, record *table.Record) (drawFunc, error) {
	options := column.TemplateOptions(s.conditions, record)
	options.Limits = conditionLimits
	for i, choice := range s.choices {
		holds, err := choice.when.Holds(ctx, column.Vars(record), options)
		if err != nil {
			return nil, failure.Wrap(err, v1alpha1.ReasonTemplateError, failure.DropRow, "the sampler of column %q: conditional[%d].when",
				s.name, i)
		}
		if holds {
			return choice.draw, nil
		}
	}
	return s.draw, nil
}

// inConditional is the path of a field of the type's parameters where these are the conditional ones with a number.
func (f family) inConditional(number int, field string) string {
	at := fmt.Sprintf("conditional[%d].parameters", number)
	if len(field) > len(f.member) && field[:len(f.member)] == f.member {
		return at + field[len(f.member):]
	}
	return at
}

// validateConditional looks at the conditional parameters of a sampler.
func (f family) validateConditional(spec *v1alpha1.Sampler) []Violation {
	var violations []Violation
	for i := range spec.Conditional {
		variant, problems := f.variant(spec, i)
		if variant != nil {
			problems = f.validate(variant)
			if spec.Category.IsBalanced() || variant.Category.IsBalanced() {
				problems = append(problems, Violation{"category.balance",
					"can't be Exact where parameters are conditional: how many rows have which is not known"})
			}
		}
		if variant != nil && variant.Category.TakesValues() {
			problems = append(problems, Violation{"category.valuesOf", "is not possible: conditional parameters have values of their own"})
		}
		for _, problem := range problems {
			violations = append(violations, Violation{f.inConditional(i, problem.Field), problem.Message})
		}
	}
	return violations
}

// variant is the sampler with the conditional parameters with a number; nil where they are not of the type's form.
func (f family) variant(spec *v1alpha1.Sampler, number int) (*v1alpha1.Sampler, []Violation) {
	parameters := spec.Conditional[number].Parameters
	if parameters == nil || len(parameters.Raw) == 0 {
		return nil, []Violation{{f.member, fmt.Sprintf("is required: what %s has, for the rows where the condition holds", f.member)}}
	}
	data, err := json.Marshal(map[string]json.RawMessage{f.member: parameters.Raw})
	if err != nil {
		return nil, []Violation{{f.member, "is not valid JSON"}}
	}
	variant := &v1alpha1.Sampler{}
	unknown, err := sigsjson.UnmarshalStrict(data, variant)
	if err != nil {
		return nil, []Violation{{f.member, fmt.Sprintf("is not of the form of %s: %v", f.member, err)}}
	}
	var violations []Violation
	for _, problem := range unknown {
		violations = append(violations, Violation{f.member, fmt.Sprintf("is not of the form of %s: %v", f.member, problem)})
	}
	if len(violations) == 0 && !f.isSet(variant) {
		violations = []Violation{{f.member, fmt.Sprintf("must be an object, as %s is", f.member)}}
	}
	if len(violations) > 0 {
		return nil, violations
	}
	variant.Type, variant.ConvertTo, variant.Format, variant.TimeZone = spec.Type, spec.ConvertTo, spec.Format, spec.TimeZone
	return variant, nil
}

// variants are the sampler with each of its conditional parameters, which are valid.
func (f family) variants(spec *v1alpha1.Sampler) []*v1alpha1.Sampler {
	var variants []*v1alpha1.Sampler
	for i := range spec.Conditional {
		if variant, _ := f.variant(spec, i); variant != nil {
			variants = append(variants, variant)
		}
	}
	return variants
}

// writeVariants writes the defaults of the conditional parameters of a sampler.
func (f family) writeVariants(spec *v1alpha1.Sampler) {
	for i, variant := range f.variants(spec) {
		f.writeDefaults(variant)
		members := map[string]json.RawMessage{}
		if data, err := json.Marshal(variant); err == nil && json.Unmarshal(data, &members) == nil {
			spec.Conditional[i].Parameters.Raw = members[f.member]
		}
	}
}

// commonKind is the kind of a valid sampler's values, whichever of its parameters they are drawn with.
func (f family) commonKind(spec *v1alpha1.Sampler) table.Kind {
	kind := f.kind(spec)
	for _, variant := range f.variants(spec) {
		switch other := f.kind(variant); {
		case other == kind:
		case kind == table.KindInt && other == table.KindFloat, kind == table.KindFloat && other == table.KindInt:
			kind = table.KindFloat
		default:
			kind = table.KindString
		}
	}
	return kind
}

// choices are what a valid sampler draws from under conditions.
func (f family) choices(spec *v1alpha1.Sampler, kind table.Kind, in site) ([]choice, error) {
	var choices []choice
	for i, variant := range f.variants(spec) {
		when, err := jinja.ParseCondition(spec.Conditional[i].When)
		if err != nil {
			return nil, failure.Wrap(err, v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: sampler.conditional[%d].when", in.column, i)
		}
		choices = append(choices, choice{when: when, draw: f.drawsAs(variant, kind, in)})
	}
	return choices, nil
}

// drawsAs draws values of a kind, which those of the other parameters have too.
func (f family) drawsAs(spec *v1alpha1.Sampler, kind table.Kind, in site) drawFunc {
	draw := f.draws(spec, in)
	if f.kind(spec) == kind {
		return draw
	}
	return func(stream *random.Stream, record *table.Record) (any, error) {
		value, err := draw(stream, record)
		return ofKind(value, kind), err
	}
}

// ofKind is a number as one of a wider kind.
func ofKind(value any, kind table.Kind) any {
	integer, isInt := value.(int64)
	float, isFloat := value.(float64)
	switch {
	case isInt && kind == table.KindFloat:
		return float64(integer)
	case isInt && kind == table.KindString:
		return strconv.FormatInt(integer, 10)
	case isFloat && kind == table.KindString:
		return formatFloat(float)
	}
	return value
}
