package llm

import (
	"context"
	"fmt"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// Validator judges the values that a model has written, so that they are corrected.
type Validator interface {
	// Problem says what is wrong with a value of the column, or nothing where it is valid or can't be judged. Its error is that of the
	// context, or a failure.Error. It is called from many goroutines at once.
	Problem(ctx context.Context, record *table.Record, value any) (string, error)
	// Corrections is how often the model may be asked again about a value.
	Corrections() int
	// Keeps says whether a value is kept that is not valid after all of them.
	Keeps() bool
}

// objection is what validators have against a value.
type objection struct {
	problems []string
	// corrections is the largest budget of those that object; keeps says that all of them let the value be kept.
	corrections int
	keeps       bool
}

// objections asks the validators about a value; nil where none objects.
func (g *Generator) objections(ctx context.Context, record *table.Record, value any) (*objection, error) {
	var raised *objection
	for _, validator := range g.config.Validators {
		problem, err := validator.Problem(ctx, record, value)
		if err != nil {
			return nil, err
		}
		if problem == "" {
			continue
		}
		if raised == nil {
			raised = &objection{keeps: true}
		}
		raised.problems = append(raised.problems, problem)
		raised.corrections = max(raised.corrections, validator.Corrections())
		raised.keeps = raised.keeps && validator.Keeps()
	}
	return raised, nil
}

// accept says whether a value that could be read is the one that the conversation ends with, and counts what becomes of it.
func (g *Generator) accept(
	ctx context.Context, record *table.Record, talk *conversation, value any, spent *runreport.Usage,
) (accepted bool, err error) {
	if accepted, err = g.validated(ctx, record, talk, value, spent); accepted && g.recipe.takesPart(talk.answer) {
		spent.TruncatedKept++
	}
	return accepted, err
}

// validated says whether a value may stay: where it is not valid, the model is asked again within the budget; after that the value is
// kept, or the cell fails.
func (g *Generator) validated(
	ctx context.Context, record *table.Record, talk *conversation, value any, spent *runreport.Usage,
) (accepted bool, err error) {
	raised, err := g.objections(ctx, record, value)
	if err != nil {
		return false, err
	}
	if raised == nil {
		if talk.validations > 0 {
			spent.Corrections.Corrected++
		}
		return true, nil
	}
	// There is no room for a correction where there was none for the answer.
	if talk.validations < raised.corrections && talk.answer.Finish != model.FinishContext {
		talk.validations++
		column.Unusable(ctx, g.name, v1alpha1.ReasonValidationFailed, spent)
		talk.say(answerMessages(talk.answer, "Your answer is not valid:\n"+strings.Join(raised.problems, "\n")+
			"\nCorrect this, and answer again, in full, and in the form that was asked for.")...)
		return false, nil
	}
	if raised.keeps {
		spent.Corrections.Kept++
		return true, nil
	}
	spent.Corrections.GivenUp++
	column.Unusable(ctx, g.name, v1alpha1.ReasonValidationFailed, spent)
	first, _, _ := strings.Cut(raised.problems[0], "\n")
	return false, failure.New(v1alpha1.ReasonValidationFailed, failure.DropRow,
		"what model %q wrote for column %q is not valid after %s: %s", g.spec.Model, g.name, corrected(talk.validations), first)
}

func corrected(count int) string {
	if count == 1 {
		return "1 correction"
	}
	return fmt.Sprintf("%d corrections", count)
}
