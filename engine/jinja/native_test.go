package jinja_test

import (
	"testing"

	"seedloom.dev/seedloom/engine/jinja"
)

func TestAConditionHoldsByItsValue(t *testing.T) {
	vars := jinja.MapVars{"stars": int64(3), "none": nil, "text": "x", "no": "False", "zero": int64(0), "empty": &jinja.List{}, "blank": "  "}
	cases := map[string]bool{
		"{{ stars > 2 }}": true, "{{ stars > 3 }}": false, "{{ stars }}": true, "{{ zero }}": false, "{{ none }}": false, "{{ text }}": true,
		"{{ empty }}": false, "{{ blank }}": false, "{{ no }}": false, "{{ not stars }}": false, "\n {{ stars == 3 }}\n": true,
		"{% if stars > 2 %}True{% endif %}": true, "{% if stars > 3 %}True{% endif %}": false, "{% if stars > 3 %}yes{% else %}False{% endif %}": false,
		"{{ stars }}{{ zero }}": true, "{{ zero }}{# zero #}": false, "{% set a = 0 %}{{ a }}": false, "{{ none is none }}": true, "{{ missing is defined }}": false,
		"{{ missing or stars }}": false, "{{ missing }}": false, "{{ stars.nothing }}": false, "{{ stars / zero }}": false,
	}
	fails := map[string]bool{"{{ missing or stars }}": true, "{{ missing }}": true, "{{ stars.nothing }}": true, "{{ stars / zero }}": true}
	for source, want := range cases {
		condition, err := jinja.ParseCondition(source)
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		holds, err := condition.Holds(t.Context(), vars, jinja.Options{Undefined: jinja.UndefinedStrict})
		if holds != want || (err != nil) != fails[source] {
			t.Errorf("%s is %t, %v; want %t", source, holds, err, want)
		}
	}
	if _, err := jinja.ParseCondition("{{ stars > }}"); err == nil {
		t.Error("a condition that does not parse was taken")
	}
}
