package engine

import (
	"context"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/export"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/process"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// publisher lets the processors of the stage AfterGeneration make the dataset from what was generated, one row group after another. It is
// nil where there are none.
func (p *prepared) publisher() store.Publisher {
	if !p.processors.Has(v1alpha1.ProcessorAfterGeneration) {
		return nil
	}
	// Dropped columns that are not kept are not there any more.
	kept := p.plan.Schema
	if !p.plan.Spec.PreservesDroppedColumns() {
		kept = p.plan.Output
	}
	var columns []int
	for index, field := range p.plan.Schema.Fields() {
		if _, there := kept.Index(field.Name); there {
			columns = append(columns, index)
		}
	}
	return func(ctx context.Context, index int64, records []*table.Record) (store.Published, error) {
		batch := &process.Batch{Stage: v1alpha1.ProcessorAfterGeneration, RowGroup: index, Records: records, Columns: columns, Resize: true}
		result, err := p.processors.Run(ctx, p.config.Logger, batch)
		if err == nil {
			published := store.Published{Records: result.Records, Added: result.Added, Filtered: result.Filtered}
			for _, form := range result.Forms {
				published.Files = append(published.Files, store.FormFile(form.Processor, form.Schema, form.Records))
			}
			return published, nil
		}
		if !process.DropsRowGroup(err) {
			return store.Published{}, err
		}
		var givenUp store.Published
		for _, record := range records {
			dropped := store.DroppedRow{Row: record.Row, Reason: err.Reason, Message: err.Error(), Attempts: record.Attempt + 1}
			if p.rows != nil {
				seedRow := p.rows.Number(record.Row)
				dropped.SeedRow = &seedRow
			}
			givenUp.Dropped = append(givenUp.Dropped, dropped)
		}
		return givenUp, nil
	}
}

// exports are what is written of the dataset in other formats.
func (p *prepared) exports() []store.Export {
	exports := []store.Export{}
	for i := range p.spec.Output.Exports {
		one := &p.spec.Output.Exports[i]
		exports = append(exports, store.Export{Name: one.Name, Of: one.Of, Options: export.OptionsOf(one)})
	}
	return exports
}

// checkExports says which exports can't be written of the columns that there are, before there are rows of them.
func (p *prepared) checkExports(output *table.Schema) error {
	for _, one := range p.exports() {
		columns := output
		if one.Of != "" {
			columns = p.processors.Form(one.Of)
		}
		if columns == nil {
			continue
		}
		err := export.Check(columns, one.Options)
		if err == nil {
			if _, found := columns.Index(one.Options.SplitBy); !found {
				columns = output // a form may be split by a column of the dataset
			}
			err = export.CheckSplit(columns, one.Options.SplitBy)
		}
		if err != nil {
			return failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "the export %q of spec.output.exports: %v", one.Name, err)
		}
	}
	return nil
}

// published is by how much the processors after the generation have changed what is counted.
func published(before progress.Snapshot, after *store.Summary) progress.Counts {
	counts := progress.Counts{Records: runreport.Records{
		Actual: after.Records.Actual - before.Records.Actual, Dropped: after.Records.Dropped - before.Records.Dropped,
		Added: after.Records.Added - before.Records.Added, Filtered: after.Records.Filtered - before.Records.Filtered,
	}}
	for _, column := range after.Columns {
		for _, counted := range before.Columns {
			if counted.Name == column.Name {
				counts.Columns = append(counts.Columns, runreport.Column{
					Name: column.Name, Succeeded: column.Succeeded - counted.Succeeded, Failed: column.Failed - counted.Failed,
					Dropped: column.Dropped - counted.Dropped, Skipped: column.Skipped - counted.Skipped,
				})
			}
		}
	}
	for _, drop := range after.Dropped {
		if drop.Count -= runreport.CountOf(before.Dropped, drop); drop.Count != 0 {
			counts.Dropped = append(counts.Dropped, drop)
		}
	}
	return counts
}
