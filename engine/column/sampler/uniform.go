package sampler

import (
	"fmt"
	"math"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/random"
)

var uniforms = family{
	name: v1alpha1.SamplerUniform, member: "uniform", isSet: func(s *v1alpha1.Sampler) bool { return s.Uniform != nil }, converts: true,
	validate: validateUniform, kind: numberKind,
	draws: func(s *v1alpha1.Sampler, _ site) drawFunc {
		return numbers(s.ConvertTo, s.Uniform.DecimalPlaces, uniform(s.Uniform))
	},
	columns: func(s *v1alpha1.Sampler) columnFunc {
		return numberColumn(s.ConvertTo, s.Uniform.DecimalPlaces, uniform(s.Uniform))
	},
}

func uniform(spec *v1alpha1.UniformSampler) func(*random.Stream) float64 {
	low, high := spec.Low.Float64(), spec.High.Float64()
	last := math.Nextafter(high, math.Inf(-1))
	return func(stream *random.Stream) float64 {
		// The conversion has all processors round in two steps. The sum may be rounded up to the end, which is excluded.
		return min(low+float64((high-low)*stream.Float64()), last)
	}
}

func validateUniform(spec *v1alpha1.Sampler) []Violation {
	violations := validatePlaces("uniform.decimalPlaces", spec.Uniform.DecimalPlaces)
	if spec.Uniform.Low == nil || spec.Uniform.High == nil {
		return append(violations, Violation{"uniform", "low and high are required"})
	}
	low, high := spec.Uniform.Low.Float64(), spec.Uniform.High.Float64()
	switch {
	case low >= high:
		return append(violations, Violation{"uniform.high", fmt.Sprintf("high (%s) must be above low (%s)", spec.Uniform.High, spec.Uniform.Low)})
	case math.IsInf(high-low, 0):
		return append(violations, Violation{"uniform", "the interval is too wide for 64-bit numbers"})
	}
	return append(violations, validateRange("uniform", "the interval", low, math.Nextafter(high, math.Inf(-1)), spec.ConvertTo)...)
}
