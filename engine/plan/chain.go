package plan

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/sampler"
	"seedloom.dev/seedloom/engine/seedrows"
	"seedloom.dev/seedloom/engine/table"
)

// resourceName is what a DatasetGeneration may be called.
var resourceName = regexp.MustCompile(`^[a-z]([-a-z0-9]*[a-z0-9])?$`)

const maxResourceName = 52

// NumRecords is how many records a spec asks for, whose seed has so many rows: as many as follow from them where the spec does not say it.
func NumRecords(spec *v1alpha1.DatasetGenerationSpec, seedRows int64) (int64, error) {
	if spec.NumRecords > 0 {
		return spec.NumRecords, nil
	}
	return seedrows.NumRecords(spec, seedRows)
}

// DroppedInSeed says which columns a spec reads that the dataset does not have any more which is its seed: those that the spec of that one
// drops.
func DroppedInSeed(spec, seed *v1alpha1.DatasetGenerationSpec) []Violation {
	ref := spec.SeedDataset()
	if ref == nil || ref.Form != "" {
		return nil // a form has the columns that it makes
	}
	checks, of := newValidation(spec), newValidation(seed)
	drops := func(name string) bool {
		index, isColumn := of.producers[name]
		return isColumn && of.spec.Columns[index].IsDropped() || matchesAny(dropPatterns(seed), name)
	}
	var found []Violation
	add := func(field, name string) {
		violation := Violation{Field: field, Reason: ReasonUnknownReference, Message: fmt.Sprintf(
			"reads the column %q, which the dataset %q drops: keep it there, and drop it in the last dataset of the chain", name, ref.Name)}
		if drops(name) && !slices.Contains(found, violation) {
			found = append(found, violation)
		}
	}
	if selected := spec.Seed.Columns; len(selected) > 0 {
		for i := range selected {
			add(fmt.Sprintf("spec.seed.columns[%d]", i), cmp.Or(selected[i].From, selected[i].Name))
		}
		return found
	}
	checks.run(true)
	added := addedColumns(spec.Seed)
	for _, reads := range checks.references {
		for _, read := range reads {
			_, isOwn := checks.producers[read.name]
			isAdded := slices.ContainsFunc(added, func(column addedColumn) bool { return column.name == read.name })
			if !isOwn && !isAdded {
				add(read.field, read.name)
			}
		}
	}
	return found
}

// seedDataset checks a seed that is the dataset of another resource.
func (v *validation) seedDataset(seed *v1alpha1.Seed) {
	name := seed.DatasetRef.Name
	if len(name) > maxResourceName || !resourceName.MatchString(name) {
		v.add("spec.seed.datasetRef.name", ReasonInvalidValue, "must be the name of a DatasetGeneration: a letter, then a-z, 0-9 and '-', of at "+
			"most %d characters, but is %q", maxResourceName, name)
	}
	if form := seed.DatasetRef.Form; form != "" && (strings.ContainsAny(form, `/\`) || strings.HasPrefix(form, ".")) {
		v.add("spec.seed.datasetRef.form", ReasonInvalidValue, "must be the name of a processor, but is %q", form)
	}
	if seed.Format != "" || seed.CSV != nil {
		v.add("spec.seed", ReasonInvalidValue, "format and csv are of files: the dataset of datasetRef needs none; remove them")
	}
}

// rowsPerSeedRow checks how many rows follow from each row of the seed.
func (v *validation) rowsPerSeedRow(rows *v1alpha1.RowsPerSeedRow) {
	const field = "spec.seed.rowsPerSeedRow"
	if rows == nil {
		return
	}
	var set []string
	if rows.Count != nil {
		set = append(set, "count")
		if *rows.Count < 1 || *rows.Count > seedrows.MaxPerRow {
			v.add(field+".count", ReasonInvalidValue, "must be from 1 to %d, but is %d", seedrows.MaxPerRow, *rows.Count)
		}
	}
	if rows.Sampler != nil {
		set = append(set, "sampler")
		v.rowsSampler(field+".sampler", rows.Sampler)
	}
	if len(set) != 1 {
		v.add(field, ReasonInvalidUnion, "exactly one of count, sampler must be set, but %s", listSet(set))
	}
}

// rowsSampler checks what draws how many rows follow: whole numbers, and nothing that depends on a row of the dataset.
func (v *validation) rowsSampler(field string, spec *v1alpha1.Sampler) {
	violations := sampler.Validate(spec)
	for _, violation := range violations {
		v.add(field+"."+violation.Field, ReasonInvalidSampler, "%s", violation.Message)
	}
	if len(violations) > 0 {
		return
	}
	if kind, err := sampler.TypeOf(spec); err != nil || kind.Kind != table.KindInt {
		v.add(field, ReasonInvalidSampler, "must draw whole numbers: samplers of type Poisson and Binomial do, or set convertTo to int")
	}
	if spec.Category.TakesValues() {
		v.add(field+".category.valuesOf", ReasonInvalidSampler, "is not possible here: write the values")
	}
	if len(spec.Conditional) > 0 {
		v.add(field+".conditional", ReasonInvalidSampler, "depends on the rows of the dataset, of which there are none yet: remove it")
	}
	if spec.Category.IsBalanced() {
		v.add(field+".category.balance", ReasonInvalidSampler,
			"can't be Exact, which depends on the rows of the dataset: take one that draws by chance alone")
	}
	if spec.Type == v1alpha1.SamplerSequence || len(sampler.References(spec)) > 0 {
		v.add(field, ReasonInvalidSampler, "can't be of type %s, which depends on the rows of the dataset: take one that draws by chance alone",
			spec.Type)
	}
}
