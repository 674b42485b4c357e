package sampler

import (
	"fmt"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

var sequences = family{
	name: v1alpha1.SamplerSequence, member: "sequence", isSet: func(s *v1alpha1.Sampler) bool { return s.Sequence != nil },
	optional: true, converts: true, validate: validateSequence, kind: countKind,
	writeDefaults: func(s *v1alpha1.Sampler) {
		if s.Sequence == nil {
			s.Sequence = &v1alpha1.SequenceSampler{}
		}
		s.Sequence.Start, s.Sequence.Step = new(s.Sequence.EffectiveStart()), new(s.Sequence.EffectiveStep())
		if s.Sequence.EffectiveGaps() == 0 {
			s.Sequence.Gaps = nil
		}
	},
	draws: func(s *v1alpha1.Sampler, _ site) drawFunc {
		start, step, steps := *s.Sequence.Start, *s.Sequence.Step, s.Sequence.EffectiveGaps()+1
		if steps > 1 {
			return func(stream *random.Stream, record *table.Record) (any, error) {
				taken := steps*int64(record.Row) + int64(stream.Below(uint64(steps)))
				return convertCount(start+step*taken, s.ConvertTo), nil
			}
		}
		return func(_ *random.Stream, record *table.Record) (any, error) {
			return convertCount(start+step*int64(record.Row), s.ConvertTo), nil
		}
	},
}

// The bounds of sequences keep the values of all rows that there can be in the range of an int.
const (
	maxStart = 1_000_000_000_000_000
	maxStep  = 1_000_000
	maxGaps  = 1_000
)

func validateSequence(sampler *v1alpha1.Sampler) []Violation {
	spec := sampler.Sequence
	if spec == nil {
		return nil
	}
	var violations []Violation
	if spec.Start != nil && (*spec.Start < -maxStart || *spec.Start > maxStart) {
		violations = append(violations, Violation{"sequence.start", fmt.Sprintf("must be from -%d to %d, but is %d", maxStart, maxStart,
			*spec.Start)})
	}
	if spec.Step != nil && (*spec.Step < -maxStep || *spec.Step > maxStep || *spec.Step == 0) {
		violations = append(violations, Violation{"sequence.step", fmt.Sprintf("must be from -%d to %d, and not 0, but is %d", maxStep, maxStep,
			*spec.Step)})
	}
	if spec.Gaps != nil && (*spec.Gaps < 0 || *spec.Gaps > maxGaps) {
		violations = append(violations, Violation{"sequence.gaps", fmt.Sprintf("must be from 0 to %d, but is %d", maxGaps, *spec.Gaps)})
	}
	return violations
}
