package plan

import (
	"fmt"
	"slices"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/process"
	"seedloom.dev/seedloom/engine/sandbox"
)

// processors checks the processors, and what is left of the rows, and written of them, when they have been at work.
func (v *validation) processors(unknownSeed bool) {
	seen := map[string]int{}
	for i := range v.spec.Processors {
		processor := &v.spec.Processors[i]
		field := fmt.Sprintf("spec.processors[%d]", i)
		first, taken := seen[processor.Name]
		switch {
		case processor.Name == "":
			v.add(field+".name", ReasonRequired, "a processor needs a name")
		case len(processor.Name) > maxProcessorName || !processorName.MatchString(processor.Name):
			v.add(field+".name", ReasonInvalidName, "%q can't name a folder of the output: a name has at most %d small letters, digits, '-' and '_'",
				processor.Name, maxProcessorName)
		case taken:
			v.add(field+".name", ReasonDuplicateProcessor, "spec.processors[%d] is called %q too", first, processor.Name)
		default:
			seen[processor.Name] = i
		}
		switch processor.FailurePolicy {
		case "", v1alpha1.ProcessorFailRun, v1alpha1.ProcessorFailRowGroup:
		default:
			v.add(field+".failurePolicy", ReasonInvalidValue, "must be %s or %s, but is %q", v1alpha1.ProcessorFailRun,
				v1alpha1.ProcessorFailRowGroup, processor.FailurePolicy)
		}
		v.processorKind(processor, field, unknownSeed)
	}
	v.formsOfDroppedColumns()
	v.output(unknownSeed)
	v.exports(unknownSeed)
}

func (v *validation) processorKind(processor *v1alpha1.Processor, field string, unknownSeed bool) {
	var kinds []string
	if processor.DropColumns != nil {
		kinds = append(kinds, "dropColumns")
		v.dropColumns(processor.DropColumns, field+".dropColumns.columnNames", unknownSeed)
	}
	if processor.SchemaTransform != nil {
		kinds = append(kinds, "schemaTransform")
		v.schemaTransform(processor.SchemaTransform, field+".schemaTransform", unknownSeed)
	}
	if processor.Form != nil {
		kinds = append(kinds, "form")
		v.trainingForm(processor.Form, field+".form", unknownSeed)
	}
	if processor.Starlark != nil {
		kinds = append(kinds, "starlark")
		v.starlarkProcessor(processor.Starlark, field+".starlark")
	}
	if len(kinds) != 1 {
		v.add(field, ReasonInvalidUnion, "exactly one of dropColumns, schemaTransform, form, starlark must be set, but %s", listSet(kinds))
	}
}

func (v *validation) dropColumns(spec *v1alpha1.DropColumns, field string, unknownSeed bool) {
	if len(spec.ColumnNames) == 0 {
		v.add(field, ReasonRequired, "the names of the columns are needed")
	}
	for i, name := range spec.ColumnNames {
		if strings.Contains(name, anyText) || unknownSeed {
			continue
		}
		if _, found := v.producers[name]; !found && !v.isSeedName(name) {
			v.add(fmt.Sprintf("%s[%d]", field, i), ReasonUnknownReference, "no column is called %q%s", name, suggestion(name, v.candidates(-1)))
		}
	}
}

func (v *validation) starlarkProcessor(spec *v1alpha1.StarlarkProcessor, field string) {
	switch spec.Stage {
	case v1alpha1.ProcessorPreBatch, v1alpha1.ProcessorPostBatch, v1alpha1.ProcessorAfterGeneration:
	default:
		v.add(field+".stage", ReasonInvalidValue, "must be %s, %s or %s, but is %q",
			v1alpha1.ProcessorPreBatch, v1alpha1.ProcessorPostBatch, v1alpha1.ProcessorAfterGeneration, spec.Stage)
	}
	for _, problem := range sandbox.Check(spec.Source, process.EntryPoint) {
		v.add(field+".source", ReasonStarlarkSyntax, "%s", problem)
	}
}

// formsOfDroppedColumns reports forms that are made of the generated dataset, and read columns that are not kept until then.
func (v *validation) formsOfDroppedColumns() {
	if v.spec.PreservesDroppedColumns() {
		return
	}
	patterns := dropPatterns(v.spec)
	for i := range v.spec.Processors {
		if process.StageOf(v.spec, i) != v1alpha1.ProcessorAfterGeneration {
			continue
		}
		if form := v.spec.Processors[i].Form; form != nil {
			v.formOfDroppedColumns(form, fmt.Sprintf("spec.processors[%d].form", i), patterns)
		}
		transform := v.spec.Processors[i].SchemaTransform
		if transform == nil || transform.Template == nil {
			continue
		}
		template, problems := process.ParseDocument(transform.Template.Raw)
		if len(problems) > 0 {
			continue // reported where the template is checked
		}
		field := fmt.Sprintf("spec.processors[%d].schemaTransform.template", i)
		for path, text := range template.Texts() {
			v.droppedReferences(below(field, path), text.References(), patterns)
		}
	}
}

// output reports a dataset without columns.
func (v *validation) output(unknownSeed bool) {
	if unknownSeed || len(v.spec.Columns) == 0 {
		return
	}
	patterns := dropPatterns(v.spec)
	for i := range v.spec.Columns {
		column := &v.spec.Columns[i]
		names := []string{column.Name}
		for _, effect := range sideEffects(column) {
			names = append(names, effect.Name)
		}
		if !column.IsDropped() && slices.ContainsFunc(names, func(name string) bool { return !matchesAny(patterns, name) }) {
			return
		}
	}
	if slices.ContainsFunc(v.seedNames, func(name string) bool { return !matchesAny(patterns, name) }) {
		return
	}
	field := "spec.columns"
	if len(patterns) > 0 {
		field = "spec.processors"
	}
	v.add(field, ReasonInvalidValue, "all columns are dropped, so that the dataset would have none: keep one at least")
}
