package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/engine/plan"
)

func TestSkipIsCompiled(t *testing.T) {
	text := strings.Replace(edited(t, "{name: review,", `{name: review, skip: {when: "{{ year > 1990 }}", value: 7},`),
		"{name: rank,", `{name: rank, skip: {when: "{{ headline }}", value: "7"},`, 1)
	compiled, err := plan.Compile(parse(t, text), seedFields)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]*plan.Skip{}
	for _, column := range compiled.Columns {
		got[column.Name] = column.Skip
	}
	want := map[string]*plan.Skip{
		"stars": nil, "review": {When: "{{ year > 1990 }}", Value: "7", Propagates: []int{}},
		"headline": {Propagates: []int{4}}, "rank": {When: "{{ headline }}", Value: int64(7), Propagates: []int{}},
	}
	if difference := cmp.Diff(want, got); difference != "" {
		t.Error(difference)
	}
	// It waits for what decides, but only data propagate.
	rank := compiled.Column(5)
	if !slices.Equal(rank.Requires, []int{2, 3}) || compiled.Columns[3] != rank {
		t.Errorf("got %+v", rank)
	}
	without, err := plan.Compile(parse(t, strings.Replace(text, "{name: headline,", "{name: headline, propagateSkip: false,", 1)), seedFields)
	if err != nil || without.Column(2).Skip != nil {
		t.Errorf("headline does not propagate, but has %+v, %v", without.Column(2).Skip, err)
	}
}

func TestWhatIsWrongWithSkipIsSaid(t *testing.T) {
	cases := map[string]struct{ column, skip, field, message string }{
		"a sampler":          {"stars", `{when: "{{ title }}"}`, "spec.columns[1].skip:", "not possible for samplers"},
		"no template":        {"review", `{when: "{{ stars > }}"}`, "spec.columns[2].skip.when:", "not a valid template"},
		"nothing":            {"review", `{when: " "}`, "spec.columns[2].skip.when:", "must not be empty"},
		"no column":          {"review", `{when: "{{ 1 > 2 }}"}`, "spec.columns[2].skip.when:", "at least one other column"},
		"a builtin only":     {"review", `{when: "{{ range(3) }}"}`, "spec.columns[2].skip.when:", "at least one other column"},
		"itself":             {"review", `{when: "{{ review }}"}`, "spec.columns[2].skip.when:", `must not refer to "review"`},
		"a slip":             {"review", `{when: "{{ starz }}"}`, "spec.columns[2].skip.when:", `did you mean "stars"?`},
		"a circle":           {"review", `{when: "{{ headline }}"}`, "spec.columns[0]:", "in a circle"},
		"a text for an int":  {"rank", `{when: "{{ stars }}", value: none}`, "spec.columns[3].skip.value:", "can't be the value of a column of the type int64"},
		"a part for an int":  {"rank", `{when: "{{ stars }}", value: 1.5}`, "spec.columns[3].skip.value:", "can't be the value of a column of the type int64"},
		"a list":             {"review", `{when: "{{ stars }}", value: [1]}`, "spec.columns[2].skip.value:", "must be a text, a number, true, false or null"},
		"a side effect's":    {"review", `{when: "{{ review__trace }}"}`, "spec.columns[2].skip.when:", `must not refer to "review__trace"`},
		"a whole float fits": {"rank", `{when: "{{ stars }}", value: 2.0}`, "", ""},
		"null fits":          {"rank", `{when: "{{ stars }}", value: null}`, "", ""},
		"a flag as a text":   {"review", `{when: "{{ stars }}", value: true}`, "", ""},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			text := edited(t, "{name: "+test.column+",", "{name: "+test.column+", skip: "+test.skip+",")
			text = strings.Replace(text, "llmText: {model", "llmText: {trace: LastMessage, model", 1)
			_, err := plan.Compile(parse(t, text), seedFields)
			if test.field == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.field) || !strings.Contains(err.Error(), test.message) {
				t.Errorf("got %v, want %s %s", err, test.field, test.message)
			}
		})
	}
}

func TestADocumentIsSkippedAsNull(t *testing.T) {
	document := func(value string) string {
		return edited(t, "{name: review, llmText: {model: writer,",
			`{name: review, skip: {when: "{{ stars }}", value: `+value+
				`}, llmStructured: {schema: {type: object, properties: {mood: {type: string}}}, model: writer,`)
	}
	if _, err := plan.Compile(parse(t, document("null")), seedFields); err != nil {
		t.Error(err)
	}
	_, err := plan.Compile(parse(t, document("none")), seedFields)
	want := `spec.columns[2].skip.value: "none" can't be the value of a column of the type struct<mood: string>; null always can`
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want it to say %s", err, want)
	}
}

func TestTheHashHoldsSkipAndDrop(t *testing.T) {
	base := plan.ConfigHash(parse(t, valid))
	hash := func(to string) string {
		t.Helper()
		return plan.ConfigHash(parse(t, edited(t, "{name: review,", "{name: review, "+to+",")))
	}
	for _, same := range []string{"propagateSkip: true", "drop: false"} {
		if hash(same) != base {
			t.Errorf("%q changes the hash, and must not", same)
		}
	}
	skipped := hash(`skip: {when: "{{ stars }}"}`)
	if skipped == base || hash("propagateSkip: false") == base || hash("drop: true") == base {
		t.Error("what shapes rows does not change the hash")
	}
	if hash(`skip: {when: "{{ stars }}", value: null}`) != skipped || hash(`skip: {when: "{{ stars }}", value: ""}`) == skipped {
		t.Error("null is the default of the value, and nothing else is")
	}
	if plan.ConfigHash(parse(t, edited(t, "llmText: {model", "llmText: {trace: None, extractReasoning: false, model"))) != base {
		t.Error("defaults that are written out change the hash")
	}
	if plan.ConfigHash(parse(t, edited(t, "llmText: {model", "llmText: {trace: LastMessage, model"))) == base {
		t.Error("a trace does not change the hash")
	}
}
