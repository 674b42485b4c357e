package sampler

import (
	"fmt"
	"math"
	"strconv"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

var bernoullis = family{
	name: v1alpha1.SamplerBernoulli, member: "bernoulli", isSet: func(s *v1alpha1.Sampler) bool { return s.Bernoulli != nil }, converts: true,
	validate: func(s *v1alpha1.Sampler) []Violation {
		return validateProbability("bernoulli", s.Bernoulli.Probability)
	}, kind: countKind,
	draws: func(s *v1alpha1.Sampler, _ site) drawFunc {
		p := s.Bernoulli.Probability.Float64()
		return counts(s.ConvertTo, func(stream *random.Stream) int64 {
			if stream.Float64() < p {
				return 1
			}
			return 0
		})
	},
}

var binomials = family{
	name: v1alpha1.SamplerBinomial, member: "binomial", isSet: func(s *v1alpha1.Sampler) bool { return s.Binomial != nil }, converts: true,
	validate: validateBinomial, kind: countKind,
	draws: func(s *v1alpha1.Sampler, _ site) drawFunc {
		return counts(s.ConvertTo, newBinomial(*s.Binomial.Trials, s.Binomial.Probability.Float64()))
	},
}

var poissons = family{
	name: v1alpha1.SamplerPoisson, member: "poisson", isSet: func(s *v1alpha1.Sampler) bool { return s.Poisson != nil }, converts: true,
	validate: validatePoisson, kind: countKind,
	draws: func(s *v1alpha1.Sampler, _ site) drawFunc {
		return counts(s.ConvertTo, newPoisson(s.Poisson.Mean.Float64()))
	},
}

// maxCount bounds what is counted, so that all numbers of the methods are exact.
const maxCount = 1_000_000_000

func validateProbability(member string, p *v1alpha1.Decimal) []Violation {
	switch {
	case p == nil:
		return []Violation{{member, "probability is required"}}
	case !(p.Float64() >= 0 && p.Float64() <= 1):
		return []Violation{{member + ".probability", fmt.Sprintf("must be from 0 to 1, but is %s", p)}}
	}
	return nil
}

func validateBinomial(spec *v1alpha1.Sampler) []Violation {
	violations := validateProbability("binomial", spec.Binomial.Probability)
	switch n := spec.Binomial.Trials; {
	case n == nil:
		violations = append(violations, Violation{"binomial", "trials is required"})
	case *n < 0 || *n > maxCount:
		violations = append(violations, Violation{"binomial.trials", fmt.Sprintf("must be from 0 to %d, but is %d", maxCount, *n)})
	}
	return violations
}

func validatePoisson(spec *v1alpha1.Sampler) []Violation {
	switch mean := spec.Poisson.Mean; {
	case mean == nil:
		return []Violation{{"poisson", "mean is required"}}
	case !(mean.Float64() >= 0 && mean.Float64() <= maxCount):
		return []Violation{{"poisson.mean", fmt.Sprintf("must be from 0 to %d, but is %s", maxCount, mean)}}
	}
	return nil
}

// countKind is the kind of counts after their conversion.
func countKind(spec *v1alpha1.Sampler) table.Kind {
	return convertedKind(spec.ConvertTo, table.KindInt)
}

// counts finishes what draws counts.
func counts(convert v1alpha1.NumberConversion, draw func(*random.Stream) int64) drawFunc {
	return func(stream *random.Stream, _ *table.Record) (any, error) {
		return convertCount(draw(stream), convert), nil
	}
}

// convertCount converts a whole number, which is one without a conversion.
func convertCount(count int64, convert v1alpha1.NumberConversion) any {
	switch convert {
	case v1alpha1.ConvertToFloat:
		return float64(count)
	case v1alpha1.ConvertToStr:
		return strconv.FormatInt(count, 10)
	}
	return count
}

// newBinomial draws by inversion where few successes are to be expected, and else by the transformed rejection with squeeze BTRS of
// Hörmann, "The generation of binomial random variates", Journal of Statistical Computation and Simulation 46 (1993).
func newBinomial(n int64, p float64) func(*random.Stream) int64 {
	mirrored := p > 0.5
	if mirrored {
		p = 1 - p
	}
	draw := invertedBinomial(n, p)
	if float64(n)*p >= 10 {
		draw = rejectedBinomial(n, p)
	}
	if !mirrored {
		return draw
	}
	return func(stream *random.Stream) int64 { return n - draw(stream) }
}

func invertedBinomial(n int64, p float64) func(*random.Stream) int64 {
	first := math.Exp(float64(n) * math.Log1p(-p))
	odds := p / (1 - p)
	return func(stream *random.Stream) int64 {
		left, probability := stream.Float64(), first
		for k := int64(0); k < n; k++ {
			if left < probability || probability == 0 {
				return k
			}
			left -= probability
			probability *= float64(odds * float64(n-k) / float64(k+1))
		}
		return n
	}
}

func rejectedBinomial(n int64, p float64) func(*random.Stream) int64 {
	trials := float64(n)
	deviation := math.Sqrt(trials * p * (1 - p))
	b := 1.15 + float64(2.53*deviation)
	a := -0.0873 + float64(0.0248*b) + float64(0.01*p)
	center := float64(trials*p) + 0.5
	squeeze := 0.92 - 4.2/b
	alpha := (2.83 + 5.1/b) * deviation
	odds := p / (1 - p)
	mode := math.Floor((trials + 1) * p)
	atMode := logFactorial(mode) + logFactorial(trials-mode)
	logOdds := math.Log(odds)
	return func(stream *random.Stream) int64 {
		for {
			u, v := stream.Float64()-0.5, stream.Float64()
			us := 0.5 - math.Abs(u)
			k := math.Floor(float64((float64(2*a/us)+b)*u) + center)
			if us >= 0.07 && v <= squeeze {
				return int64(k)
			}
			if k < 0 || k > trials || us == 0 {
				continue
			}
			bound := atMode - logFactorial(k) - logFactorial(trials-k) + float64((k-mode)*logOdds)
			if math.Log(v*alpha/(float64(a/(us*us))+b)) <= bound {
				return int64(k)
			}
		}
	}
}

// newPoisson draws by inversion where few events are to be expected, and else by the transformed rejection PTRS of Hörmann, "The
// transformed rejection method for generating Poisson random variables", Insurance: Mathematics and Economics 12 (1993).
func newPoisson(mean float64) func(*random.Stream) int64 {
	if mean < 10 {
		return invertedPoisson(mean)
	}
	logMean := math.Log(mean)
	b := 0.931 + float64(2.53*math.Sqrt(mean))
	a := -0.059 + float64(0.02483*b)
	inverseAlpha := 1.1239 + 1.1328/(b-3.4)
	squeeze := 0.9277 - 3.6224/(b-2)
	return func(stream *random.Stream) int64 {
		for {
			u, v := stream.Float64()-0.5, stream.Float64()
			us := 0.5 - math.Abs(u)
			k := math.Floor(float64((float64(2*a/us)+b)*u) + mean + 0.43)
			if us >= 0.07 && v <= squeeze {
				return int64(k)
			}
			if k < 0 || us == 0 || us < 0.013 && v > us {
				continue
			}
			if math.Log(v)+math.Log(inverseAlpha)-math.Log(float64(a/(us*us))+b) <= -mean+float64(k*logMean)-logFactorial(k) {
				return int64(k)
			}
		}
	}
}

func invertedPoisson(mean float64) func(*random.Stream) int64 {
	first := math.Exp(-mean)
	return func(stream *random.Stream) int64 {
		left, probability := stream.Float64(), first
		for k := int64(0); ; k++ {
			if left < probability || probability == 0 {
				return k
			}
			left -= probability
			probability *= mean / float64(k+1)
		}
	}
}

// logFactorial is the natural logarithm of k!.
func logFactorial(k float64) float64 {
	value, _ := math.Lgamma(k + 1)
	return value
}
