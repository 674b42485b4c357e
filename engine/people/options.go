package people

import (
	"slices"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/random"
)

// What is drawn where the spec says nothing.
const (
	defaultLocale                = "en_US"
	defaultAsOf                  = "2026-01-01"
	defaultMinAge, defaultMaxAge = 18, 90
	earliestAsOf, latestAsOf     = "2015-01-01", "2035-12-31"
	asOfMessage                  = "must be a day from " + earliestAsOf + " to " + latestAsOf + ", such as " + defaultAsOf
)

// WriteDefaults writes the defaults into a valid spec, so that one that is written out is the same spec.
func WriteDefaults(spec *v1alpha1.PersonSampler) {
	if spec.Locale == "" && spec.Locales == nil {
		spec.Locale = defaultLocale
	}
	if spec.AgeRange == nil && spec.Ages == nil && spec.Dataset == nil {
		spec.AgeRange = []int32{defaultMinAge, defaultMaxAge}
	}
	if spec.AsOf == "" {
		spec.AsOf = defaultAsOf
	}
	if spec.Emails == "" {
		spec.Emails = v1alpha1.EmailsAny
	}
}

// localesOf are the locales of a spec, with their shares.
func localesOf(spec *v1alpha1.PersonSampler) []v1alpha1.WeightedValue {
	switch {
	case spec.Locales != nil:
		return spec.Locales
	case spec.Locale != "":
		return []v1alpha1.WeightedValue{{Value: spec.Locale}}
	}
	return []v1alpha1.WeightedValue{{Value: defaultLocale}}
}

func weightsOf(values []v1alpha1.WeightedValue) []float64 {
	weights := make([]float64, len(values))
	for i := range values {
		weights[i] = weightOf(values[i].Weight)
	}
	return weights
}

// weightOf is a weight of the spec, which is 1 by default.
func weightOf(weight *v1alpha1.Decimal) float64 {
	if weight == nil {
		return 1
	}
	return weight.Float64()
}

func asOf(spec *v1alpha1.PersonSampler) time.Time {
	text := spec.AsOf
	if text == "" {
		text = defaultAsOf
	}
	day, _ := time.Parse(time.DateOnly, text) // is valid
	return day
}

// sexesOf draws the place of a sex in a list.
func sexesOf(spec *v1alpha1.PersonSampler) (shares random.Weights, sexes []int) {
	if spec.Sexes == nil {
		return random.NewWeights(1, 1), []int{female, male}
	}
	weights := make([]float64, len(spec.Sexes))
	for i, share := range spec.Sexes {
		sex := female
		if share.Value == v1alpha1.PersonMale {
			sex = male
		}
		weights[i], sexes = weightOf(share.Weight), append(sexes, sex)
	}
	return random.NewWeights(weights...), sexes
}

func agesOf(spec *v1alpha1.PersonSampler) ages {
	switch {
	case spec.Ages != nil:
		var drawn ages
		weights := make([]float64, len(spec.Ages))
		for i, group := range spec.Ages {
			weights[i] = weightOf(group.Weight)
			drawn.add(int(*group.Min), int(*group.Max))
		}
		drawn.groups = random.NewWeights(weights...)
		return drawn
	case spec.AgeRange != nil:
		return livingAges(int(spec.AgeRange[0]), int(spec.AgeRange[1]))
	}
	return livingAges(defaultMinAge, defaultMaxAge)
}

// placesOf draws the place of a city among those of a locale that a spec lets in. The shares of regions and of cities are those of the
// persons; within one, places are as frequent as they are large.
func placesOf(spec *v1alpha1.PersonSampler, of *locale) (indexes []int, shares random.Weights) {
	var weights []float64
	regions, cities := shareOf(spec.Regions), shareOf(spec.Cities)
	sizes := map[string]float64{}
	for i := range of.places {
		if home := &of.places[i]; regions(home.region) > 0 && cities(home.city) > 0 {
			indexes, weights = append(indexes, i), append(weights, home.weight)
			sizes["region "+home.region] += home.weight
			sizes["city "+home.city] += home.weight
		}
	}
	for at, i := range indexes {
		home := &of.places[i]
		if spec.Cities != nil {
			weights[at] *= cities(home.city) / sizes["city "+home.city]
		} else if spec.Regions != nil {
			weights[at] *= regions(home.region) / sizes["region "+home.region]
		}
	}
	return indexes, random.NewWeights(weights...)
}

// shareOf returns the share of a value: the same for all, where none is named.
func shareOf(values []v1alpha1.WeightedValue) func(string) float64 {
	return func(value string) float64 {
		if values == nil {
			return 1
		}
		at := slices.IndexFunc(values, func(v v1alpha1.WeightedValue) bool { return v.Value == value })
		if at < 0 {
			return 0
		}
		return weightOf(values[at].Weight)
	}
}

// domainsOf are the domains of e-mail addresses. Those of the examples of RFC 2606 belong to nobody.
func domainsOf(spec *v1alpha1.PersonSampler) ([]string, random.Weights) {
	if spec.EmailDomains == nil {
		return []string{"example.com", "example.net", "example.org"}, random.NewWeights(1, 1, 1)
	}
	domains := make([]string, len(spec.EmailDomains))
	for i := range spec.EmailDomains {
		domains[i] = spec.EmailDomains[i].Value
	}
	return domains, random.NewWeights(weightsOf(spec.EmailDomains)...)
}
