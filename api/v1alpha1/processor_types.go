package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// ProcessorFailurePolicy says what a failure of a processor leads to.
// +kubebuilder:validation:Enum=FailRun;FailRowGroup
type ProcessorFailurePolicy string

const (
	// ProcessorFailRun ends the run, which is then Failed whatever completionPolicy asks for. Whole rows of other row groups are kept.
	ProcessorFailRun ProcessorFailurePolicy = "FailRun"
	// ProcessorFailRowGroup drops the rows of the row group, and goes on with the others.
	ProcessorFailRowGroup ProcessorFailurePolicy = "FailRowGroup"
)

// Processor works on one row group after another, of run.rowGroupSize rows each, and never sees two of them at once. Exactly one of its
// kinds is set.
//
// +kubebuilder:validation:ExactlyOneOf=dropColumns;schemaTransform;form;starlark
type Processor struct {
	// name identifies the processor within this spec, and names its files in the output.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`
	// +required
	Name string `json:"name,omitempty"`

	// failurePolicy says what a failure of the processor leads to. Defaults to FailRun. It can be changed without starting over. Code that
	// changes the number of rows where it may not ends the run in any case.
	// +optional
	FailurePolicy ProcessorFailurePolicy `json:"failurePolicy,omitempty"`

	// dropColumns leaves columns out of the dataset.
	// +optional
	DropColumns *DropColumns `json:"dropColumns,omitempty"`

	// schemaTransform writes another form of every row beside the dataset.
	// +optional
	SchemaTransform *SchemaTransform `json:"schemaTransform,omitempty"`

	// form writes the rows beside the dataset in a form that trainers read.
	// +optional
	Form *Form `json:"form,omitempty"`

	// starlark runs code of the user.
	// +optional
	Starlark *StarlarkProcessor `json:"starlark,omitempty"`
}

// DropColumns leaves columns out of the dataset once a row group is complete. Other processors see them all the same. What is left out is
// kept in files of its own, unless run.preserveDroppedColumns says otherwise.
type DropColumns struct {
	// columnNames are names of columns; * stands for any characters.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	// +required
	ColumnNames []string `json:"columnNames,omitempty"`
}

// SchemaTransform writes another form of the rows to the folder processors-files/<name> of the output. The dataset stays as it is. The form
// has the rows that there are at its place in the list: after a processor of the stage AfterGeneration, those that this one has left.
type SchemaTransform struct {
	// template is an object whose members are the columns of the other form. Every text in it, at any depth, is a Jinja template.
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	// +required
	Template *apiextensionsv1.JSON `json:"template,omitempty"`

	// when is a Jinja template that says which rows the form has; for instance "{{ verdict.realism.score >= 4 }}". All rows without it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	// +optional
	When string `json:"when,omitempty"`

	// schema is the JSON Schema of the form's rows: an object, whose properties become the columns, with their types. Without it the types
	// are those of what the template's texts lead to.
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	// +optional
	Schema *apiextensionsv1.JSON `json:"schema,omitempty"`
}

// ProcessorStage says when a processor runs.
// +kubebuilder:validation:Enum=PreBatch;PostBatch;AfterGeneration
type ProcessorStage string

const (
	// ProcessorPreBatch runs in each row group once its seed and sampled columns are there, before anything else of it is made.
	ProcessorPreBatch ProcessorStage = "PreBatch"
	// ProcessorPostBatch runs in each row group once all columns are there, before it is written.
	ProcessorPostBatch ProcessorStage = "PostBatch"
	// ProcessorAfterGeneration runs when all rows are there, for one row group after another, and may change the number of rows. It never
	// sees two row groups at once.
	ProcessorAfterGeneration ProcessorStage = "AfterGeneration"
)

// StarlarkProcessor is a program that runs in a sandbox, without input or output and with a limit on its steps.
type StarlarkProcessor struct {
	// stage says when the program runs.
	// +required
	Stage ProcessorStage `json:"stage,omitempty"`

	// source defines the function process(rows). Each row is a dict with all columns that are there and with _row, the number of the row in
	// the dataset. It returns a list of dicts with the same keys. In the stages PreBatch and PostBatch it returns every row exactly once, in
	// any order, unless the run is in sync mode; in AfterGeneration it gets the rows of one row group after the other, and returns any number.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	Source string `json:"source,omitempty"`
}

// MakesForm says whether the processor writes another form of the rows, which has its name.
func (p *Processor) MakesForm() bool { return p.SchemaTransform != nil || p.Form != nil }
