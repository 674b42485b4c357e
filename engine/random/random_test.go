package random_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/golden"
)

// record is one without cells: draws depend on nothing else of it.
func record(row table.RowIndex, ordinal, attempt int32) *table.Record {
	return &table.Record{Row: row, Ordinal: ordinal, Attempt: attempt}
}

// The draws are part of the contract with users: the same manifest gives the same data in every version.
func TestDrawsAreFrozen(t *testing.T) {
	var text strings.Builder
	key := random.NewKey(42, "stars")
	for _, made := range []*table.Record{
		record(0, 0, 0), record(7, 0, 0), record(7, 1, 0), record(7, 0, 1), record(1<<40, 0, 0), record(7, math.MaxInt32, math.MaxInt32),
	} {
		stream := key.Of(made)
		below, sub := stream.Sub(0), stream.Sub(1)
		fmt.Fprintf(&text, "row %d ordinal %d attempt %d: %016x %016x float %v normal %v; sub 0 below 10: %d %d %d; sub 1: %016x\n",
			made.Row, made.Ordinal, made.Attempt, stream.Uint64(), stream.Uint64(), stream.Float64(), stream.Normal(),
			below.Below(10), below.Below(10), below.Below(10), sub.Uint64())
	}
	for _, seed := range []int64{0, -1, math.MaxInt64} {
		stream := random.NewKey(seed, "seed/order").At(3)
		fmt.Fprintf(&text, "seed %d, number 3: %016x; permutation of 10:", seed, stream.Uint64())
		permutation := random.NewPermutation(&stream, 10)
		for i := range uint64(10) {
			fmt.Fprintf(&text, " %d", permutation.At(i))
		}
		text.WriteString("\n")
	}
	golden.Check(t, "testdata/draws.txt", text.String(), "users would get other data for the same manifest; raise identityVersion in "+
		"engine/plan if that is meant")
}

func TestEveryPartOfTheKeyMatters(t *testing.T) {
	seen := map[uint64]string{}
	note := func(name string, stream random.Stream) {
		value := stream.Uint64()
		if other, taken := seen[value]; taken {
			t.Errorf("%s draws the same as %s", name, other)
		}
		seen[value] = name
	}
	key := random.NewKey(1, "a")
	note("base", key.Of(record(1, 0, 0)))
	note("seed", random.NewKey(2, "a").Of(record(1, 0, 0)))
	note("name", random.NewKey(1, "b").Of(record(1, 0, 0)))
	note("row", key.Of(record(2, 0, 0)))
	note("ordinal", key.Of(record(1, 1, 0)))
	note("attempt", key.Of(record(1, 0, 1)))
	note("attempt in place of the row", key.Of(record(0, 0, 1)))
	note("ordinal in place of the row", key.Of(record(0, 1, 0)))
	note("ordinal and attempt", key.Of(record(1, 1, 1)))
	for number := range uint64(3) {
		note(fmt.Sprintf("sub %d", number), key.Of(record(1, 0, 0)).Sub(number))
		note(fmt.Sprintf("sub %d of the ordinal", number), key.Of(record(1, 1, 0)).Sub(number))
	}
}

// A million records that differ in their rows, ordinals and attempts have as many first draws.
func TestRecordsHaveStreamsOfTheirOwn(t *testing.T) {
	key := random.NewKey(5, "id")
	seen := make(map[[2]uint64]bool, 1<<20)
	for row := range table.RowIndex(1 << 12) {
		for ordinal := range int32(1 << 6) {
			for attempt := range int32(4) {
				stream := key.Of(record(row, ordinal, attempt))
				seen[[2]uint64{stream.Uint64(), stream.Uint64()}] = true
			}
		}
	}
	if len(seen) != 1<<20 {
		t.Errorf("%d records have %d pairs of draws", 1<<20, len(seen))
	}
}

func TestACopyOfAStreamDrawsTheSame(t *testing.T) {
	stream := random.NewKey(1, "a").Of(record(1, 2, 3))
	other, sub := stream, stream.Sub(1)
	if stream.Uint64() != other.Uint64() {
		t.Error("a copy draws something else")
	}
	if again := stream.Sub(1); sub == again {
		t.Error("a stream below is made of where the stream stands, so after a draw it must be another one")
	}
}

// Neighbouring rows are independent: first draws of consecutive rows fill 64 bins evenly, and pairs are uncorrelated.
func TestNeighbouringRowsAreIndependent(t *testing.T) {
	const rows, bins = 200_000, 64
	key := random.NewKey(0, "x")
	var counts [bins]float64
	var previous, correlation float64
	for row := range table.RowIndex(rows) {
		stream := key.Of(record(row, 0, 0))
		value := stream.Float64()
		counts[int(value*bins)]++
		correlation += (value - 0.5) * (previous - 0.5) * 12 / rows
		previous = value
	}
	chi := 0.0
	for _, count := range counts {
		chi += (count - rows/bins) * (count - rows/bins) / (rows / bins)
	}
	// 63 degrees of freedom: the 99.99 % quantile is 114.
	if chi > 114 || math.Abs(correlation) > 0.01 {
		t.Errorf("chi² = %.1f (want below 114), correlation %.4f (want below 0.01)", chi, correlation)
	}
}

func TestNormalHasItsMoments(t *testing.T) {
	const rows = 200_000
	key := random.NewKey(3, "n")
	var sum, squares, within float64
	for row := range table.RowIndex(rows) {
		stream := key.Of(record(row, 0, 0))
		value := stream.Normal()
		sum += value
		squares += value * value
		if math.Abs(value) < 1 {
			within++
		}
	}
	if mean, variance, share := sum/rows, squares/rows, within/rows; math.Abs(mean) > 0.01 || math.Abs(variance-1) > 0.02 ||
		math.Abs(share-0.6827) > 0.005 {
		t.Errorf("mean %.4f, variance %.4f, share within one deviation %.4f", mean, variance, share)
	}
}

func TestPermutationVisitsEveryIndexOnce(t *testing.T) {
	for _, n := range []uint64{1, 2, 3, 5, 64, 100, 1000, 4097} {
		stream := random.NewKey(9, "seed").At(0)
		permutation := random.NewPermutation(&stream, n)
		seen := make([]bool, n)
		moved := 0
		for i := range n {
			at := permutation.At(i)
			if at >= n || seen[at] {
				t.Fatalf("n=%d: %d is moved to %d, out of range or taken", n, i, at)
			}
			seen[at] = true
			if at != i {
				moved++
			}
		}
		if n >= 64 && moved < int(n)*9/10 {
			t.Errorf("n=%d: only %d indexes are moved", n, moved)
		}
	}
}

func TestBelowIsEven(t *testing.T) {
	key := random.NewKey(1, "die")
	var counts [6]int
	for row := range table.RowIndex(60_000) {
		stream := key.Of(record(row, 0, 0))
		counts[stream.Below(6)]++
	}
	for face, count := range counts {
		if count < 9600 || count > 10400 {
			t.Errorf("face %d came %d times of 60000", face, count)
		}
	}
}

func BenchmarkCellDraw(b *testing.B) {
	key := random.NewKey(1, "x")
	var sink float64
	made := record(0, 0, 0)
	for b.Loop() {
		made.Row++
		stream := key.Of(made)
		sink += stream.Float64()
	}
	_ = sink
}
