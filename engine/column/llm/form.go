package llm

import (
	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/model"
)

// Form is what the requests of a column look like whatever is in its prompts: what a model and its server must be able to do.
type Form struct {
	recipe recipe
	method v1alpha1.StructuredOutputMethod
}

// FormOf returns the form of a column in which a model writes.
func FormOf(column *v1alpha1.Column, of *v1alpha1.Model) (*Form, error) {
	chosen, err := recipeOf(column, of)
	if err != nil {
		return nil, err
	}
	form := &Form{recipe: chosen}
	if _, isDocument := chosen.(documentRecipe); isDocument {
		form.method = of.StructuredOutput
	}
	return form, nil
}

// Prepare brings a request into the form: with the tools that are given, and what makes the answer a document.
func (f *Form) Prepare(request *model.Request, tools []model.Tool) {
	request.Tools = tools
	f.recipe.prepare(request)
}

// Method is how a document is asked for: by a schema or a tool that the server must know, or, where it is empty or Prompt, in words alone.
func (f *Form) Method() v1alpha1.StructuredOutputMethod { return f.method }

// CallsAnswer says whether an answer hands over its document as it was made to do.
func (f *Form) CallsAnswer(answer *model.Answer) bool {
	for _, call := range answer.ToolCalls {
		if call.Name == model.AnswerTool {
			return true
		}
	}
	return false
}

// Reads says whether the column could read an answer.
func (f *Form) Reads(answer *model.Answer) bool {
	_, err := f.recipe.read(answer)
	return err == nil
}
