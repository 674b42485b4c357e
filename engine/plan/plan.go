// Package plan turns a spec into what the executors run: the schema, the columns in an order in which each finds its inputs, the
// row groups and their shards; and it holds all the validation of a spec. It is imported by the controller too, so it generates
// nothing, reads no data, and imports no clients and no file formats.
package plan

import (
	"fmt"
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/sampler"
	"seedloom.dev/seedloom/engine/table"
)

// Plan is a compiled spec. It is immutable, and shared by all that takes part in a run.
type Plan struct {
	// Spec is a copy of the spec that was compiled.
	Spec *v1alpha1.DatasetGenerationSpec
	// Schema has all columns: those of the seed, then the configured ones in configuration order, each followed by its side-effect columns.
	Schema *table.Schema
	// Output are the columns of Schema that are in the dataset, Dropped those that are left out of it, each in their order.
	Output, Dropped *table.Schema
	// Columns are the configured columns, each after the columns that it requires; among those that could stand next, the
	// one that was configured first.
	Columns []*Column
	// Links are the columns that constraints link, in the order of the first one in the spec.
	Links []Link
	// SeedFields is how many columns, the first ones of the schema, come from the seed.
	SeedFields int
	// Mode is Sync when a column may resize.
	Mode v1alpha1.ExecutionMode
	// RowGroupSize is the number of rows in every row group but the last.
	RowGroupSize int64
	// NumRecords is the number of rows that were asked for.
	NumRecords int64
}

// Column is a configured column.
type Column struct {
	Name string
	// Index is the position in the schema.
	Index int
	Kind  Kind
	// Requires are the schema indexes of the columns, those of the seed included, that are read, be it to decide whether a cell is
	// skipped. Ascending.
	Requires []int
	// Dependents are the schema indexes of the columns that read this one. Ascending.
	Dependents []int
	// SideEffects are the schema indexes of the columns that are made together with this one, and stand right after it.
	SideEffects []int
	// Skip says when cells are left out; nil when none can be.
	Skip *Skip
	// Execution is where the column is generated.
	Execution Execution
	// Lane is what limits the requests of a Remote column.
	Lane Lane
	// Model is the model that a Remote column asks, and nil where none stands behind it. Where a column runs is not to be told from it.
	Model *v1alpha1.Model
	// Resize says that the column may change the number of rows.
	Resize bool
	// Spec is the column's part of Plan.Spec.
	Spec *v1alpha1.Column
}

// ModelAlias is the alias of the model that the column asks; empty where none stands behind it.
func (c *Column) ModelAlias() string {
	if c.Model == nil {
		return ""
	}
	return c.Model.Alias
}

// Makes says whether what stands at an index of the schema is made by this column: it itself, or one of its side-effect columns.
func (c *Column) Makes(index int) bool {
	return c.Index == index || slices.Contains(c.SideEffects, index)
}

// Column returns the configured column at an index of the schema, or nil for a column of the seed.
func (p *Plan) Column(index int) *Column {
	for _, column := range p.Columns {
		if column.Index == index {
			return column
		}
	}
	return nil
}

// RowGroups is the number of row groups.
func (p *Plan) RowGroups() int64 {
	return (p.NumRecords + p.RowGroupSize - 1) / p.RowGroupSize
}

// RowGroup returns the rows of a row group: from start up to, but without, end.
func (p *Plan) RowGroup(index int64) (start, end table.RowIndex) {
	first := index * p.RowGroupSize
	return table.RowIndex(first), table.RowIndex(min(first+p.RowGroupSize, p.NumRecords))
}

// Owns says whether a row group belongs to a shard: group g belongs to shard g mod shards, so that every group belongs to exactly one of
// the shards 0 to shards-1, whatever the number of records.
func Owns(shard, shards int32, group int64) bool { return group%int64(shards) == int64(shard) }

// ShardRowGroups is the number of row groups of a shard.
func (p *Plan) ShardRowGroups(shard, shards int32) int64 {
	return (max(0, p.RowGroups()-int64(shard)) + int64(shards) - 1) / int64(shards)
}

// ShardRows is the number of rows in all the row groups of a shard.
func (p *Plan) ShardRows(shard, shards int32) int64 {
	groups := p.RowGroups()
	if int64(shard) >= groups {
		return 0
	}
	rows := p.ShardRowGroups(shard, shards) * p.RowGroupSize
	if last := groups - 1; Owns(shard, shards, last) {
		start, end := p.RowGroup(last)
		rows -= p.RowGroupSize - int64(end-start)
	}
	return rows
}

// Link are columns that constraints link, so that they are drawn together.
type Link struct {
	// Columns are in topological order.
	Columns []*Column
	// Constraints are those between them, by their index in the spec, ascending.
	Constraints []int
}

// constraintField is the field of the constraint with an index.
func constraintField(index int) string { return fmt.Sprintf("spec.constraints[%d]", index) }

// readsOthers says whether the columns depend on others than themselves.
func (l *Link) readsOthers() bool {
	for _, column := range l.Columns {
		for _, required := range column.Requires {
			if !slices.ContainsFunc(l.Columns, func(other *Column) bool { return other.Makes(required) }) {
				return true
			}
		}
	}
	return false
}

// Samplers are the linked columns and their constraints as they are drawn.
func (l *Link) Samplers(spec *v1alpha1.DatasetGenerationSpec) (members []sampler.Member, restrictions []sampler.Restriction) {
	for _, column := range l.Columns {
		members = append(members, sampler.Member{Name: column.Name, Spec: column.Spec.Sampler})
	}
	for _, index := range l.Constraints {
		restrictions = append(restrictions, sampler.Restriction{Path: constraintField(index), Constraint: spec.Constraints[index]})
	}
	return members, restrictions
}
