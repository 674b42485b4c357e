package jinja_test

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"seedloom.dev/seedloom/engine/jinja"
)

type corpus struct {
	Context json.RawMessage `json:"ctx"`
	Cases   []corpusCase    `json:"cases"`
}

type corpusCase struct {
	Source       string `json:"src"`
	OK           bool   `json:"ok"`
	Output       string `json:"out"`
	StrictOK     bool   `json:"sok"`
	StrictOutput string `json:"sout"`
}

// refused lists the snippets that Jinja2 renders and that our sandbox refuses on purpose.
var refused = map[string]string{
	"{{ ''.__class__.__mro__[1].__subclasses__() }}": "names that begin with '_' lead out of the sandbox",
}

func loadCorpus(t *testing.T, path string) corpus {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var loaded corpus
	if err := json.Unmarshal(data, &loaded); err != nil {
		t.Fatal(err)
	}
	return loaded
}

// contextVars decodes afresh for every rendering, since templates can change lists.
func contextVars(t *testing.T, data []byte) jinja.MapVars {
	t.Helper()
	value, err := jinja.DecodeJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	dict := value.(*jinja.Dict)
	vars := jinja.MapVars{}
	for _, key := range dict.Keys() {
		vars[key.(string)], _ = dict.Get(key)
	}
	return vars
}

func render(source string, vars jinja.Vars, mode jinja.UndefinedMode) (string, error) {
	template, err := jinja.Parse(source)
	if err != nil {
		return "", err
	}
	return template.Render(context.Background(), vars, jinja.Options{Undefined: mode})
}

func TestCorpusAgreesWithJinja2(t *testing.T) {
	for _, path := range []string{"testdata/jinja-cases.json", "testdata/more-cases.json", "testdata/grammar-cases.json"} {
		loaded := loadCorpus(t, path)
		if len(loaded.Cases) < 100 {
			t.Fatalf("%s has %d cases; it must have at least 100", path, len(loaded.Cases))
		}
		for _, c := range loaded.Cases {
			for _, mode := range []struct {
				name   string
				mode   jinja.UndefinedMode
				ok     bool
				output string
			}{{"lenient", jinja.UndefinedLenient, c.OK, c.Output}, {"strict", jinja.UndefinedStrict, c.StrictOK, c.StrictOutput}} {
				got, err := render(c.Source, contextVars(t, loaded.Context), mode.mode)
				if reason, deliberate := refused[c.Source]; deliberate {
					if err == nil {
						t.Errorf("%s: %q rendered %q; it must be refused: %s", mode.name, c.Source, got, reason)
					}
					continue
				}
				if (err == nil) != mode.ok {
					t.Errorf("%s: %q: got %q, error %v; Jinja2 has ok=%v %q", mode.name, c.Source, got, err, mode.ok, mode.output)
				} else if err == nil && got != mode.output {
					t.Errorf("%s: %q:\n got %q\nwant %q", mode.name, c.Source, got, mode.output)
				}
			}
		}
	}
}
