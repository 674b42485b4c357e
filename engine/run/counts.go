package run

import (
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/engine/skip"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// tally counts records and cells by the fate of their row. Every column counts every row once: a cell has failed when its column caused the
// drop of the row, and is dropped when another one did; of a written row, it has succeeded or was skipped.
func tally(p *plan.Plan, written int64, skipped map[string]int64, dropped []store.DroppedRow) progress.Counts {
	counts := progress.Counts{Records: runreport.Records{Actual: written, Dropped: int64(len(dropped))}}
	counts.Columns = make([]runreport.Column, 0, len(p.Spec.Columns))
	for i := range p.Spec.Columns {
		count := runreport.Column{Name: p.Spec.Columns[i].Name}
		count.Skipped = skipped[count.Name]
		count.Succeeded = written - count.Skipped
		for _, row := range dropped {
			if row.Column == count.Name {
				count.Failed++
			} else {
				count.Dropped++
			}
		}
		counts.Columns = append(counts.Columns, count)
	}
	for _, row := range dropped {
		counts.Dropped = runreport.AddDrops(counts.Dropped,
			runreport.Drop{Reason: row.Reason, Column: row.Column, Count: 1, Message: row.Message})
	}
	return counts
}

// countSkipped counts the cells that were left out of records, by their column.
func countSkipped(p *plan.Plan, rules *skip.Rules, records []*table.Record) map[string]int64 {
	if !rules.Any() || len(records) == 0 {
		return nil
	}
	counts := map[string]int64{}
	for _, column := range p.Columns {
		if column.Skip == nil {
			continue
		}
		for _, record := range records {
			if record.IsSkipped(column.Index) {
				counts[column.Name]++
			}
		}
	}
	return counts
}

// skippedBefore are the cells that were left out of the records that the store has of a group.
func skippedBefore(manifest *store.Manifest) map[string]int64 {
	counts := map[string]int64{}
	for _, counted := range manifest.Columns {
		counts[counted.Name] = counted.Skipped
	}
	return counts
}

// usageIn is what the columns of a committed row group have used and drawn.
func usageIn(manifest *store.Manifest) []runreport.Column {
	var columns []runreport.Column
	for _, column := range manifest.Columns {
		if column.Usage != (runreport.Usage{}) || column.Draws != (runreport.Draws{}) {
			columns = append(columns, runreport.Column{Name: column.Name, Usage: column.Usage, Draws: column.Draws})
		}
	}
	return columns
}

// usageOfModels adds up by models what columns have used.
func usageOfModels(p *plan.Plan, columns []runreport.Column) []runreport.Model {
	var models []runreport.Model
	for _, used := range columns {
		index, known := p.Schema.Index(used.Name)
		if !known {
			continue
		}
		if column := p.Column(index); column != nil && column.ModelAlias() != "" {
			models = runreport.AddModels(models, runreport.Model{Alias: column.ModelAlias(), Usage: used.Usage})
		}
	}
	return models
}
