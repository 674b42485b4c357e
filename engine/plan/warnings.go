package plan

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/custom"
	"seedloom.dev/seedloom/engine/column/sampler"
	"seedloom.dev/seedloom/engine/process"
	"seedloom.dev/seedloom/engine/sandbox"
)

// Warning is something in a valid spec that is hardly meant so. Nothing is refused for it.
type Warning struct {
	// Field is the path of the field, as in a Violation.
	Field string
	// Message says what is odd, and what would be usual.
	Message string
}

// String returns the field and the message.
func (w Warning) String() string { return w.Field + ": " + w.Message }

// Warnings returns what is odd in a spec, in the order of its fields. It is a function of the spec alone; of an invalid spec it says what
// it can.
func Warnings(spec *v1alpha1.DatasetGenerationSpec) []Warning {
	checks := newValidation(spec)
	checks.run(spec.Seed != nil)
	w := &warnings{spec: spec, references: checks.references, columns: checks.producers}
	w.providersAndModels()
	for i := range spec.Columns {
		w.column(i)
	}
	w.rareRows(checks)
	w.programs()
	w.completion()
	return w.found
}

type warnings struct {
	spec *v1alpha1.DatasetGenerationSpec
	// references are what each column reads, and columns the names that columns have.
	references [][]reference
	columns    map[string]int
	found      []Warning
}

func (w *warnings) add(field, format string, arguments ...any) {
	w.found = append(w.found, Warning{Field: field, Message: fmt.Sprintf(format, arguments...)})
}

// providersAndModels warns of what no column uses.
func (w *warnings) providersAndModels() {
	aliases, providers := map[string]bool{}, map[string]bool{}
	for i := range w.spec.Columns {
		if alias := w.spec.Columns[i].ModelAlias(); alias != nil {
			aliases[*alias] = true
		}
	}
	for _, model := range w.spec.Models {
		providers[model.Provider] = true
	}
	for i, provider := range w.spec.Providers {
		if !providers[provider.Name] {
			w.add(fmt.Sprintf("spec.providers[%d]", i), "no model uses the provider %q: remove it, or name it in a model", provider.Name)
		}
	}
	for i, model := range w.spec.Models {
		if !aliases[model.Alias] {
			w.add(fmt.Sprintf("spec.models[%d]", i), "no column uses the model %q: remove it, or name it in a column", model.Alias)
		}
	}
}

func (w *warnings) column(index int) {
	column := &w.spec.Columns[index]
	field := fmt.Sprintf("spec.columns[%d]", index)
	// Processors see the rows as they are before columns are dropped, and what their code reads is not known here.
	if column.IsDropped() && len(w.spec.Processors) == 0 && !w.isRead(index) {
		w.add(field, "the column %q is dropped from the output, and nothing reads it: remove it, or its drop", column.Name)
	}
	kinds := kindsOf(column)
	if len(kinds) != 1 {
		return
	}
	at := field + "." + kinds[0].String() + ".prompt"
	if prompt := promptOf(column); prompt != "" {
		w.prompt(at, prompt, w.references[index])
	}
}

// promptOf is the prompt of a column that asks a model; empty when it has none.
func promptOf(column *v1alpha1.Column) string {
	if prompt := column.Prompt(); prompt != nil {
		return prompt.Prompt
	}
	if column.Image != nil {
		return column.Image.Prompt
	}
	return ""
}

// isRead says whether another column reads a column, or what is made together with it.
func (w *warnings) isRead(index int) bool {
	for reader, references := range w.references {
		for _, reference := range references {
			if producer, known := w.columns[reference.name]; known && producer == index && reader != index {
				return true
			}
		}
	}
	return false
}

// singleBraces is a name in single braces, as other template languages write references.
var singleBraces = regexp.MustCompile(`(?:^|[^{%#])\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}(?:[^}]|$)`)

func (w *warnings) prompt(field, prompt string, references []reference) {
	reads := slices.ContainsFunc(references, func(one reference) bool { return !one.decides })
	for _, match := range singleBraces.FindAllStringSubmatch(prompt, -1) {
		// The names of the seed's columns are not known here. A prompt that reads nothing has meant one of them.
		if _, isColumn := w.columns[match[1]]; isColumn || !reads && w.spec.Seed != nil {
			w.add(field, "{%s} is plain text, which the model sees as it stands; a reference has two braces: {{ %s }}", match[1], match[1])
			return
		}
	}
	if !reads && w.spec.NumRecords > 1 && !strings.Contains(prompt, "random") {
		w.add(field, "reads no column: the model is asked the same for all %d records; refer to one, as in {{ name }}, so that answers differ",
			w.spec.NumRecords)
	}
}

// programs warns of code that is meant for all rows, and gets those of one row group after another. Before rows are written, code may well
// arrange those of a row group.
func (w *warnings) programs() {
	size := int64(w.spec.EffectiveRowGroupSize())
	if w.spec.NumRecords <= size || size < 1 {
		return
	}
	warn := func(field, source, entryPoint string, whole bool) {
		found, arranges := sandbox.AcrossRows(source, entryPoint)
		if whole {
			found = append(found, arranges...)
		}
		for _, found := range found {
			w.add(field, "%s, but the code is called for each of %d row groups of up to %d rows, and begins anew in each: raise run.rowGroupSize "+
				"to have all %d rows in one (100000 is the most), or look at one row at a time", found, (w.spec.NumRecords+size-1)/size, size,
				w.spec.NumRecords)
		}
	}
	for i := range w.spec.Columns {
		if code := w.spec.Columns[i].Custom; code != nil && code.Starlark != nil {
			warn(fmt.Sprintf("spec.columns[%d].custom.starlark.source", i), code.Starlark.Source, custom.EntryPoint, false)
		}
	}
	for i := range w.spec.Processors {
		if code := w.spec.Processors[i].Starlark; code != nil {
			warn(fmt.Sprintf("spec.processors[%d].starlark.source", i), code.Source, process.EntryPoint,
				code.Stage == v1alpha1.ProcessorAfterGeneration)
		}
	}
}

func (w *warnings) completion() {
	policy := w.spec.CompletionPolicy
	if policy == nil || policy.MinRecords == nil || policy.MinRecords.Type != intstr.Int {
		return
	}
	if least := int64(policy.MinRecords.IntVal); least > w.spec.NumRecords && w.spec.NumRecords > 0 {
		w.add("spec.completionPolicy.minRecords",
			"asks for %d of %d records, which is never reached: %d are taken; lower it, or raise numRecords",
			least, w.spec.NumRecords, w.spec.NumRecords)
	}
}

// rareRows warns of constraints that are hardly ever met by what is drawn. What depends on other columns is not known before the run.
func (w *warnings) rareRows(checks *validation) {
	if len(checks.violations) > 0 || len(w.spec.Constraints) == 0 {
		return
	}
	compiled, err := Compile(w.spec, nil)
	if err != nil {
		return // as the columns of the seed are not known
	}
	dataset := sampler.Dataset{
		Seed: w.spec.RandomSeed, Schema: compiled.Schema, Records: w.spec.NumRecords, SamplerOf: w.spec.SamplerOf,
	}
	for _, link := range compiled.Links {
		members, restrictions := link.Samplers(compiled.Spec)
		if link.readsOthers() || len(restrictions) == 0 {
			continue
		}
		if text := sampler.Rarity(members, restrictions, dataset); text != "" {
			w.add(restrictions[0].Path, "%s", text)
		}
	}
}
