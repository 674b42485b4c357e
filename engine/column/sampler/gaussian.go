package sampler

import (
	"fmt"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/random"
)

var gaussians = family{
	name: v1alpha1.SamplerGaussian, member: "gaussian", isSet: func(s *v1alpha1.Sampler) bool { return s.Gaussian != nil }, converts: true,
	validate: validateGaussian, kind: numberKind,
	draws: func(s *v1alpha1.Sampler, _ site) drawFunc {
		return numbers(s.ConvertTo, s.Gaussian.DecimalPlaces, gaussian(s.Gaussian))
	},
	columns: func(s *v1alpha1.Sampler) columnFunc {
		return numberColumn(s.ConvertTo, s.Gaussian.DecimalPlaces, gaussian(s.Gaussian))
	},
}

func gaussian(spec *v1alpha1.GaussianSampler) func(*random.Stream) float64 {
	mean, deviation := spec.Mean.Float64(), spec.Stddev.Float64()
	return func(stream *random.Stream) float64 {
		return mean + float64(deviation*stream.Normal()) // the conversion has all processors round in two steps
	}
}

// widestDeviation is how many standard deviations from the mean must be in range: one draw of 10^15 is beyond them.
const widestDeviation = 8

func validateGaussian(spec *v1alpha1.Sampler) []Violation {
	violations := validatePlaces("gaussian.decimalPlaces", spec.Gaussian.DecimalPlaces)
	if spec.Gaussian.Mean == nil || spec.Gaussian.Stddev == nil {
		return append(violations, Violation{"gaussian", "mean and stddev are required"})
	}
	mean, deviation := spec.Gaussian.Mean.Float64(), spec.Gaussian.Stddev.Float64()
	if deviation < 0 {
		return append(violations, Violation{"gaussian.stddev", fmt.Sprintf("must not be negative, is %s", spec.Gaussian.Stddev)})
	}
	what := fmt.Sprintf("the distribution with the mean %s and the standard deviation %s", spec.Gaussian.Mean, spec.Gaussian.Stddev)
	return append(violations, validateRange("gaussian", what, mean-widestDeviation*deviation, mean+widestDeviation*deviation,
		spec.ConvertTo)...)
}
