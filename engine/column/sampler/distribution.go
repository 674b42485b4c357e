package sampler

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

var distributions = family{
	name: v1alpha1.SamplerDistribution, member: "distribution", converts: true,
	isSet: func(s *v1alpha1.Sampler) bool { return s.Distribution != nil },
	validate: func(s *v1alpha1.Sampler) []Violation {
		return validateDistribution("distribution", s.Distribution, s.ConvertTo)
	},
	kind: func(s *v1alpha1.Sampler) table.Kind { return distributionKind(s.Distribution, s.ConvertTo) },
	draws: func(s *v1alpha1.Sampler, _ site) drawFunc {
		return drawDistribution(s.Distribution, s.ConvertTo, newDistribution(s.Distribution))
	},
}

var bernoulliMixtures = family{
	name: v1alpha1.SamplerBernoulliMixture, member: "bernoulliMixture", converts: true,
	isSet:    func(s *v1alpha1.Sampler) bool { return s.BernoulliMixture != nil },
	validate: validateMixture,
	kind: func(s *v1alpha1.Sampler) table.Kind {
		return distributionKind(&s.BernoulliMixture.Distribution, s.ConvertTo)
	},
	draws: func(s *v1alpha1.Sampler, _ site) drawFunc {
		p, draw := s.BernoulliMixture.Probability.Float64(), newDistribution(&s.BernoulliMixture.Distribution)
		return drawDistribution(&s.BernoulliMixture.Distribution, s.ConvertTo, func(stream *random.Stream) float64 {
			if stream.Float64() < p {
				return draw(stream)
			}
			return 0
		})
	},
}

// distribution is one of SciPy's, in its standard form: loc and scale come after.
type distribution struct {
	// shapes are its parameters, in SciPy's order.
	shapes []shape
	// counts says that its draws are whole numbers.
	counts bool
	// check says what is wrong with parameters each of which is right by itself. It may be nil.
	check func(of []float64) string
	draws func(of []float64) func(*random.Stream) float64
}

// shape is a parameter of a distribution.
type shape struct {
	name  string
	bound bound
}

// bound is what a parameter must be.
type bound struct {
	says  string
	holds func(float64) bool
}

var (
	positive  = bound{"above 0", func(v float64) bool { return v > 0 && !math.IsInf(v, 0) }}
	aboveOne  = bound{"above 1", func(v float64) bool { return v > 1 && !math.IsInf(v, 0) }}
	unit      = bound{"from 0 to 1", func(v float64) bool { return v >= 0 && v <= 1 }}
	chance    = bound{"above 0 and at most 1", func(v float64) bool { return v > 0 && v <= 1 }}
	finite    = bound{"a finite number", func(v float64) bool { return !math.IsInf(v, 0) && !math.IsNaN(v) }}
	count     = bound{"a whole number from 0 to 1000000000", func(v float64) bool { return v >= 0 && v <= maxCount && v == math.Floor(v) }}
	countMean = bound{"from 0 to 1000000000", func(v float64) bool { return v >= 0 && v <= maxCount }}
	whole     = bound{"a whole number of at most 15 digits", func(v float64) bool { return math.Abs(v) < 1e15 && v == math.Floor(v) }}
)

// validateDistribution looks at the parameters of a distribution at a path.
func validateDistribution(at string, spec *v1alpha1.DistributionSampler, convert v1alpha1.NumberConversion) []Violation {
	violations := validatePlaces(at+".decimalPlaces", spec.DecimalPlaces)
	of, known := byName[spec.Name]
	if !known {
		names := slices.Sorted(maps.Keys(byName))
		return append(violations, Violation{at + ".name", fmt.Sprintf("is none of %s, but %q", strings.Join(names, ", "), spec.Name)})
	}
	parameters := at + ".parameters"
	values := make([]float64, len(of.shapes))
	for i, wanted := range of.shapes {
		value, given := spec.Parameters[wanted.name]
		values[i] = value.Float64()
		switch {
		case !given:
			violations = append(violations, Violation{parameters, fmt.Sprintf("%s needs %s", spec.Name, wanted.name)})
		case !wanted.bound.holds(values[i]):
			violations = append(violations, Violation{parameters + "." + wanted.name,
				fmt.Sprintf("must be %s, but is %s", wanted.bound.says, value)})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Parameters)) {
		if !slices.ContainsFunc(of.shapes, func(s shape) bool { return s.name == name }) {
			violations = append(violations, Violation{parameters + "." + name, fmt.Sprintf("%s has %s", spec.Name, of.parameterNames())})
		}
	}
	if len(violations) == 0 && of.check != nil {
		if problem := of.check(values); problem != "" {
			violations = append(violations, Violation{parameters, problem})
		}
	}
	return append(violations, of.validateForm(at, spec, convert)...)
}

// parameterNames are those that a distribution has, for people.
func (d distribution) parameterNames() string {
	var names []string
	for _, shape := range d.shapes {
		names = append(names, shape.name)
	}
	if len(names) == 0 {
		return "no parameters but loc and scale"
	}
	return "the parameters " + strings.Join(names, " and ")
}

// validateForm looks at what is done with the draws of a distribution.
func (d distribution) validateForm(at string, spec *v1alpha1.DistributionSampler, convert v1alpha1.NumberConversion) []Violation {
	var violations []Violation
	if d.counts && spec.Scale != nil {
		violations = append(violations, Violation{at + ".scale", fmt.Sprintf("is not for %s, which draws whole numbers", spec.Name)})
	}
	if d.counts && spec.Loc != nil && !whole.holds(spec.Loc.Float64()) {
		violations = append(violations, Violation{at + ".loc", fmt.Sprintf("must be %s for %s, but is %s", whole.says, spec.Name, spec.Loc)})
	}
	if d.counts && spec.DecimalPlaces != nil && convert != v1alpha1.ConvertToFloat {
		violations = append(violations, Violation{at + ".decimalPlaces", fmt.Sprintf("is not for %s, which draws whole numbers", spec.Name)})
	}
	if spec.Scale != nil && !positive.holds(spec.Scale.Float64()) {
		violations = append(violations, Violation{at + ".scale", fmt.Sprintf("must be %s, but is %s", positive.says, spec.Scale)})
	}
	return violations
}

func validateMixture(sampler *v1alpha1.Sampler) []Violation {
	spec := sampler.BernoulliMixture
	violations := validateProbability("bernoulliMixture", spec.Probability)
	if spec.Distribution.Name == "" {
		return append(violations, Violation{"bernoulliMixture", "distribution is required"})
	}
	return append(violations, validateDistribution("bernoulliMixture.distribution", &spec.Distribution, sampler.ConvertTo)...)
}

func distributionKind(spec *v1alpha1.DistributionSampler, convert v1alpha1.NumberConversion) table.Kind {
	if byName[spec.Name].counts {
		return convertedKind(convert, table.KindInt)
	}
	return convertedKind(convert, table.KindFloat)
}

// newDistribution draws from a valid distribution, with its loc and scale.
func newDistribution(spec *v1alpha1.DistributionSampler) func(*random.Stream) float64 {
	of := byName[spec.Name]
	values := make([]float64, len(of.shapes))
	for i, wanted := range of.shapes {
		values[i] = spec.Parameters[wanted.name].Float64()
	}
	draw := of.draws(values)
	loc, scale := spec.EffectiveLoc(), spec.EffectiveScale()
	if loc == 0 && scale == 1 {
		return draw
	}
	return func(stream *random.Stream) float64 { return loc + float64(scale*draw(stream)) }
}

// drawDistribution finishes the draws of a distribution.
func drawDistribution(
	spec *v1alpha1.DistributionSampler, convert v1alpha1.NumberConversion, draw func(*random.Stream) float64,
) drawFunc {
	if !byName[spec.Name].counts || convert == v1alpha1.ConvertToFloat {
		return numbers(convert, spec.DecimalPlaces, draw)
	}
	asInt := numbers(v1alpha1.ConvertToInt, nil, draw)
	return func(stream *random.Stream, record *table.Record) (any, error) {
		value, err := asInt(stream, record)
		if err != nil {
			return nil, err
		}
		return convertCount(value.(int64), convert), nil
	}
}
