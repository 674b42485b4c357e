package structured_test

import (
	"strings"
	"testing"
)

func TestAFormHasTheFormOfItsSchema(t *testing.T) {
	for name, test := range map[string]struct {
		schema, want string
		whole        bool
	}{
		"fields in their order": {
			`{"type":"object","required":["z","a","ok"],"properties":{"a":{"type":"integer"},"z":{"type":"string"},"ok":{"type":"boolean"}}}`,
			`{"z":"<z>","a":<integer>,"ok":<true or false>}`, true},
		"descriptions": {`{"type":"object","required":["a","b"],"properties":{"a":{"type":"string","description":"A name,\n  in <b>full</b>"},"b":{"type":"number","description":"in cm"}}}`,
			`{"a":"<A name, in bfull/b>","b":<in cm, number>}`, true},
		"a long description": {`{"type":"object","required":["a"],"properties":{"a":{"type":"string","description":"` + strings.Repeat("x", 200) + `"}}}`,
			`{"a":"<` + strings.Repeat("x", 120) + `…>"}`, false},
		"optional": {`{"type":"object","properties":{"a":{"type":"string"},"n":{"type":"integer"}}}`, `{"a":"<a, or null>","n":<integer, or null>}`, true},
		"bounds": {`{"type":"object","required":["a","b","c"],"properties":{"a":{"type":"integer","minimum":1,"maximum":5},"b":{"type":"string","maxLength":80},"c":{"type":"number","minimum":0.5}}}`,
			`{"a":<integer, 1 to 5>,"b":"<b, at most 80 characters>","c":<number, at least 0.5>}`, true},
		"a pattern":          {`{"type":"object","required":["a"],"properties":{"a":{"type":"string","pattern":"^x"}}}`, `{"a":"<a>"}`, false},
		"options":            {`{"type":"object","required":["a","c"],"properties":{"a":{"enum":["x","y"]},"c":{"const":"k"}}}`, `{"a":"<one of: x, y>","c":"k"}`, true},
		"numbers as options": {`{"type":"object","required":["b"],"properties":{"b":{"enum":[1,2]}}}`, `{"b":1}`, false},
		"lists":              {`{"type":"array","items":{"type":"object","required":["n"],"properties":{"n":{"type":"number"}}}}`, `[{"n":<number>}]`, true},
		"lists of texts":     {`{"type":"object","required":["tags"],"properties":{"tags":{"type":"array","items":{"type":"string"}}}}`, `{"tags":["<tags>","<tags>"]}`, true},
		"bounded lists":      {`{"type":"object","required":["l"],"properties":{"l":{"type":"array","maxItems":3,"items":{"type":"string"}}}}`, `{"l":["<l>","<l>"]}`, false},
		"null or a text":     {`{"type":"object","required":["a"],"properties":{"a":{"anyOf":[{"type":"null"},{"type":"string"}]}}}`, `{"a":"<a, or null>"}`, true},
		"alternatives":       {`{"type":"object","required":["a"],"properties":{"a":{"anyOf":[{"type":"integer"},{"type":"string"}]}}}`, `{"a":<integer>}`, false},
		"references":         {`{"type":"object","required":["a"],"properties":{"a":{"$ref":"#/$defs/d"}},"$defs":{"d":{"type":"object","required":["x"],"properties":{"x":{"type":"string"}}}}}`, `{"a":{"x":"<x>"}}`, true},
		"formats":            {`{"type":"object","required":["a"],"properties":{"a":{"type":"string","format":"date"}}}`, `{"a":"<a, a date>"}`, true},
		"all of":             {`{"allOf":[{"type":"object","required":["b"],"properties":{"b":{"type":"string"}}},{"type":"object","required":["a"],"properties":{"a":{"type":"string"}}}]}`, `{"b":"<b>","a":"<a>"}`, false},
		"more members":       {`{"type":"object","required":["a"],"properties":{"a":{"type":"string"}},"additionalProperties":true}`, `{"a":"<a>"}`, false},
		"a free object":      {`{"type":"object","required":["a"],"properties":{"a":{"type":"object"}}}`, `{"a":{}}`, false},
		"said of the whole":  {`{"type":"object","description":"Of a shop.","required":["a"],"properties":{"a":{"type":"string"}}}`, `{"a":"<a>"}`, false},
	} {
		if got, whole := compile(t, []byte(test.schema)).Form(); string(got) != test.want || whole != test.whole {
			t.Errorf("%s: got %s, whole %v; want %s, %v", name, got, whole, test.want, test.whole)
		}
	}
}

func TestTheFormOfARecursiveSchemaEnds(t *testing.T) {
	schema := `{"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"v":{"type":"string"},"l":{"$ref":"#/$defs/n"},` +
		`"r":{"$ref":"#/$defs/n"}}}}}`
	if got, whole := compile(t, []byte(schema)).Form(); whole || len(got) > 4000 {
		t.Errorf("whole %v, %d bytes: %s", whole, len(got), got)
	}
}

func TestAnEchoIsNoAnswer(t *testing.T) {
	schema := compile(t, []byte(`{"type":"object","properties":{"name":{"type":"string"},"kind":{"enum":["a","b"]},"list":{"type":"array",`+
		`"items":{"type":"string"}}}}`))
	form, _ := schema.Form()
	for answer, words := range map[string]string{
		`{"type":"object","properties":{"name":{"type":"string"}}}`: "is the schema itself",
		`{"name":"<name, or null>"}`:                                "at name",
		`{"name":"x","kind":"<one of: a, b, or null>"}`:             "at kind",
		`{"name":"x","list":["y","<list>"]}`:                        "at list[1]",
		string(schema.Text()):                                       "is the schema itself",
		"```json\n" + string(form) + "\n```":                        "placeholder",
	} {
		if _, err := schema.Read(answer); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: got %v, want an error with %q", answer, err, words)
		}
	}
	if _, err := schema.Read(`{"name":"a <name> in a text"}`); err != nil {
		t.Error(err)
	}
}
