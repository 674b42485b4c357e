package structured_test

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestAnExampleHasTheFormOfItsSchema(t *testing.T) {
	for name, test := range map[string]struct{ schema, want string }{
		"fields in their order": {
			`{"type":"object","required":["z"],"properties":{"a":{"type":"integer"},"z":{"type":"string"},"ok":{"type":"boolean"}}}`,
			`{"z":"<z>","a":0,"ok":true}`},
		"descriptions": {`{"type":"object","properties":{"a":{"type":"string","description":"A name,\n  in <b>full</b>"}}}`, `{"a":"<A name, in bfull/b>"}`},
		"options":      {`{"type":"object","properties":{"a":{"enum":["x","y"]},"b":{"enum":[1,2]},"c":{"const":"k"}}}`, `{"a":"<one of: x, y>","b":1,"c":"k"}`},
		"lists":        {`{"type":"array","items":{"type":"object","properties":{"n":{"type":"number","minimum":2}}}}`, `[{"n":2}]`},
		"alternatives": {`{"type":"object","properties":{"a":{"anyOf":[{"type":"null"},{"type":"string"}]}}}`, `{"a":"<a>"}`},
		"references":   {`{"type":"object","properties":{"a":{"$ref":"#/$defs/d"}},"$defs":{"d":{"type":"object","properties":{"x":{"type":"string"}}}}}`, `{"a":{"x":"<x>"}}`},
		"nullable":     {`{"type":"object","properties":{"a":{"type":"string","nullable":true}}}`, `{"a":"<a>"}`},
		"formats":      {`{"type":"object","properties":{"a":{"type":"string","format":"date"}}}`, `{"a":"<a, a date>"}`},
		"all of":       {`{"allOf":[{"type":"object","required":["b"],"properties":{"b":{"type":"string"}}},{"type":"object","properties":{"a":{"type":"string"}}}]}`, `{"b":"<b>","a":"<a>"}`},
	} {
		if got := string(compile(t, []byte(test.schema)).Example()); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

func TestAnExampleOfARecursiveSchemaEnds(t *testing.T) {
	schema := `{"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"v":{"type":"string"},"l":{"$ref":"#/$defs/n"},` +
		`"r":{"$ref":"#/$defs/n"}}}}}`
	if got := compile(t, []byte(schema)).Example(); !json.Valid(got) || len(got) > 4000 {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}

func TestAnEchoIsNoAnswer(t *testing.T) {
	schema := compile(t, []byte(`{"type":"object","properties":{"name":{"type":"string"},"kind":{"enum":["a","b"]},"list":{"type":"array",`+
		`"items":{"type":"string"}}}}`))
	for answer, words := range map[string]string{
		`{"type":"object","properties":{"name":{"type":"string"}}}`: "is the schema itself",
		`{"name":"<name>"}`:                              "at name",
		`{"name":"x","kind":"<one of: a, b>"}`:           "at kind",
		`{"name":"x","list":["y","<list>"]}`:             "at list[1]",
		string(schema.Text()):                            "is the schema itself",
		"```json\n" + string(schema.Example()) + "\n```": "placeholder",
	} {
		if _, err := schema.Read(answer); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: got %v, want an error with %q", answer, err, words)
		}
	}
	if _, err := schema.Read(`{"name":"a <name> in a text"}`); err != nil {
		t.Error(err)
	}
}
