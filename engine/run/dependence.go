package run

import (
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
)

// sampled are the columns that are there before the processors of the stage PreBatch work: those that are drawn and read nothing else.
func sampled(columns []*plan.Column) map[*plan.Column]bool {
	found := map[*plan.Column]bool{}
	for _, column := range columns {
		readsOthers := slices.ContainsFunc(columns, func(other *plan.Column) bool {
			return !found[other] && slices.ContainsFunc(column.Requires, other.Makes)
		})
		if column.Kind.IsSampled() && !readsOthers {
			found[column] = true
		}
	}
	return found
}

// sampledIndexes are the schema indexes of the columns that processors of the stage PreBatch get: those of the seed, and the sampled ones.
func sampledIndexes(p *plan.Plan) []int {
	indexes := make([]int, 0, p.SeedFields)
	for index := range p.SeedFields {
		indexes = append(indexes, index)
	}
	for column := range sampled(p.Columns) {
		indexes = append(indexes, column.Index)
		indexes = append(indexes, column.SideEffects...)
	}
	slices.Sort(indexes)
	return indexes
}

// boundColumns are the columns of models whose cells depend on all rows of their row group: where processors or the code of a batch have
// worked on them together before.
func boundColumns(job *Job) map[string]bool {
	names := map[string]bool{}
	var bound []*plan.Column
	for _, column := range job.Plan.Columns {
		reads := slices.ContainsFunc(bound, func(other *plan.Column) bool { return slices.ContainsFunc(column.Requires, other.Makes) })
		if reads || column.Execution == plan.Batch || job.holdsRowGroups() || job.Plan.Mode == v1alpha1.ExecutionSync {
			bound = append(bound, column)
			if column.Execution == plan.Remote {
				names[column.Name] = true
			}
		}
	}
	return names
}

// needsWholeGroups says whether what is made of a row may depend on the other rows of its row group.
func needsWholeGroups(job *Job) bool {
	isBatch := func(column *plan.Column) bool { return column.Execution == plan.Batch }
	return job.Processors.NeedsWholeGroups() || slices.ContainsFunc(job.Plan.Columns, isBatch)
}
