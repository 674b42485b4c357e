// Package health asks each model of a plan once before a run begins, so that what can't work is told for all of them together and before
// anything is paid for. It sends the smallest request of each kind; it decides nothing about how a run goes on after a failure that may pass.
package health

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/internal/runreport"
)

// Client asks a model; *model.Client does.
type Client interface {
	Chat(ctx context.Context, request model.Request) (model.Answer, runreport.Usage, error)
	Embed(ctx context.Context, texts []string) ([][]float64, runreport.Usage, error)
}

// probe is a model with one of the kinds of requests that the plan's columns send to it.
type probe struct {
	alias string
	kind  plan.Kind
}

// Problem is why a model can't be used, as far as its first answer tells.
type Problem struct {
	Alias string
	Cause *failure.Error
}

// Lasting says that any other request would fail too, and later as well: the key is wrong, or the model is not there. What is wrong with an
// answer to this question need not be wrong with others.
func (p Problem) Lasting() bool { return p.Cause.Consequence == failure.EndRun }

// Check asks all models of the plan's columns at the same time, or one after the other, but for those whose healthCheck is Disabled, and
// returns what is wrong, in the order of the columns. It returns when all have answered, or the context has ended.
func Check(ctx context.Context, p *plan.Plan, client func(alias string) Client, oneByOne bool) []Problem {
	probes := probesOf(p)
	problems := make([]*failure.Error, len(probes))
	var asking sync.WaitGroup
	for i, probe := range probes {
		asking.Go(func() { problems[i] = failure.Of(ask(ctx, client(probe.alias), probe.kind)) })
		if oneByOne {
			asking.Wait()
		}
	}
	asking.Wait()
	var found []Problem
	for i, cause := range problems {
		// Who was still being asked when the context ended has said nothing, unlike those that had answered.
		if cause != nil && (ctx.Err() == nil || !errors.Is(cause, ctx.Err())) {
			found = append(found, Problem{Alias: probes[i].alias, Cause: cause})
		}
	}
	return found
}

func probesOf(p *plan.Plan) []probe {
	var probes []probe
	for i := range p.Spec.Columns {
		index, _ := p.Schema.Index(p.Spec.Columns[i].Name)
		configured := p.Column(index)
		if configured == nil || configured.Model == nil || configured.Model.HealthCheck == v1alpha1.HealthCheckDisabled {
			continue
		}
		asked := probe{configured.Model.Alias, plan.KindLLMText}
		if configured.Kind == plan.KindEmbedding || configured.Kind == plan.KindImage {
			asked.kind = configured.Kind
		}
		if !slices.Contains(probes, asked) {
			probes = append(probes, asked)
		}
	}
	return probes
}

func ask(ctx context.Context, client Client, kind plan.Kind) error {
	switch kind {
	case plan.KindEmbedding:
		_, _, err := client.Embed(ctx, []string{"Hello!"})
		return err
	case plan.KindImage:
		return nil // an image costs as much as a row
	}
	_, _, err := client.Chat(ctx, model.Request{Messages: []model.Message{
		{Role: model.RoleSystem, Content: "You are a helpful assistant."}, {Role: model.RoleUser, Content: "Hello!"},
	}})
	return err
}

// Failure joins problems that last to the one that ends the run before it has begun; nil where there are none.
func Failure(problems []Problem) *failure.Error {
	var lines []string
	var first *failure.Error
	for _, problem := range problems {
		if !problem.Lasting() {
			continue
		}
		if first == nil {
			first = problem.Cause
		}
		lines = append(lines, fmt.Sprintf("model %q (%s): %s", problem.Alias, problem.Cause.Reason, problem.Cause.Message))
	}
	if first == nil {
		return nil
	}
	if len(lines) == 1 {
		return failure.New(first.Reason, failure.EndRun, "nothing was generated, since a model can't be used: %s", lines[0])
	}
	return failure.New(first.Reason, failure.EndRun, "nothing was generated, since %d models can't be used: %s", len(lines), strings.Join(lines, "; "))
}
