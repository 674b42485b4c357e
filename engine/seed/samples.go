package seed

import (
	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

// Samples says which further rows of a seed the rows of a dataset have: a pure function of the row, so that shards need no coordination. It
// is immutable.
type Samples struct {
	length int
	each   []sample
}

// sample is a column with further rows of the seed.
type sample struct {
	count int
	next  bool
	draws random.Key
}

// NewSamples returns the samples of a seed with a number of rows; nil where a row has its own row of the seed alone. Its errors are
// failure.Error.
func NewSamples(spec *v1alpha1.DatasetGenerationSpec, length int) (*Samples, error) {
	if len(spec.Seed.SampleRows) == 0 {
		return nil, nil
	}
	samples := &Samples{length: length}
	for i := range spec.Seed.SampleRows {
		asked := &spec.Seed.SampleRows[i]
		if int(asked.Count) >= length {
			return nil, failure.New(v1alpha1.ReasonSeedFailed, failure.EndRun, "spec.seed.sampleRows[%d] asks for %d other rows of a seed of "+
				"which %d are used in all: ask for fewer", i, asked.Count, length)
		}
		samples.each = append(samples.each, sample{
			count: int(asked.Count), next: asked.EffectiveFrom() == v1alpha1.SeedSampleNext,
			draws: random.NewKey(spec.RandomSeed, "seed/sample/"+asked.Name),
		})
	}
	return samples, nil
}

// Counts are how many rows each of the samples has, in their order.
func (s *Samples) Counts() []int {
	counts := make([]int, len(s.each))
	for i := range s.each {
		counts[i] = s.each[i].count
	}
	return counts
}

// Append appends the positions of the further rows that a row of the dataset has, sample by sample. Own is the position of its own one.
func (s *Samples) Append(to []int, own int, row table.RowIndex) []int {
	for i := range s.each {
		sample := &s.each[i]
		stream := sample.draws.At(uint64(row))
		others := random.NewPermutation(&stream, uint64(s.length-1))
		for number := range sample.count {
			distance := number
			if !sample.next {
				distance = int(others.At(uint64(number)))
			}
			to = append(to, (own+1+distance)%s.length)
		}
	}
	return to
}
