package run

import (
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/internal/runreport"
)

// usageOf is what requests of a column have used, as an entry of a list of columns.
func usageOf(made *plan.Column, usage runreport.Usage) runreport.Column {
	return runreport.Column{Name: made.Name, Usage: usage}
}

// modelsOf adds up by models what columns have used.
func (j *Job) modelsOf(columns []runreport.Column) []runreport.Model {
	var models []runreport.Model
	for _, used := range columns {
		if made := j.column(used.Name); made != nil && made.Model != nil {
			models = runreport.AddModels(models, runreport.Model{Alias: made.Model.Alias, Usage: used.Usage})
		}
	}
	return models
}

func (j *Job) column(name string) *plan.Column {
	index, known := j.Plan.Schema.Index(name)
	if !known {
		return nil
	}
	return j.Plan.Column(index)
}

// spend counts what columns have used, in the progress and against the budget.
func (j *Job) spend(columns ...runreport.Column) {
	if len(columns) == 0 {
		return
	}
	models := j.modelsOf(columns)
	j.Progress.Add(progress.Counts{Columns: columns, Models: models})
	j.budget.spend(models)
}

// recovered counts what columns have used in an earlier process, beside what is in the manifests.
func (j *Job) recovered(columns ...runreport.Column) {
	models := j.modelsOf(columns)
	j.Progress.Add(progress.Counts{Columns: columns, Earlier: models})
	j.budget.spend(models)
}

func (d *driver) addUsage(group int64, columns ...runreport.Column) {
	d.usage[group] = runreport.AddColumns(d.usage[group], columns...)
	d.job.spend(columns...)
}

// recovered adds usage that an earlier process has spent.
func (d *driver) recovered(group int64, columns ...runreport.Column) {
	d.usage[group] = runreport.AddColumns(d.usage[group], columns...)
	d.job.recovered(columns...)
}
