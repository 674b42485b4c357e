package structured_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/structured"
)

func TestProblemsOfSchemasAreAllTold(t *testing.T) {
	for name, test := range map[string]struct {
		schema string
		want   []string // parts of "path: message"
	}{
		"no JSON":                 {`{"type":`, []string{": is not valid JSON"}},
		"no object":               {`["a"]`, []string{": must be an object"}},
		"true":                    {`true`, []string{": must be an object"}},
		"an unknown type":         {`{"properties":{"a":{"type":"text"}}}`, []string{"properties.a.type: value must be one of"}},
		"a bound of another type": {`{"minimum":"1"}`, []string{"minimum: must be number, but is string"}},
		"a look-behind":           {`{"properties":{"a":{"pattern":"(?<=a)b"}}}`, []string{"properties.a.pattern: is not a regular expression of RE2"}},
		"a look-ahead in a name":  {`{"patternProperties":{"^(?!x)":{}}}`, []string{`patternProperties["^(?!x)"]: is not a regular expression of RE2`}},
		"a file":                  {`{"properties":{"a":{"$ref":"file:///etc/hostname"}}}`, []string{`properties.a.$ref: "file:///etc/hostname" is another document`}},
		"a web page":              {`{"$ref":"https://example.com/schema.json"}`, []string{"$ref: \"https://example.com/schema.json\" is another document"}},
		"a path":                  {`{"items":{"$ref":"other.json#/a"}}`, []string{"items.$ref: "}},
		"nothing there":           {`{"properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"B":{}}}`, []string{`properties.a.$ref: "#/$defs/A" points at nothing`}},
		"an anchor":               {`{"$defs":{"A":{"$anchor":"a"}},"$ref":"#a"}`, []string{"$defs.A.$anchor: is not supported", `$ref: "#a" points at nothing`}},
		"a circle":                {`{"$ref":"#/$defs/A","$defs":{"A":{"$ref":"#/$defs/B"},"B":{"$ref":"#/$defs/A"}}}`, []string{"$defs.A.$ref: ", "$defs.B.$ref: ", "$ref: "}},
		"another draft":           {`{"$schema":"http://json-schema.org/draft-07/schema#"}`, []string{"$schema: schemas are read as 2020-12"}},
		"a document within":       {`{"properties":{"a":{"$id":"x"}}}`, []string{"properties.a.$id: "}},
		"a dynamic reference":     {`{"$dynamicRef":"#x"}`, []string{"$dynamicRef: is not supported"}},
		"several":                 {`{"properties":{"a":{"pattern":"("},"b":{"type":7},"c":{"$ref":"x"}}}`, []string{"properties.a.pattern", "properties.c.$ref", "properties.b.type"}},
		"too deep":                {strings.Repeat(`{"items":`, 120) + `{}` + strings.Repeat(`}`, 120), []string{": is not valid JSON: it is nested more than 100 levels deep"}},
		"too large":               {`{"description":"` + strings.Repeat("x", 300<<10) + `"}`, []string{": has "}},
		"too many schemas":        {`{"allOf":[` + strings.Repeat(`{},`, 2100) + `{}]}`, []string{": has more than 2000 schemas"}},
		"too many fields":         {doubling(14), []string{": describes more than 2000 fields"}},
		"an absurd number":        {`{"minimum":1e999999999}`, []string{"exponent of a number"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := structured.Compile([]byte(test.schema))
			var got []string
			for _, problem := range problems {
				got = append(got, problem.Path+": "+problem.Message)
			}
			all := strings.Join(got, "\n")
			for _, want := range test.want {
				if !strings.Contains(all, want) {
					t.Errorf("got\n%s\nwant %q", all, want)
				}
			}
			if len(problems) == 0 {
				t.Error("no problem is told")
			}
		})
	}
}

// doubling is a schema of which every level has the next one twice.
func doubling(levels int) string {
	text := `{"$ref":"#/$defs/L0","$defs":{`
	for level := range levels {
		text += fmt.Sprintf(`"L%d":{"type":"object","properties":{"a":{"$ref":"#/$defs/L%d"},"b":{"$ref":"#/$defs/L%d"}}},`,
			level, level+1, level+1)
	}
	return text + fmt.Sprintf(`"L%d":{"type":"integer"}}}`, levels)
}

func TestWordsThatLookLikeKeywordsAreData(t *testing.T) {
	compile(t, []byte(`{"type":"object","properties":{"$ref":{"type":"string"},"pattern":{"type":"string"}},
		"default":{"$ref":"file:///x","pattern":"("},"examples":[{"$dynamicRef":1}],"enum":[{"$ref":"x"}],"const":{"$id":"x"}}`))
	compile(t, []byte(`{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"https://example.com/a",`+
		`"properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"integer"}}}`))
}

func TestTypesOfSchemas(t *testing.T) {
	const defs = `,"$defs":{"P":{"type":"object","required":["n"],"properties":{"n":{"type":"string"}}},"T":{"type":"object",` +
		`"properties":{"v":{"type":"integer"},"sub":{"type":"array","items":{"$ref":"#/$defs/T"}}}}}}`
	for schema, want := range map[string]string{
		`{"type":"string"}`:                          "string",
		`{"type":"integer"}`:                         "int64",
		`{"type":"number"}`:                          "double",
		`{"type":"boolean"}`:                         "bool",
		`{"type":["integer","null"]}`:                "int64",
		`{"type":["integer","number"]}`:              "double",
		`{"type":["integer","string"]}`:              "string",
		`{"enum":["a","b",null]}`:                    "string",
		`{"enum":[1,2]}`:                             "int64",
		`{"enum":[1,2.5]}`:                           "double",
		`{"enum":[1,"a"]}`:                           "string",
		`{"const":true}`:                             "bool",
		`{}`:                                         "string",
		`{"type":"null"}`:                            "string",
		`{"type":"array","items":{"type":"number"}}`: "list<double>",
		`{"type":"array"}`:                           "string",
		`{"type":"array","prefixItems":[{"type":"number"}]}`: "string",
		`{"type":"object"}`: "string",
		`{"type":"object","additionalProperties":{"type":"number"}}`:                                                                     "string",
		`{"type":"object","patternProperties":{"^a":{"type":"number"}}}`:                                                                 "string",
		`{"properties":{"a":{"type":"integer"}}}`:                                                                                        "struct<a: int64>",
		`{"type":"object","required":["z","b"],"properties":{"a":{},"b":{"type":"integer"},"z":{"type":"string"}}}`:                      "struct<z: string, b: int64, a: string>",
		`{"anyOf":[{"type":"integer"},{"type":"null"}]}`:                                                                                 "int64",
		`{"anyOf":[{"type":"integer"},{"type":"number"}]}`:                                                                               "double",
		`{"anyOf":[{"type":"integer"},{"type":"string"}]}`:                                                                               "string",
		`{"oneOf":[{"type":"string","pattern":"^a"},{"type":"string","pattern":"^b"}]}`:                                                  "string",
		`{"anyOf":[{"type":"number"},{"type":"string","pattern":"^\\d{0,2}$"}]}`:                                                         "double",
		`{"$ref":"#/$defs/P"` + defs:                                                                                                     "struct<n: string>",
		`{"anyOf":[{"$ref":"#/$defs/P"},{"type":"null"}]` + defs:                                                                         "struct<n: string>",
		`{"allOf":[{"$ref":"#/$defs/P"}]` + defs:                                                                                         "struct<n: string>",
		`{"allOf":[{"$ref":"#/$defs/P"},{"properties":{"m":{"type":"integer"}}}]` + defs:                                                 "struct<n: string, m: int64>",
		`{"type":"object","anyOf":[{"required":["a"]},{"required":["b"]}],"properties":{"a":{"type":"integer"}}}`:                        "struct<a: int64>",
		`{"oneOf":[{"$ref":"#/$defs/P"},{"$ref":"#/$defs/T"}]` + defs:                                                                    "string",
		`{"$ref":"#/$defs/T"` + defs:                                                                                                     "struct<sub: list<string>, v: int64>",
		`{"type":"object","properties":{"a":{"type":"integer"}},"if":{"required":["a"]},"then":{"required":["a"]}}`:                      "struct<a: int64>",
		`{"type":"object","properties":{"a":{"type":"integer"}},"if":{"required":["a"]},"then":{"properties":{"b":{"type":"integer"}}}}`: "string",
	} {
		if got := compile(t, []byte(schema)).Type().String(); got != want {
			t.Errorf("%s: got %s, want %s", schema, got, want)
		}
	}
}

func TestValuesStandInTheOrderOfTheFields(t *testing.T) {
	schema := compile(t, []byte(`{"type":"object","required":["z"],"properties":{"z":{"type":"string"},"a":{"type":"array",`+
		`"items":{"type":"object","properties":{"n":{"type":"number"}}}},
		"free":{"type":"object"},"any":{},"maybe":{"type":["integer","null"]}}}`))
	value, err := schema.Read(`{"free":{"k":[1.50,"<"]},"a":[{"n":1},{}],"z":"Z","any":null,"maybe":null}`)
	if err != nil {
		t.Fatal(err)
	}
	// z, a, any, free, maybe
	want := []any{"Z", []any{[]any{float64(1)}, []any{nil}}, nil, `{"k":[1.50,"<"]}`, nil}
	if difference := cmp.Diff(any(want), value); difference != "" {
		t.Errorf("%s: %s", schema.Type(), difference)
	}
}

// Validators that try every alternative at every level need a day for this one.
func TestAlternativesOfRecursiveSchemasEndInBoundedTime(t *testing.T) {
	node := func(kind string) string {
		return `{"type":"object","required":["kind","child"],"properties":{"kind":{"const":"` + kind + `"},"child":{"$ref":"#/$defs/N"}}}`
	}
	schema := compile(t, []byte(`{"$ref":"#/$defs/N","$defs":{"N":{"oneOf":[`+node("a")+`,`+node("b")+`,`+node("c")+`,{"type":"null"}]}}}`))
	deep := func(levels int) string {
		return strings.Repeat(`{"kind":"b","child":`, levels) + "null" + strings.Repeat("}", levels)
	}
	if _, err := schema.Document(deep(5)); err != nil {
		t.Errorf("5 levels: %v", err)
	}
	if _, err := schema.Document(deep(60)); err == nil || !strings.Contains(err.Error(), "too deep, or too large") {
		t.Errorf("60 levels: %v", err)
	}
}

func TestALargeAnswerIsReadAndAnAbsurdOneIsNot(t *testing.T) {
	schema := compile(t, []byte(`{"type":"object","required":["t"],"properties":{"t":{"type":"string"}}}`))
	if _, err := schema.Document(`{"t":"` + strings.Repeat("x", 1<<20) + `"}`); err != nil {
		t.Error(err)
	}
	for name, answer := range map[string]string{
		"too large":   `{"t":"` + strings.Repeat("x", 5<<20) + `"}`,
		"brackets":    strings.Repeat("[", 1<<16),
		"braces":      strings.Repeat(`{"a":`, 1<<13),
		"quotes":      strings.Repeat(`{"`, 1<<14),
		"fences":      strings.Repeat("```json\n{\n```\n", 1<<12),
		"thoughts":    strings.Repeat("<think>", 1<<12),
		"backslashes": `{'t': "` + strings.Repeat(`\q`, 1<<14) + `",,}`,
		"objects":     strings.Repeat(`{"a":1} `, 1<<13),
		"broken":      strings.Repeat(`{"a":b'} `, 1<<12),
		"no commas":   `{"t":[` + strings.Repeat(`1 `, 1<<14) + "]}",
		"pairs":       "{" + strings.Repeat(`'a':'b',`, 1<<12) + "}",
		"mismatched":  "{" + strings.Repeat(`"a":[`, 1<<13) + strings.Repeat("}", 1<<13),
		"no start":    strings.Repeat("{ ", 1<<15),
	} {
		if _, err := schema.Document(answer); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestJudges(t *testing.T) {
	scores := []v1alpha1.JudgeScore{
		{Name: "realism", Description: "Is it real?", Options: map[string]string{"1": "no", "2": "a bit", "10": "yes"}},
		{Name: "tone", Description: "How does it sound?", Options: map[string]string{"Warm": "w", "Cold": "c", "7": "s"}},
	}
	schema, problems := structured.Judge(scores)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if got, want := schema.Type().String(), "struct<realism: struct<reasoning: string, score: int64>, tone: struct<reasoning: string, "+
		"score: string>>"; got != want {
		t.Errorf("type %s, want %s", got, want)
	}
	if text := string(schema.Text()); !strings.Contains(text, `"reasoning":{"description":"The reasoning for the score.","type":"string"},`+
		`"score":{"description":"The score, one of:\n* 1: no\n* 2: a bit\n* 10: yes","enum":[1,2,10],"type":"integer"}`) {
		t.Errorf("text %s", text)
	}
	answer := func(realism, tone string) string {
		return fmt.Sprintf(`{"realism":{"reasoning":"r","score":%s,"extra":1},"tone":{"score":%s,"reasoning":"t"}}`, realism, tone)
	}
	for _, test := range []struct {
		realism, tone string
		want          any // the two scores; nil for an error
	}{
		{`2`, `"Warm"`, []any{int64(2), "Warm"}},
		{`"2"`, `"warm"`, []any{int64(2), "Warm"}},
		{`" 10 "`, `" COLD "`, []any{int64(10), "Cold"}},
		{`2.0`, `7`, []any{int64(2), "7"}},
		{`1e1`, `"7.0"`, []any{int64(10), "7"}},
		{`true`, `"Warm"`, nil},
		{`3`, `"Warm"`, nil},
		{`2.5`, `"Warm"`, nil},
		{`null`, `"Warm"`, nil},
		{`2`, `"hot"`, nil},
		{`2`, `true`, nil},
	} {
		value, err := schema.Read(answer(test.realism, test.tone))
		if test.want == nil {
			if err == nil {
				t.Errorf("%s, %s: got %v, want an error", test.realism, test.tone, value)
			}
			continue
		}
		scored := test.want.([]any)
		if difference := cmp.Diff(any([]any{[]any{"r", scored[0]}, []any{"t", scored[1]}}), value); err != nil || difference != "" {
			t.Errorf("%s, %s: %v %s", test.realism, test.tone, err, difference)
		}
	}
}

func TestOptionsThatCantBeToldApart(t *testing.T) {
	for _, options := range []map[string]string{{"A": "", "a": ""}, {"1": "", "01": ""}, {"yes": "", " YES": ""}, {"1": "", "1.0": "", "x": ""}} {
		_, problems := structured.Judge([]v1alpha1.JudgeScore{{Name: "s", Description: "d", Options: options}})
		if len(problems) != 1 || problems[0].Path != "[0].options" || !strings.Contains(problems[0].Message, "can't be told apart") {
			t.Errorf("%v: got %v", options, problems)
		}
	}
}
