package run

import (
	"context"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
)

// schedulerConfig returns the scheduler's configuration for some steps, and its lanes.
func (e *executor) schedulerConfig(steps []*step, newRecord func(table.RowIndex, int32) *table.Record) (schedule.Config, lanes) {
	spec := e.Plan.Spec
	lanes := lanesOf(spec, steps)
	config := schedule.Config{
		Lanes:              lanes.lanes,
		Pools:              lanes.pools,
		Ceilings:           len(spec.Endpoints()),
		Endpoints:          len(spec.Providers),
		MaxRowAttempts:     spec.EffectiveMaxRowAttempts(),
		MaxRequestAttempts: spec.EffectiveMaxRequestAttempts(),
		Gate:               gateConfig(spec),
		Outage:             e.Outage,
		NewRecord:          newRecord,
	}
	keys := make([]random.Key, len(steps))
	for i, step := range steps {
		column := step.columns[0]
		keys[i] = random.NewKey(spec.RandomSeed, "retry/"+column.Name)
		config.Columns = append(config.Columns, step.scheduled(steps, lanes.of[i]))
	}
	config.Recovered = func(record *table.Record) []int { return e.recovery.restore(record, steps) }
	if e.skips.Any() {
		config.Skip = func(record *table.Record, column int) bool {
			// The columns of a local step are left out one by one, while the step is made.
			return !steps[column].local && e.skips.Skips(context.Background(), record, steps[column].columns[0])
		}
	}
	config.Jitter = func(column int, record *table.Record, retry int) float64 {
		stream := keys[column].Of(record).Sub(uint64(retry))
		return stream.Float64()
	}
	return config, lanes
}

func gateConfig(spec *v1alpha1.DatasetGenerationSpec) schedule.GateConfig {
	rule := spec.EffectiveEarlyShutdown()
	return schedule.GateConfig{Enabled: rule.Enabled, ErrorRate: rule.ErrorRate, Window: rule.ErrorWindow}
}
