package jinja_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"seedloom.dev/seedloom/engine/jinja"
)

func TestLimitsHold(t *testing.T) {
	for name, source := range map[string]string{
		"long loop":              "{% for i in range(10**9) %}x{% endfor %}",
		"nested loops":           "{% for i in range(10**4) %}{% for j in range(10**4) %}x{% endfor %}{% endfor %}",
		"huge list":              "{{ range(10**9)|list }}",
		"repeated text":          "{{ 'a'*100000*100000 }}",
		"repeated list":          "{{ [0] * 10**9 }}",
		"recursive macro":        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
		"doubling text":          "{% set ns = namespace(a='x') %}{% for i in range(60) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}",
		"doubling list":          "{% set ns = namespace(a=[1]) %}{% for i in range(60) %}{% set ns.a = ns.a + ns.a %}{% endfor %}",
		"list of itself printed": "{% set ns = namespace(a=[1]) %}{% for i in range(60) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a }}",
		"power of powers":        "{{ 10**(10**10) }}",
		"large product":          "{% set ns = namespace(a=10**1000) %}{% for i in range(100) %}{% set ns.a = ns.a * ns.a %}{% endfor %}",
		"percent width":          "{{ '%1000000000d' % 1 }}",
		"format width":           "{{ '{:1000000000}'.format(1) }}",
		"format precision":       "{{ '{:.1000000000f}'.format(1.0) }}",
		"center":                 "{{ 'a'.center(10**9) }}",
		"center filter":          "{{ 'a'|center(10**9) }}",
		"indent":                 "{{ 'a\nb'|indent(10**9) }}",
		"replace":                "{{ ('a'*100000)|replace('a', 'b'*100000) }}",
		"join":                   "{{ (range(100000)|list)|join('b'*100000) }}",
		"batch fill":             "{{ [1]|batch(10**9, 'x')|list }}",
		"slice filter":           "{{ [1]|slice(10**9)|list }}",
		"zfill":                  "{{ 'a'.zfill(10**9) }}",
		"output":                 "{% for i in range(100000) %}{{ 'x' * 1000 }}{% endfor %}",
		"wordwrap":               "{{ ('a' * 100000)|wordwrap(1, true, 'b'*100000) }}",
	} {
		t.Run(name, func(t *testing.T) {
			out, err := render(source, nil, jinja.UndefinedLenient)
			var failed *jinja.RenderError
			if !errors.As(err, &failed) || failed.Kind != jinja.KindLimit {
				t.Fatalf("got %d bytes and error %v, want a Limit error", len(out), err)
			}
		})
	}
}

func TestDeepSyntaxIsRefused(t *testing.T) {
	for name, source := range map[string]string{
		"parentheses": "{{ " + strings.Repeat("(", 10000) + "1" + strings.Repeat(")", 10000) + " }}",
		"lists":       "{{ " + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + " }}",
		"not":         "{{ " + strings.Repeat("not ", 10000) + "1 }}",
		"signs":       "{{ " + strings.Repeat("-", 10000) + "1 }}",
		"sums":        "{{ 1" + strings.Repeat("+1", 10000) + " }}",
		"ifs":         strings.Repeat("{% if 1 %}", 10000),
		"attributes":  "{{ a" + strings.Repeat(".a", 10000) + " }}",
		"filters":     "{{ a" + strings.Repeat("|list", 10000) + " }}",
		"else ifs":    "{% if 1 %}" + strings.Repeat("{% elif 1 %}", 10000) + "{% endif %}",
		"conditions":  "{{ " + strings.Repeat("1 if 1 else ", 10000) + "1 }}",
	} {
		var syntax *jinja.SyntaxError
		if _, err := jinja.Parse(source); !errors.As(err, &syntax) {
			t.Errorf("%s: got %v, want a syntax error", name, err)
		}
	}
}

func TestCancelledContextStopsRendering(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	template, err := jinja.Parse("{% for i in range(100000) %}{% endfor %}")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := template.Render(ctx, nil, jinja.Options{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
}

func TestSandboxRefusesUnderscoresAndLoading(t *testing.T) {
	for _, source := range []string{"{{ x.__class__ }}", "{{ x['__class__'] }}", "{{ x|attr('__class__') }}", "{{ '{0.__class__}'.format(x) }}"} {
		_, err := render(source, jinja.MapVars{"x": "text"}, jinja.UndefinedLenient)
		var failed *jinja.RenderError
		if !errors.As(err, &failed) || failed.Kind != jinja.KindSecurity {
			t.Errorf("%s: got %v, want a Security error", source, err)
		}
	}
	for _, source := range []string{"{% include 'x' %}", "{% import 'x' as y %}", "{% from 'x' import y %}", "{% extends 'x' %}"} {
		if _, err := jinja.Parse(source); err == nil || !strings.Contains(err.Error(), "can't load") {
			t.Errorf("%s: got %v, want a refusal", source, err)
		}
	}
}

func TestReferences(t *testing.T) {
	for source, want := range map[string]string{
		"{{ b }} {{ a.x }} {{ b }}":                                            "b a",
		"{% for i in items %}{{ i }}{{ loop.index }}{% endfor %}":              "items",
		"{% set x = y %}{{ x }}":                                               "y",
		"{% if a %}{% set x = 1 %}{% endif %}{{ x }}":                          "a x",
		"{% if a %}{% set x = 1 %}{% else %}{% set x = 2 %}{% endif %}{{ x }}": "a",
		"{% macro m(p, q=d) %}{{ p }}{{ g }}{% endmacro %}{{ m(z) }}":          "d g z",
		"{% with a = b %}{{ a }}{% endwith %}{{ a }}":                          "b a",
		"{{ x|default(y) }}{{ x is divisibleby z }}":                           "x y z",
		"{{ a[b:c] }}{{ {k: v} }}{{ f(*args, **named) }}":                      "a b c k v f args named",
		"{{ range(3) }}":               "range",
		"{% raw %}{{ a }}{% endraw %}": "",
	} {
		template, err := jinja.Parse(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if got := strings.Join(template.References(), " "); got != want {
			t.Errorf("%s: got %q, want %q", source, got, want)
		}
	}
}

func TestSyntaxErrorsNameTheLine(t *testing.T) {
	var syntax *jinja.SyntaxError
	_, err := jinja.Parse("a\n{{ x }}\n{% if y %}\n")
	if !errors.As(err, &syntax) || syntax.Line != 3 || !strings.Contains(syntax.Message, "endif") {
		t.Fatalf("got %v, want line 3 and the missing endif", err)
	}
}

func TestConcurrentRendering(t *testing.T) {
	template, err := jinja.Parse("{% for i in range(20) %}{{ i }}{{ name|upper }}{% endfor %}{{ '%d' % 3 }}")
	if err != nil {
		t.Fatal(err)
	}
	want, err := template.Render(context.Background(), jinja.MapVars{"name": "a"}, jinja.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 200 {
				got, err := template.Render(context.Background(), jinja.MapVars{"name": "a"}, jinja.Options{})
				if err != nil || got != want {
					t.Errorf("got %q and %v, want %q", got, err, want)
				}
			}
		})
	}
	group.Wait()
}

func TestAndKeepsTheTypeOfItsOperand(t *testing.T) {
	got, err := render("{{ n > 3 and [n, 1.5] }}", jinja.MapVars{"n": int64(7)}, jinja.UndefinedLenient)
	if err != nil || got != "[7, 1.5]" {
		t.Fatalf("got %s and %v", got, err)
	}
}

func FuzzRender(f *testing.F) {
	for _, source := range []string{"{{ a|map('upper')|list }}", "{% for i in a %}{{ loop.index }}{% endfor %}", "{{ '%5.2f' % 1.5 }}", "{{ a[::-1] }}", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"} {
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source string) {
		template, err := jinja.Parse(source)
		if err != nil {
			return
		}
		vars := jinja.MapVars{"a": jinja.FromGo([]any{"x", 1, nil}), "b": "text", "n": int64(3)}
		limits := jinja.Limits{Steps: 20000, OutputBytes: 1 << 16, MemoryBytes: 1 << 20}
		out, err := template.Render(context.Background(), vars, jinja.Options{Limits: limits})
		if err != nil && strings.Contains(err.Error(), "internal error") {
			t.Fatalf("panic: %v", err)
		}
		if len(out) > limits.OutputBytes {
			t.Fatalf("output of %d bytes", len(out))
		}
	})
}

func BenchmarkRender(b *testing.B) {
	source := strings.Repeat("Write a review of {{ title }} from {{ year }}, by {{ director }}. ", 10) +
		"{% for g in genres %}{{ g|upper }}, {% endfor %}{{ stars }}"
	template, err := jinja.Parse(source)
	if err != nil {
		b.Fatal(err)
	}
	vars := jinja.MapVars{"title": "Metropolis", "year": int64(1927), "director": "Fritz Lang", "stars": int64(5), "genres": jinja.FromGo([]any{"drama", "sf"})}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := template.Render(context.Background(), vars, jinja.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jinja.Parse("{% for g in genres if g %}{{ g|upper|default('x') }}, {% endfor %}{{ stars + 1 }}"); err != nil {
			b.Fatal(err)
		}
	}
}
