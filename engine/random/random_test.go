package random_test

import (
	"math"
	"testing"

	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

// The draws are part of the contract with users: the same manifest gives the same data in every version.
func TestDrawsAreFrozen(t *testing.T) {
	source := random.Column(42, "stars").Cell(7, 0)
	got := [3]uint64{source.Uint64(), source.Uint64(), source.Uint64()}
	want := [3]uint64{0xd8f6f7ee7f418112, 0x3c77fbd2751b128e, 0x03e9f310ee080401}
	if got != want {
		t.Fatalf("got %#x, want %#x", got, want)
	}
}

func TestEveryPartOfTheKeyMatters(t *testing.T) {
	seen := map[uint64]string{}
	draw := func(name string, seed int64, column string, row table.RowIndex, attempt int32) {
		source := random.Column(seed, column).Cell(row, attempt)
		value := source.Uint64()
		if other, taken := seen[value]; taken {
			t.Errorf("%s draws the same as %s", name, other)
		}
		seen[value] = name
	}
	draw("base", 1, "a", 1, 0)
	draw("seed", 2, "a", 1, 0)
	draw("column", 1, "b", 1, 0)
	draw("row", 1, "a", 2, 0)
	draw("attempt", 1, "a", 1, 1)
	draw("row and attempt swapped", 1, "a", 0, 1)
}

// Neighbouring rows are independent: first draws of consecutive rows fill 64 bins evenly, and pairs are uncorrelated.
func TestNeighbouringRowsAreIndependent(t *testing.T) {
	const rows, bins = 200_000, 64
	key := random.Column(0, "x")
	var counts [bins]float64
	var previous, correlation float64
	for row := range table.RowIndex(rows) {
		source := key.Cell(row, 0)
		value := source.Float64()
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
	key := random.Column(3, "n")
	var sum, squares, within float64
	for row := range table.RowIndex(rows) {
		source := key.Cell(row, 0)
		value := source.Normal()
		sum += value
		squares += value * value
		if math.Abs(value) < 1 {
			within++
		}
	}
	if mean, variance, share := sum/rows, squares/rows, within/rows; math.Abs(mean) > 0.01 || math.Abs(variance-1) > 0.02 || math.Abs(share-0.6827) > 0.005 {
		t.Errorf("mean %.4f, variance %.4f, share within one deviation %.4f", mean, variance, share)
	}
}

func TestPermutationVisitsEveryIndexOnce(t *testing.T) {
	for _, n := range []uint64{1, 2, 3, 5, 64, 100, 1000, 4097} {
		permutation := random.NewPermutation(random.Column(9, "seed"), n)
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
	key := random.Column(1, "die")
	var counts [6]int
	for row := range table.RowIndex(60_000) {
		source := key.Cell(row, 0)
		counts[source.Below(6)]++
	}
	for face, count := range counts {
		if count < 9600 || count > 10400 {
			t.Errorf("face %d came %d times of 60000", face, count)
		}
	}
}

func BenchmarkCellDraw(b *testing.B) {
	key := random.Column(1, "x")
	var sink float64
	for i := range b.N {
		source := key.Cell(table.RowIndex(i), 0)
		sink += source.Float64()
	}
	_ = sink
}
