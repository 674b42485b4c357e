package health_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/health"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/internal/runreport"
)

const spec = `
numRecords: 1
providers: [{name: p, type: OpenAI, endpoint: "http://localhost/v1"}]
models:
- {alias: writer, provider: p, model: a}
- {alias: unused, provider: p, model: b}
- {alias: unasked, provider: p, model: c, healthCheck: Disabled}
- {alias: vectors, provider: p, model: d}
- {alias: painter, provider: p, model: dall-e-3}
columns:
- {name: one, llmText: {model: writer, prompt: "x"}}
- {name: two, llmCode: {model: writer, prompt: "{{ one }}", language: go}}
- {name: three, llmText: {model: unasked, prompt: "{{ one }}"}}
- {name: four, embedding: {model: vectors, targetColumn: one}}
- {name: five, image: {model: painter, prompt: "{{ one }}"}}
output: {persistentVolumeClaim: {claimName: c}}
`

// asked notes which model was asked for what, and answers with an error.
type asked struct {
	mutex sync.Mutex
	log   []string
	err   map[string]error
}

type asking struct {
	*asked
	alias string
}

func (a asking) note(kind string) error {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.log = append(a.log, a.alias+" "+kind)
	return a.err[a.alias]
}

func (a asking) Chat(context.Context, model.Request) (model.Answer, runreport.Usage, error) {
	return model.Answer{}, runreport.Usage{}, a.note("chat")
}

func (a asking) Embed(context.Context, []string) ([][]float64, runreport.Usage, error) {
	return nil, runreport.Usage{}, a.note("embed")
}

func (a asking) Images(context.Context, string) ([]model.Media, runreport.Usage, error) {
	return nil, runreport.Usage{}, a.note("images")
}

func check(t *testing.T, answers map[string]error) ([]string, []health.Problem) {
	t.Helper()
	var parsed v1alpha1.DatasetGenerationSpec
	if err := yaml.UnmarshalStrict([]byte(spec), &parsed); err != nil {
		t.Fatal(err)
	}
	compiled, err := plan.Compile(&parsed, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := &asked{err: answers}
	results, err := health.Check(t.Context(), compiled, health.Config{Client: func(alias string) health.Client { return asking{all, alias} }})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all.log)
	return all.log, health.Problems(results)
}

func TestEachModelIsAskedOnceForWhatItIsUsedFor(t *testing.T) {
	log, problems := check(t, nil)
	if want := []string{"painter images", "vectors embed", "writer chat"}; !slices.Equal(log, want) || len(problems) > 0 {
		t.Errorf("asked %q, problems %v; want %q", log, problems, want)
	}
}

func TestOnlyWhatLastsEndsTheRun(t *testing.T) {
	gone := failure.New(v1alpha1.ReasonModelNotFound, failure.EndRun, "no such model")
	key := failure.New(v1alpha1.ReasonModelAuthentication, failure.EndRun, "a wrong key")
	busy := failure.New(v1alpha1.ReasonProviderUnavailable, failure.RetryLater, "busy")
	silent := failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow, "an empty text")
	for _, test := range []struct {
		writer, vectors error
		problems        int
		reason          string
		words           []string
	}{
		{busy, silent, 2, "", nil},
		{busy, key, 2, v1alpha1.ReasonModelAuthentication, []string{`a model can't be used: model "vectors" (ModelAuthentication): a wrong key`}},
		{gone, key, 2, v1alpha1.ReasonModelNotFound, []string{`2 models can't be used: `, `model "writer" (ModelNotFound): no such model; model "vectors" (`}},
	} {
		_, problems := check(t, map[string]error{"writer": test.writer, "vectors": test.vectors})
		failed := health.Failure(problems)
		if len(problems) != test.problems || (failed == nil) != (test.reason == "") {
			t.Fatalf("problems %v, and then %v", problems, failed)
		}
		if failed == nil {
			continue
		}
		for _, words := range test.words {
			if failed.Reason != test.reason || !strings.Contains(failed.Message, words) {
				t.Errorf("got %s: %s; want %s with %q", failed.Reason, failed.Message, test.reason, words)
			}
		}
	}
}
