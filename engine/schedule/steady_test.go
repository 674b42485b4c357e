package schedule_test

import (
	"math/rand/v2"
	"testing"
	"time"
)

// published are the graphs that the peers publish.
func published(slots int) []shape {
	column := func(lane int, needs ...int) shaped { return shaped{needs: needs, lane: lane, takes: took} }
	return []shape{
		{"narrow", []shaped{column(0), column(0, 0), column(0, 1), column(0, 2)}, []int{slots}, 0},
		{"deep", []shaped{column(0), column(0, 0), column(0, 1), column(0)}, []int{slots}, 0},
		{"wide", []shaped{column(0), column(0), column(0), column(0), column(0)}, []int{slots}, 0},
		{"dual model", []shaped{column(0), column(0), column(0), column(1, 0), column(1, 1), column(1, 2)}, []int{slots, slots}, 0},
	}
}

// begun is a task that has started.
type begun struct {
	lane      int
	at, takes time.Duration
}

// inUse is how much of the busiest lane's slots tasks could have kept in use over a time.
func inUse(tasks []begun, slots int, over time.Duration) float64 {
	busy := map[int]time.Duration{}
	most := time.Duration(0)
	for _, task := range tasks {
		busy[task.lane] += task.takes
		most = max(most, busy[task.lane])
	}
	return float64(most) / float64(slots) / float64(over)
}

// With a thousand requests in flight to each model, whose answers take as long as they like, no slot is empty after the ramp-up.
func TestTheSlotsOfAllModelsAreInUse(t *testing.T) {
	const slots, rows = 1000, 20_000
	for _, s := range published(slots) {
		t.Run(s.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(9, 1))
			var tasks []begun
			length := s.run(t, rows, 1000, true, func(column int, now time.Duration) time.Duration {
				takes := time.Duration(float64(took) * (0.5 + random.Float64()))
				tasks = append(tasks, begun{s.columns[column].lane, now, takes})
				return takes
			})
			first, last := len(tasks)/10, len(tasks)*9/10
			steady := inUse(tasks[first:last], slots, tasks[last].at-tasks[first].at)
			whole := inUse(tasks, slots, length)
			t.Logf("%.3f of the slots are in use, %.3f with the ramp-up and the last rows", steady, whole)
			if steady < 0.98 || whole < 0.95 {
				t.Errorf("%.3f of the slots are in use, and %.3f with the ramp-up and the last rows; want 0.98 and 0.95", steady, whole)
			}
		})
	}
}
