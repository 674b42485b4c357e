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
		return textRecipe{}, nil
	}
	if len(problems) > 0 {
		return nil, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: %s %s", column.Name, problems[0].Path, problems[0].Message)
	}
	return documentRecipe{name: column.Name, schema: schema, method: of.StructuredOutput}, nil
}

// textRecipe takes the answer as it is.
type textRecipe struct{}

func (textRecipe) instructions() string   { return "" }
func (textRecipe) prepare(*model.Request) {}

func (textRecipe) otherCalls(answer *model.Answer) []model.ToolCall { return answer.ToolCalls }

func (textRecipe) read(answer *model.Answer) (any, error) {
	if text := strings.TrimSpace(answer.Text); text != "" {
		return text, nil
	}
	return nil, &structured.AnswerError{Message: "it has no text beside its reasoning", Truncated: true}
}

// codeRecipe takes the last fenced block.
type codeRecipe struct{ language language }

func (r codeRecipe) instructions() string {
	return fmt.Sprintf("Write the answer as code in %s, and follow the best practices of the language. Put all of it into a single fenced block that begins with "+
		"```%s and ends with ```; write no other fenced block.", r.language.title, r.language.tag)
}

func (codeRecipe) prepare(*model.Request) {}

func (codeRecipe) otherCalls(answer *model.Answer) []model.ToolCall { return answer.ToolCalls }

func (r codeRecipe) read(answer *model.Answer) (any, error) {
	blocks := structured.Fences(answer.Text)
	if len(blocks) == 0 {
		return nil, fmt.Errorf("there is no fenced block of code in the answer; put the code between ```%s and ```", r.language.tag)
	}
	block := blocks[len(blocks)-1]
	code := strings.TrimSpace(block.Content)
	switch {
	case !block.Closed && answer.Finish != model.FinishStop:
		return nil, &structured.AnswerError{Message: "the fenced block of code does not end", Truncated: true}
	case block.Language != "" && !r.language.has(block.Language):
		return nil, fmt.Errorf("the last fenced block is not marked as %s; begin it with ```%s", r.language.tag, r.language.tag)
	case code == "":
		return nil, fmt.Errorf("the last fenced block is empty")
	}
	return code, nil
}

// documentRecipe reads a document of a schema.
type documentRecipe struct {
	name   string
	schema *structured.Schema
	method v1alpha1.StructuredOutputMethod
}

// longestSchemaName is how long servers let the name of a schema be.
const longestSchemaName = 64

func (r documentRecipe) instructions() string {
	schema := "\n<response_schema>\n" + string(r.schema.Text()) + "\n</response_schema>"
	switch r.method {
	case v1alpha1.StructuredOutputTool:
		return ""
	case v1alpha1.StructuredOutputNative:
		// The server sees to the form, but not every server shows the schema and its descriptions to the model.
		return "Answer with one JSON document that conforms to this JSON Schema, and with nothing else:" + schema
	}
	return "Answer with one JSON document that conforms to the JSON Schema below, in a fenced block that begins with ```json and ends with ```." + schema
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

func (r documentRecipe) read(answer *model.Answer) (any, error) {
	if r.method == v1alpha1.StructuredOutputTool {
		for _, call := range answer.ToolCalls {
			if call.Name == model.AnswerTool {
				return r.schema.Read(call.Arguments)
			}
		}
	}
	return r.schema.Read(answer.Text)
}
