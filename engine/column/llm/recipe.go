package llm

import (
	"fmt"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/structured"
)

// recipe is how a kind of column asks for an answer, and reads it.
type recipe interface {
	// instructions are added to the prompt.
	instructions() string
	// prepare adds to a request what is not in its messages.
	prepare(request *model.Request)
	// otherCalls are the calls of an answer that are no answer themselves.
	otherCalls(answer *model.Answer) []model.ToolCall
	// read returns the value; its error tells the model what is wrong.
	read(answer *model.Answer) (any, error)
	// takesPart says whether the value that read has returned is only a part of what the model would have written.
	takesPart(answer *model.Answer) bool
}

func recipeOf(column *v1alpha1.Column, of *v1alpha1.Model) (recipe, error) {
	var schema *structured.Schema
	var problems []structured.Problem
	switch {
	case column.LLMCode != nil:
		return codeRecipe{language: languages[column.LLMCode.Language]}, nil
	case column.LLMStructured != nil:
		schema, problems = structured.Compile(column.LLMStructured.Schema.Raw)
	case column.LLMJudge != nil:
		schema, problems = structured.Judge(column.LLMJudge.Scores)
	default:
		return textRecipe{onTruncation: column.LLMText.OnTruncation}, nil
	}
	if len(problems) > 0 {
		return nil, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: %s %s",
			column.Name, problems[0].Path, problems[0].Message)
	}
	return documentRecipe{
		name: column.Name, schema: schema, method: of.StructuredOutput, inPrompt: of.SchemaInPrompt == v1alpha1.SchemaInPromptEnabled,
	}, nil
}

// textRecipe takes the answer as it is.
type textRecipe struct{ onTruncation v1alpha1.TruncationPolicy }

func (textRecipe) instructions() string   { return "" }
func (textRecipe) prepare(*model.Request) {}

func (textRecipe) otherCalls(answer *model.Answer) []model.ToolCall { return answer.ToolCalls }

func (r textRecipe) read(answer *model.Answer) (any, error) {
	text := strings.TrimSpace(answer.Text)
	switch {
	case text == "":
		return nil, noText(answer)
	case r.onTruncation == v1alpha1.TruncationKeep:
	case answer.Finish == model.FinishLength:
		return nil, &structured.AnswerError{Message: "its text is cut off by the limit of tokens; write a shorter one", Truncated: true}
	case answer.Finish == model.FinishContext:
		return nil, &structured.AnswerError{Message: "its text is cut off", Truncated: true}
	}
	return text, nil
}

func (textRecipe) takesPart(answer *model.Answer) bool {
	return answer.Finish == model.FinishLength || answer.Finish == model.FinishContext
}

// noText says why there is no text in an answer.
func noText(answer *model.Answer) error {
	if len(answer.ToolCalls) > 0 {
		return &structured.AnswerError{Message: fmt.Sprintf("it calls %.80q, which is no tool that it has, in place of an answer",
			answer.ToolCalls[0].Name)}
	}
	if answer.Reasoning != "" {
		return &structured.AnswerError{Message: "it has thoughts only, which do not end in an answer", Truncated: true}
	}
	return &structured.AnswerError{Message: "the answer is empty", Truncated: answer.Finish != model.FinishStop}
}

// documentRecipe reads a document of a schema.
type documentRecipe struct {
	name   string
	schema *structured.Schema
	method v1alpha1.StructuredOutputMethod
	// inPrompt adds the schema to the prompt where the request carries it already.
	inPrompt bool
}

// longestSchemaName is how long servers let the name of a schema be.
const longestSchemaName = 64

func (r documentRecipe) instructions() string {
	carried := r.method == v1alpha1.StructuredOutputTool || r.method == v1alpha1.StructuredOutputNative
	if carried && !r.inPrompt {
		// The server shows the schema to the model, or constrains the answer to it: small models that read of JSON write about JSON.
		return ""
	}
	schema := "\n<response_schema>\n" + string(r.schema.Text()) + "\n</response_schema>"
	switch {
	case r.method == v1alpha1.StructuredOutputTool:
		return "The arguments of " + model.AnswerTool + " are one JSON document that conforms to this JSON Schema:" + schema
	case carried:
		return "Answer with one JSON document that conforms to this JSON Schema, and with nothing else:" + schema
	}
	form, whole := r.schema.Form()
	shown := "with values in the place of what stands in <>, in a fenced block that begins with ```json and ends with ```:\n```json\n" +
		string(form) + "\n```"
	if whole {
		return "Answer with one JSON document of this form, " + shown
	}
	return "Answer with one JSON document that conforms to this JSON Schema:" + schema + "\nIt has this form, " + shown
}

func (r documentRecipe) prepare(request *model.Request) {
	switch r.method {
	case v1alpha1.StructuredOutputNative:
		request.Schema = &model.Schema{Name: r.name[:min(len(r.name), longestSchemaName)], Document: r.schema.Text()}
	case v1alpha1.StructuredOutputTool:
		offered := len(request.Tools)
		request.Tools = append(request.Tools[:offered:offered], model.Tool{
			Name: model.AnswerTool, Description: "Hands over the answer. It is called once, with the whole answer.", Parameters: r.schema.Text(),
		})
		if offered == 0 || request.NoToolCalls {
			request.ForcedTool, request.NoToolCalls = model.AnswerTool, false
		}
	}
}

func (r documentRecipe) otherCalls(answer *model.Answer) []model.ToolCall {
	if r.method != v1alpha1.StructuredOutputTool {
		return answer.ToolCalls
	}
	var others []model.ToolCall
	for _, call := range answer.ToolCalls {
		if call.Name == model.AnswerTool {
			// Who answers needs no more results.
			return nil
		}
		others = append(others, call)
	}
	return others
}

// takesPart is never true: a document is whole when it can be read, whatever was to come after it.
func (documentRecipe) takesPart(*model.Answer) bool { return false }

func (r documentRecipe) read(answer *model.Answer) (any, error) {
	if r.method == v1alpha1.StructuredOutputTool {
		for _, call := range answer.ToolCalls {
			if call.Name == model.AnswerTool {
				return r.schema.Read(call.Arguments)
			}
		}
	}
	if strings.TrimSpace(answer.Text) == "" {
		return nil, noText(answer)
	}
	return r.schema.Read(answer.Text)
}
