package main

import (
	"context"
	"errors"
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/seed"
	"seedloom.dev/seedloom/engine/seedvalues"
	"seedloom.dev/seedloom/engine/table"
)

// chainColumns checks manifests together with the columns of their seeds, and finds out which columns each gives to the next one.
type chainColumns struct {
	options *validateOptions
	known   *definition
	all     *resources
	// checked are the columns of the manifests that were checked; nil where they are not known.
	checked map[*manifest][]table.Field
}

// check checks a manifest, and those before it, each once. It returns the columns of its dataset, nil where they are not known.
func (c *chainColumns) check(ctx context.Context, one *manifest) ([]table.Field, error) {
	if fields, known := c.checked[one]; known {
		return fields, nil
	}
	c.checked[one] = nil // so that a circle has an end
	c.known.check(ctx, one)
	if !one.isValid() || one.resource == nil {
		return nil, nil
	}
	columns, known, err := c.seedColumns(ctx, one)
	if err != nil || !known {
		return nil, err
	}
	compiled, err := plan.Compile(&one.resource.Spec, columns)
	var invalid *plan.InvalidError
	if errors.As(err, &invalid) {
		for _, violation := range invalid.Violations {
			one.report(severityError, violation.Field, violation.Message)
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c.checked[one] = compiled.Output.Fields()
	return c.checked[one], c.countSeed(ctx, one)
}

// seedColumns are the columns of a manifest's seed, where its data is at hand, or its own manifest.
func (c *chainColumns) seedColumns(ctx context.Context, one *manifest) (columns []table.Field, known bool, err error) {
	spec := &one.resource.Spec
	switch {
	case spec.Seed == nil:
		return nil, true, nil
	case spec.Seed.Documents != nil:
		columns = knownColumns(one, seed.DocumentColumns)
	case spec.Seed.Files != nil:
		columns = knownColumns(one, seed.FileColumns)
	case spec.Seed.AgentRollouts != nil:
		columns = knownColumns(one, seed.RolloutColumns)
	case spec.Seed.HTTP != nil, spec.Seed.ObjectStore != nil, spec.Seed.HuggingFace != nil:
		return nil, false, nil
	case spec.Seed.DatasetRef != nil:
		columns, err = c.datasetColumns(ctx, one)
	default:
		columns, err = c.fileColumns(ctx, one)
	}
	if columns == nil || err != nil {
		return nil, false, err
	}
	return plan.SeedFields(spec, columns), true, nil
}

// datasetColumns are those that are used of the dataset that is the seed.
func (c *chainColumns) datasetColumns(ctx context.Context, one *manifest) ([]table.Field, error) {
	before := c.all.seedOf(one)
	if before == nil {
		return nil, nil
	}
	columns, err := c.check(ctx, before)
	ref := one.resource.Spec.Seed.DatasetRef
	if err != nil || before.resource == nil {
		return nil, err
	}
	if ref.Form != "" {
		if !hasForm(&before.resource.Spec, ref.Form) {
			one.report(severityError, "spec.seed.datasetRef.form", "no processor of the DatasetGeneration "+ref.Name+
				" that makes a form is called "+ref.Form)
		}
		return nil, nil
	}
	if columns == nil {
		return nil, nil
	}
	if dropped := plan.DroppedInSeed(&one.resource.Spec, &before.resource.Spec); len(dropped) > 0 {
		for _, violation := range dropped {
			one.report(severityError, violation.Field, violation.Message)
		}
		return nil, nil
	}
	columns, err = seed.Columns(one.resource.Spec.Seed, columns)
	if err != nil {
		one.report(severityError, "spec.seed", "the dataset of "+ref.Name+" can't be used: "+err.Error())
		return nil, nil
	}
	return columns, nil
}

func hasForm(spec *v1alpha1.DatasetGenerationSpec, name string) bool {
	return slices.ContainsFunc(spec.Processors, func(processor v1alpha1.Processor) bool {
		return processor.Name == name && processor.MakesForm()
	})
}

// knownColumns are those of a seed, whatever is in it; nil where the spec asks for others.
func knownColumns(one *manifest, of func(*v1alpha1.Seed) ([]table.Field, error)) []table.Field {
	columns, err := of(one.resource.Spec.Seed)
	if err != nil {
		one.report(severityError, "spec.seed.columns", err.Error())
		return nil
	}
	return columns
}

// fileColumns are those of a seed whose data is at hand.
func (c *chainColumns) fileColumns(ctx context.Context, one *manifest) ([]table.Field, error) {
	folder, remove, err := c.options.seed(one, c.all)
	if err != nil && c.options.seedFile == "" && c.options.seedDirectory == "" {
		return nil, nil // it was not asked for
	}
	if err != nil {
		return nil, err
	}
	defer remove()
	spec := &one.resource.Spec
	rows := spec.NumRecords
	if len(spec.SeedCategories()) > 0 {
		rows = 0
	}
	data, err := seed.Load(ctx, spec.Seed, seed.Options{Directory: folder, Rows: rows})
	if err != nil {
		one.report(severityError, "spec.seed", err.Error())
		return nil, nil
	}
	defer func() { _ = data.Close() }() // was only read
	if err := seedvalues.Fill(ctx, spec, data); err != nil {
		one.report(severityError, "spec.seed", err.Error())
		return nil, nil
	}
	if _, err := seed.NewSamples(spec, data.Len()); err != nil {
		one.report(severityError, "spec.seed", err.Error())
		return nil, nil
	}
	return data.Schema().Fields(), nil
}
