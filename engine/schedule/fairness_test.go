package schedule_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"seedloom.dev/seedloom/engine/schedule"
)

// shares runs three columns of one model, all of which always have cells ready, and counts what each gets of so many requests.
func shares(t *testing.T, weights []int, limit, requests int) []int {
	t.Helper()
	config := chain()
	config.Columns = nil
	for range weights {
		config.Columns = append(config.Columns, schedule.Column{Parts: []string{"a"}, Lane: 1})
	}
	for i, weight := range weights {
		config.Columns[i].Weight = weight
	}
	config.Lanes[1].Limit = limit
	s := newSimulation(config)
	s.core.Add(0, todo(0, requests))
	got := make([]int, len(weights))
	var running []schedule.Task
	for range requests {
		task, found := s.core.Next(1, s.now)
		for !found {
			s.core.Succeeded(running[0], s.now)
			running = running[1:]
			task, found = s.core.Next(1, s.now)
		}
		running = append(running, task)
		got[task.Column]++
	}
	return got
}

func TestColumnsShareAModelByTheirWeights(t *testing.T) {
	for _, test := range []struct{ weights, want []int }{
		{[]int{1, 1, 1}, []int{200, 200, 200}}, {[]int{3, 1, 2}, []int{300, 100, 200}}, {[]int{1, 0, 4}, []int{100, 100, 400}},
	} {
		got := shares(t, test.weights, 4, 600)
		for i := range got {
			if off := got[i] - test.want[i]; off < -8 || off > 8 {
				t.Errorf("weights %v: of 600 requests the columns got %v, want about %v", test.weights, got, test.want)
				break
			}
		}
	}
}

// TestNoColumnStarves draws columns with weights, and looks at how long any of them has to wait for its turn.
func TestNoColumnStarves(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		weights, total := make([]int, 2+random.IntN(7)), 0
		for i := range weights {
			weights[i] = 1 + random.IntN(20)
			total += weights[i]
		}
		limit := 1 + random.IntN(16)
		requests := 40 * total
		got := shares(t, weights, limit, requests)
		for i, weight := range weights {
			// A column may be behind by the tasks of a lane, and then by one turn of each other column.
			fair := requests * weight / total
			if got[i] < fair-limit-len(weights)-1 {
				t.Fatalf("weights %v, limit %d: of %d requests the columns got %v; column %d should have %d", weights, limit, requests, got, i, fair)
			}
		}
	}
}

// benchmarkCore measures the whole life of cells of so many columns of one model that wait for each other.
func benchmarkCore(b *testing.B, columns int) {
	config := chain()
	config.Columns = nil
	for i := range columns {
		column := schedule.Column{Parts: []string{"a"}, Lane: 1}
		if i > 0 && i%4 == 0 {
			column.Requires = []int{i - 1}
		}
		config.Columns = append(config.Columns, column)
	}
	config.Lanes[1] = schedule.Lane{Limit: 256, Endpoint: 0, Adaptive: true}
	s := newSimulation(config)
	b.ReportAllocs()
	cells := 0
	for group := int64(0); b.Loop(); {
		for s.core.NeedsRows() {
			s.core.Add(group, todo(int(group)*1000, int(group)*1000+1000))
			group++
		}
		s.now = s.now.Add(time.Second)
		for task, found := s.core.Next(1, s.now); found; task, found = s.core.Next(1, s.now) {
			s.running = append(s.running, task)
		}
		for _, task := range s.running {
			task.Cost = schedule.Cost{Tokens: 100, OutputTokens: 50}
			s.core.Succeeded(task, s.now.Add(time.Second))
			cells++
		}
		s.running = s.running[:0]
		s.core.Take()
	}
	b.ReportMetric(float64(cells)/b.Elapsed().Seconds(), "cells/s")
}

func BenchmarkCoreOneColumn(b *testing.B)      { benchmarkCore(b, 1) }
func BenchmarkCoreSixteenColumns(b *testing.B) { benchmarkCore(b, 16) }
