package memory_test

import (
	"math"
	"runtime/debug"
	"testing"

	"seedloom.dev/seedloom/internal/memory"
)

func TestTune(t *testing.T) {
	for name, test := range map[string]struct {
		variables map[string]string
		percent   int
		limit     int64
	}{
		"nothing":                   {nil, 200, 448 << 20},
		"a container":               {map[string]string{"SEEDLOOM_MEMORY_LIMIT": "2147483648"}, 200, 1932735276},
		"no number":                 {map[string]string{"SEEDLOOM_MEMORY_LIMIT": "2Gi"}, 200, 448 << 20},
		"no limit":                  {map[string]string{"SEEDLOOM_MEMORY_LIMIT": "0"}, 200, 448 << 20},
		"what somebody has decided": {map[string]string{"SEEDLOOM_MEMORY_LIMIT": "1000", "GOGC": "50", "GOMEMLIMIT": "1GiB"}, 100, math.MaxInt64},
	} {
		t.Run(name, func(t *testing.T) {
			percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(math.MaxInt64)
			defer func() {
				debug.SetGCPercent(percent)
				debug.SetMemoryLimit(limit)
			}()
			for _, variable := range []string{"SEEDLOOM_MEMORY_LIMIT", "GOGC", "GOMEMLIMIT"} {
				t.Setenv(variable, test.variables[variable])
			}
			memory.Tune()
			if got := debug.SetMemoryLimit(-1); got != test.limit {
				t.Errorf("the limit is %d, want %d", got, test.limit)
			}
			if got := debug.SetGCPercent(100); got != test.percent {
				t.Errorf("the heap may grow by %d %%, want %d %%", got, test.percent)
			}
		})
	}
}

// TestTuneCache is of a manager, which has less room for garbage.
func TestTuneCache(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	t.Setenv("GOGC", "")
	t.Setenv("SEEDLOOM_MEMORY_LIMIT", "")
	memory.TuneCache()
	if got := debug.SetGCPercent(100); got != 40 {
		t.Errorf("the heap may grow by %d %%, want 40 %%", got)
	}
}
