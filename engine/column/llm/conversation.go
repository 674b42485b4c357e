package llm

import (
	"context"
	"errors"
	"fmt"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/structured"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// conversation is what a model and the engine have said to each other about a cell. It belongs to the call of Ask that works on it, and
// between two calls to the cell.
type conversation struct {
	messages []model.Message
	// checkpoint is how many of the messages a restart keeps: the first ones, and those up to the last results of tools.
	checkpoint int
	// answer is one that was paid for and is not in the messages yet.
	answer *model.Answer
	// requests counts the answers, corrections those of this start that were sent back, restarts the starts after the first, turns those of
	// tools.
	requests, corrections, restarts, turns int
	// validations counts the values, over all starts, that were sent back since they were not valid.
	validations int
	// earlier is what the calls of Ask have cost that failed.
	earlier runreport.Usage
}

// converse goes on with a conversation until there is a value, or it fails for good, or for now. It adds what its requests cost to spent.
func (g *Generator) converse(ctx context.Context, record *table.Record, talk *conversation, spent *runreport.Usage) (any, error) {
	for {
		if talk.answer == nil {
			if err := g.hear(ctx, record, talk, spent); err != nil {
				return nil, err
			}
		}
		called, err := g.called(ctx, talk, spent)
		if err != nil {
			return nil, err
		}
		if called {
			continue
		}
		value, err := g.recipe.read(talk.answer)
		if err != nil {
			problem := g.giveUp(talk, err)
			column.Unusable(ctx, g.name, failure.Of(problem).Reason, spent)
			if !g.again(talk, err) {
				return nil, problem
			}
			continue
		}
		accepted, err := g.accept(ctx, record, talk, value, spent)
		if err != nil {
			return nil, err
		}
		if accepted {
			talk.say()
			return value, nil
		}
	}
}

// called calls the tools that an answer asks for, and says whether there are any.
func (g *Generator) called(ctx context.Context, talk *conversation, spent *runreport.Usage) (bool, error) {
	calls := g.recipe.otherCalls(talk.answer)
	if len(calls) == 0 || g.config.Tools == nil {
		return false, nil
	}
	if err := g.useTools(ctx, talk, calls, spent); err != nil {
		return true, g.unused(ctx, spent, err)
	}
	return true, nil
}

// unused counts an answer whose calls came to nothing for good, and returns why.
func (g *Generator) unused(ctx context.Context, spent *runreport.Usage, cause error) error {
	if failed := failure.Of(cause); failed.Consequence == failure.DropRow {
		column.Unusable(ctx, g.name, failed.Reason, spent)
	}
	return cause
}

// hear gets the next answer of the model. After an answer that is none it begins the conversation anew, as often as that may be.
func (g *Generator) hear(ctx context.Context, record *table.Record, talk *conversation, spent *runreport.Usage) error {
	for {
		answer, usage, err := g.config.Client.Chat(ctx, g.request(record, talk))
		spent.Add(usage)
		if err == nil {
			separateReasoning(&answer)
			talk.answer = &answer
			talk.requests++
			return nil
		}
		if usage.Succeeded > 0 {
			column.Unusable(ctx, g.name, failure.Of(err).Reason, spent)
		}
		if !g.beginAnew(talk, usage, err) {
			return err
		}
	}
}

// request is the next one of a conversation.
func (g *Generator) request(record *table.Record, talk *conversation) model.Request {
	request := model.Request{Messages: talk.messages, Random: g.requests.Of(record).Sub(uint64(talk.requests))}
	g.offer(&request, talk)
	g.recipe.prepare(&request)
	return request
}

// say moves the answer, and what follows it, to the messages.
func (t *conversation) say(following ...model.Message) {
	t.messages = append(append(t.messages, t.answer.Message()), following...)
	t.answer = nil
}

// again prepares the conversation for another try: the model is told what is wrong, or the conversation begins anew. It returns false when
// neither may be.
func (g *Generator) again(talk *conversation, problem error) bool {
	// There is no room for a correction where there was none for the answer.
	if talk.corrections < g.config.Corrections && talk.answer.Finish != model.FinishContext {
		talk.corrections++
		talk.say(corrections(talk.answer, problem)...)
		return true
	}
	if talk.restarts < g.config.Restarts {
		talk.restart()
		return true
	}
	return false
}

// beginAnew begins the conversation anew after an answer that was none, such as an empty one: there is nothing in it that could be
// corrected.
func (g *Generator) beginAnew(talk *conversation, usage runreport.Usage, problem error) bool {
	reason := failure.Of(problem).Reason
	if usage.Succeeded == 0 || reason != v1alpha1.ReasonModelGenerationInvalid && reason != v1alpha1.ReasonOutputTruncated {
		return false
	}
	talk.requests++
	if talk.restarts >= g.config.Restarts {
		return false
	}
	talk.restart()
	return true
}

// restart goes back to where the conversation begins, or to the last results of tools.
func (t *conversation) restart() {
	t.restarts++
	t.corrections = 0
	t.messages = t.messages[:t.checkpoint:t.checkpoint]
	t.answer = nil
}

// corrections are the messages that tell what is wrong with an answer.
func corrections(answer *model.Answer, problem error) []model.Message {
	return answerMessages(answer, fmt.Sprintf("Your answer can't be used: %v. Answer again, in full, and in the form that was asked for.",
		problem))
}

// answerMessages say something about an answer: its calls of tools want a result each.
func answerMessages(answer *model.Answer, text string) []model.Message {
	if len(answer.ToolCalls) == 0 {
		return []model.Message{{Role: model.RoleUser, Content: text}}
	}
	var messages []model.Message
	for _, call := range answer.ToolCalls {
		messages = append(messages, model.Message{Role: model.RoleTool, ToolCallID: call.ID, Content: text})
	}
	return messages
}

// giveUp says why a conversation came to nothing. Only an answer that is not whole was kept from being so by its length: one that is whole
// and wrong is not helped by more tokens, even where words after it were cut off.
func (g *Generator) giveUp(talk *conversation, problem error) error {
	var unread *structured.AnswerError
	cut := errors.As(problem, &unread) && unread.Truncated
	switch {
	case cut && talk.answer.Finish == model.FinishContext:
		return failure.New(v1alpha1.ReasonContextOverflow, failure.DropRow,
			"the context window of model %q was full before its answer was complete, after %s: %v; shorten the prompts of column %q",
			g.spec.Model, requests(talk.requests), problem, g.name)
	case cut && talk.answer.Finish == model.FinishLength:
		return failure.New(v1alpha1.ReasonOutputTruncated, failure.DropRow,
			"model %q used up its tokens before its answer was complete, after %s: %v; raise parameters.maxTokens", g.spec.Model,
			requests(talk.requests), problem)
	}
	return failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow,
		"model %q gave no answer that can be used, after %s: %v", g.spec.Model, requests(talk.requests), problem)
}

func requests(count int) string {
	if count == 1 {
		return "1 request"
	}
	return fmt.Sprintf("%d requests", count)
}

// separateReasoning takes what the model has thought out of the text of its answer, where the server has left it there.
func separateReasoning(answer *model.Answer) {
	reasoning, text := structured.SplitReasoning(answer.Text)
	answer.Text = text
	if answer.Reasoning == "" {
		answer.Reasoning = reasoning
	}
}
