package seed_test

import (
	"slices"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/seed"
	"seedloom.dev/seedloom/engine/table"
)

func samplesOf(length int, randomSeed int64, samples ...v1alpha1.SeedSample) (*seed.Samples, error) {
	return seed.NewSamples(&v1alpha1.DatasetGenerationSpec{RandomSeed: randomSeed, Seed: &v1alpha1.Seed{SampleRows: samples}}, length)
}

func TestSamplesHaveOtherRowsOfTheSeed(t *testing.T) {
	samples, err := samplesOf(10, 7, v1alpha1.SeedSample{Name: "examples", Count: 3}, v1alpha1.SeedSample{
		Name: "following", Count: 2, From: v1alpha1.SeedSampleNext,
	})
	if err != nil {
		t.Fatal(err)
	}
	all, drawn := map[int]bool{}, map[string]bool{}
	for row := range 200 {
		own := row % 10
		positions := samples.Append(nil, own, table.RowIndex(row))
		if len(positions) != 5 || positions[3] != (own+1)%10 || positions[4] != (own+2)%10 {
			t.Fatalf("row %d, which begins with %d, has %v", row, own, positions)
		}
		examples := positions[:3]
		if sorted := slices.Sorted(slices.Values(examples)); slices.Contains(examples, own) || len(slices.Compact(sorted)) != 3 {
			t.Errorf("row %d, which begins with %d, has the examples %v", row, own, examples)
		}
		text := ""
		for _, example := range examples {
			all[example], text = true, text+string(rune('0'+example))
		}
		drawn[text] = true
		if again := samples.Append(nil, own, table.RowIndex(row)); !slices.Equal(again, positions) {
			t.Errorf("row %d has %v, and then %v", row, positions, again)
		}
	}
	if len(all) != 10 || len(drawn) < 100 {
		t.Errorf("200 rows have %d different examples, out of %d rows", len(drawn), len(all))
	}
	other, err := samplesOf(10, 8, v1alpha1.SeedSample{Name: "examples", Count: 3})
	if err != nil {
		t.Fatal(err)
	}
	same := 0
	for row := range 200 {
		if slices.Equal(other.Append(nil, row%10, table.RowIndex(row)), samples.Append(nil, row%10, table.RowIndex(row))[:3]) {
			same++
		}
	}
	if same > 20 {
		t.Errorf("with another randomSeed, %d of 200 rows have the same examples", same)
	}
}

func TestSamplesOfTwoRowsHaveTheOtherOne(t *testing.T) {
	samples, err := samplesOf(2, 7, v1alpha1.SeedSample{Name: "other", Count: 1})
	if err != nil {
		t.Fatal(err)
	}
	for row := range 20 {
		if got := samples.Append(nil, row%2, table.RowIndex(row)); !slices.Equal(got, []int{1 - row%2}) {
			t.Errorf("row %d has %v", row, got)
		}
	}
}

func TestASeedWithTooFewRowsForASampleIsRefused(t *testing.T) {
	_, err := samplesOf(3, 7, v1alpha1.SeedSample{Name: "examples", Count: 3})
	if err == nil || !strings.Contains(err.Error(), "spec.seed.sampleRows[0] asks for 3 other rows of a seed of which 3 are used in all") {
		t.Errorf("got %v", err)
	}
}
