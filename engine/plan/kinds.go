package plan

import (
	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/sampler"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/table"
)

// Kind is the kind of a configured column: its place in the table of kinds.
type Kind int

// The kinds of columns, in the order of the table.
const (
	KindSampler Kind = iota
	KindLLMText
	KindLLMCode
	KindLLMStructured
	KindLLMJudge
	KindExpression
	KindValidation
	KindEmbedding
	KindImage
	KindCustom
)

// Execution is where the cells of a column are generated.
type Execution int

const (
	// Local columns are computed in the process, row by row.
	Local Execution = iota
	// Remote columns ask a server for each cell, within the limits of their lane.
	Remote
	// Batch columns are computed in the process for all rows of a row group at once.
	Batch
)

// Requests are the kind of requests that remote columns send. A server may take as many of one kind as it can, whatever it does with the
// others.
type Requests string

// The kinds of requests. The zero value is for columns that send none.
const (
	RequestsChat      Requests = "chat"
	RequestsEmbedding Requests = "embedding"
	RequestsImage     Requests = "image"
)

// Lane is what limits the requests of remote columns: columns with the same lane share its limits.
type Lane struct {
	Provider, Model string
	Requests        Requests
}

// kindRow is all that the engine knows of a kind of columns outside the package that generates them.
type kindRow struct {
	// name is that of the kind's member in a column's spec.
	name  string
	isSet func(*v1alpha1.Column) bool
	// check reports what is wrong with the member at a field, and notes the columns that it reads.
	check func(v *validation, index int, field string)
	// outputType is the type of the values of a valid column.
	outputType func(*v1alpha1.Column) (table.Type, error)
	execution  Execution
	// executionOf is where the cells of a column are generated, for a kind whose columns differ in it; nil for others.
	executionOf func(*v1alpha1.Column) Execution
	// requests are those of a remote kind. Its column names a model (ModelAlias).
	requests Requests
	// sampled says that values are drawn: they cost nothing, so that they are never skipped, and are there before a row group is processed.
	sampled bool
	// resizes says that a column may change the number of rows.
	resizes bool
	// inSchema says that a model answers with a document in a schema.
	inSchema bool
	// writeDefaults writes the member's defaults one way, so that a default that is written out changes no hash. It may be nil.
	writeDefaults func(*v1alpha1.Column)
}

// kinds has a row for each kind of columns. A kind that is added here is known to all that asks the table; package factory makes its
// generator.
var kinds = [...]kindRow{
	KindSampler: {
		name: "sampler", isSet: func(c *v1alpha1.Column) bool { return c.Sampler != nil }, check: (*validation).samplerColumn,
		outputType: samplerType, execution: Local, sampled: true, writeDefaults: func(c *v1alpha1.Column) { sampler.WriteDefaults(c.Sampler) },
	},
	KindLLMText: {
		name: "llmText", isSet: func(c *v1alpha1.Column) bool { return c.LLMText != nil }, check: (*validation).llmColumn, outputType: textType,
		execution: Remote, requests: RequestsChat, writeDefaults: writeTextDefaults,
	},
	KindLLMCode: {
		name: "llmCode", isSet: func(c *v1alpha1.Column) bool { return c.LLMCode != nil }, check: (*validation).codeColumn, outputType: textType,
		execution: Remote, requests: RequestsChat, writeDefaults: writePromptDefaults,
	},
	KindLLMStructured: {
		name: "llmStructured", isSet: func(c *v1alpha1.Column) bool { return c.LLMStructured != nil }, check: (*validation).structuredColumn,
		outputType: documentType, execution: Remote, requests: RequestsChat, inSchema: true, writeDefaults: writePromptDefaults,
	},
	KindLLMJudge: {
		name: "llmJudge", isSet: func(c *v1alpha1.Column) bool { return c.LLMJudge != nil }, check: (*validation).judgeColumn,
		outputType: documentType, execution: Remote, requests: RequestsChat, inSchema: true, writeDefaults: writePromptDefaults,
	},
	KindExpression: {
		name: "expression", isSet: func(c *v1alpha1.Column) bool { return c.Expression != nil }, check: (*validation).expressionColumn,
		outputType: expressionType, execution: Local,
		writeDefaults: func(c *v1alpha1.Column) { writeValueType(&c.Expression.Type, c.Expression.Schema) },
	},
	KindValidation: {
		name: "validation", isSet: func(c *v1alpha1.Column) bool { return c.Validation != nil }, check: (*validation).validationColumn,
		outputType: validationType, executionOf: validationExecution, writeDefaults: writeValidationDefaults,
	},
	KindEmbedding: {
		name: "embedding", isSet: func(c *v1alpha1.Column) bool { return c.Embedding != nil }, check: (*validation).embeddingColumn,
		outputType: embeddingType, execution: Remote, requests: RequestsEmbedding,
	},
	KindImage: {
		name: "image", isSet: func(c *v1alpha1.Column) bool { return c.Image != nil }, check: (*validation).imageColumn, outputType: imageType,
		execution: Remote, requests: RequestsImage, writeDefaults: writeImageDefaults,
	},
	KindCustom: {
		name: "custom", isSet: func(c *v1alpha1.Column) bool { return c.Custom != nil }, check: (*validation).customColumn,
		outputType: customType, execution: Batch, resizes: true,
		writeDefaults: func(c *v1alpha1.Column) { writeValueType(&c.Custom.Type, c.Custom.Schema) },
	},
}

// String returns the name of the member of a column's spec.
func (k Kind) String() string { return kinds[k].name }

// IsSampled says whether the values of the kind are drawn: they are never skipped, and are there before a row group is processed.
func (k Kind) IsSampled() bool { return kinds[k].sampled }

// runs is where the cells of a column of the kind are generated.
func (k *kindRow) runs(column *v1alpha1.Column) Execution {
	if k.executionOf != nil {
		return k.executionOf(column)
	}
	return k.execution
}

// kindsOf returns the kinds whose member is set: one, in a valid column.
func kindsOf(column *v1alpha1.Column) []Kind {
	var set []Kind
	for kind := range kinds {
		if kinds[kind].isSet(column) {
			set = append(set, Kind(kind))
		}
	}
	return set
}

// rowOf is the row of a column's kind; nil where not exactly one is set.
func rowOf(column *v1alpha1.Column) *kindRow {
	set := kindsOf(column)
	if len(set) != 1 {
		return nil
	}
	return &kinds[set[0]]
}

// columnType is the type of a valid column's values.
func columnType(column *v1alpha1.Column) (table.Type, error) {
	kind := rowOf(column)
	if kind == nil {
		return table.Type{}, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: not exactly one kind is set", column.Name)
	}
	return kind.outputType(column)
}
