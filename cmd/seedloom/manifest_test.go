package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAValueOfAnotherTypeIsToldWithItsField(t *testing.T) {
	for name, test := range map[string]struct{ from, to, want string }{
		"a name that YAML takes for a truth": {"name: stars", "name: n", `wrong.yaml:8:12: error: spec.columns[0].name: YAML reads n as false; put quotes around it if a text is meant: "n"`},
		"a text for a number":                {"numRecords: 10", "numRecords: ten", "wrong.yaml:6:3: error: spec.numRecords: must be a whole number, but is a text"},
		"a fraction":                         {"numRecords: 10", "numRecords: 1.5", "spec.numRecords: must be a whole number, but is a number with a fraction"},
		"a list for an object":               {"sampler: {type", "sampler: [{type", "spec.columns[0].sampler: must be an object, but is a list"},
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
