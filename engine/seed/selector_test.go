package seed_test

import (
	"slices"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/seed"
	"seedloom.dev/seedloom/engine/table"
)

// epoch returns the seed's rows of one pass through it.
func epoch(selector *seed.Selector, length, number int) []int {
	rows := make([]int, length)
	for i := range rows {
		rows[i] = selector.Index(table.RowIndex(number*length + i))
	}
	return rows
}

func TestEveryRowComesOnceBeforeAnyComesAgain(t *testing.T) {
	for _, order := range []v1alpha1.SeedOrder{"", v1alpha1.SeedOrdered, v1alpha1.SeedShuffled} {
		for _, length := range []int{1, 2, 3, 7, 64, 1000, 1025} {
			selector := seed.NewSelector(length, order, 5)
			for number := range 4 {
				rows := epoch(selector, length, number)
				slices.Sort(rows)
				for i, row := range rows {
					if row != i {
						t.Fatalf("order %q, %d rows, pass %d: row %d is missing or comes twice", order, length, number, i)
					}
				}
			}
		}
	}
}

func TestOrderedRowsComeInTheirOrder(t *testing.T) {
	selector := seed.NewSelector(3, v1alpha1.SeedOrdered, 5)
	for row, want := range []int{0, 1, 2, 0, 1, 2, 0} {
		if got := selector.Index(table.RowIndex(row)); got != want {
			t.Errorf("row %d has the seed's row %d, want %d", row, got, want)
		}
	}
}

func TestShuffledOrdersDifferByPassAndRandomSeed(t *testing.T) {
	const length = 100
	first := epoch(seed.NewSelector(length, v1alpha1.SeedShuffled, 5), length, 0)
	if again := epoch(seed.NewSelector(length, v1alpha1.SeedShuffled, 5), length, 0); !slices.Equal(first, again) {
		t.Error("the same random seed gives another order")
	}
	for name, other := range map[string][]int{
		"the order of the seed": epoch(seed.NewSelector(length, v1alpha1.SeedOrdered, 5), length, 0),
		"another pass":          epoch(seed.NewSelector(length, v1alpha1.SeedShuffled, 5), length, 1),
		"another random seed":   epoch(seed.NewSelector(length, v1alpha1.SeedShuffled, 6), length, 0),
	} {
		same := 0
		for i := range first {
			if first[i] == other[i] {
				same++
			}
		}
		// Two independent orders have one place in common on average, and hardly ever ten.
		if same > 10 {
			t.Errorf("%s: %d of %d places are the same", name, same, length)
		}
	}
}

// The order is part of the contract with users: the same manifest gives the same data in every version.
func TestTheShuffleIsFrozen(t *testing.T) {
	got := epoch(seed.NewSelector(8, v1alpha1.SeedShuffled, 42), 8, 0)
	if want := []int{7, 5, 1, 6, 0, 4, 3, 2}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
