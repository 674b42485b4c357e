package datadesigner_test

import (
	"fmt"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/datadesigner"
)

func TestMembersOfPersonsAreThoseThatTemplatesRead(t *testing.T) {
	const config = `
columns:
- {name: made, column_type: sampler, sampler_type: person_from_faker, params: {locale: en_US}}
- {name: kept, column_type: sampler, sampler_type: person, params: {locale: fr_FR, with_synthetic_personas: true}}
- name: a
  column_type: expression
  expr: "{{ made.state }}{{made['state']}} {{ made[\"state\"] }} {{ made.city }} {{ remade.state }} {{ made.states }}"
- {name: b, column_type: expression, expr: "{{ kept.persona }} {{ kept['district'] }} {{ kept.state }} {{ kept.persona }} {{ kept.age }}"}
`
	converted, err := datadesigner.Convert([]byte(config), datadesigner.Options{Name: "n", NumRecords: 1, ClaimName: "c"})
	if err != nil {
		t.Fatal(err)
	}
	columns := converted.Resource.Spec.Columns
	const read = `{{ made.region }}{{made['region']}} {{ made["region"] }} {{ made.city }} {{ remade.state }} {{ made.states }}`
	if got := columns[2].Expression.Expr; got != read {
		t.Errorf("got %s", got)
	}
	person := columns[1].Sampler.Person
	want := []v1alpha1.SeedColumn{{Name: "persona"}, {Name: "district"}, {Name: "state", From: "region"}}
	if got := person.Dataset.Members; fmt.Sprint(got) != fmt.Sprint(want) || person.Locale != "fr_FR" {
		t.Errorf("got %+v of %s", got, person.Locale)
	}
}
