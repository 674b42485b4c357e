package validation_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/validation"
	"seedloom.dev/seedloom/internal/golden"
)

// verdicts are snippets of a language with what a real tool says of them; hack/validators/corpus.py asks the tools.
type verdicts struct {
	Language string
	Tool     string
	Cases    []struct {
		Code  string
		Valid bool
		Says  string
		// Schema is what documents are judged by; of code there is none.
		Schema json.RawMessage
	}
}

// judging is the column that judges a snippet: one for all of a language, and one for each schema.
func judging(
	t *testing.T, language string, rules json.RawMessage, made map[string]*validation.Generator, checkers *validation.Checkers,
) *validation.Generator {
	t.Helper()
	key := language + string(rules)
	if known := made[key]; known != nil {
		return known
	}
	spec := &v1alpha1.Validation{Targets: []string{"text"}, Code: &v1alpha1.CodeValidator{Language: v1alpha1.ValidatedLanguage(language)}}
	if rules != nil {
		spec = &v1alpha1.Validation{Targets: []string{"text"}, JSONSchema: &v1alpha1.JSONSchemaValidator{Schema: &apiextensionsv1.JSON{Raw: rules}}}
	}
	generator, err := validation.New(validation.Config{Name: "check", Spec: spec, Schema: schema, Checkers: checkers})
	if err != nil {
		t.Fatal(err)
	}
	made[key] = generator
	return generator
}

func readVerdicts(t *testing.T) []verdicts {
	t.Helper()
	paths, err := filepath.Glob("testdata/corpus/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no snippets: %v", err)
	}
	var all []verdicts
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var read verdicts
		if err := json.Unmarshal(data, &read); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, read)
	}
	return all
}

// Validators say what the real tools say. Where they do not, the snippet is listed, so that a change of a parser shows.
func TestValidatorsAgreeWithTheRealTools(t *testing.T) {
	checkers := validation.NewCheckers(nil, nil)
	t.Cleanup(checkers.Close)
	var table, differences strings.Builder
	for _, language := range readVerdicts(t) {
		if len(language.Cases) < 40 {
			t.Errorf("%s has %d snippets; there must be 40", language.Language, len(language.Cases))
		}
		agreed, made := 0, map[string]*validation.Generator{}
		for _, snippet := range language.Cases {
			verdict, err := judging(t, language.Language, snippet.Schema, made, checkers).Generate(t.Context(), record(snippet.Code))
			if err != nil {
				t.Fatalf("%s: %q: %v", language.Language, snippet.Code, err)
			}
			if valid := verdict.([]any)[0]; valid == snippet.Valid {
				agreed++
			} else {
				says := verdict.([]any)[1]
				if snippet.Valid {
					says = fmt.Sprint("here: ", says)
				} else {
					says = fmt.Sprintf("%s: %s", language.Tool, snippet.Says)
				}
				fmt.Fprintf(&differences, "%s %q%s\n  %s\n", language.Language, snippet.Code, by(snippet.Schema), says)
			}
		}
		fmt.Fprintf(&table, "| `%s` | %s | %d | %d |\n", language.Language, language.Tool, len(language.Cases), agreed)
		if agreed*100 < 90*len(language.Cases) {
			t.Errorf("%s agrees with %s in %d of %d snippets only", language.Language, language.Tool, agreed, len(language.Cases))
		}
	}
	golden.Check(t, "testdata/corpus/differences.txt", differences.String(), "a validator says something else than it did")
	page, err := os.ReadFile("../../../docs/validation.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), table.String()) {
		t.Errorf("docs/validation.md does not have this table:\n%s", table.String())
	}
}

// by is the schema of a document for people.
func by(schema json.RawMessage) string {
	if schema == nil {
		return ""
	}
	var compact bytes.Buffer
	_ = json.Compact(&compact, schema) // which was read from JSON
	return " by " + compact.String()
}
