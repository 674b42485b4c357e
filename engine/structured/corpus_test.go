package structured_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/engine/structured"
)

// theme is a file of answers that models have written, or might: testdata/answers.
type theme struct {
	Schema json.RawMessage
	Cases  []answerCase
}

type answerCase struct {
	Name   string
	Answer string
	// Schema is another one than that of the file.
	Schema json.RawMessage
	// Want is the document, as JSON; Error is a part of the message.
	Want, Error string
}

func themes(t testing.TB) map[string]theme {
	t.Helper()
	files, err := filepath.Glob("testdata/answers/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	found := map[string]theme{}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var read theme
		if err := yaml.UnmarshalStrict(data, &read); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i := range read.Cases {
			if read.Cases[i].Schema == nil {
				read.Cases[i].Schema = read.Schema
			}
		}
		found[strings.TrimSuffix(filepath.Base(name), ".yaml")] = read
	}
	return found
}

func compile(t testing.TB, document []byte) *structured.Schema {
	t.Helper()
	schema, problems := structured.Compile(document)
	if len(problems) > 0 {
		t.Fatalf("%s: %v", document, problems)
	}
	return schema
}

func TestDocumentsAreFoundInAnswers(t *testing.T) {
	count := 0
	for name, theme := range themes(t) {
		for _, test := range theme.Cases {
			count++
			t.Run(name+"/"+test.Name, func(t *testing.T) {
				schema := compile(t, test.Schema)
				document, err := schema.Document(test.Answer)
				value, readErr := schema.Read(test.Answer)
				if test.Error != "" {
					if readErr == nil || !strings.Contains(readErr.Error(), test.Error) {
						t.Fatalf("%q gives %v, %v; want an error with %q", test.Answer, value, readErr, test.Error)
					}
					return
				}
				if err != nil || readErr != nil {
					t.Fatalf("%q gives the errors %v and %v", test.Answer, err, readErr)
				}
				got, err := structured.Encode(document)
				if err != nil {
					t.Fatal(err)
				}
				var want any
				decoder := json.NewDecoder(strings.NewReader(test.Want))
				decoder.UseNumber()
				if err := decoder.Decode(&want); err != nil {
					t.Fatalf("want: %v", err)
				}
				if expected, _ := structured.Encode(want); string(got) != string(expected) {
					t.Fatalf("%q gives\n%s\nwant\n%s", test.Answer, got, expected)
				}
				again, err := schema.Document(string(got))
				if err != nil {
					t.Fatalf("what was read is not read again: %v", err)
				}
				if second, _ := structured.Encode(again); string(second) != string(got) {
					t.Errorf("what was read is read again as %s", second)
				}
			})
		}
	}
	if count < 150 {
		t.Errorf("only %d answers", count)
	}
	t.Logf("%d answers", count)
}
