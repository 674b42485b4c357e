package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// Column is one column of the dataset: exactly one of its kinds is set.
//
// +kubebuilder:validation:ExactlyOneOf=sampler;llmText;llmCode;llmStructured;llmJudge;expression;validation;embedding;image;custom
// +kubebuilder:validation:XValidation:rule="!has(self.allowResize) || !self.allowResize || has(self.custom)",message="allowResize is possible for custom columns only"
// +kubebuilder:validation:XValidation:rule="!has(self.skip) || !has(self.sampler)",message="skip is not possible for samplers"
type Column struct {
	// name is the name of the column, by which templates refer to it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z][A-Za-z0-9_]*$`
	// +required
	Name string `json:"name,omitempty"`

	// allowResize lets a custom column return more or fewer rows than it was given. Such a column makes the whole
	// run fall back to one Pod in sync mode.
	// +optional
	AllowResize *bool `json:"allowResize,omitempty"`

	// drop leaves the column out of the dataset. Other columns may use it all the same, and its values are kept in files of their own
	// unless run.preserveDroppedColumns is false.
	// +optional
	Drop *bool `json:"drop,omitempty"`

	// skip leaves cells of the column out, row by row.
	// +optional
	Skip *Skip `json:"skip,omitempty"`

	// propagateSkip skips a cell when a column that it reads was skipped in the row. Defaults to true.
	// +optional
	PropagateSkip *bool `json:"propagateSkip,omitempty"`

	// weight is the share of a model's requests that the column gets when several columns wait for the same model. Defaults to 1.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +optional
	Weight *int32 `json:"weight,omitempty"`

	// sampler draws the value from a distribution.
	// +optional
	Sampler *Sampler `json:"sampler,omitempty"`

	// llmText has a model write the value.
	// +optional
	LLMText *LLMText `json:"llmText,omitempty"`

	// llmCode has a model write code.
	// +optional
	LLMCode *LLMCode `json:"llmCode,omitempty"`

	// llmStructured has a model write a document in a schema.
	// +optional
	LLMStructured *LLMStructured `json:"llmStructured,omitempty"`

	// llmJudge has a model judge other columns.
	// +optional
	LLMJudge *LLMJudge `json:"llmJudge,omitempty"`

	// validation judges the values of other columns.
	// +optional
	Validation *Validation `json:"validation,omitempty"`

	// embedding has a model turn a text into vectors.
	// +optional
	Embedding *Embedding `json:"embedding,omitempty"`

	// image has a model make images.
	// +optional
	Image *Image `json:"image,omitempty"`

	// expression computes the value from other columns.
	// +optional
	Expression *Expression `json:"expression,omitempty"`

	// custom computes the value by code of the user.
	// +optional
	Custom *Custom `json:"custom,omitempty"`
}

// Skip leaves cells of a column out.
type Skip struct {
	// when is a Jinja template that refers to at least one other column; for instance "{{ stars > 2 }}". Where its value is true, the
	// cell is skipped: it gets the value below, and no model is asked. A text is false when it is blank, 0, None or False. Where the
	// template fails, the cell is skipped too, and a warning is logged.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	// +required
	When string `json:"when,omitempty"`

	// value is what a skipped cell holds: a text, a number, true, false or null, which must fit the type of the column. Defaults to null.
	// +optional
	Value *apiextensionsv1.JSON `json:"value,omitempty"`
}

// ValueType is the type of a computed value.
// +kubebuilder:validation:Enum=str;int;float;bool;decimal;date;time;timestamp
type ValueType string

// The types of computed values. A decimal has up to 38 digits, of which up to nine stand after the point.
const (
	ValueTypeStr       ValueType = "str"
	ValueTypeInt       ValueType = "int"
	ValueTypeFloat     ValueType = "float"
	ValueTypeBool      ValueType = "bool"
	ValueTypeDecimal   ValueType = "decimal"
	ValueTypeDate      ValueType = "date"
	ValueTypeTime      ValueType = "time"
	ValueTypeTimestamp ValueType = "timestamp"
)

// Expression computes a value from other columns by a Jinja template.
//
// +kubebuilder:validation:XValidation:rule="!has(self.type) || !has(self.schema)",message="type and schema can't both be set"
type Expression struct {
	// expr is a Jinja template that may refer to any other column; for instance "{{ title | upper }} ({{ year }})".
	// A row in which it renders to nothing, or to something that is not of the type, is dropped. A null stays null where it is all that
	// the template is, as in "{{ title }}".
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	Expr string `json:"expr,omitempty"`

	// type is the type of the value. Defaults to str.
	// +optional
	Type ValueType `json:"type,omitempty"`

	// schema is the JSON Schema of the value, in the place of a type: with it, an expression gives lists and structs, as that of
	// llmStructured does. A template that is one expression, such as "{{ turns[:2] }}", keeps its value; the text of any other one is read
	// as JSON.
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	// +optional
	Schema *apiextensionsv1.JSON `json:"schema,omitempty"`
}

// CustomStrategy says on how many rows custom code works at once.
// +kubebuilder:validation:Enum=Batch
type CustomStrategy string

const (
	// CustomBatch calls the code once for all rows of a row group.
	CustomBatch CustomStrategy = "Batch"
)

// Custom computes values by code of the user. Exactly one kind of code is set.
//
// +kubebuilder:validation:ExactlyOneOf=starlark
// +kubebuilder:validation:XValidation:rule="!has(self.type) || !has(self.schema)",message="type and schema can't both be set"
type Custom struct {
	// strategy says on how many rows the code works at once.
	// +required
	Strategy CustomStrategy `json:"strategy,omitempty"`

	// type is the type of the values. Defaults to str.
	// +optional
	Type ValueType `json:"type,omitempty"`

	// schema is the JSON Schema of the values, in the place of a type: with it, the code returns lists and dicts.
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	// +optional
	Schema *apiextensionsv1.JSON `json:"schema,omitempty"`

	// requiredColumns are the columns that the code reads. They are generated before it is called.
	// +listType=set
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	// +optional
	RequiredColumns []string `json:"requiredColumns,omitempty"`

	// starlark is code in the Starlark language.
	// +optional
	Starlark *Starlark `json:"starlark,omitempty"`
}

// Starlark is a program that runs in a sandbox, without input or output and with a limit on its steps.
type Starlark struct {
	// source defines the function generate(rows). Each row is a dict with the required columns and with _row, the number of the
	// row. It returns a list of dicts, each with the column's name and the _row that it belongs to; without allowResize
	// exactly one for every row that it was given.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	Source string `json:"source,omitempty"`
}
