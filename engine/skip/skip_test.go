package skip_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/skip"
	"seedloom.dev/seedloom/engine/table"
)

const spec = `
numRecords: 1
providers: [{name: local, type: OpenAI, endpoint: "http://vllm:8000/v1"}]
models: [{alias: writer, provider: local, model: m}]
columns:
- {name: stars, sampler: {type: Uniform, uniform: {low: 1, high: 5}, convertTo: int}}
- {name: review, skip: {when: "WHEN", value: none}, llmText: {model: writer, trace: AllMessages, prompt: x}}
- {name: upper, expression: {expr: "{{ review | upper }}"}}
- {name: trace, skip: {when: "{{ stars > 99 }}", value: v}, expression: {expr: "{{ review__trace }}"}}
- {name: never, propagateSkip: false, expression: {expr: "{{ review }}"}}
output: {persistentVolumeClaim: {claimName: c}}
`

type rules struct {
	*skip.Rules
	plan *plan.Plan
	log  bytes.Buffer
}

func newRules(t *testing.T, when string) *rules {
	t.Helper()
	var parsed v1alpha1.DatasetGenerationSpec
	if err := yaml.UnmarshalStrict([]byte(strings.Replace(spec, "WHEN", when, 1)), &parsed); err != nil {
		t.Fatal(err)
	}
	made := &rules{}
	var err error
	if made.plan, err = plan.Compile(&parsed, nil); err != nil {
		t.Fatal(err)
	}
	if made.Rules, err = skip.New(made.plan, slog.New(slog.NewTextHandler(&made.log, nil))); err != nil {
		t.Fatal(err)
	}
	return made
}

// record takes a row with so many stars through all columns, and returns which of them were left out.
func (r *rules) record(t *testing.T, stars any) (record *table.Record, skipped []string) {
	t.Helper()
	record = table.NewRecord(r.plan.Schema, 0, 0)
	record.Skipped = make([]bool, r.plan.Schema.Len())
	record.Cells[0] = stars
	for _, column := range r.plan.Columns {
		if r.Skips(t.Context(), record, column) {
			skipped = append(skipped, column.Name)
		}
	}
	return record, skipped
}

func TestAConditionDecidesAndSkipsPropagate(t *testing.T) {
	made := newRules(t, "{{ stars > 2 }}")
	if record, skipped := made.record(t, int64(2)); skipped != nil || record.Cells[1] != nil {
		t.Errorf("2 stars: %v are skipped, and the cells are %v", skipped, record.Cells)
	}
	record, skipped := made.record(t, int64(3))
	// review__trace has no value of its own; what was skipped only since its input was has its own value all the same.
	if want := "[3 none <nil> <nil> v <nil>]"; fmt.Sprint(record.Cells) != want || strings.Join(skipped, " ") != "review upper trace" {
		t.Errorf("3 stars: %v are skipped, and the cells are %v, want %s", skipped, record.Cells, want)
	}
	if !record.IsSkipped(2) || record.IsSkipped(0) || record.IsSkipped(5) {
		t.Errorf("skipped are %v", record.Skipped)
	}
	if made.log.Len() > 0 {
		t.Errorf("it says %s", made.log.String())
	}
}

func TestAFailingConditionSkipsAndIsToldOncePerCause(t *testing.T) {
	made := newRules(t, "{{ 1 / stars > 0 }}")
	var rows sync.WaitGroup
	for range 50 {
		rows.Go(func() {
			for _, stars := range []any{int64(0), "many", int64(3)} {
				_, skipped := made.record(t, stars)
				if !strings.Contains(strings.Join(skipped, " "), "upper") {
					t.Errorf("%v stars: %v are skipped", stars, skipped)
				}
			}
		})
	}
	rows.Wait()
	lines := strings.Split(strings.TrimSpace(made.log.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "column=review") || !strings.Contains(lines[0], "level=WARN") {
		t.Errorf("of two causes it says:\n%s", made.log.String())
	}
}

// The scheduler waits for conditions of models' columns: they must not be able to hold it up.
func TestCausesThatDifferFromRowToRowDoNotFillTheLog(t *testing.T) {
	made := newRules(t, "{{ range(stars) | list | length > 2 }}")
	for row := range int64(1000) {
		if _, skipped := made.record(t, 30_000+row); len(skipped) != 3 {
			t.Fatalf("%v are skipped", skipped)
		}
	}
	if lines := strings.Count(made.log.String(), "\n"); lines < 2 || lines > 100 {
		t.Errorf("the log has %d lines", lines)
	}
}

func TestAConditionThatDoesNotEndIsCutOff(t *testing.T) {
	made := newRules(t, "{% for a in range(10000) %}{% for b in range(10000) %}{{ stars }}{% endfor %}{% endfor %}")
	if _, skipped := made.record(t, int64(1)); len(skipped) != 3 || !strings.Contains(made.log.String(), "steps") {
		t.Errorf("%v are skipped: %s", skipped, made.log.String())
	}
}

func TestAPlanWithoutConditionsSkipsNothing(t *testing.T) {
	var parsed v1alpha1.DatasetGenerationSpec
	const text = `{numRecords: 1, columns: [{name: a, sampler: {type: UUID}}, {name: b, expression: {expr: "{{ a }}"}}], ` +
		`output: {persistentVolumeClaim: {claimName: c}}}`
	if err := yaml.Unmarshal([]byte(text), &parsed); err != nil {
		t.Fatal(err)
	}
	compiled, err := plan.Compile(&parsed, nil)
	if err != nil {
		t.Fatal(err)
	}
	if rules, err := skip.New(compiled, slog.New(slog.DiscardHandler)); err != nil || rules.Any() {
		t.Errorf("got %v, %v", rules, err)
	}
}
