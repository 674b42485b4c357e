package jinja_test

import (
	"math/big"
	"testing"

	"seedloom.dev/seedloom/engine/jinja"
)

type values map[string]jinja.Value

func (v values) Lookup(name string) (jinja.Value, bool) {
	value, found := v[name]
	return value, found
}

// A number prints as it was written, and is a number for everything else.
func TestWrittenValues(t *testing.T) {
	vars := values{
		"version": jinja.NewWritten("3.10", 3.1), "code": jinja.NewWritten("1e5", 1e5), "yes": jinja.NewWritten("true", true), "no": jinja.NewWritten("FALSE", false),
		"price": jinja.NewDecimal("19.90", big.NewInt(1990), 2), "id": jinja.NewDecimal("1234567890123456789", big.NewInt(1234567890123456789), 0),
		"huge": jinja.NewDecimal("12345678901234567890.12", must("1234567890123456789012"), 2),
	}
	for template, want := range map[string]string{
		"{{ version }} {{ code }} {{ yes }} {{ no }} {{ price }} {{ id }} {{ huge }}":             "3.10 1e5 true FALSE 19.90 1234567890123456789 12345678901234567890.12",
		"{{ 'v' ~ version }} {{ version | string }} {{ [version] }}":                              "v3.10 3.10 [3.10]",
		"{% set v = version %}{{ v }} {{ version if yes else 0 }}":                                "3.10 3.10",
		"{{ version + 1 }} {{ version == 3.1 }} {{ version > 3 }} {{ version | int }}":            "4.1 True True 3",
		"{% if yes %}a{% endif %}{% if no %}b{% endif %}{{ not no }}":                             "aTrue",
		"{{ price * 3 }} {{ price + price }} {{ price - 20 }} {{ -price }}":                       "59.70 39.80 -0.10 -19.90",
		"{{ price / 2 }} {{ price > 19 }} {{ price == 19.9 }} {{ '%.1f' | format(price) }}":       "9.95 True True 19.9",
		"{{ id + 1 }} {{ id == 1234567890123456789 }} {{ id % 10 }}":                              "1234567890123456790 True 9",
		"{{ huge + 1 }} {{ huge > 12345678901234567890 }} {{ huge | tojson }}":                    "12345678901234567891.12 True 12345678901234567890.12",
		"{{ [price, 3, version] | sort }} {{ [price, price] | sum }} {{ price is number }}":       "[3, 3.10, 19.90] 39.80 True",
		"{{ version | round(1) }} {{ price | round }} {{ code | int }} {{ {3.1: 'x'}[version] }}": "3.1 20.0 100000 x",
	} {
		parsed, err := jinja.Parse(template)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parsed.Render(t.Context(), vars, jinja.Options{Undefined: jinja.UndefinedStrict})
		if err != nil || got != want {
			t.Errorf("%s\ngot  %s (%v)\nwant %s", template, got, err, want)
		}
	}
}

// A null of the data prints as nothing wherever it becomes a text, and is none for everything else.
func TestNulls(t *testing.T) {
	document, err := jinja.DecodeDocument([]byte(`{"a": null, "b": {"c": 1}, "l": [null]}`))
	if err != nil {
		t.Fatal(err)
	}
	vars := values{"n": jinja.Null, "doc": document, "text": `{"a": null}`}
	for template, want := range map[string]string{
		"[{{ n }}] [{{ n | string }}] [{{ n | upper }}] [{{ n ~ 'x' }}]":    "[] [] [] [x]",
		"{{ none }} {{ [n, none] }} {{ n | tojson }} {{ {'k': n} }}":        "None [None, None] null {'k': None}",
		"{{ n is none }} {{ n == none }} {{ n in [none] }} {{ not n }}":     "True True True True",
		"{{ n or 'else' }} {{ n | default('d', true) }} {{ n is defined }}": "else d True",
		"[{{ n.city }}] [{{ n['city'].zip }}] [{{ doc.a.x }}]":              "[] [] []",
		"[{{ doc.missing }}] [{{ doc.b.missing.more }}] {{ doc.b.c }}":      "[] [] 1",
		"{{ doc.missing is defined }} {{ doc.missing | default('d') }}":     "False d",
		"[{{ (text | fromjson).a }}] [{{ (text | fromjson).b }}]":           "[] []",
		"{{ doc.l }} {{ ['a', n] | join('-') }} {{ 'a b'.split(n) }}":       "[None] a- ['a', 'b']",
	} {
		parsed, err := jinja.Parse(template)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parsed.Render(t.Context(), vars, jinja.Options{Undefined: jinja.UndefinedStrict})
		if err != nil || got != want {
			t.Errorf("%s\ngot  %s (%v)\nwant %s", template, got, err, want)
		}
	}
	for _, template := range []string{"{{ n + 1 }}", "{% for x in n %}{% endfor %}", "{{ {'a': 1}.b }}"} {
		parsed, err := jinja.Parse(template)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parsed.Render(t.Context(), vars, jinja.Options{Undefined: jinja.UndefinedStrict}); err == nil {
			t.Errorf("%s is %q, and no error", template, got)
		}
	}
}

func must(text string) *big.Int {
	number, _ := new(big.Int).SetString(text, 10)
	return number
}
