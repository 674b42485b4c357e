// Package skip decides, row by row, which cells are left out: by the condition of their column, or since a cell that they read was left
// out. What it decides depends on nothing but the row; when it is asked is up to the executors.
package skip

import (
	"context"
	"log/slog"
	"sync"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

// limits are tighter than those of other templates: the scheduler itself evaluates the conditions of models' columns.
var limits = jinja.Limits{Steps: 20_000, OutputBytes: 64 << 10, MemoryBytes: 4 << 20}

// Rules are those of a plan. They may be used from many goroutines at once.
type Rules struct {
	logger *slog.Logger
	// conditions are those of the columns, by their index in the schema; nil for a column without one.
	conditions []*jinja.Condition
	// draws are the keys of what conditions draw.
	draws []random.Key
	any   bool

	mutex sync.Mutex
	// warned are the failures that were warned about, maxWarned at most.
	warned map[failing]bool
}

// maxWarned bounds the causes that are warned about: a cause may name what is in the row.
const maxWarned = 100

// failing is a cause for which the condition of a column fails.
type failing struct{ column, cause string }

// New parses the conditions of a plan.
func New(p *plan.Plan, logger *slog.Logger) (*Rules, error) {
	columns := p.Schema.Len()
	rules := &Rules{logger: logger, conditions: make([]*jinja.Condition, columns), draws: make([]random.Key, columns),
		warned: map[failing]bool{}}
	for _, configured := range p.Columns {
		if configured.Skip == nil {
			continue
		}
		rules.any = true
		if configured.Skip.When == "" {
			continue
		}
		condition, err := jinja.ParseCondition(configured.Skip.When)
		if err != nil {
			return nil, failure.Wrap(err, v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: skip.when", configured.Name)
		}
		rules.conditions[configured.Index] = condition
		rules.draws[configured.Index] = random.NewKey(p.Spec.RandomSeed, "skip/"+configured.Name)
	}
	return rules, nil
}

// Any says whether any cell can ever be left out. Records need their list of skipped cells only then.
func (r *Rules) Any() bool { return r.any }

// Skips says whether a cell is left out, and writes then what it holds instead. The cells that the column requires are there, and the
// record's skipped cells are noted in its list.
func (r *Rules) Skips(ctx context.Context, record *table.Record, target *plan.Column) bool {
	if target.Skip == nil || !r.propagates(record, target) && !r.holds(ctx, record, target) {
		return false
	}
	record.Cells[target.Index] = target.Skip.Value
	record.Skipped[target.Index] = true
	for _, index := range target.SideEffects {
		record.Cells[index] = nil
		record.Skipped[index] = true
	}
	return true
}

func (r *Rules) propagates(record *table.Record, target *plan.Column) bool {
	for _, index := range target.Skip.Propagates {
		if record.Skipped[index] {
			return true
		}
	}
	return false
}

// holds says whether the condition of a column is true. One that fails is taken for true: nothing is paid for a cell that was perhaps not
// wanted.
func (r *Rules) holds(ctx context.Context, record *table.Record, target *plan.Column) bool {
	condition := r.conditions[target.Index]
	if condition == nil {
		return false
	}
	options := column.TemplateOptions(r.draws[target.Index], record)
	options.Limits = limits
	holds, err := condition.Holds(ctx, column.Vars(record), options)
	if err == nil {
		return holds
	}
	if ctx.Err() == nil {
		r.warn(record, target, err)
	}
	return true
}

// warn tells once of each cause in each column.
func (r *Rules) warn(record *table.Record, target *plan.Column, err error) {
	cause := failing{target.Name, err.Error()}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.warned[cause] || len(r.warned) == maxWarned {
		return
	}
	r.warned[cause] = true
	r.logger.Warn("skip.when fails, so that the cell is skipped; other rows in which it does are not logged", "column", target.Name,
		"row", record.Row, "cause", err)
}
