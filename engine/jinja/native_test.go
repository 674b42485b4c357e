package jinja_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
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

func TestPathsAreWhatATemplateReadsOfItsVariables(t *testing.T) {
	for source, want := range map[string]string{
		"{{ a }}":                                        "",
		"{{ a.b }} {{ a.b.c[0]['d'].e }}":                "a.b a.b.c.0.d.e",
		"{{ a.b(c.d) }} {{ a.b.items() }}":               "c.d a.b",
		"{{ a[i].b }} {{ a[b.c] }}":                      "b.c",
		"{% for x in a.list %}{{ x.y }}{% endfor %}":     "a.list",
		"{% set a = {'b': 1} %}{{ a.b }}":                "",
		"{{ a.b is defined }} {{ a.c | default('x') }}":  "?a.b ?a.c",
		"{{ a.b.c if a.b is defined else d.e | upper }}": "?a.b a.b.c d.e",
		"{% if a.b %}{{ [a.c, {'k': a.d}] }}{% endif %}": "a.b a.c a.d",
	} {
		template, err := jinja.Parse(source)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, path := range template.Paths() {
			text := path.Name
			if path.Guarded {
				text = "?" + text
			}
			for _, step := range path.Steps {
				text += fmt.Sprintf(".%v", step)
			}
			got = append(got, text)
		}
		// The order is that of the syntax tree; here it does not matter.
		slices.Sort(got)
		wanted := strings.Fields(want)
		slices.Sort(wanted)
		if !slices.Equal(got, wanted) {
			t.Errorf("%s: got %q, want %q", source, got, wanted)
		}
	}
}

func TestATemplateThatIsOneExpressionKeepsItsValue(t *testing.T) {
	vars := jinja.MapVars{"list": &jinja.List{Items: []jinja.Value{int64(1), "a"}}, "none": nil, "n": int64(3), "text": `{"a": [1, 2.5]}`}
	for source, want := range map[string]string{
		"{{ list }}":                 `[1,"a"]`,
		" {{ list }}\n":              `[1,"a"]`,
		"{{ none }}":                 `null`,
		"{{ n + 1 }}":                `4`,
		"{{ n }}{{ n }}":             `"33"`,
		"x":                          `"x"`,
		"{{ (text|fromjson).a[1] }}": `2.5`,
		"{{ text|fromjson }}":        `{"a":[1,2.5]}`,
		"{{ n if false }}":           `null`,
	} {
		template, err := jinja.Parse(source)
		if err != nil {
			t.Fatal(err)
		}
		value, err := template.Evaluate(t.Context(), vars, jinja.Options{Undefined: jinja.UndefinedStrict})
		got, _ := json.Marshal(value)
		if err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v; want %s", source, got, err, want)
		}
	}
}

func TestMembersOfDocumentsComeBeforeMethods(t *testing.T) {
	document, err := jinja.DecodeJSON([]byte(`{"items": [{"sku": "a1"}], "values": 1, "other": {"x": 1}, "s": "t"}`))
	if err != nil {
		t.Fatal(err)
	}
	vars := jinja.MapVars{"order": document}
	for source, want := range map[string]string{
		"{{ order.items[0].sku }}":                                         "a1",
		"{{ order.values }}":                                               "1",
		"{% for i in order.items %}{{ i.sku }}{% endfor %}":                "a1",
		"{% for k, v in order.other.items() %}{{ k }}={{ v }}{% endfor %}": "x=1",
		"{{ order.keys()|list|length }}":                                   "4",
		"{{ order['items'][0].sku }}":                                      "a1",
		"{{ order.items()|list|length }}":                                  "4",
	} {
		if got, err := render(source, vars, jinja.UndefinedStrict); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", source, got, err, want)
		}
	}
	for _, source := range []string{"{{ order.keys }}", "{% for i in order.other.items %}{% endfor %}", "{{ order.s.upper }}", "{{ order.other.get ~ 'x' }}", "{{ [1].append|upper }}"} {
		if got, err := render(source, vars, jinja.UndefinedStrict); err == nil || !strings.Contains(err.Error(), "is not called") {
			t.Errorf("%s: got %q, %v; want an error that says what is not called", source, got, err)
		}
	}
}

func TestWhatTemplatesDoNotHaveIsFoundBeforeTheyAreRendered(t *testing.T) {
	for source, want := range map[string]string{
		"{{ x | shout }}":             "no filter named 'shout'",
		"{{ x.encode('utf-8') }}":     "the method encode() is not available in templates: texts stay texts",
		"{{ 'a\tb'.expandtabs(2) }}":  "the method expandtabs() is not available",
		"{{ x.a.translate({}) | e }}": "the method translate() is not available",
	} {
		if _, err := jinja.Parse(source); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", source, err, want)
		}
	}
	vars := jinja.MapVars{"x": jinja.NewDict()}
	for source, want := range map[string]string{
		`{{ "" | indent(2, true) }}`:                   "  ",
		`{{ "a\r\nb\n" | indent(2) }}`:                 "a\n  b\n",
		`{{ "a\n\nb" | indent(2, true, true) }}`:       "  a\n  \n  b",
		`{{ "a\n\nb" | indent("> ", blank=true) }}`:    "a\n> \n> b",
		`{{ x.encode | default("a member, if any") }}`: "a member, if any",
	} {
		template, err := jinja.Parse(source)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := template.Render(t.Context(), vars, jinja.Options{}); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", source, got, err, want)
		}
	}
}
