package sampler

import (
	"cmp"
	"fmt"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/people"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

var persons = family{
	name: v1alpha1.SamplerPerson, member: "person", isSet: isPerson, optional: true,
	validate: validatePerson,
	writeDefaults: func(s *v1alpha1.Sampler) {
		if s.Person == nil {
			s.Person = &v1alpha1.PersonSampler{}
		}
		people.WriteDefaults(s.Person)
	},
	kind:   always(table.KindStruct),
	typeOf: func(s *v1alpha1.Sampler) table.Type { return people.Type(s.Person) },
	draws:  drawPersons,
}

func isPerson(spec *v1alpha1.Sampler) bool { return spec.Person != nil }

func validatePerson(spec *v1alpha1.Sampler) []Violation {
	if spec.Person == nil {
		return nil
	}
	var violations []Violation
	for _, violation := range people.Validate(spec.Person) {
		violations = append(violations, Violation{"person." + violation.Field, violation.Message})
	}
	return append(violations, conditionalPeople(spec)...)
}

// conditionalPeople reports conditional parameters that speak of a dataset: all persons of a column have the same members.
func conditionalPeople(spec *v1alpha1.Sampler) []Violation {
	var violations []Violation
	for i := range spec.Conditional {
		variant, _ := family{member: "person", isSet: isPerson}.variant(spec, i)
		switch {
		case variant == nil:
		case spec.Person.Dataset != nil:
			violations = append(violations, Violation{fmt.Sprintf("conditional[%d]", i),
				"is not possible beside person.dataset: draw from the dataset in one column, and make persons up in another"})
		case variant.Person.Dataset != nil:
			violations = append(violations, Violation{fmt.Sprintf("conditional[%d].parameters.dataset", i),
				"is not possible: set person.dataset of the sampler itself"})
		}
	}
	return violations
}

func drawPersons(spec *v1alpha1.Sampler, in site) drawFunc {
	source, err := people.New(spec.Person, in.Seed, in.column, cmp.Or(in.People, people.NewLibrary()), in.Persons[in.column])
	if err != nil {
		return func(*random.Stream, *table.Record) (any, error) { return nil, err }
	}
	return func(stream *random.Stream, record *table.Record) (any, error) { return source.Draw(stream, record) }
}
