package run

import (
	"slices"
	"strings"

	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/engine/trace"
)

// step is what the scheduler hands out as one: a column of a model or a batch alone, or columns that are computed in the process and wait
// for the same models, one after the other. Scheduling costs more than such a cell itself, so it is paid for all of them together.
type step struct {
	columns []*plan.Column
	local   bool
	// afterHold says that the step waits for the processors that work on what was sampled.
	afterHold bool
}

// chunkRows is how many rows a task of a local step is for: enough to make the hand-over cheap, and few enough for all cores to share a
// row group, and for a run to stop soon.
const chunkRows = 128

func isLocal(column *plan.Column) bool { return column.Execution == plan.Local }

// theHold stands, in what a column waits for, for the release of its row group.
const theHold = -1

// stepsOf joins the columns, which are in topological order, to steps. With hold, those that are not sampled wait for the release of their
// row group.
func stepsOf(columns []*plan.Column, hold bool) []*step {
	// A column waits for these others that are not local, directly or through local ones.
	waits := map[int][]int{}
	var steps []*step
	sampledFirst := sampled(columns)
	for _, column := range columns {
		var waitsFor []int
		after := hold && !sampledFirst[column]
		if after {
			waitsFor = append(waitsFor, theHold)
		}
		for _, required := range column.Requires {
			position := slices.IndexFunc(columns, func(other *plan.Column) bool { return other.Makes(required) })
			if position < 0 {
				continue // of the seed, or of an earlier segment
			}
			maker := columns[position]
			waitsFor = append(waitsFor, waits[maker.Index]...)
			if !isLocal(maker) {
				waitsFor = append(waitsFor, maker.Index)
			}
		}
		slices.Sort(waitsFor)
		waits[column.Index] = slices.Compact(waitsFor)
		if !isLocal(column) {
			steps = append(steps, &step{columns: []*plan.Column{column}, afterHold: after})
			continue
		}
		same := slices.IndexFunc(steps, func(other *step) bool {
			return other.local && slices.Equal(waits[other.columns[0].Index], waits[column.Index])
		})
		if same < 0 {
			same = len(steps)
			steps = append(steps, &step{local: true, afterHold: after})
		}
		steps[same].columns = append(steps[same].columns, column)
	}
	return steps
}

// requires are the positions of the other steps that a step needs.
func (s *step) requires(steps []*step) []int {
	var positions []int
	for position, other := range steps {
		makes := func(index int) bool {
			return slices.ContainsFunc(other.columns, func(column *plan.Column) bool { return column.Makes(index) })
		}
		needs := func(column *plan.Column) bool { return slices.ContainsFunc(column.Requires, makes) }
		if other != s && slices.ContainsFunc(s.columns, needs) {
			positions = append(positions, position)
		}
	}
	return positions
}

func (s *step) names() []string {
	var names []string
	for _, column := range s.columns {
		names = append(names, column.Name)
	}
	return names
}

// tracedSteps are the steps as spans name them.
func tracedSteps(steps []*step) []trace.Step {
	traced := make([]trace.Step, len(steps))
	for i, step := range steps {
		first := step.columns[0]
		traced[i] = trace.Step{Columns: strings.Join(step.names(), ","), First: first.Index, Batch: first.Execution == plan.Batch}
	}
	return traced
}

// scheduled is the step as the scheduler knows it; steps are all of them.
func (s *step) scheduled(steps []*step, lane int) schedule.Column {
	first := s.columns[0]
	column := schedule.Column{
		Parts: s.names(), Lane: lane, Weight: first.Spec.EffectiveWeight(), Batch: first.Execution == plan.Batch, Requires: s.requires(steps),
		AfterHold: s.afterHold, Hedge: hedgeOf(first),
	}
	if s.local {
		column.Chunk = chunkRows
	}
	for _, other := range s.columns {
		column.Cells = append(column.Cells, other.Index)
	}
	return column
}

// write writes the value of a column, and those of its side-effect columns.
func write(record *table.Record, column *plan.Column, value any, sideEffects []any) {
	record.Cells[column.Index] = value
	for i, index := range column.SideEffects {
		if i < len(sideEffects) {
			record.Cells[index] = sideEffects[i]
		}
	}
}
