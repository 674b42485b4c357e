// Package health asks each model of a plan before a run begins, in each form in which the plan's columns will ask it, so that what can't
// work is known for all of them together, and before anything is paid for. It decides nothing about how a run goes on after a failure that
// may pass.
package health

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

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
	Images(ctx context.Context, prompt string) ([]model.Media, runreport.Usage, error)
}

// Config is what a check works with.
type Config struct {
	Client func(alias string) Client
	// Tools returns the tools with an alias in the spec. It may be nil where no column has any.
	Tools func(alias string) []model.Tool
	// OneByOne says that models are asked one after the other.
	OneByOne bool
	// Waiting, where it is set, is called with the models whose answers are still waited for, every WaitingAfter. It is called from one
	// goroutine, and not after Check has returned.
	Waiting      func(aliases []string)
	WaitingAfter time.Duration
}

// Result is what a model has answered to a question.
type Result struct {
	Alias string
	// Form says in words what was asked for, such as "a tool call".
	Form string
	// Cause is why the model can't be used so, as far as the answer tells; nil where all is well.
	Cause *failure.Error
	// Took is how long the answer took.
	Took time.Duration
	// Usage is what was paid for the question.
	Usage runreport.Usage
	// unasked says that the context has ended before there was an answer.
	unasked bool
}

// Lasting says whether the model can't be used so at all (see Problem).
func (r *Result) Lasting() bool { return r.Cause != nil && r.Cause.Consequence == failure.EndRun }

// Problem is why a model can't be used, as far as its first answer tells.
type Problem struct {
	Alias string
	Cause *failure.Error
}

// Lasting says that any other request of the form would fail too, and later as well: the key is wrong, the model is not there, or the form
// is nothing that its server takes. What else is wrong with an answer to this question need not be wrong with others.
func (p Problem) Lasting() bool { return p.Cause.Consequence == failure.EndRun }

// Check asks all models of the plan's columns at the same time, or one after the other, but for those whose healthCheck is Disabled, and
// returns what they have answered, in the order of the columns. It returns when all have answered, or the context has ended.
func Check(ctx context.Context, p *plan.Plan, config Config) ([]Result, error) {
	questions, err := questionsOf(p, config.Tools)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(questions))
	pending := newPending(questions)
	ended := pending.report(config)
	var asking sync.WaitGroup
	for i := range questions {
		asking.Go(func() {
			results[i] = questions[i].ask(ctx, config.Client(questions[i].alias))
			pending.answered(i)
		})
		if config.OneByOne {
			asking.Wait()
		}
	}
	asking.Wait()
	ended()
	return slices.DeleteFunc(results, func(result Result) bool { return result.unasked }), nil
}

// Problems are the results of models that can't be used, one for each model and cause.
func Problems(results []Result) []Problem {
	var found []Problem
	for _, result := range results {
		known := func(problem Problem) bool {
			return problem.Alias == result.Alias && result.Cause != nil && problem.Cause.Reason == result.Cause.Reason &&
				problem.Cause.Message == result.Cause.Message
		}
		if result.Cause != nil && !slices.ContainsFunc(found, known) {
			found = append(found, Problem{Alias: result.Alias, Cause: result.Cause})
		}
	}
	return found
}

// Failure joins problems that last to the one that ends the run before it has begun; nil where there are none.
func Failure(problems []Problem) *failure.Error {
	var lines []string
	var first *failure.Error
	aliases := map[string]bool{}
	for _, problem := range problems {
		if !problem.Lasting() {
			continue
		}
		if first == nil {
			first = problem.Cause
		}
		aliases[problem.Alias] = true
		lines = append(lines, fmt.Sprintf("model %q (%s): %s", problem.Alias, problem.Cause.Reason, problem.Cause.Message))
	}
	if first == nil {
		return nil
	}
	subject := "a model"
	if len(aliases) > 1 {
		subject = fmt.Sprintf("%d models", len(aliases))
	}
	return failure.New(first.Reason, failure.EndRun,
		"nothing was generated, since %s can't be used: %s", subject, strings.Join(lines, "; "))
}

// unasked says that the context has ended before an answer: so it says nothing, unlike one that was there.
func unasked(ctx context.Context, err error) bool {
	return err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err())
}

// lasting is the failure of a question whose form the server refuses, or that it ignores.
func lasting(cause *failure.Error, form string) *failure.Error {
	switch cause.Reason {
	case v1alpha1.ReasonRequestRejected, v1alpha1.ReasonContextOverflow, v1alpha1.ReasonUnsupportedRequest:
		return failure.New(v1alpha1.ReasonUnsupportedRequest, failure.EndRun,
			"it was asked for %s before the first row, as its columns will ask it, and can't do that: %s", form, cause.Message)
	}
	return cause
}
