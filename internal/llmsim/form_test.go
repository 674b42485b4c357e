package llmsim

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAFormIsReadAsTheSchemaThatItStandsFor(t *testing.T) {
	for form, want := range map[string]string{
		`{"name":"<the name, at most 80 characters>","age":<years, integer, 1 to 120>,"ok":<true or false>}`: `{"type":"object",
			"required":["age","name","ok"],"properties":{"name":{"type":"string","maxLength":80},
			"age":{"type":"integer","minimum":1,"maximum":120},"ok":{"type":"boolean"}}}`,
		`{"kind":"<one of: a, b c, or null>","day":"<day, a date>","n":<number, at least 0.5, or null>,"k":"fixed"}`: `{"type":"object",
			"required":["day","k","kind","n"],"properties":{"kind":{"enum":["a","b c"]},"day":{"type":"string","format":"date"},
			"n":{"type":"number","minimum":0.5},"k":{"const":"fixed"}}}`,
		`{"tags":["<tags>","<tags>"],"numbers":[<integer>,<integer>],"inner":{"x":"<x>"}}`: `{"type":"object",
			"required":["inner","numbers","tags"],"properties":{"tags":{"type":"array","items":{"type":"string"}},
			"numbers":{"type":"array","items":{"type":"integer"}},
			"inner":{"type":"object","required":["x"],"properties":{"x":{"type":"string"}}}}}`,
		`{"plain": "no form"}`: `null`,
		`no JSON <at all>`:     `null`,
	} {
		var expected map[string]any
		if err := json.Unmarshal([]byte(want), &expected); err != nil {
			t.Fatal(err)
		}
		if difference := cmp.Diff(expected, formIn("Answer in this form:\n```json\n"+form+"\n```")); difference != "" {
			t.Errorf("%s: %s", form, difference)
		}
	}
}
