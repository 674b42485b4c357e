package people

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/suggest"
)

// Violation says what is wrong with a spec.
type Violation struct {
	// Field is the path below the spec, such as "ageRange[1]"; empty for the whole.
	Field   string
	Message string
}

// checks collects what is wrong.
type checks struct {
	spec       *v1alpha1.PersonSampler
	violations []Violation
}

func (c *checks) add(field, message string, arguments ...any) {
	c.violations = append(c.violations, Violation{field, fmt.Sprintf(message, arguments...)})
}

// Validate returns everything that is wrong with a spec: also what admission refuses, since not every spec passes through it.
func Validate(spec *v1alpha1.PersonSampler) []Violation {
	c := &checks{spec: spec}
	c.sexes()
	c.ages()
	if day, err := time.Parse(time.DateOnly, spec.AsOf); spec.AsOf != "" && (err != nil || !isPossible(day)) {
		c.add("asOf", "%s, but is %q", asOfMessage, spec.AsOf)
	}
	c.locales()
	switch spec.Emails {
	case "", v1alpha1.EmailsAny, v1alpha1.EmailsUnique:
	default:
		c.add("emails", "must be Any or Unique, but is %q", spec.Emails)
	}
	c.domains()
	if spec.Dataset != nil {
		c.dataset(spec.Dataset)
	}
	return c.violations
}

func isPossible(day time.Time) bool {
	text := day.Format(time.DateOnly)
	return text >= earliestAsOf && text <= latestAsOf
}

func (c *checks) sexes() {
	weights := make([]float64, len(c.spec.Sexes))
	seen := map[v1alpha1.PersonSex]bool{}
	for i, share := range c.spec.Sexes {
		at := fmt.Sprintf("sexes[%d]", i)
		switch {
		case share.Value != v1alpha1.PersonFemale && share.Value != v1alpha1.PersonMale:
			c.add(at+".value", "must be Female or Male, but is %q", share.Value)
		case seen[share.Value]:
			c.add(at+".value", "%s is there twice", share.Value)
		}
		seen[share.Value], weights[i] = true, weightOf(share.Weight)
	}
	c.weights("sexes", weights)
}

// weights looks at the shares of a list, which may be empty.
func (c *checks) weights(field string, weights []float64) {
	total := 0.0
	for i, weight := range weights {
		if weight < 0 {
			c.add(fmt.Sprintf("%s[%d].weight", field, i), "must not be negative")
		}
		total += weight
	}
	if len(weights) > 0 && (!(total > 0) || math.IsInf(total, 0)) {
		c.add(field, "at least one weight must be above 0, and their sum finite")
	}
}

func (c *checks) ages() {
	if c.spec.AgeRange != nil && c.spec.Ages != nil {
		c.add("ageRange", "can't be set beside ages, which says the ages too: remove one of them")
	}
	if ages := c.spec.AgeRange; ages != nil {
		if len(ages) != 2 {
			c.add("ageRange", "must have the lowest and the highest age, such as [18, 65], but has %d numbers", len(ages))
		} else {
			c.ageBounds("ageRange", int(ages[0]), int(ages[1]))
		}
	}
	weights := make([]float64, len(c.spec.Ages))
	for i, group := range c.spec.Ages {
		at := fmt.Sprintf("ages[%d]", i)
		if group.Min == nil || group.Max == nil {
			c.add(at, "min and max are required")
			continue
		}
		c.ageBounds(at, int(*group.Min), int(*group.Max))
		weights[i] = weightOf(group.Weight)
	}
	c.weights("ages", weights)
}

func (c *checks) ageBounds(field string, low, high int) {
	switch {
	case low < 0 || high > maxAge:
		c.add(field, "ages are from 0 to %d, but these are from %d to %d", maxAge, low, high)
	case low > high:
		c.add(field, "the lowest age %d is above the highest, which is %d", low, high)
	}
}

// values looks at a list of values with shares, and says whether it is well so far.
func (c *checks) values(field string, values []v1alpha1.WeightedValue) bool {
	before := len(c.violations)
	seen := map[string]bool{}
	for i, value := range values {
		switch at := fmt.Sprintf("%s[%d].value", field, i); {
		case value.Value == "":
			c.add(at, "must not be empty")
		case seen[value.Value]:
			c.add(at, "%q is there twice", value.Value)
		}
		seen[value.Value] = true
	}
	c.weights(field, weightsOf(values))
	return len(c.violations) == before
}

// locales looks at the locales, and at the regions and cities in them.
func (c *checks) locales() {
	if c.spec.Locale != "" && c.spec.Locales != nil {
		c.add("locale", "can't be set beside locales: remove one of them")
	}
	c.values("locales", c.spec.Locales)
	var known []*locale
	for i, wanted := range localesOf(c.spec) {
		field := "locale"
		if c.spec.Locales != nil {
			field = fmt.Sprintf("locales[%d].value", i)
		}
		all := Locales()
		if !slices.Contains(all, wanted.Value) {
			c.add(field, "no locale is called %q%s The locales are %s", wanted.Value, closest(wanted.Value, all), strings.Join(all, ", "))
			continue
		}
		decoded, err := decodePlaces(wanted.Value)
		if err != nil {
			c.add(field, "%v", err)
			continue
		}
		known = append(known, decoded)
	}
	regionsFine, citiesFine := c.values("regions", c.spec.Regions), c.values("cities", c.spec.Cities)
	if c.spec.Dataset == nil && regionsFine && citiesFine && len(known) == len(localesOf(c.spec)) {
		c.places(known)
	}
}

// closest is the suggestion of a name, as a sentence; nothing where none is close.
func closest(name string, all []string) string {
	if text := suggest.Name(strings.ReplaceAll(name, "-", "_"), all); strings.HasPrefix(text, "; did you mean") {
		return text
	}
	return "."
}

// places looks at the regions and cities in the locales.
func (c *checks) places(known []*locale) {
	before := len(c.violations)
	var regions, cities []string
	for _, one := range known {
		for i := range one.places {
			regions, cities = append(regions, one.places[i].region), append(cities, one.places[i].city)
		}
	}
	c.known("regions", "region", c.spec.Regions, regions)
	c.known("cities", "city", c.spec.Cities, cities)
	if len(c.violations) > before {
		return
	}
	for _, one := range known {
		switch _, places := placesOf(c.spec, one); {
		case !places.IsEmpty():
		case c.spec.Regions != nil && c.spec.Cities != nil:
			c.add("cities", "none of them is in one of the regions, in the locale %s: nobody can live there", one.code)
		case c.spec.Regions != nil:
			c.add("regions", "none of them is in the locale %s", one.code)
		default:
			c.add("cities", "none of them is in the locale %s", one.code)
		}
	}
}

// known reports values that no locale has.
func (c *checks) known(field, what string, values []v1alpha1.WeightedValue, all []string) {
	slices.Sort(all)
	all = slices.Compact(all)
	for i, value := range values {
		if !slices.Contains(all, value.Value) {
			c.add(fmt.Sprintf("%s[%d].value", field, i), "the locale has no %s called %q%s", what, value.Value, suggest.Name(value.Value, all))
		}
	}
}

var domainName = regexp.MustCompile(`^([A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$`)

func (c *checks) domains() {
	c.values("emailDomains", c.spec.EmailDomains)
	for i, domain := range c.spec.EmailDomains {
		if domain.Value != "" && !domainName.MatchString(domain.Value) {
			c.add(fmt.Sprintf("emailDomains[%d].value", i), "%q is no domain: write it as mail.example.com, without @", domain.Value)
		}
	}
}

// dataset looks at what says which persons of a file are drawn.
func (c *checks) dataset(dataset *v1alpha1.PersonDataset) {
	sources := 0
	for _, set := range []bool{dataset.ConfigMap != nil, dataset.PersistentVolumeClaim != nil, dataset.HTTP != nil} {
		if set {
			sources++
		}
	}
	if sources != 1 {
		c.add("dataset", "exactly one of configMap, persistentVolumeClaim, http must be set, but %d are", sources)
	}
	if c.spec.Locales != nil {
		c.add("locales", "have no effect on persons of a dataset: set locale for what is derived, such as telephone numbers, or filter with "+
			"dataset.where")
	}
	if c.spec.Ages != nil {
		c.add("ages", "have no effect on persons of a dataset: filter with ageRange")
	}
	c.noWeights("regions", c.spec.Regions)
	c.noWeights("cities", c.spec.Cities)
	for i := range c.spec.Sexes {
		if c.spec.Sexes[i].Weight != nil {
			c.add(fmt.Sprintf("sexes[%d].weight", i), "has no effect on persons of a dataset, which are as frequent as in their file")
		}
	}
	c.members(dataset.Members)
	c.filters(dataset.Where)
}

func (c *checks) noWeights(field string, values []v1alpha1.WeightedValue) {
	for i := range values {
		if values[i].Weight != nil {
			c.add(fmt.Sprintf("%s[%d].weight", field, i), "has no effect on persons of a dataset, which are as frequent as in their file")
		}
	}
}

var memberName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (c *checks) members(members []v1alpha1.SeedColumn) {
	seen := map[string]bool{}
	for i := range members {
		at, name := fmt.Sprintf("dataset.members[%d].name", i), members[i].Name
		switch {
		case !memberName.MatchString(name):
			c.add(at, "%q can't be used in templates: take letters, digits and underscores; from names the column of the file", name)
		case slices.Contains(memberNames[:], name):
			c.add(at, "every person has the member %s", name)
		case seen[name]:
			c.add(at, "%q is there twice", name)
		}
		seen[name] = true
	}
}

func (c *checks) filters(where []v1alpha1.PersonFilter) {
	own := map[int]string{}
	for member, set := range map[int]bool{memberSex: c.spec.Sexes != nil, memberAge: c.spec.AgeRange != nil,
		memberRegion: c.spec.Regions != nil, memberCity: c.spec.Cities != nil} {
		if set {
			own[member] = map[int]string{memberSex: "sexes", memberAge: "ageRange", memberRegion: "regions", memberCity: "cities"}[member]
		}
	}
	seen := map[string]bool{}
	for i, filter := range where {
		at := fmt.Sprintf("dataset.where[%d]", i)
		other := own[memberOf(filter.Column)]
		switch {
		case filter.Column == "":
			c.add(at+".column", "must not be empty")
		case seen[filter.Column]:
			c.add(at+".column", "%q is there twice: put all values into one list", filter.Column)
		case other != "":
			c.add(at+".column", "%q is filtered by %s already: remove one of them", filter.Column, other)
		}
		if len(filter.Values) == 0 {
			c.add(at+".values", "at least one value is required")
		}
		seen[filter.Column] = true
	}
}
