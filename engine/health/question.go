package health

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/llm"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/plan"
)

// question is the smallest request in a form in which a model will be asked.
type question struct {
	alias string
	// requests are what it is sent as, and request is what is sent in a conversation.
	requests plan.Requests
	request  model.Request
	// paints says that an image is wanted of a conversation.
	paints bool
	// form is nil where the answer may be any text.
	form *llm.Form
	// words say what is asked for.
	words string
}

// questionsOf are the questions of a plan. Columns that ask a model in the same form share one.
func questionsOf(p *plan.Plan, tools func(alias string) []model.Tool) ([]question, error) {
	var questions []question
	for i := range p.Spec.Columns {
		index, _ := p.Schema.Index(p.Spec.Columns[i].Name)
		configured := p.Column(index)
		if configured == nil || configured.Execution != plan.Remote || configured.Model.HealthCheck == v1alpha1.HealthCheckDisabled {
			continue
		}
		asked, err := questionOf(configured, tools)
		if err != nil {
			return nil, err
		}
		if asked != nil && !slices.ContainsFunc(questions, asked.isSame) {
			questions = append(questions, *asked)
		}
	}
	// A form that asks for nothing beside a text is tried by those of the same model that ask for more.
	return slices.DeleteFunc(questions, func(plain question) bool {
		return plain.isPlain() && slices.ContainsFunc(questions, func(other question) bool {
			return other.alias == plain.alias && other.requests == plan.RequestsChat && !other.isPlain()
		})
	}), nil
}

// questionOf is the question for one column.
func questionOf(configured *plan.Column, tools func(alias string) []model.Tool) (*question, error) {
	asked := &question{alias: configured.Model.Alias, requests: configured.Lane.Requests, words: "a text"}
	switch configured.Lane.Requests {
	case plan.RequestsEmbedding:
		asked.words = "an embedding"
		return asked, nil
	case plan.RequestsImage:
		asked.words = "an image"
		if spec := configured.Spec.Image; plan.ImagesByChat(spec, configured.Model) {
			asked.requests, asked.paints = plan.RequestsChat, true
			asked.words = "an image in a conversation"
			asked.request.Messages = []model.Message{{Role: model.RoleUser, Content: paintThis, Media: samples(spec.Context)}}
		}
		return asked, nil
	case plan.RequestsChat:
		return questionInChat(configured, tools, asked)
	}
	return nil, failure.New(v1alpha1.ReasonInternalError, failure.EndRun,
		"column %q: no question is known for requests of the kind %q", configured.Name, configured.Lane.Requests)
}

// paintThis is a prompt for an image.
const paintThis = "A plain blue square."

// questionInChat completes the question for a column that has conversations.
func questionInChat(configured *plan.Column, tools func(alias string) []model.Tool, asked *question) (*question, error) {
	prompt := configured.Spec.Prompt()
	if prompt.SystemPrompt != "" {
		asked.request.Messages = append(asked.request.Messages, model.Message{Role: model.RoleSystem,
			Content: "You are a helpful assistant."})
	}
	user := model.Message{Role: model.RoleUser, Content: "Hello!"}
	user.Media = samples(prompt.Context)
	form, err := llm.FormOf(configured.Spec, configured.Model)
	if err != nil {
		return nil, err
	}
	var offered []model.Tool
	if prompt.Tools != "" && tools != nil {
		offered = tools(prompt.Tools)
		asked.words = "a text, with tools that it may call"
	}
	form.Prepare(&asked.request, offered)
	switch form.Method() {
	case v1alpha1.StructuredOutputTool:
		asked.form, asked.words = form, "a tool call"
	case v1alpha1.StructuredOutputNative:
		asked.form, asked.words = form, "a document of a schema"
	}
	if asked.form != nil {
		user.Content = "This is a test of the connection: make up any short example of what is asked for."
	}
	if len(user.Media) > 0 {
		asked.words += " about " + modalities(user.Media)
	}
	asked.request.Messages = append(asked.request.Messages, user)
	return asked, nil
}

// isSame says whether two questions are the same one.
func (q *question) isSame(other question) bool {
	if q.alias != other.alias || q.requests != other.requests || q.paints != other.paints {
		return false
	}
	one, _ := json.Marshal(q.request)
	two, _ := json.Marshal(other.request)
	return bytes.Equal(one, two)
}

// isPlain says that the question asks for nothing but a text.
func (q *question) isPlain() bool {
	return q.requests == plan.RequestsChat && !q.paints && q.form == nil && len(q.request.Tools) == 0 && len(q.request.Messages) == 1 &&
		len(q.request.Messages[0].Media) == 0
}

// ask asks the question, and judges the answer.
func (q *question) ask(ctx context.Context, client Client) (result Result) {
	result = Result{Alias: q.alias, Form: q.words}
	begun := time.Now()
	defer func() { result.Took = time.Since(begun) }()
	var err error
	switch q.requests {
	case plan.RequestsEmbedding:
		_, result.Usage, err = client.Embed(ctx, []string{"Hello!"})
	case plan.RequestsImage:
		_, result.Usage, err = client.Images(ctx, paintThis)
	default:
		var answer model.Answer
		answer, result.Usage, err = client.Chat(ctx, q.request)
		if err == nil {
			result.Cause = q.judge(&answer)
		}
	}
	result.unasked = unasked(ctx, err)
	if err != nil {
		result.Cause = lasting(failure.Of(err), q.words)
	}
	return result
}

// judge says what a server has left out of what it was asked for. An answer that was cut off says nothing of it.
func (q *question) judge(answer *model.Answer) *failure.Error {
	if q.paints && len(answer.Images) == 0 {
		return failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow,
			"it was asked for an image in a conversation, and answered without one: it may be no model of images; "+
				"if rows fail so too, use another model, or set api of the column to Images where it makes them at the endpoint for images")
	}
	if q.form == nil || answer.Finish == model.FinishLength || answer.Finish == model.FinishContext || q.form.Reads(answer) {
		return nil
	}
	switch {
	case q.form.Method() == v1alpha1.StructuredOutputTool && q.request.ForcedTool != "" && !q.form.CallsAnswer(answer):
		return failure.New(v1alpha1.ReasonUnsupportedRequest, failure.EndRun,
			"its server answered with a text where tool_choice makes the model call a tool, which structuredOutput: Tool needs; "+
				"start the server with tools, or set structuredOutput to Native or Prompt")
	case q.form.Method() == v1alpha1.StructuredOutputNative && !json.Valid([]byte(strings.TrimSpace(answer.Text))):
		return failure.New(v1alpha1.ReasonUnsupportedRequest, failure.DropRow,
			"its answer is no JSON, though response_format asks for a document: its server may ignore structuredOutput: Native; "+
				"if rows fail so too, set it to Prompt or Tool")
	}
	return nil
}
