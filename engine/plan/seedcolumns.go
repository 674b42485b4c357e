package plan

import (
	"fmt"
	"slices"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/table"
)

// addedColumn is a column that a row has from its seed beside those of the seed itself.
type addedColumn struct {
	name, field string
	// what says which of them it is.
	what string
	// kind is its type, where the seed has some columns.
	kind func(columns []table.Field) table.Type
}

// addedColumns are those of a seed, which may be nil, in their order.
func addedColumns(seed *v1alpha1.Seed) []addedColumn {
	var added []addedColumn
	if seed == nil {
		return nil
	}
	if rows := seed.RowsPerSeedRow; rows != nil && rows.NumberColumn != "" {
		number := func([]table.Field) table.Type { return table.Type{Kind: table.KindInt} }
		added = append(added, addedColumn{
			rows.NumberColumn, "spec.seed.rowsPerSeedRow.numberColumn", "the numberColumn of spec.seed.rowsPerSeedRow", number,
		})
	}
	list := func(columns []table.Field) table.Type {
		return table.Type{Kind: table.KindList, Element: &table.Type{Kind: table.KindStruct, Fields: columns}}
	}
	for i := range seed.SampleRows {
		field := fmt.Sprintf("spec.seed.sampleRows[%d]", i)
		added = append(added, addedColumn{seed.SampleRows[i].Name, field + ".name", "a column of spec.seed.sampleRows", list})
	}
	return added
}

// SeedFields are the columns that rows have from a seed with some columns: those, that with the number of a row among those that follow
// from the same row of the seed, and those with further rows of it.
func SeedFields(spec *v1alpha1.DatasetGenerationSpec, columns []table.Field) []table.Field {
	fields := slices.Clip(columns)
	for _, added := range addedColumns(spec.Seed) {
		fields = append(fields, table.Field{Name: added.name, Type: added.kind(columns)})
	}
	return fields
}

// addedColumns checks the names of the columns that rows have from the seed beside its own.
func (v *validation) addedColumns() {
	added := addedColumns(v.spec.Seed)
	for i := range added {
		v.addedColumn(&added[i], added[:i])
	}
}

func (v *validation) addedColumn(added *addedColumn, before []addedColumn) {
	name, field := added.name, added.field
	switch {
	case !columnName.MatchString(name):
		v.add(field, ReasonInvalidName, "%q can't be used in templates: a name starts with a letter and holds only letters, digits and '_'", name)
	case jinja.IsReserved(name):
		v.add(field, ReasonInvalidName, "%q is a word of the template language, so that no template can read the column: rename it", name)
	}
	clash := func(other, where string) {
		if strings.EqualFold(other, name) {
			v.add(field, ReasonSeedColumnClash, "%s is called %q too: rename one of them", where, other)
		}
	}
	for i := range v.spec.Columns {
		clash(v.spec.Columns[i].Name, fmt.Sprintf("spec.columns[%d]", i))
	}
	for i := range v.spec.Seed.Columns {
		clash(v.spec.Seed.Columns[i].Name, fmt.Sprintf("spec.seed.columns[%d]", i))
	}
	for _, other := range before {
		clash(other.name, strings.TrimSuffix(other.field, ".name"))
	}
	if len(v.spec.Seed.Columns) == 0 {
		for _, other := range v.ownSeedNames() {
			clash(other, "a column of the seed")
		}
	}
}

// ownSeedNames are the names of the columns of the seed itself, where they are known.
func (v *validation) ownSeedNames() []string {
	return v.seedNames[:max(0, len(v.seedNames)-len(addedColumns(v.spec.Seed)))]
}

// sampleRows checks which further rows of the seed a row has.
func (v *validation) sampleRows(samples []v1alpha1.SeedSample) {
	for i := range samples {
		field, sample := fmt.Sprintf("spec.seed.sampleRows[%d]", i), &samples[i]
		if sample.Count < 1 || sample.Count > v1alpha1.MaxSeedSample {
			v.add(field+".count", ReasonInvalidValue, "must be from 1 to %d, but is %d", v1alpha1.MaxSeedSample, sample.Count)
		}
		if from := sample.EffectiveFrom(); from != v1alpha1.SeedSampleRandom && from != v1alpha1.SeedSampleNext {
			v.add(field+".from", ReasonInvalidValue, "must be %s or %s, but is %q", v1alpha1.SeedSampleRandom, v1alpha1.SeedSampleNext, from)
		}
	}
	v.addedColumns()
}
