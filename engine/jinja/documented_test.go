package jinja_test

import (
	"context"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/jinja"
)

// filterRow is a row of the table of filters: their names, what they give, an example and its result.
var filterRow = regexp.MustCompile("(?m)^\\| ((?:`[a-z_]+`(?:, )?)+) \\| .* \\| `(\\{\\{ .* \\}\\})` \\| `(.*)` \\|$")

func TestTheTableOfFiltersIsTrueAndComplete(t *testing.T) {
	page, err := os.ReadFile("../../docs/templates.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, row := range filterRow.FindAllStringSubmatch(string(page), -1) {
		for name := range strings.SplitSeq(row[1], ", ") {
			documented[strings.Trim(name, "`")] = true
		}
		source, want := strings.ReplaceAll(row[2], `\|`, "|"), strings.ReplaceAll(row[3], `\|`, "|")
		template, err := jinja.Parse(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		got, err := template.Render(context.Background(), jinja.MapVars{}, jinja.Options{
			Undefined: jinja.UndefinedStrict, Random: func(n int) int { return n - 1 },
		})
		if err != nil || got != want {
			t.Errorf("%s gives %q, %v; the page says %q", source, got, err, want)
		}
	}
	if missing := slices.DeleteFunc(jinja.FilterNames(), func(name string) bool { return documented[name] }); len(missing) > 0 {
		t.Errorf("the page does not have %v", missing)
	}
	for name := range maps.Keys(documented) {
		if !slices.Contains(jinja.FilterNames(), name) {
			t.Errorf("the page has %s, which is no filter", name)
		}
	}
}
