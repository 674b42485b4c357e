package plan

import (
	"fmt"
	"strings"
)

// The reasons of violations.
const (
	// ReasonRequired: something that must be there is missing.
	ReasonRequired = "Required"
	// ReasonInvalidValue: a value is outside what its field admits.
	ReasonInvalidValue = "InvalidValue"
	// ReasonInvalidName: a column's name could not be used in templates.
	ReasonInvalidName = "InvalidName"
	// ReasonInvalidUnion: of the members of which exactly one must be set, none or several are.
	ReasonInvalidUnion = "InvalidUnion"
	// ReasonDuplicateColumn, ReasonDuplicateModel, ReasonDuplicateProvider and ReasonDuplicateProcessor: two entries have the same name.
	ReasonDuplicateColumn    = "DuplicateColumn"
	ReasonDuplicateModel     = "DuplicateModel"
	ReasonDuplicateProvider  = "DuplicateProvider"
	ReasonDuplicateProcessor = "DuplicateProcessor"
	// ReasonDuplicateToolServer and ReasonDuplicateTools: the same for tool servers and sets of tools.
	ReasonDuplicateToolServer = "DuplicateToolServer"
	ReasonDuplicateTools      = "DuplicateTools"
	// ReasonSeedColumnClash: a column has the name of a column of the seed.
	ReasonSeedColumnClash = "SeedColumnClash"
	// ReasonUnknownReference: a template, or requiredColumns, names a column that does not exist.
	ReasonUnknownReference = "UnknownReference"
	// ReasonUnknownModel: a column names a model that is not in spec.models.
	ReasonUnknownModel = "UnknownModel"
	// ReasonUnknownProvider: a model names a provider that is not in spec.providers.
	ReasonUnknownProvider = "UnknownProvider"
	// ReasonUnknownToolServer: a set of tools names a server that is not in spec.toolServers.
	ReasonUnknownToolServer = "UnknownToolServer"
	// ReasonUnknownTools: a column names tools that are not in spec.tools.
	ReasonUnknownTools = "UnknownTools"
	// ReasonCycle: columns depend on each other in a circle.
	ReasonCycle = "Cycle"
	// ReasonTemplateSyntax: a template does not parse.
	ReasonTemplateSyntax = "TemplateSyntax"
	// ReasonStarlarkSyntax: custom code does not compile, or has no function generate(rows).
	ReasonStarlarkSyntax = "StarlarkSyntax"
	// ReasonInvalidSchema: a JSON Schema, or what a judge is to choose from, can't be worked with.
	ReasonInvalidSchema = "InvalidSchema"
	// ReasonInvalidSampler: a sampler can't draw from what it was given.
	ReasonInvalidSampler = "InvalidSampler"
)

// Violation is one thing that is wrong with a spec.
type Violation struct {
	// Field is the path of the field, such as spec.columns[2].llmText.prompt.
	Field string
	// Reason is one of the reasons of this package.
	Reason string
	// Message says what is wrong and what would be right.
	Message string
}

// String returns the field and the message.
func (v Violation) String() string { return v.Field + ": " + v.Message }

// InvalidError is the error of a spec that can't be compiled.
type InvalidError struct {
	// Violations are all that is wrong, in the order of the spec's fields.
	Violations []Violation
}

// Error lists all violations.
func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Violations))
	for i, violation := range e.Violations {
		lines[i] = violation.String()
	}
	if len(lines) == 1 {
		return "the spec is invalid: " + lines[0]
	}
	return fmt.Sprintf("the spec is invalid in %d places: %s", len(lines), strings.Join(lines, "; "))
}

// notAPattern is what is wrong with a text that should name files.
const notAPattern = "is not a pattern: a '[' or '{' in it is not closed; a backslash before it has it stand for itself"
