package jinja_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/jinja"
)

func TestFiltersOfPrompts(t *testing.T) {
	vars := jinja.MapVars{"text": "Tea, tea and\nTEA", "null": jinja.Null, "wide": "日本語のお茶を飲みます", "long": strings.Repeat("green tea ", 100)}
	for source, want := range map[string]string{
		"{{ text | regex_replace('tea', 'milk') }}":                                   "Tea, milk and\nTEA",
		"{{ text | regex_replace('tea', 'milk', true) }}":                             "milk, milk and\nmilk",
		"{{ text | regex_replace('^t', 'm', ignorecase=true, multiline=true) }}":      "mea, tea and\nmEA",
		"{{ text | regex_replace('(?P<a>T)(e)', '<\\\\g<a>$1\\\\2>') }}":              "<T$1e>a, tea and\nTEA",
		"{{ text | regex_replace('\\\\s+') }}":                                        "Tea,teaandTEA",
		"{{ 'abc' | regex_replace('', '-') }}":                                        "-a-b-c-",
		"{{ null | regex_replace('a', 'b') }}":                                        "",
		"{{ text | regex_search('nothing') is none }}":                                "True",
		"{{ text | regex_search('(t)(e)') }}":                                         "['t', 'e']",
		"{{ text | regex_search('t(e)') }}":                                           "e",
		"{{ text | regex_findall('t(e)(a)', ignorecase=true) | map('join') | list }}": "['ea', 'ea', 'EA']",
		"{{ 'tea' | truncate_tokens(1) }}":                                            "tea",
		"{{ 'a b c d e f g h' | truncate_tokens(6) }}":                                "a b c...",
		"{{ 'a b c d e f g h' | truncate_tokens(6, '') }}":                            "a b c d e f",
		"{{ wide | truncate_tokens(6, '') }}":                                         "日本語のお茶",
		"{{ (long | truncate_tokens(30)).split() | length }}":                         "18",
		"{{ '' | truncate_tokens(0, '') }}":                                           "",
		"{{ '\\n    a\\n\\n  \\t\\n      b\\n' | dedent }}":                           "\na\n\n\n  b\n",
		"{{ '\\ta\\n  b' | dedent }}":                                                 "\ta\n  b",
	} {
		if got, err := render(source, vars, jinja.UndefinedStrict); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", source, got, err, want)
		}
	}
	for source, want := range map[string]string{
		"{{ text | regex_replace('(', 'b') }}":                   "no regular expression of RE2",
		"{{ text | regex_search('a(?=b)') }}":                    "no look-around",
		"{{ text | regex_search('a' * 2000) }}":                  "the pattern has 2000 bytes",
		"{{ text | regex_search() }}":                            "pattern",
		"{{ 'a b c d e f' | truncate_tokens(2) }}":               "below that of the end, 3",
		"{{ [1, 2] | shuffle }}":                                 "not available here",
		"{{ ('a' * 1000000) | regex_findall('') }}":              "more than 100000 times",
		"{{ ('a' * 1000000) | regex_replace('a', 'b' * 1000) }}": "more than",
	} {
		if got, err := render(source, vars, jinja.UndefinedStrict); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %.60q, %v; want an error with %q", source, got, err, want)
		}
	}
}

// A sample has so many different items, and every order of items comes about as often as any other.
func TestShuffleAndSampleAreFair(t *testing.T) {
	template, err := jinja.Parse("{{ [1, 2, 3] | shuffle | join }} {{ [1, 2, 3] | sample(2) | join }} {{ 'ab' | sample(9) | length }}")
	if err != nil {
		t.Fatal(err)
	}
	drawn := rand.New(rand.NewPCG(1, 2))
	counts := map[string]int{}
	const rounds = 6000
	for range rounds {
		text, err := template.Render(context.Background(), jinja.MapVars{}, jinja.Options{Random: drawn.IntN})
		if err != nil {
			t.Fatal(err)
		}
		words := strings.Fields(text)
		counts["shuffle "+words[0]]++
		counts["sample "+words[1]]++
		if words[2] != "2" {
			t.Fatalf("a sample of more than there is has %s items", words[2])
		}
	}
	for order, count := range counts {
		if count < rounds/6-150 || count > rounds/6+150 {
			t.Errorf("%s came %d times of %d", order, count, rounds)
		}
	}
	if len(counts) != 12 {
		t.Errorf("there are %d orders: %v", len(counts), counts)
	}
}

// Whatever a text is, the work on it is bounded: without a bound, some of these would not end.
func TestFiltersOfPromptsAreBounded(t *testing.T) {
	vars := jinja.MapVars{}
	for name, text := range map[string]string{
		"letters": strings.Repeat("a", 1<<17), "spaces": strings.Repeat(" ", 1<<17), "brackets": strings.Repeat("(", 1<<17),
		"closing": strings.Repeat(")", 1<<17), "zeros": strings.Repeat("\x00", 1<<15), "not UTF-8": strings.Repeat("\xff", 1<<15),
		"addresses": strings.Repeat("http://a.com ", 1<<13), "points": "http://" + strings.Repeat("a.", 1<<16), "lines": strings.Repeat("\n", 1<<15),
	} {
		vars["text"] = text
		for _, call := range []string{"urlize", "dedent", "truncate_tokens", "regex_replace('(a|a)*b', 'x')", "regex_findall('a{1,1000}')", "regex_search('((a*)*)*c')"} {
			_, err := render(fmt.Sprintf("{{ (text | %s) is defined }}", call), vars, jinja.UndefinedStrict)
			if err != nil && !strings.Contains(err.Error(), "the pattern is found more than 100000 times") {
				t.Errorf("%s of %s: %v", call, name, err)
			}
		}
	}
}
