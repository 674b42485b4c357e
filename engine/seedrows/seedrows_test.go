package seedrows_test

import (
	"strings"
	"sync"
	"testing"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/seedrows"
)

func specOf(t testing.TB, rows string) *v1alpha1.DatasetGenerationSpec {
	t.Helper()
	spec := &v1alpha1.DatasetGenerationSpec{RandomSeed: 7}
	if err := yaml.UnmarshalStrict([]byte("seed: {datasetRef: {name: a}, rowsPerSeedRow: "+rows+"}"), spec); err != nil {
		t.Fatal(err)
	}
	return spec
}

func expansionOf(t testing.TB, rows string) *seedrows.Expansion {
	t.Helper()
	expansion, err := seedrows.New(specOf(t, rows))
	if err != nil {
		t.Fatal(err)
	}
	return expansion
}

const poisson = "{sampler: {type: Poisson, poisson: {mean: 2}}}"

// backwards is the order of a seed of 5000 rows that is read from its end.
func backwards(position int64) int64 { return 4999 - position }

func TestEachRowFollowsFromOneRowOfTheSeed(t *testing.T) {
	for _, rows := range []string{"{count: 3}", poisson, "{sampler: {type: Bernoulli, bernoulli: {probability: 0.01}}}"} {
		expansion := expansionOf(t, rows)
		var places []seedrows.Place
		for position := range int64(5000) {
			count := expansion.Of(backwards(position))
			for number := range count {
				places = append(places, seedrows.Place{Position: position, Number: number, Count: count})
			}
		}
		// From the last row on, so that the index grows at once; and by another index, a piece at a time.
		last := seedrows.NewIndex(expansion, backwards)
		if got := last.Find(int64(len(places) - 1)); got != places[len(places)-1] {
			t.Errorf("%s: the last row is at %+v", rows, got)
		}
		next := seedrows.NewIndex(expansion, backwards)
		place := next.Find(0)
		for row, want := range places {
			if row > 0 {
				place = next.Next(place)
			}
			if got := last.Find(int64(row)); got != want || place != want {
				t.Fatalf("%s: row %d is at %+v, and after the one before it at %+v, want %+v", rows, row, got, place, want)
			}
		}
		if total := next.Total(5000); total != int64(len(places)) {
			t.Errorf("%s: %d rows in all, want %d", rows, total, len(places))
		}
		if got := seedrows.NewIndex(expansion, backwards).Positions(int64(len(places)), 5000); got != places[len(places)-1].Position+1 {
			t.Errorf("%s: %d positions are enough, want %d", rows, got, places[len(places)-1].Position+1)
		}
		for _, positions := range []int64{0, 1, 255, 256, 257, 4999} {
			want := int64(0)
			for _, place := range places {
				if place.Position < positions {
					want++
				}
			}
			if got := last.Total(positions); got != want {
				t.Errorf("%s: %d rows follow from %d positions, want %d", rows, got, positions, want)
			}
		}
	}
}

func TestAnIndexServesManyAtOnce(t *testing.T) {
	expansion := expansionOf(t, poisson)
	alone := seedrows.NewIndex(expansion, backwards)
	index := seedrows.NewIndex(expansion, backwards)
	var all sync.WaitGroup
	for start := range int64(8) {
		all.Go(func() {
			for row := start; row < 9000; row += 97 {
				if got := index.Find(row); got.Position > 4999 {
					t.Errorf("row %d is at %+v", row, got)
				}
			}
		})
	}
	all.Wait()
	if index.Find(8999) != alone.Find(8999) {
		t.Error("the index depends on who has asked first")
	}
}

func TestNumbersBelongToTheSeed(t *testing.T) {
	first, other := specOf(t, poisson), specOf(t, poisson)
	other.RandomSeed = 8
	one, err := seedrows.New(first)
	if err != nil {
		t.Fatal(err)
	}
	two, err := seedrows.New(other)
	if err != nil {
		t.Fatal(err)
	}
	again := expansionOf(t, poisson)
	sum, different := int64(0), 0
	for row := range int64(10_000) {
		sum += one.Of(row)
		if one.Of(row) != again.Of(row) {
			t.Fatalf("row %d has two numbers", row)
		}
		if one.Of(row) != two.Of(row) {
			different++
		}
	}
	if sum < 19_500 || sum > 20_500 || different < 5000 {
		t.Errorf("%d rows follow from 10000 with a mean of 2; %d differ with another randomSeed", sum, different)
	}
}

func TestHowManyRecordsFollow(t *testing.T) {
	for _, test := range []struct {
		rows      string
		selection *v1alpha1.SeedSelection
		seed      int64
		want      int64
		problem   string
	}{
		{rows: "{count: 3}", seed: 7, want: 21},
		{rows: "{count: 3}", seed: 7, selection: &v1alpha1.SeedSelection{Offset: new(int64(2)), Limit: new(int64(4))}, want: 12},
		{rows: "{count: 1}", seed: 10, selection: &v1alpha1.SeedSelection{Partition: &v1alpha1.SeedPartition{Index: new(int32(1)), Count: 3}}, want: 3},
		{rows: "{count: 1}", seed: 3, selection: &v1alpha1.SeedSelection{Offset: new(int64(9))}, problem: "no row follows from the 0 rows"},
		{rows: "{count: 1000000}", seed: 2000, problem: "2000000000 rows follow from the 2000 rows of the seed"},
		{rows: "{sampler: {type: Bernoulli, bernoulli: {probability: 0}}}", seed: 9, problem: "no row follows from the 9 rows"},
		{rows: poisson, seed: 30_000_000, problem: "set spec.numRecords"},
		{rows: "{sampler: {type: Gaussian, gaussian: {mean: -5, stddev: 1}, convertTo: int}}", seed: 9, problem: "no row follows"},
	} {
		spec := specOf(t, test.rows)
		spec.Seed.Selection = test.selection
		got, err := seedrows.NumRecords(spec, test.seed)
		switch {
		case test.problem == "" && (err != nil || got != test.want):
			t.Errorf("%s of %d: %d, %v; want %d", test.rows, test.seed, got, err, test.want)
		case test.problem != "" && (err == nil || !strings.Contains(err.Error(), test.problem)):
			t.Errorf("%s of %d: %d, %v; want %q", test.rows, test.seed, got, err, test.problem)
		}
	}
	plain := &v1alpha1.DatasetGenerationSpec{Seed: &v1alpha1.Seed{}}
	if got, err := seedrows.NumRecords(plain, 12); err != nil || got != 12 {
		t.Errorf("without rowsPerSeedRow %d, %v", got, err)
	}
}

func BenchmarkFind(b *testing.B) {
	index := seedrows.NewIndex(expansionOf(b, poisson), func(position int64) int64 { return position })
	index.Find(1_000_000)
	for row := int64(0); b.Loop(); row = (row + 7919) % 1_000_000 {
		index.Find(row)
	}
}

// BenchmarkGrow is what the index costs for each row of the seed.
func BenchmarkGrow(b *testing.B) {
	index := seedrows.NewIndex(expansionOf(b, poisson), func(position int64) int64 { return position })
	for positions := int64(1); b.Loop(); positions++ {
		index.Positions(1<<60, positions)
	}
}
