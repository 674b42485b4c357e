package watch

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"seedloom.dev/seedloom/internal/runreport"
)

// described is when which phase was described.
type described struct {
	after time.Duration
	phase string
}

// TestARunIsDescribedOnceInAWhile commits a row group every 100 ms for ten seconds. How often that is told depends on what it costs.
func TestARunIsDescribedOnceInAWhile(t *testing.T) {
	for name, test := range map[string]struct {
		cost time.Duration
		want []time.Duration
	}{
		"at no cost": {0, seconds(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)},
		// A write takes 60 ms, and the next one waits for 3 s.
		"at some cost": {60 * time.Millisecond, []time.Duration{0, 3060 * time.Millisecond, 6120 * time.Millisecond, 9180 * time.Millisecond}},
		// It takes 200 ms, and the next one would wait for 10 s.
		"at a high cost": {200 * time.Millisecond, seconds(0)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				var seen []time.Duration
				d := StartDescriber(func(string) {
					seen = append(seen, time.Since(begin))
					time.Sleep(test.cost)
				})
				for range 100 {
					time.Sleep(100 * time.Millisecond)
					d.Committed()
				}
				synctest.Wait()
				d.Stop()
				if !slices.Equal(seen, test.want) {
					t.Errorf("it was told after %v, want %v", seen, test.want)
				}
			})
		})
	}
}

func seconds(counts ...int) []time.Duration {
	times := make([]time.Duration, len(counts))
	for i, count := range counts {
		times[i] = time.Duration(count) * time.Second
	}
	return times
}

// The last row group of a burst is told when its time has come, a phase at once, and nothing after the end.
func TestAPhaseIsDescribedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var seen []described
		d := StartDescriber(func(phase string) { seen = append(seen, described{time.Since(begin), phase}) })
		time.Sleep(100 * time.Millisecond)
		d.Committed()
		d.Committed()
		time.Sleep(100 * time.Millisecond)
		d.Enter(runreport.PhaseDraining)
		time.Sleep(100 * time.Millisecond)
		d.Committed()
		time.Sleep(time.Hour)
		d.Committed()
		synctest.Wait()
		d.Committed()
		d.Stop()
		d.Committed()
		time.Sleep(time.Hour)
		want := []described{
			{0, runreport.PhaseRunning}, {200 * time.Millisecond, runreport.PhaseDraining}, {1200 * time.Millisecond, runreport.PhaseDraining},
			{time.Hour + 300*time.Millisecond, runreport.PhaseDraining},
		}
		if !slices.Equal(seen, want) {
			t.Errorf("it was told %v, want %v", seen, want)
		}
	})
}
