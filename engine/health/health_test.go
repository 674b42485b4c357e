package health_test

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/health"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/internal/runreport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const threeModels = `
numRecords: 1
providers: [{name: local, type: OpenAI, endpoint: "http://127.0.0.1:1/v1"}]
models: [{alias: slow, provider: local, model: a}, {alias: locked, provider: local, model: b}, {alias: good, provider: local, model: c}]
columns:
- {name: first, llmText: {model: slow, prompt: "Hi"}}
- {name: second, llmText: {model: locked, prompt: "Hi"}}
- {name: third, llmText: {model: good, prompt: "Hi"}}
output: {persistentVolumeClaim: {claimName: c}}
`

// client answers as the function does.
type client func(ctx context.Context) error

func (c client) Chat(ctx context.Context, _ model.Request) (model.Answer, runreport.Usage, error) {
	return model.Answer{}, runreport.Usage{}, c(ctx)
}

func (c client) Images(context.Context, string) ([]model.Media, runreport.Usage, error) {
	return nil, runreport.Usage{}, nil
}

func (c client) Embed(ctx context.Context, _ []string) ([][]float64, runreport.Usage, error) {
	return nil, runreport.Usage{}, c(ctx)
}

func TestAModelThatDoesNotAnswerHidesNoOther(t *testing.T) {
	var spec v1alpha1.DatasetGenerationSpec
	if err := yaml.UnmarshalStrict([]byte(threeModels), &spec); err != nil {
		t.Fatal(err)
	}
	compiled, err := plan.Compile(&spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	clients := map[string]client{
		"slow": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"good": func(context.Context) error { return nil },
		"locked": func(context.Context) error {
			return failure.New(v1alpha1.ReasonModelAuthentication, failure.EndRun, "the key is wrong")
		},
	}
	results, err := health.Check(ctx, compiled, health.Config{Client: func(alias string) health.Client { return clients[alias] }})
	if err != nil || len(results) != 2 {
		t.Fatalf("got %+v, %v", results, err)
	}
	problems := health.Problems(results)
	if len(problems) != 1 || problems[0].Alias != "locked" || !problems[0].Lasting() {
		t.Fatalf("got %+v", problems)
	}
	if ending := health.Failure(problems); ending.Reason != v1alpha1.ReasonModelAuthentication {
		t.Errorf("got %v", ending)
	}
}
