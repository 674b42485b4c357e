package sampler

import (
	"math"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/constraint"
	"seedloom.dev/seedloom/engine/table"
)

// FormOf is what the values of a valid sampler are compared as.
func FormOf(spec *v1alpha1.Sampler) constraint.Form {
	switch spec.Type {
	case v1alpha1.SamplerDateTime, v1alpha1.SamplerTimeDelta:
		return constraint.Moments // also where they are written as texts
	}
	own, _ := familyOf(spec.Type)
	return constraint.FormOf(own.commonKind(spec))
}

// IsFixed says whether the values of a valid sampler follow from the row alone, so that drawing again changes nothing.
func IsFixed(spec *v1alpha1.Sampler) bool {
	return spec.Type == v1alpha1.SamplerSequence && (spec.Sequence == nil || spec.Sequence.EffectiveGaps() == 0) || spec.Category.IsBalanced()
}

// Unreadable says why the values of a valid sampler can't be compared; nothing where they can.
func Unreadable(spec *v1alpha1.Sampler) string {
	if spec == nil || len(Validate(spec)) > 0 {
		return ""
	}
	return unreadable(spec)
}

// SupportOf is what is known of the values of a valid sampler, whichever of its parameters they are drawn with. samplerOf returns the
// sampler of another column, or nil where it has none; records is the number of rows, or 0 where it is not known.
func SupportOf(spec *v1alpha1.Sampler, samplerOf func(column string) *v1alpha1.Sampler, records int64) constraint.Support {
	return supports{samplerOf, records}.of(spec, maxFollowed)
}

// maxFollowed bounds how many columns are followed from one to the next.
const maxFollowed = 16

// supports finds what is known of values.
type supports struct {
	samplerOf func(column string) *v1alpha1.Sampler
	records   int64
}

func (s supports) of(spec *v1alpha1.Sampler, follow int) constraint.Support {
	if spec == nil || follow == 0 || len(Validate(spec)) > 0 || spec.ConvertTo == v1alpha1.ConvertToStr && spec.Category == nil {
		return constraint.Support{}
	}
	spec = spec.DeepCopy()
	WriteDefaults(spec)
	own, _ := familyOf(spec.Type)
	union := s.ofParameters(spec, follow)
	for _, variant := range own.variants(spec) {
		union = constraint.Union(union, s.ofParameters(variant, follow))
	}
	return union
}

// ofParameters is what is known of values that are drawn with one set of parameters, whose defaults are written.
func (s supports) ofParameters(spec *v1alpha1.Sampler, follow int) constraint.Support {
	switch spec.Type {
	case v1alpha1.SamplerCategory:
		return categorySupport(spec)
	case v1alpha1.SamplerUniform:
		low, high := spec.Uniform.Low.Float64(), spec.Uniform.High.Float64()
		return numberSupport(spec.ConvertTo, spec.Uniform.DecimalPlaces, low, math.Nextafter(high, math.Inf(-1)))
	case v1alpha1.SamplerGaussian:
		return gaussianSupport(spec)
	case v1alpha1.SamplerBernoulli:
		return countSupport(0, 1)
	case v1alpha1.SamplerBinomial:
		return countSupport(0, *spec.Binomial.Trials)
	case v1alpha1.SamplerPoisson:
		return countSupport(0, math.MaxInt64)
	case v1alpha1.SamplerDistribution:
		return distributionSupport(spec)
	case v1alpha1.SamplerSequence:
		return s.sequenceSupport(spec.Sequence)
	case v1alpha1.SamplerDateTime:
		return momentSupport(spec)
	case v1alpha1.SamplerTimeDelta:
		return s.distanceSupport(spec, follow)
	}
	return constraint.Support{}
}

// categorySupport are the values that a Category has a weight for.
func categorySupport(spec *v1alpha1.Sampler) constraint.Support {
	_, values := categoryValues(spec.Category)
	convertAll(values, spec.ConvertTo)
	var possible []any
	for i, value := range values {
		if len(spec.Category.Weights) == 0 || spec.Category.Weights[i].Float64() > 0 {
			possible = append(possible, value)
		}
	}
	return constraint.Support{Values: possible}
}

// numberSupport are numbers from low to high, rounded and converted.
func numberSupport(convert v1alpha1.NumberConversion, places *int32, low, high float64) constraint.Support {
	support := constraint.Support{Whole: convert == v1alpha1.ConvertToInt}
	support.Continuous = !support.Whole && places == nil
	ends := [2]float64{low, high}
	for i, end := range ends {
		if places != nil && !math.IsInf(end, 0) {
			end = round(end, *places)
		}
		if support.Whole {
			end = math.RoundToEven(end)
		}
		ends[i] = end
	}
	if !math.IsInf(ends[0], 0) {
		support.Low = &constraint.Bound{Value: ends[0]}
	}
	if !math.IsInf(ends[1], 0) {
		support.High = &constraint.Bound{Value: ends[1]}
	}
	return support
}

// gaussianSupport has no ends, unless all draws are the mean.
func gaussianSupport(spec *v1alpha1.Sampler) constraint.Support {
	if spec.Gaussian.Stddev.Float64() > 0 {
		return numberSupport(spec.ConvertTo, spec.Gaussian.DecimalPlaces, math.Inf(-1), math.Inf(1))
	}
	mean := spec.Gaussian.Mean.Float64()
	support := numberSupport(spec.ConvertTo, spec.Gaussian.DecimalPlaces, mean, mean)
	support.Continuous = false
	return support
}

// sequenceSupport ends on one side only where it is not known how many rows there are to be.
func (s supports) sequenceSupport(of *v1alpha1.SequenceSampler) constraint.Support {
	first := *of.Start
	if s.records > 0 {
		last := first + *of.Step*(s.records*(of.EffectiveGaps()+1)-1)
		return countSupport(min(first, last), max(first, last))
	}
	if *of.Step > 0 {
		return countSupport(first, math.MaxInt64)
	}
	return constraint.Support{Whole: true, High: &constraint.Bound{Value: first}}
}

// countSupport are whole numbers from low to high, which is the largest int where there is no end.
func countSupport(low, high int64) constraint.Support {
	support := constraint.Support{Whole: true, Low: &constraint.Bound{Value: low}}
	if high != math.MaxInt64 {
		support.High = &constraint.Bound{Value: high}
	}
	return support
}

func distributionSupport(spec *v1alpha1.Sampler) constraint.Support {
	of := spec.Distribution
	low, high := endsOf(of)
	loc, scale := of.EffectiveLoc(), of.EffectiveScale()
	low, high = loc+float64(scale*low), loc+float64(scale*high)
	convert := spec.ConvertTo
	if byName[of.Name].counts && convert == "" {
		convert = v1alpha1.ConvertToInt
	}
	support := numberSupport(convert, of.DecimalPlaces, low, high)
	support.Continuous = support.Continuous && !byName[of.Name].counts
	return support
}

// endsOf are the ends of a distribution in its standard form.
func endsOf(of *v1alpha1.DistributionSampler) (low, high float64) {
	parameter := func(name string) float64 { value := of.Parameters[name]; return value.Float64() }
	switch of.Name {
	case "uniform", "arcsine", "powerlaw", "beta", "triang", "bernoulli":
		return 0, 1
	case "loguniform", "truncnorm":
		return parameter("a"), parameter("b")
	case "binom":
		return 0, parameter("n")
	case "randint":
		return parameter("low"), parameter("high") - 1
	case "pareto", "geom", "zipf":
		return 1, math.Inf(1)
	case "weibull_max":
		return math.Inf(-1), 0
	case "expon", "rayleigh", "halfnorm", "halfcauchy", "halflogistic", "maxwell", "gamma", "erlang", "invgamma", "weibull_min", "lomax",
		"fisk", "gompertz", "genpareto", "lognorm", "invgauss", "chi2", "f", "nbinom", "poisson", "planck":
		return 0, math.Inf(1)
	}
	return math.Inf(-1), math.Inf(1)
}

func momentSupport(spec *v1alpha1.Sampler) constraint.Support {
	zone := zoneOf(spec)
	start, _ := table.ParseMoment(spec.DateTime.Start, zone)
	end, _ := table.ParseMoment(spec.DateTime.End, zone)
	cut := unitStarts[spec.DateTime.Unit]
	return constraint.Support{
		Low: &constraint.Bound{Value: cut(start.In(zone))}, High: &constraint.Bound{Value: cut(end.Add(-time.Second).In(zone))},
	}
}

// distanceSupport are the moments at a distance from those of another column, where these are known.
func (s supports) distanceSupport(spec *v1alpha1.Sampler, follow int) constraint.Support {
	from := s.of(s.samplerOf(spec.TimeDelta.From), follow-1)
	shift, zone := shifts[spec.TimeDelta.Unit], zoneOf(spec)
	support := constraint.Support{}
	if at, isMoment := momentAt(from.Low); isMoment {
		support.Low = &constraint.Bound{Value: shift(at.In(zone), *spec.TimeDelta.Min)}
	}
	if at, isMoment := momentAt(from.High); isMoment {
		support.High = &constraint.Bound{Value: shift(at.In(zone), *spec.TimeDelta.Max-1)}
	}
	return support
}

func momentAt(bound *constraint.Bound) (at time.Time, isMoment bool) {
	if bound != nil {
		at, isMoment = bound.Value.(time.Time)
	}
	return at, isMoment
}
