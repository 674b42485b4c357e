package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/progress/terminal"
)

// validated runs seedloom validate in this process, and returns what it prints.
func validated(t *testing.T, arguments ...string) (printed string, valid bool) {
	t.Helper()
	var out, log bytes.Buffer
	command := newRootCommand(&Streams{In: strings.NewReader(""), Out: &out, Log: terminal.NewOutput(&log)})
	command.SetArgs(append([]string{"validate"}, arguments...))
	err := command.ExecuteContext(t.Context())
	return out.String() + log.String(), err == nil
}

func TestSamplesAreValidExplainedAndListed(t *testing.T) {
	samples := "../../config/samples"
	index, err := os.ReadFile(filepath.Join(samples, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, pattern := range []string{"*.yaml", "*/*.yaml"} {
		paths, err := filepath.Glob(filepath.Join(samples, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(strings.TrimPrefix(path, samples+"/"), "/")
			if !strings.Contains(string(index), "("+first) {
				t.Errorf("config/samples/README.md does not list %s", first)
			}
			if !strings.Contains(string(data), "\nkind: DatasetGeneration\n") {
				continue
			}
			seen++
			if !strings.HasPrefix(string(data), "# ") {
				t.Errorf("%s does not begin with a comment that says what it shows", path)
			}
			if printed, valid := validated(t, path); !valid {
				t.Errorf("%s is not valid: %s", path, printed)
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d samples were found", seen)
	}
}

// TestSamplesCanBeAppliedTogether holds that no sample takes the place of what belongs to another one.
func TestSamplesCanBeAppliedTogether(t *testing.T) {
	if printed, valid := validated(t, "../../config/samples", "-R"); !valid {
		t.Errorf("all samples together are not valid: %s", printed)
	}
}

func TestTheManifestOfTheReadmeIsValid(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(readme), "```yaml\n")
	manifest, _, closed := strings.Cut(after, "```\n")
	if !found || !closed {
		t.Fatal("README.md has no manifest")
	}
	folder := t.TempDir()
	path := filepath.Join(folder, "tickets.yaml")
	if err := os.WriteFile(path, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "customers.csv"), []byte("product,age\nrouter,41\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if printed, valid := validated(t, path); !valid {
		t.Errorf("the manifest of README.md is not valid: %s", printed)
	}
}

func TestEveryPageIsInTheReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"../../docs/*.md", "../../docs/*/README.md", "../../hack/*/README.md"} {
		pages, err := filepath.Glob(pattern)
		if err != nil || len(pages) == 0 {
			t.Fatalf("%s: %d pages, %v", pattern, len(pages), err)
		}
		for _, page := range pages {
			if link := "(" + strings.TrimPrefix(page, "../../") + ")"; !strings.Contains(string(readme), link) {
				t.Errorf("README.md does not lead to %s", link)
			}
		}
	}
}
