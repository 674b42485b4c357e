package run

import (
	"slices"

	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/engine/schedule"
)

// work reports to the progress what a scheduler is doing. It belongs to the driver's goroutine, and its memory is used again at every call.
type work struct {
	// columns are, for each step, the positions of its columns in the tracker; -1 is none.
	columns [][]int
	models  []modelSteps
	// accounted is how many of the scheduler's whole rows the progress has counted already.
	accounted int64
	report    progress.Work
}

// modelSteps are the steps that an alias makes in a lane, which it may share with other aliases of the same model.
type modelSteps struct {
	// position is that of the alias in the tracker, or -1.
	position, lane int
	steps          []int
}

func newWork(tracker *progress.Tracker, steps []*step, columns []schedule.Column) *work {
	w := &work{}
	for _, step := range steps {
		var positions []int
		for _, name := range step.names() {
			positions = append(positions, tracker.Column(name))
		}
		w.columns = append(w.columns, positions)
	}
	for i, step := range steps {
		model := step.columns[0].Model
		if model == nil {
			continue
		}
		position := tracker.Model(model.Alias)
		same := slices.IndexFunc(w.models, func(other modelSteps) bool { return other.position == position && other.lane == columns[i].Lane })
		if same < 0 {
			same = len(w.models)
			w.models = append(w.models, modelSteps{position: position, lane: columns[i].Lane})
		}
		w.models[same].steps = append(w.models[same].steps, i)
	}
	return w
}

// of returns what the scheduler is doing. It is valid until the next call.
func (w *work) of(core *schedule.Core) *progress.Work {
	w.report.InFlight = int64(core.InFlight())
	w.report.Columns = w.report.Columns[:0]
	for step, counts := range core.CellCounts() {
		for _, position := range w.columns[step] {
			if position < 0 {
				continue
			}
			w.report.Columns = append(w.report.Columns, progress.ColumnWork{
				Column: position, Open: counts.Completed - w.accounted, Recovered: counts.Recovered, Running: counts.Running, Deferred: counts.Deferred,
			})
		}
	}
	w.report.Models = w.report.Models[:0]
	for _, model := range w.models {
		if model.position < 0 {
			continue
		}
		running := int64(0)
		for _, step := range model.steps {
			running += core.CellCounts()[step].Running
		}
		_, limit := core.Load(model.lane)
		if share, shared := core.Share(model.lane); shared {
			limit = min(limit, share)
		}
		w.addModel(progress.ModelWork{Model: model.position, InFlight: running, Limit: int64(limit)})
	}
	return &w.report
}

// addModel adds up the lanes of one model.
func (w *work) addModel(added progress.ModelWork) {
	i := slices.IndexFunc(w.report.Models, func(other progress.ModelWork) bool { return other.Model == added.Model })
	if i < 0 {
		w.report.Models = append(w.report.Models, added)
		return
	}
	w.report.Models[i].InFlight += added.InFlight
	w.report.Models[i].Limit += added.Limit
}
