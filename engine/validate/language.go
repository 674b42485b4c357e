package validate

import "seedloom.dev/seedloom/api/v1alpha1"

// EntryPoint is the function that code of the user defines to judge rows.
const EntryPoint = "validate"

// Python is the language that is linted, beyond its syntax.
const Python = "python"

// Languages are those whose syntax is judged, in the order of the API.
func Languages() []string {
	return []string{
		"bash", "go", "html", "javascript", "json", "python", "regex", "sql:mysql", "sql:postgres", "sql:sqlite", "typescript", "yaml",
	}
}

// FormOf is the form of a column's verdicts.
func FormOf(spec *v1alpha1.Validation) Form {
	if spec.Code != nil && spec.Code.Language == Python {
		return FormPython
	}
	if spec.Code != nil || spec.JSONSchema != nil {
		return FormCode
	}
	return FormRow
}
