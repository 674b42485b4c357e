package plan

import (
	"fmt"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/structured"
)

// codeLanguages are the languages of code, in the order of the API.
var codeLanguages = []string{
	"bash", "c", "cobol", "cpp", "csharp", "go", "java", "javascript", "kotlin", "python", "ruby", "rust", "scala", "swift", "typescript",
	"sql:sqlite", "sql:tsql", "sql:bigquery", "sql:mysql", "sql:postgres", "sql:ansi",
}

func (v *validation) codeColumn(index int, field string) {
	v.llmColumn(index, field)
	language := string(v.spec.Columns[index].LLMCode.Language)
	for _, known := range codeLanguages {
		if language == known {
			return
		}
	}
	v.add(field+".language", ReasonInvalidValue, "no language is called %q%s", language, suggestion(language, codeLanguages))
}

func (v *validation) structuredColumn(index int, field string) {
	v.llmColumn(index, field)
	schema := v.spec.Columns[index].LLMStructured.Schema
	if schema == nil {
		v.add(field+".schema", ReasonRequired, "the JSON Schema of the document is needed")
		return
	}
	_, problems := structured.Compile(schema.Raw)
	v.schemaProblems(field+".schema", problems)
}

func (v *validation) judgeColumn(index int, field string) {
	v.llmColumn(index, field)
	scores := v.spec.Columns[index].LLMJudge.Scores
	if len(scores) == 0 {
		v.add(field+".scores", ReasonRequired, "at least one score is needed")
		return
	}
	_, problems := structured.Judge(scores)
	v.schemaProblems(field+".scores", problems)
	for i, score := range scores {
		if !columnName.MatchString(score.Name) {
			v.add(fmt.Sprintf("%s.scores[%d].name", field, i), ReasonInvalidName,
				"%q can't be used in templates: a name starts with a letter and holds only letters, digits and '_'", score.Name)
		}
	}
}

func (v *validation) schemaProblems(field string, problems []structured.Problem) {
	for _, problem := range problems {
		at := field
		if problem.Path != "" {
			at += "." + problem.Path
		}
		v.add(strings.ReplaceAll(at, ".[", "["), ReasonInvalidSchema, "%s", problem.Message)
	}
}

// structuredOutput checks how a model is brought to answer in a schema.
func (v *validation) structuredOutput(field string, method v1alpha1.StructuredOutputMethod) {
	switch method {
	case "", v1alpha1.StructuredOutputPrompt, v1alpha1.StructuredOutputNative, v1alpha1.StructuredOutputTool:
	default:
		v.add(field, ReasonInvalidValue, "must be Prompt, Native or Tool, but is %q", method)
	}
}

// schemaInPrompt checks whether a schema that a request carries stands in the prompt too.
func (v *validation) schemaInPrompt(field string, policy v1alpha1.SchemaInPromptPolicy) {
	switch policy {
	case "", v1alpha1.SchemaInPromptEnabled, v1alpha1.SchemaInPromptDisabled:
	default:
		v.add(field, ReasonInvalidValue, "must be Enabled or Disabled, but is %q", policy)
	}
}

// onTruncation checks what becomes of a text that was cut off.
func (v *validation) onTruncation(field string, policy v1alpha1.TruncationPolicy) {
	switch policy {
	case "", v1alpha1.TruncationFail, v1alpha1.TruncationKeep:
	default:
		v.add(field, ReasonInvalidValue, "must be Fail or Keep, but is %q", policy)
	}
}
