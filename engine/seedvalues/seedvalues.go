// Package seedvalues makes categories of the columns of a seed: it reads all of its rows, and writes the different values into the samplers
// that draw from them. What is drawn, and which rows of the seed a dataset begins with, is not known here.
package seedvalues

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/seed"
	"seedloom.dev/seedloom/engine/table"
)

const (
	// maxValues bounds the different values of a column, and maxBytes their texts together.
	maxValues = 10_000
	maxBytes  = 4 << 20
	// fetched is how many rows are asked for at once.
	fetched = 4096
)

// Fill writes the values of the seed's columns into the Category samplers that take them, in the order in which the rows have them. A
// column that the seed does not have is left to the validation of the plan. Its errors are failure.Error, or that of the context.
func Fill(ctx context.Context, spec *v1alpha1.DatasetGenerationSpec, dataset *seed.Dataset) error {
	taken := map[string]*values{}
	var wanted []*values
	for _, index := range spec.SeedCategories() {
		name := spec.Columns[index].Sampler.Category.ValuesOf
		at, known := dataset.Schema().Index(name)
		if !known || taken[name] != nil {
			continue
		}
		taken[name] = &values{
			name: name, at: at, field: fmt.Sprintf("spec.columns[%d].sampler.category.valuesOf", index), places: map[string]int{},
		}
		wanted = append(wanted, taken[name])
	}
	if len(wanted) == 0 {
		return nil
	}
	if err := read(ctx, dataset, wanted); err != nil {
		return err
	}
	for _, index := range spec.SeedCategories() {
		category := spec.Columns[index].Sampler.Category
		if of := taken[category.ValuesOf]; of != nil {
			if err := of.fill(category); err != nil {
				return err
			}
		}
	}
	return nil
}

// read counts the values of columns in all rows.
func read(ctx context.Context, dataset *seed.Dataset, wanted []*values) error {
	record := table.NewRecord(dataset.Schema(), 0, 0)
	for next := 0; next < dataset.Len(); {
		if err := ctx.Err(); err != nil {
			return failure.Of(err)
		}
		positions := make([]int, min(fetched, dataset.Len()-next))
		for i := range positions {
			positions[i] = next + i
		}
		rows, err := dataset.Fetch(positions)
		if err != nil {
			return err
		}
		for row := range rows.Len() {
			if record.Texts, err = rows.Row(row, record.Cells); err != nil {
				return err
			}
			for _, of := range wanted {
				if err := of.count(record); err != nil {
					return err
				}
			}
		}
		next += rows.Len()
	}
	return nil
}

// values are the different values of a column, as JSON.
type values struct {
	name, field string
	at          int
	// places says where in all each stands, and counts how many rows have it.
	places map[string]int
	all    []apiextensionsv1.JSON
	counts []int64
	bytes  int
}

func (v *values) count(record *table.Record) error {
	text, err := v.text(record)
	if err != nil {
		return failure.New(v1alpha1.ReasonSeedFailed, failure.EndRun, "column %q of the seed, which %s names, %v", v.name, v.field, err)
	}
	if text == "" {
		return nil
	}
	place, known := v.places[text]
	if !known {
		place = len(v.all)
		v.places[text] = place
		v.all, v.counts, v.bytes = append(v.all, apiextensionsv1.JSON{Raw: []byte(text)}), append(v.counts, 0), v.bytes+len(text)
	}
	if len(v.all) > maxValues || v.bytes > maxBytes {
		return failure.New(v1alpha1.ReasonSeedFailed, failure.EndRun, "column %q of the seed, which %s names, has more than %d different values "+
			"or %d MiB of them: name one with fewer, or take the rows of the seed as they are", v.name, v.field, maxValues, maxBytes>>20)
	}
	v.counts[place]++
	return nil
}

// text is the value of a record as JSON: a number, or what a template prints as a text. It is empty where there is none.
func (v *values) text(record *table.Record) (string, error) {
	switch cell := record.Cells[v.at].(type) {
	case nil:
		return "", nil
	case int64:
		return strconv.FormatInt(cell, 10), nil
	case float64:
		if math.IsNaN(cell) || math.IsInf(cell, 0) {
			return "", fmt.Errorf("has %v, which is no value of a Category", cell)
		}
		text := strconv.FormatFloat(cell, 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0" // so that it stays a float
		}
		return text, nil
	case string:
		return quoted(cell), nil
	}
	printed, _ := column.Vars(record).Lookup(v.name)
	return quoted(jinja.Str(printed)), nil
}

// quoted is a text as JSON.
func quoted(text string) string {
	data, _ := json.Marshal(text) // a text can always be written
	return string(data)
}

// fill writes the values into a Category.
func (v *values) fill(category *v1alpha1.CategorySampler) error {
	if len(v.all) == 0 {
		return failure.New(v1alpha1.ReasonSeedFailed, failure.EndRun,
			"column %q of the seed, which %s names, has no value in any row", v.name, v.field)
	}
	if category.Weighting == v1alpha1.WeightingFrequency {
		category.Weights = make([]v1alpha1.Decimal, len(v.counts))
		for i, count := range v.counts {
			category.Weights[i], _ = v1alpha1.NewDecimal(strconv.FormatInt(count, 10)) // a count can always be written
		}
	}
	category.Values, category.ValuesOf, category.Weighting = v.all, "", ""
	return nil
}
