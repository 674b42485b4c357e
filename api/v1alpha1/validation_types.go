package v1alpha1

import (
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// Validation judges the values of other columns. Its value is a struct with is_valid and error_messages, and what its kind adds; is_valid
// is null where a value could not be judged, as where there is none. Exactly one kind is set.
//
// +kubebuilder:validation:XValidation:rule="!has(self.correction) || (has(self.onInvalid) && self.onInvalid == 'Correct')",message="correction is possible with onInvalid: Correct only"
// +kubebuilder:validation:XValidation:rule="!has(self.remote) || !has(self.onInvalid) || self.onInvalid != 'Drop'",message="onInvalid: Drop is not possible for remote: let an expression drop the rows by what it says"
// +kubebuilder:validation:ExactlyOneOf=code;jsonSchema;expression;starlark;remote
type Validation struct {
	// targets are the columns that are judged. code and jsonSchema judge each of them by itself: with several targets, the value has a
	// struct for each. The other kinds judge the row as a whole.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	// +required
	Targets []string `json:"targets,omitempty"`

	// onInvalid says what becomes of a row with a target that is not valid. Defaults to Keep.
	// +optional
	OnInvalid InvalidPolicy `json:"onInvalid,omitempty"`

	// correction says how values that are not valid are corrected; it is possible with onInvalid: Correct only.
	// +optional
	Correction *Correction `json:"correction,omitempty"`

	// code judges the syntax of code.
	// +optional
	Code *CodeValidator `json:"code,omitempty"`

	// jsonSchema judges documents, or texts with a document in them, by a JSON Schema.
	// +optional
	JSONSchema *JSONSchemaValidator `json:"jsonSchema,omitempty"`

	// expression judges rows by a template.
	// +optional
	Expression *ExpressionValidator `json:"expression,omitempty"`

	// starlark judges rows by code of the user.
	// +optional
	Starlark *StarlarkValidator `json:"starlark,omitempty"`

	// remote judges rows by a server of the user.
	// +optional
	Remote *RemoteValidator `json:"remote,omitempty"`
}

// InvalidPolicy says what becomes of rows that are not valid.
// +kubebuilder:validation:Enum=Keep;Drop;Correct
type InvalidPolicy string

const (
	// InvalidKeep keeps the row: the column says that it is not valid.
	InvalidKeep InvalidPolicy = "Keep"
	// InvalidDrop treats the row as one that has failed: it is begun anew with fresh draws, and dropped where that does not help.
	InvalidDrop InvalidPolicy = "Drop"
	// InvalidCorrect tells the model that has written a target what is wrong with it, and asks again, before the row goes on.
	InvalidCorrect InvalidPolicy = "Correct"
)

// ExhaustedPolicy says what becomes of a value that is not valid after all corrections.
// +kubebuilder:validation:Enum=Keep;Drop
type ExhaustedPolicy string

const (
	// ExhaustedKeep keeps the last value: the column says that it is not valid.
	ExhaustedKeep ExhaustedPolicy = "Keep"
	// ExhaustedDrop treats the row as one that has failed: it is begun anew with fresh draws, and dropped where that does not help.
	ExhaustedDrop ExhaustedPolicy = "Drop"
)

// Correction says how values that are not valid are corrected.
type Correction struct {
	// maxAttempts is how often the model is asked again about a value. Defaults to 2.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=20
	// +optional
	MaxAttempts *int32 `json:"maxAttempts,omitempty"`

	// onExhausted says what becomes of a value that is not valid after that. Defaults to Keep.
	// +optional
	OnExhausted ExhaustedPolicy `json:"onExhausted,omitempty"`
}

// defaultCorrections is how often a model is asked again about a value where nothing says so.
const defaultCorrections = 2

// EffectiveCorrections is how often a model is asked again about a value that is not valid.
func (v *Validation) EffectiveCorrections() int32 {
	if v.Correction == nil || v.Correction.MaxAttempts == nil {
		return defaultCorrections
	}
	return *v.Correction.MaxAttempts
}

// KeepsExhausted says whether values are kept that are not valid after all corrections.
func (v *Validation) KeepsExhausted() bool {
	return v.Correction == nil || v.Correction.OnExhausted != ExhaustedDrop
}

// ValidatedLanguage is a language whose syntax is judged. It is no enumeration, so that what is refused says what to take instead.
// +kubebuilder:validation:MinLength=2
// +kubebuilder:validation:MaxLength=32
// +kubebuilder:validation:XValidation:rule="self in ['bash', 'go', 'html', 'javascript', 'json', 'python', 'regex', 'sql:mysql', 'sql:postgres', 'sql:sqlite', 'typescript', 'yaml']",message="must be one of bash, go, html, javascript, json, python, regex, sql:mysql, sql:postgres, sql:sqlite, typescript, yaml: what no parser here is true to, such as other dialects of SQL, is judged by a server of yours with remote"
type ValidatedLanguage string

// CodeValidator judges the syntax of code; nothing is run.
//
// +kubebuilder:validation:XValidation:rule="!has(self.python) || self.language == 'python'",message="python is possible with language: python only"
type CodeValidator struct {
	// language is the language of the targets: bash, go, html, javascript, json, python, regex, sql:mysql, sql:postgres, sql:sqlite,
	// typescript or yaml. regex is the syntax of RE2, without look-around and references back; sql:mysql is MySQL without triggers, stored
	// functions and events. Other dialects of SQL have no parser here that is true to them: remote has a server of yours judge them.
	// +required
	Language ValidatedLanguage `json:"language,omitempty"`

	// python says by which rules Python is judged. Without it, by those of the defaults.
	// +optional
	Python *PythonRules `json:"python,omitempty"`
}

// PythonCheck says what of Python code is judged.
// +kubebuilder:validation:Enum=Rules;Syntax
type PythonCheck string

const (
	// PythonCheckRules judges by rules of Ruff: errors make code invalid, and all messages cost points.
	PythonCheckRules PythonCheck = "Rules"
	// PythonCheckSyntax judges the syntax alone.
	PythonCheckSyntax PythonCheck = "Syntax"
)

// PythonRules say by which rules Python is judged.
//
// +kubebuilder:validation:XValidation:rule="!has(self.select) || !has(self.check) || self.check == 'Rules'",message="select is possible with check: Rules only"
type PythonRules struct {
	// check says what is judged. Defaults to Rules.
	// +optional
	Check PythonCheck `json:"check,omitempty"`

	// select are the rules, or the letters that their names begin with, such as F821 or PL. Without it they are E, F6, F7, F8, SIM, PLC, PLE,
	// PLR and PLW.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=16
	// +kubebuilder:validation:items:Pattern=`^[A-Z]+[0-9]*$`
	// +optional
	Select []string `json:"select,omitempty"`
}

// defaultPythonRules are those of the reference's linter.
var defaultPythonRules = []string{"E", "F6", "F7", "F8", "SIM", "PLC", "PLE", "PLR", "PLW"}

// PythonRules are the rules by which Python is judged; none where its syntax alone is.
func (c *CodeValidator) PythonRules() []string {
	switch {
	case c.Python == nil:
		return slices.Clone(defaultPythonRules)
	case c.Python.Check == PythonCheckSyntax:
		return nil
	case len(c.Python.Select) == 0:
		return slices.Clone(defaultPythonRules)
	}
	return c.Python.Select
}

// JSONSchemaValidator judges documents by a JSON Schema.
type JSONSchemaValidator struct {
	// schema is the JSON Schema (2020-12), without references to other documents. It is taken as it is written: properties that it does
	// not describe are allowed unless it says additionalProperties: false.
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	// +required
	Schema *apiextensionsv1.JSON `json:"schema,omitempty"`
}

// ExpressionValidator judges rows by a template.
type ExpressionValidator struct {
	// expr is a Jinja template that may refer to any other column; for instance "{{ summary | length < 200 }}". Rows in which its value is
	// true are valid. A text is false when it is blank, 0, None or False.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	Expr string `json:"expr,omitempty"`

	// message is a Jinja template that says what is wrong with rows that are not valid. Without it, error_messages quotes expr.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +optional
	Message string `json:"message,omitempty"`
}

// StarlarkValidator judges rows by a program that runs in a sandbox, without input or output and with a limit on its steps.
type StarlarkValidator struct {
	// source defines the function validate(row). row is a dict with the targets. The function returns True, False, None where it can't say,
	// or a dict with is_valid, and with error_messages and the properties of schema where there are any. It sees one row at a time.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	Source string `json:"source,omitempty"`

	// schema is a JSON Schema of an object with what validate returns beside is_valid and error_messages.
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	// +optional
	Schema *apiextensionsv1.JSON `json:"schema,omitempty"`
}
