package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAValueOfAnotherTypeIsToldWithItsField(t *testing.T) {
	for name, test := range map[string]struct{ from, to, want string }{
		"a name that YAML takes for a truth": {"name: stars", "name: n", "spec.columns.name: must be a text, but is true or false; in YAML y, n"},
		"a text for a number":                {"numRecords: 10", "numRecords: ten", "spec.numRecords: must be a whole number, but is of the type string"},
		"a fraction":                         {"numRecords: 10", "numRecords: 1.5", "spec.numRecords: must be a whole number, but is of the type number 1.5"},
		"a list for an object":               {"sampler: {type", "sampler: [{type", "spec.columns.sampler: must be an object, but is a list"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(localOnly, test.from, test.to, 1)
			if strings.HasPrefix(test.to, "sampler: [") {
				text = strings.Replace(text, "convertTo: int}}", "convertTo: int}]}", 1)
			}
			path := filepath.Join(t.TempDir(), "wrong.yaml")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			printed, valid := validated(t, path)
			if valid || !strings.Contains(printed, test.want) {
				t.Errorf("valid: %v; got %q, want %q", valid, printed, test.want)
			}
		})
	}
}
