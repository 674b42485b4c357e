package schedule

import (
	"math/rand/v2"
	"testing"
)

var usual = GateConfig{Enabled: true, ErrorRate: 0.5, Window: 50}

// outcomes feeds a gate until it trips, and returns after how many outcomes; count when it never did.
func outcomes(g *gate, count int, failed func(int) bool) int {
	for i := range count {
		if g.add(failed(i)) {
			return i + 1
		}
	}
	return count
}

// D.T1, P7
func TestFivePercentOfAMillionNeverTripTheGate(t *testing.T) {
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 1))
		g := newGate(usual)
		if after := outcomes(&g, 1_000_000, func(int) bool { return random.Float64() < 0.05 }); after != 1_000_000 {
			t.Errorf("seed %d: it tripped after %d outcomes, with %d failures of the last %d", seed, after, g.failures, g.count)
		}
	}
}

// D.T2
func TestAColumnThatAlwaysFailsTripsTheGateWithinThirtyCalls(t *testing.T) {
	g := newGate(usual)
	if after := outcomes(&g, 1000, func(int) bool { return true }); after > 30 {
		t.Errorf("it tripped after %d outcomes", after)
	}
}

// D.T3
func TestAStepToEightyPercentTripsTheGateWithinTwoWindows(t *testing.T) {
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 2))
		g := newGate(usual)
		after := outcomes(&g, 10_000, func(i int) bool { return i >= 1000 && random.Float64() < 0.8 })
		if after <= 1000 || after > 1000+2*usual.Window {
			t.Errorf("seed %d: it tripped after %d outcomes, %d of them after the step", seed, after, after-1000)
		}
	}
}

// D.T6: 21 failures of 512 have ended the run of a user of another engine.
func TestTwentyOneFailuresOfFiveHundredTripNothing(t *testing.T) {
	for seed := range uint64(1000) {
		failed := make([]bool, 512)
		for i := range 21 {
			failed[i] = true
		}
		random := rand.New(rand.NewPCG(seed, 3))
		random.Shuffle(len(failed), func(i, j int) { failed[i], failed[j] = failed[j], failed[i] })
		g := newGate(usual)
		if after := outcomes(&g, len(failed), func(i int) bool { return failed[i] }); after != len(failed) {
			t.Errorf("seed %d: it tripped after %d outcomes", seed, after)
		}
	}
}

// Ten hopeless rows, of which each costs many requests, must not cost them all.
func TestAColumnThatAlwaysFailsIsGivenUpByItsRequests(t *testing.T) {
	for each, want := range map[int64]int{1: alwaysFailing, 2: 13, 4: 7, 8: 5, 40: 5} {
		g := newGate(usual)
		after := outcomes(&g, 1000, func(int) bool { g.requests += each; return true })
		if after != want {
			t.Errorf("%d requests a cell: it tripped after %d outcomes, want %d", each, after, want)
		}
	}
	g := newGate(usual)
	g.add(false)
	if after := outcomes(&g, 30, func(int) bool { g.requests += 40; return true }); after != 30 {
		t.Errorf("a column that has succeeded tripped after %d outcomes", after)
	}
}

func TestADisabledGateNeverTrips(t *testing.T) {
	config := usual
	config.Enabled = false
	g := newGate(config)
	if after := outcomes(&g, 1000, func(int) bool { return true }); after != 1000 {
		t.Errorf("it tripped after %d outcomes", after)
	}
}
