// Package process holds the processors of a spec: code and templates that work on all the records of a row group at once, at one of three
// stages. It checks what they give back; when they run, and where what they make is written, is not known here.
package process

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/sandbox"
	"seedloom.dev/seedloom/engine/table"
)

// timeout is how long one processor may take for one row group.
const timeout = 10 * time.Minute

// Batch is what the processors of a stage work on. They only read it.
type Batch struct {
	Stage    v1alpha1.ProcessorStage
	RowGroup int64
	Records  []*table.Record
	// Columns are the schema indexes of the columns that are there, ascending.
	Columns []int
	// Resize says that processors may return more or fewer records than they got.
	Resize bool
}

// Form is another form of records, which a processor has made. Its records have the identities of those that they were made of.
type Form struct {
	Processor string
	Schema    *table.Schema
	Records   []*table.Record
}

// Result is what the processors of a stage have made of a batch.
type Result struct {
	// Records are new ones where a processor has made them, and those of the batch otherwise.
	Records []*table.Record
	Forms   []Form
	// Added and Filtered count what resizes have done.
	Added, Filtered int64
}

// processor is one processor: it returns the records as it wants them, and another form of them or nil. Its errors are about what it did
// with the rows; which processor it is, is added to them.
type processor interface {
	process(ctx context.Context, batch *Batch) ([]*table.Record, *Form, error)
}

// Set are the processors of a spec. It is immutable, and may be used from many goroutines at once; a nil one has no processors.
type Set struct {
	entries []entry
	timeout time.Duration
}

type entry struct {
	name   string
	stage  v1alpha1.ProcessorStage
	policy v1alpha1.ProcessorFailurePolicy
	processor
}

// New makes the processors of a valid spec for records with the schema. Those that only choose columns are no part of it: the plan knows
// which columns are left out.
func New(spec *v1alpha1.DatasetGenerationSpec, schema *table.Schema, workers *sandbox.Workers) (*Set, error) {
	result := &Set{timeout: timeout}
	for i := range spec.Processors {
		configured := &spec.Processors[i]
		next := entry{name: configured.Name, policy: configured.FailurePolicy}
		var err error
		switch {
		case configured.Starlark != nil:
			next.stage = configured.Starlark.Stage
			next.processor, err = newProgram(configured.Starlark, schema, workers)
		case configured.SchemaTransform != nil:
			next.stage = StageOf(spec, i)
			next.processor, err = newTransform(configured, spec.RandomSeed, schema)
		case configured.Form != nil:
			next.stage = StageOf(spec, i)
			next.processor, err = newTrainingForm(configured, spec.RandomSeed, schema)
		default:
			continue
		}
		if err != nil {
			return nil, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "processor %q: %v", configured.Name, err)
		}
		result.entries = append(result.entries, next)
	}
	return result, nil
}

// Has says whether a processor works at the stage.
func (s *Set) Has(stage v1alpha1.ProcessorStage) bool {
	if s == nil {
		return false
	}
	for i := range s.entries {
		if s.entries[i].stage == stage {
			return true
		}
	}
	return false
}

// NeedsWholeGroups says whether what the processors make of a row may depend on the other rows of its row group.
func (s *Set) NeedsWholeGroups() bool {
	if s == nil {
		return false
	}
	for i := range s.entries {
		if _, isProgram := s.entries[i].processor.(*program); isProgram && s.entries[i].stage != v1alpha1.ProcessorAfterGeneration {
			return true
		}
	}
	return false
}

// Forms are the other forms of records that the processors of a stage make, without records.
func (s *Set) Forms(stage v1alpha1.ProcessorStage) []Form {
	if s == nil {
		return nil
	}
	var forms []Form
	for i := range s.entries {
		if result, isForm := s.entries[i].processor.(former); isForm && s.entries[i].stage == stage {
			forms = append(forms, Form{Processor: s.entries[i].name, Schema: result.formSchema()})
		}
	}
	return forms
}

// Form is the schema of the form of records that a processor makes; nil where it makes none.
func (s *Set) Form(name string) *table.Schema {
	if s == nil {
		return nil
	}
	for i := range s.entries {
		if result, isForm := s.entries[i].processor.(former); isForm && s.entries[i].name == name {
			return result.formSchema()
		}
	}
	return nil
}

// StageOf is when a processor of a valid spec works. One that makes another form of the rows makes it of those that are there at its place
// in the list: when a row group is there, and after one that works on the generated dataset, when that has been at work.
func StageOf(spec *v1alpha1.DatasetGenerationSpec, index int) v1alpha1.ProcessorStage {
	if program := spec.Processors[index].Starlark; program != nil {
		return program.Stage
	}
	for i := range spec.Processors[:index] {
		if before := spec.Processors[i].Starlark; before != nil && before.Stage == v1alpha1.ProcessorAfterGeneration {
			return v1alpha1.ProcessorAfterGeneration
		}
	}
	return v1alpha1.ProcessorPostBatch
}

// Run lets the processors of the batch's stage work on it one after the other, in configuration order, and checks what each returns. It
// runs no processor on a batch without records. The cause of its error is an *Error, or the end of the context.
func (s *Set) Run(ctx context.Context, logger *slog.Logger, batch *Batch) (*Result, *failure.Error) {
	current := *batch
	// Rows become whole in any order; processors get them in that of the dataset.
	current.Records = slices.SortedFunc(slices.Values(batch.Records), byIdentity)
	result := &Result{Records: current.Records}
	for i := range s.entries {
		next := &s.entries[i]
		if next.stage != batch.Stage || len(current.Records) == 0 {
			continue
		}
		records, form, err := s.call(ctx, logger, next, &current)
		if err == nil {
			err = check(&current, records)
		}
		if err != nil {
			if ctx.Err() != nil {
				return nil, failure.Of(context.Cause(ctx))
			}
			return nil, fail(next, &current, err)
		}
		if form != nil {
			form.Processor = next.name
			result.Forms = append(result.Forms, *form)
		}
		added, filtered := resized(current.Records, records)
		result.Added += added
		result.Filtered += filtered
		current.Records = records
	}
	result.Records = current.Records
	return result, nil
}
