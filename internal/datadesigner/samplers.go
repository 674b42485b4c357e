package datadesigner

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// samplerKinds convert the parameters of samplers. They return false where the sampler can't be carried over.
var samplerKinds = map[string]func(c *converter, from *object, to *v1alpha1.Sampler) bool{
	"uuid":              (*converter).uuid,
	"category":          (*converter).category,
	"subcategory":       (*converter).subcategory,
	"uniform":           (*converter).uniform,
	"gaussian":          (*converter).gaussian,
	"bernoulli":         (*converter).bernoulli,
	"bernoulli_mixture": (*converter).bernoulliMixture,
	"binomial":          (*converter).binomial,
	"poisson":           (*converter).poisson,
	"scipy":             (*converter).scipy,
	"datetime":          (*converter).dateTime,
	"timedelta":         (*converter).timeDelta,
	"person":            (*converter).managedPerson,
	"person_from_faker": (*converter).fakerPerson,
}

func (c *converter) sampler(from *object, to *v1alpha1.Column) bool {
	kind, parameters := from.text("sampler_type"), from.child("params")
	if parameters == nil {
		c.lose(from.path, "sampler %q has no params", from.text("name"))
		return false
	}
	parameters.text("sampler_type") // stands in the column too
	convert := samplerKinds[kind]
	if convert == nil {
		c.lose(from.path, "sampler %q is of the type %q, which is unknown", from.text("name"), kind)
		return false
	}
	sampler := &v1alpha1.Sampler{}
	if !convert(c, parameters, sampler) {
		return false
	}
	parameters.rest()
	if converted := from.text("convert_to"); converted != "" {
		convertTo(converted, sampler)
	}
	c.conditional(from, convert, sampler)
	to.Sampler = sampler
	return true
}

// conditional converts the parameters for rows in which a condition holds. The last of several that hold counts in Data Designer, and the
// first in a DatasetGeneration.
func (c *converter) conditional(from *object, convert func(*converter, *object, *v1alpha1.Sampler) bool, to *v1alpha1.Sampler) {
	conditions := from.child("conditional_params")
	if conditions == nil {
		return
	}
	for _, when := range slices.Backward(conditions.keys) {
		parameters, variant := conditions.child(when), &v1alpha1.Sampler{}
		if parameters == nil {
			continue
		}
		parameters.text("sampler_type") // stands in the column too
		if !convert(c, parameters, variant) {
			continue
		}
		parameters.rest()
		member, err := parametersOf(variant)
		if err != nil {
			c.lose(parameters.path, "can't be written: %v", err)
			continue
		}
		to.Conditional = append(to.Conditional, v1alpha1.ConditionalParameters{When: "{{ " + when + " }}", Parameters: member})
	}
}

// parametersOf is the member of a sampler that has its parameters.
func parametersOf(of *v1alpha1.Sampler) (*apiextensionsv1.JSON, error) {
	text, err := json.Marshal(of)
	if err != nil {
		return nil, err
	}
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	delete(members, "type")
	for _, parameters := range members {
		return &apiextensionsv1.JSON{Raw: parameters}, nil
	}
	return &apiextensionsv1.JSON{Raw: []byte("{}")}, nil
}

// convertTo is the type of a number, or the format of a moment.
func convertTo(converted string, to *v1alpha1.Sampler) {
	switch to.Type {
	case v1alpha1.SamplerUUID, v1alpha1.SamplerPerson: // which ignore it
	case v1alpha1.SamplerDateTime, v1alpha1.SamplerTimeDelta:
		to.Format = converted
	default:
		to.ConvertTo = v1alpha1.NumberConversion(converted)
	}
}

func (c *converter) uuid(from *object, to *v1alpha1.Sampler) bool {
	to.Type = v1alpha1.SamplerUUID
	uuid := v1alpha1.UUIDSampler{Prefix: from.text("prefix")}
	if from.isTrue("short_form") {
		short := int32(8)
		uuid.Length = &short
	}
	if from.isTrue("uppercase") {
		uuid.LetterCase = v1alpha1.LetterCaseUpper
	}
	if uuid != (v1alpha1.UUIDSampler{}) {
		to.UUID = &uuid
	}
	return true
}

func (c *converter) category(from *object, to *v1alpha1.Sampler) bool {
	to.Type = v1alpha1.SamplerCategory
	to.Category = &v1alpha1.CategorySampler{Values: from.raws("values"), Weights: from.decimals("weights")}
	return true
}

func (c *converter) subcategory(from *object, to *v1alpha1.Sampler) bool {
	to.Type = v1alpha1.SamplerSubcategory
	to.Subcategory = &v1alpha1.SubcategorySampler{Category: from.text("category")}
	values := from.child("values")
	if values == nil {
		return true
	}
	for _, of := range values.keys {
		to.Subcategory.Values = append(to.Subcategory.Values, v1alpha1.SubcategoryValues{Of: &of, Values: values.raws(of)})
	}
	return true
}

func (c *converter) uniform(from *object, to *v1alpha1.Sampler) bool {
	to.Type = v1alpha1.SamplerUniform
	to.Uniform = &v1alpha1.UniformSampler{
		Low: from.decimal("low"), High: from.decimal("high"), DecimalPlaces: from.small("decimal_places"),
	}
	return true
}

func (c *converter) gaussian(from *object, to *v1alpha1.Sampler) bool {
	to.Type = v1alpha1.SamplerGaussian
	to.Gaussian = &v1alpha1.GaussianSampler{
		Mean: from.decimal("mean"), Stddev: from.decimal("stddev"), DecimalPlaces: from.small("decimal_places"),
	}
	return true
}

func (c *converter) bernoulli(from *object, to *v1alpha1.Sampler) bool {
	to.Type = v1alpha1.SamplerBernoulli
	to.Bernoulli = &v1alpha1.BernoulliSampler{Probability: from.decimal("p")}
	return true
}

func (c *converter) bernoulliMixture(from *object, to *v1alpha1.Sampler) bool {
	to.Type = v1alpha1.SamplerBernoulliMixture
	to.BernoulliMixture = &v1alpha1.BernoulliMixtureSampler{Probability: from.decimal("p"), Distribution: c.distribution(from)}
	return true
}

func (c *converter) binomial(from *object, to *v1alpha1.Sampler) bool {
	to.Type = v1alpha1.SamplerBinomial
	to.Binomial = &v1alpha1.BinomialSampler{Trials: from.whole("n"), Probability: from.decimal("p")}
	return true
}

func (c *converter) poisson(from *object, to *v1alpha1.Sampler) bool {
	to.Type = v1alpha1.SamplerPoisson
	to.Poisson = &v1alpha1.PoissonSampler{Mean: from.decimal("mean")}
	return true
}

func (c *converter) scipy(from *object, to *v1alpha1.Sampler) bool {
	to.Type = v1alpha1.SamplerDistribution
	distribution := c.distribution(from)
	distribution.DecimalPlaces = from.small("decimal_places")
	to.Distribution = &distribution
	return true
}

// distribution is one of SciPy, whose loc and scale stand among its parameters.
func (c *converter) distribution(from *object) v1alpha1.DistributionSampler {
	distribution := v1alpha1.DistributionSampler{Name: from.text("dist_name")}
	parameters := from.child("dist_params")
	if parameters == nil {
		return distribution
	}
	distribution.Loc, distribution.Scale = parameters.decimal("loc"), parameters.decimal("scale")
	for _, key := range parameters.keys {
		if key == "loc" || key == "scale" {
			continue
		}
		value := parameters.decimal(key)
		if value == nil {
			continue
		}
		if distribution.Parameters == nil {
			distribution.Parameters = map[string]v1alpha1.Decimal{}
		}
		distribution.Parameters[key] = *value
	}
	return distribution
}

// timeUnits are the units of moments.
var timeUnits = map[string]v1alpha1.TimeUnit{
	"Y": v1alpha1.TimeUnitYear, "M": v1alpha1.TimeUnitMonth, "D": v1alpha1.TimeUnitDay, "h": v1alpha1.TimeUnitHour,
	"m": v1alpha1.TimeUnitMinute, "s": v1alpha1.TimeUnitSecond,
}

// timeDeltaUnits are the units of distances between moments.
var timeDeltaUnits = map[string]v1alpha1.TimeDeltaUnit{
	"D": v1alpha1.TimeDeltaUnitDay, "h": v1alpha1.TimeDeltaUnitHour, "m": v1alpha1.TimeDeltaUnitMinute, "s": v1alpha1.TimeDeltaUnitSecond,
}

func (c *converter) dateTime(from *object, to *v1alpha1.Sampler) bool {
	to.Type = v1alpha1.SamplerDateTime
	to.DateTime = &v1alpha1.DateTimeSampler{Start: c.moment(from, "start"), End: c.moment(from, "end")}
	if unit := from.text("unit"); unit != "" {
		to.DateTime.Unit = timeUnits[unit]
		if to.DateTime.Unit == "" {
			c.lose(from.at("unit"), "the unit %q is unknown: Y, M, D, h, m and s are known", unit)
		}
	}
	return true
}

var (
	dayAndTime = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2})(:\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:\d{2})?$`)
	monthOnly  = regexp.MustCompile(`^\d{4}-\d{2}$`)
	yearOnly   = regexp.MustCompile(`^\d{4}$`)
)

// moment is a moment as ISO 8601 has it. Data Designer takes what Pandas takes; forms beyond these stay as they are, and validation names
// them.
func (c *converter) moment(from *object, key string) string {
	text := strings.TrimSpace(from.text(key))
	switch parts := dayAndTime.FindStringSubmatch(text); {
	case parts != nil:
		seconds, zone := parts[3], parts[4]
		if seconds == "" {
			seconds = ":00"
		}
		if zone == "" {
			zone = "Z"
		}
		return parts[1] + "T" + parts[2] + seconds + zone
	case monthOnly.MatchString(text):
		return text + "-01"
	case yearOnly.MatchString(text):
		return text + "-01-01"
	}
	return text
}

func (c *converter) timeDelta(from *object, to *v1alpha1.Sampler) bool {
	to.Type = v1alpha1.SamplerTimeDelta
	to.TimeDelta = &v1alpha1.TimeDeltaSampler{
		From: from.text("reference_column_name"), Min: from.whole("dt_min"), Max: from.whole("dt_max"),
	}
	if unit := from.text("unit"); unit != "" {
		to.TimeDelta.Unit = timeDeltaUnits[unit]
		if to.TimeDelta.Unit == "" {
			c.lose(from.at("unit"), "the unit %q is unknown: D, h, m and s are known", unit)
		}
	}
	return true
}
