package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// SamplerType is the distribution of a sampler.
// +kubebuilder:validation:Enum=Category;Subcategory;Uniform;Gaussian;Bernoulli;BernoulliMixture;Binomial;Poisson;Distribution;Sequence;UUID;Pattern;DateTime;TimeDelta;GeoPoint;Person
type SamplerType string

const (
	// SamplerCategory draws one of a list of values.
	SamplerCategory SamplerType = "Category"
	// SamplerSubcategory draws one of a list of values that belongs to the value of another column.
	SamplerSubcategory SamplerType = "Subcategory"
	// SamplerUniform draws a number from an interval.
	SamplerUniform SamplerType = "Uniform"
	// SamplerGaussian draws a normally distributed number.
	SamplerGaussian SamplerType = "Gaussian"
	// SamplerBernoulli draws 1 with a probability, and 0 otherwise.
	SamplerBernoulli SamplerType = "Bernoulli"
	// SamplerBernoulliMixture draws from a distribution with a probability, and 0 otherwise.
	SamplerBernoulliMixture SamplerType = "BernoulliMixture"
	// SamplerBinomial draws how many of a number of trials succeed.
	SamplerBinomial SamplerType = "Binomial"
	// SamplerPoisson draws how many events happen in a time in which a mean number of them does.
	SamplerPoisson SamplerType = "Poisson"
	// SamplerDistribution draws from a distribution by its name in SciPy.
	SamplerDistribution SamplerType = "Distribution"
	// SamplerSequence counts the rows.
	SamplerSequence SamplerType = "Sequence"
	// SamplerUUID draws a unique identifier.
	SamplerUUID SamplerType = "UUID"
	// SamplerPattern draws a text that a regular expression matches.
	SamplerPattern SamplerType = "Pattern"
	// SamplerDateTime draws a moment from an interval.
	SamplerDateTime SamplerType = "DateTime"
	// SamplerTimeDelta draws a moment at some distance from that of another column.
	SamplerTimeDelta SamplerType = "TimeDelta"
	// SamplerGeoPoint draws a point on the earth.
	SamplerGeoPoint SamplerType = "GeoPoint"
	// SamplerPerson draws a person.
	SamplerPerson SamplerType = "Person"
)

// NumberConversion is the type to which a sampled value is converted.
// +kubebuilder:validation:Enum=int;float;str
type NumberConversion string

// The conversions of sampled values.
const (
	ConvertToInt   NumberConversion = "int"
	ConvertToFloat NumberConversion = "float"
	ConvertToStr   NumberConversion = "str"
)

// Sampler draws values from a distribution. The member that belongs to the type is set, and no other.
//
// +kubebuilder:validation:XValidation:rule="(self.type == 'Category') == has(self.category)",message="category is required when type is Category, and forbidden otherwise"
// +kubebuilder:validation:XValidation:rule="(self.type == 'Subcategory') == has(self.subcategory)",message="subcategory is required when type is Subcategory, and forbidden otherwise"
// +kubebuilder:validation:XValidation:rule="(self.type == 'Uniform') == has(self.uniform)",message="uniform is required when type is Uniform, and forbidden otherwise"
// +kubebuilder:validation:XValidation:rule="(self.type == 'Gaussian') == has(self.gaussian)",message="gaussian is required when type is Gaussian, and forbidden otherwise"
// +kubebuilder:validation:XValidation:rule="(self.type == 'Bernoulli') == has(self.bernoulli)",message="bernoulli is required when type is Bernoulli, and forbidden otherwise"
// +kubebuilder:validation:XValidation:rule="(self.type == 'BernoulliMixture') == has(self.bernoulliMixture)",message="bernoulliMixture is required when type is BernoulliMixture, and forbidden otherwise"
// +kubebuilder:validation:XValidation:rule="(self.type == 'Binomial') == has(self.binomial)",message="binomial is required when type is Binomial, and forbidden otherwise"
// +kubebuilder:validation:XValidation:rule="(self.type == 'Poisson') == has(self.poisson)",message="poisson is required when type is Poisson, and forbidden otherwise"
// +kubebuilder:validation:XValidation:rule="(self.type == 'Distribution') == has(self.distribution)",message="distribution is required when type is Distribution, and forbidden otherwise"
// +kubebuilder:validation:XValidation:rule="self.type == 'Sequence' || !has(self.sequence)",message="sequence is forbidden when type is not Sequence"
// +kubebuilder:validation:XValidation:rule="(self.type == 'Pattern') == has(self.pattern)",message="pattern is required when type is Pattern, and forbidden otherwise"
// +kubebuilder:validation:XValidation:rule="self.type == 'UUID' || !has(self.uuid)",message="uuid is forbidden when type is not UUID"
// +kubebuilder:validation:XValidation:rule="(self.type == 'DateTime') == has(self.dateTime)",message="dateTime is required when type is DateTime, and forbidden otherwise"
// +kubebuilder:validation:XValidation:rule="(self.type == 'TimeDelta') == has(self.timeDelta)",message="timeDelta is required when type is TimeDelta, and forbidden otherwise"
// +kubebuilder:validation:XValidation:rule="!has(self.convertTo) || !(self.type in ['UUID', 'Pattern', 'DateTime', 'TimeDelta', 'GeoPoint', 'Person'])",message="convertTo is not possible for UUID, Pattern, DateTime, TimeDelta, GeoPoint and Person"
// +kubebuilder:validation:XValidation:rule="self.type in ['DateTime', 'TimeDelta'] || !has(self.format) && !has(self.timeZone)",message="format and timeZone are for DateTime and TimeDelta"
// +kubebuilder:validation:XValidation:rule="(self.type == 'GeoPoint') == has(self.geoPoint)",message="geoPoint is required when type is GeoPoint, and forbidden otherwise"
// +kubebuilder:validation:XValidation:rule="self.type == 'Person' || !has(self.person)",message="person is forbidden when type is not Person"
type Sampler struct {
	// type is the distribution.
	// +required
	Type SamplerType `json:"type,omitempty"`

	// convertTo converts the value: int (rounding half to even), float or str.
	// +optional
	ConvertTo NumberConversion `json:"convertTo,omitempty"`

	// format is how a DateTime or TimeDelta is written as a text, with the directives of strftime: "%d.%m.%Y %H:%M". ISO is
	// 2026-01-31T12:00:00+01:00. Without it, the value is a timestamp.
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Format string `json:"format,omitempty"`

	// timeZone is that of a DateTime or TimeDelta, such as Europe/Berlin: moments without a zone are in it, so are the days and hours that are
	// counted or cut down to, and what format writes. Timestamps are in UTC all the same. Defaults to UTC.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +optional
	TimeZone string `json:"timeZone,omitempty"`

	// conditional has other parameters for some of the rows: a value is drawn with the first ones whose condition holds, and else with those
	// of the sampler itself.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	// +optional
	Conditional []ConditionalParameters `json:"conditional,omitempty"`

	// category has the values of a Category sampler.
	// +optional
	Category *CategorySampler `json:"category,omitempty"`

	// subcategory has the lists of a Subcategory sampler.
	// +optional
	Subcategory *SubcategorySampler `json:"subcategory,omitempty"`

	// uniform has the interval of a Uniform sampler.
	// +optional
	Uniform *UniformSampler `json:"uniform,omitempty"`

	// gaussian has the parameters of a Gaussian sampler.
	// +optional
	Gaussian *GaussianSampler `json:"gaussian,omitempty"`

	// bernoulli has the probability of a Bernoulli sampler.
	// +optional
	Bernoulli *BernoulliSampler `json:"bernoulli,omitempty"`

	// bernoulliMixture has the parameters of a BernoulliMixture sampler.
	// +optional
	BernoulliMixture *BernoulliMixtureSampler `json:"bernoulliMixture,omitempty"`

	// binomial has the parameters of a Binomial sampler.
	// +optional
	Binomial *BinomialSampler `json:"binomial,omitempty"`

	// poisson has the mean of a Poisson sampler.
	// +optional
	Poisson *PoissonSampler `json:"poisson,omitempty"`

	// distribution has the parameters of a Distribution sampler.
	// +optional
	Distribution *DistributionSampler `json:"distribution,omitempty"`

	// sequence has the start and the step of a Sequence sampler.
	// +optional
	Sequence *SequenceSampler `json:"sequence,omitempty"`

	// uuid has the form of a UUID sampler's values.
	// +optional
	UUID *UUIDSampler `json:"uuid,omitempty"`

	// pattern has the regular expression of a Pattern sampler.
	// +optional
	Pattern *PatternSampler `json:"pattern,omitempty"`

	// dateTime has the interval of a DateTime sampler.
	// +optional
	DateTime *DateTimeSampler `json:"dateTime,omitempty"`

	// timeDelta has the distance of a TimeDelta sampler.
	// +optional
	TimeDelta *TimeDeltaSampler `json:"timeDelta,omitempty"`

	// geoPoint has the area of a GeoPoint sampler.
	// +optional
	GeoPoint *GeoPointSampler `json:"geoPoint,omitempty"`

	// person has the parameters of a Person sampler.
	// +optional
	Person *PersonSampler `json:"person,omitempty"`
}

// CategoryBalance says how the values of a Category come to their frequencies.
// +kubebuilder:validation:Enum=Random;Exact
type CategoryBalance string

const (
	// BalanceRandom draws the value of each row by itself, so that frequencies are about those of the weights.
	BalanceRandom CategoryBalance = "Random"
	// BalanceExact gives each value to as many of the rows as its weight says, in random order.
	BalanceExact CategoryBalance = "Exact"
)

// CategoryWeighting says how frequent the values of a seed's column are.
// +kubebuilder:validation:Enum=Equal;Frequency
type CategoryWeighting string

const (
	// WeightingEqual draws each different value equally often.
	WeightingEqual CategoryWeighting = "Equal"
	// WeightingFrequency draws each value as often as the seed has it.
	WeightingFrequency CategoryWeighting = "Frequency"
)

// CategorySampler draws one of its values.
//
// +kubebuilder:validation:XValidation:rule="!has(self.weights) || self.weights.exists(w, w > 0.0)",fieldPath=".weights",message="at least one weight must be above 0"
type CategorySampler struct {
	// values are the possible values: strings or numbers. A mix of both is written as strings. Exactly one of values
	// and valuesOf is set.
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1000
	// +optional
	Values []apiextensionsv1.JSON `json:"values,omitempty"`

	// valuesOf is another column with a Category sampler, of which the values are taken, and the weights where there are none here: the two
	// draw independently of each other. Parameters of the other one that are conditional are not. Or it is a column of the seed, of which
	// each different value is taken, of all rows that the seed has; it may have 10000 of them.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +optional
	ValuesOf string `json:"valuesOf,omitempty"`

	// weights are the relative frequencies of the values, in the same order. All values are equally frequent without them.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:XValidation:rule="self >= 0.0",message="must not be negative"
	// +optional
	Weights []Decimal `json:"weights,omitempty"`

	// weighting is Frequency where the values of a seed's column are to be drawn as often as the seed has them, and Equal where each is to be
	// drawn equally often. Defaults to Equal.
	// +optional
	Weighting CategoryWeighting `json:"weighting,omitempty"`

	// balance is Exact where each value is to be in as many of the numRecords rows as its weight says, in random order; rows that are dropped
	// leave their places empty, and with another numRecords the dataset is another one, which is generated anew. Defaults to Random.
	// +optional
	Balance CategoryBalance `json:"balance,omitempty"`
}

// SubcategorySampler draws one of the values that belong to the value of another column in the same row.
type SubcategorySampler struct {
	// category is the other column, such as one with a Category sampler, or a column of the seed.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +required
	Category string `json:"category,omitempty"`

	// values has a list for each value of the other column. A row whose value has none is dropped; where the other column is a Category
	// sampler, that is found before the run.
	// +listType=map
	// +listMapKey=of
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1000
	// +required
	Values []SubcategoryValues `json:"values,omitempty"`
}

// SubcategoryValues are the values that belong to one value of another column.
type SubcategoryValues struct {
	// of is the value of the other column, as a text.
	// +kubebuilder:validation:MinLength=0
	// +kubebuilder:validation:MaxLength=1024
	// +required
	Of *string `json:"of,omitempty"`

	// values are the possible values: strings or numbers. A mix of both, in whichever of the lists, is written as strings.
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1000
	// +required
	Values []apiextensionsv1.JSON `json:"values,omitempty"`

	// weights are the relative frequencies of the values, in the same order: none is negative, and at least one above 0. All values are
	// equally frequent without them.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=1000
	// +optional
	Weights []Decimal `json:"weights,omitempty"`
}

// UniformSampler draws numbers that are equally likely anywhere in [low, high).
//
// +kubebuilder:validation:XValidation:rule="self.low < self.high",fieldPath=".high",message="low must be below high"
type UniformSampler struct {
	// low is the lower end, which is included.
	// +required
	Low *Decimal `json:"low,omitempty"`

	// high is the upper end, which is excluded.
	// +required
	High *Decimal `json:"high,omitempty"`

	// decimalPlaces rounds the value.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=15
	// +optional
	DecimalPlaces *int32 `json:"decimalPlaces,omitempty"`
}

// GaussianSampler draws normally distributed numbers.
type GaussianSampler struct {
	// mean is the mean.
	// +required
	Mean *Decimal `json:"mean,omitempty"`

	// stddev is the standard deviation.
	// +kubebuilder:validation:XValidation:rule="self >= 0.0",message="must not be negative"
	// +required
	Stddev *Decimal `json:"stddev,omitempty"`

	// decimalPlaces rounds the value.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=15
	// +optional
	DecimalPlaces *int32 `json:"decimalPlaces,omitempty"`
}

// BernoulliSampler draws 1 with a probability, and 0 otherwise.
type BernoulliSampler struct {
	// probability is that of 1, from 0 to 1.
	// +kubebuilder:validation:XValidation:rule="self >= 0.0 && self <= 1.0",message="must be from 0 to 1"
	// +required
	Probability *Decimal `json:"probability,omitempty"`
}

// BernoulliMixtureSampler draws from a distribution with a probability, and 0 otherwise: amounts of which many are nothing.
type BernoulliMixtureSampler struct {
	// probability is that of a draw from the distribution, from 0 to 1.
	// +kubebuilder:validation:XValidation:rule="self >= 0.0 && self <= 1.0",message="must be from 0 to 1"
	// +required
	Probability *Decimal `json:"probability,omitempty"`

	// distribution is what is drawn from.
	// +required
	Distribution DistributionSampler `json:"distribution,omitzero"`
}

// DistributionSampler draws from a distribution by its name and parameters in SciPy. docs/samplers.md lists those that are known.
type DistributionSampler struct {
	// name is that of the distribution in scipy.stats, such as gamma, lognorm or nbinom.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +required
	Name string `json:"name,omitempty"`

	// parameters are the shape parameters by their names in SciPy, such as {a: 2, b: 5} for beta.
	// +kubebuilder:validation:MaxProperties=8
	// +optional
	Parameters map[string]Decimal `json:"parameters,omitempty"`

	// loc is added to what is drawn. Defaults to 0.
	// +optional
	Loc *Decimal `json:"loc,omitempty"`

	// scale is what a draw is multiplied by, before loc is added: above 0, and not for counts. Defaults to 1.
	// +optional
	Scale *Decimal `json:"scale,omitempty"`

	// decimalPlaces rounds the value.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=15
	// +optional
	DecimalPlaces *int32 `json:"decimalPlaces,omitempty"`
}

// BinomialSampler draws how many of a number of trials succeed.
type BinomialSampler struct {
	// trials is the number of trials.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000000
	// +required
	Trials *int64 `json:"trials,omitempty"`

	// probability is that of success in each trial, from 0 to 1.
	// +kubebuilder:validation:XValidation:rule="self >= 0.0 && self <= 1.0",message="must be from 0 to 1"
	// +required
	Probability *Decimal `json:"probability,omitempty"`
}

// PoissonSampler draws how many events happen, where a mean number of them is to be expected.
type PoissonSampler struct {
	// mean is the mean number of events, from 0 to 1e9.
	// +kubebuilder:validation:XValidation:rule="self >= 0.0 && self <= 1000000000.0",message="must be from 0 to 1e9"
	// +required
	Mean *Decimal `json:"mean,omitempty"`
}

// SequenceSampler counts the rows: its value is start in the first row, and step more in each one after it. Rows that are dropped leave
// gaps; rows that allowResize has added have the value of the one that they come from.
//
// +kubebuilder:validation:MinProperties=1
type SequenceSampler struct {
	// start is the value of the first row. Defaults to 0.
	// +kubebuilder:validation:Minimum=-1000000000000000
	// +kubebuilder:validation:Maximum=1000000000000000
	// +optional
	Start *int64 `json:"start,omitempty"`

	// step is what each row has more than the one before it. Defaults to 1.
	// +kubebuilder:validation:Minimum=-1000000
	// +kubebuilder:validation:Maximum=1000000
	// +kubebuilder:validation:XValidation:rule="self != 0",message="must not be 0"
	// +optional
	Step *int64 `json:"step,omitempty"`

	// gaps is how many steps are left out for each row on average, at random: of every gaps + 1 steps, one is taken, so that values still go
	// up or down from row to row. Defaults to 0.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	// +optional
	Gaps *int64 `json:"gaps,omitempty"`
}

// PatternSampler draws texts that a regular expression matches as a whole.
type PatternSampler struct {
	// regex is the expression, in the syntax of RE2: "[A-Z]{3}-[0-9]{4}". A repetition without an upper bound gets at most eight more than it
	// needs, and characters that the expression leaves open are printable ones of ASCII.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +required
	Regex string `json:"regex,omitempty"`
}

// LetterCase is the case of letters.
// +kubebuilder:validation:Enum=Lower;Upper
type LetterCase string

// The cases of a UUID's hexadecimal letters.
const (
	LetterCaseLower LetterCase = "Lower"
	LetterCaseUpper LetterCase = "Upper"
)

// UUIDSampler draws random version 4 identifiers: 32 hexadecimal digits without hyphens, unique within the dataset.
//
// +kubebuilder:validation:MinProperties=1
type UUIDSampler struct {
	// prefix stands before the identifier.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Prefix string `json:"prefix,omitempty"`

	// length is how many of the 32 digits are kept. Below 32, equal identifiers become possible.
	// +kubebuilder:validation:Minimum=8
	// +kubebuilder:validation:Maximum=32
	// +optional
	Length *int32 `json:"length,omitempty"`

	// letterCase is the case of the digits a to f. Defaults to Lower.
	// +optional
	LetterCase LetterCase `json:"letterCase,omitempty"`
}

// TimeUnit is the precision of a sampled moment.
// +kubebuilder:validation:Enum=Year;Month;Day;Hour;Minute;Second
type TimeUnit string

// The precisions of sampled moments.
const (
	TimeUnitYear   TimeUnit = "Year"
	TimeUnitMonth  TimeUnit = "Month"
	TimeUnitDay    TimeUnit = "Day"
	TimeUnitHour   TimeUnit = "Hour"
	TimeUnitMinute TimeUnit = "Minute"
	TimeUnitSecond TimeUnit = "Second"
)

// DateTimeSampler draws moments in UTC, equally likely anywhere in [start, end), cut down to the unit.
// The value is a timestamp in the output; templates see its ISO form, 2026-01-31T00:00:00.
type DateTimeSampler struct {
	// start is the lower end, which is included: 2026-01-31 or 2026-01-31T12:00:00Z.
	// +kubebuilder:validation:MinLength=10
	// +kubebuilder:validation:MaxLength=35
	// +required
	Start string `json:"start,omitempty"`

	// end is the upper end, which is excluded.
	// +kubebuilder:validation:MinLength=10
	// +kubebuilder:validation:MaxLength=35
	// +required
	End string `json:"end,omitempty"`

	// unit is the precision. Defaults to Day.
	// +optional
	Unit TimeUnit `json:"unit,omitempty"`
}

// TimeDeltaUnit is what a distance between moments is counted in.
// +kubebuilder:validation:Enum=Day;BusinessDay;Hour;Minute;Second
type TimeDeltaUnit string

// The units of distances between moments. Business days are those from Monday to Friday.
const (
	TimeDeltaUnitDay         TimeDeltaUnit = "Day"
	TimeDeltaUnitBusinessDay TimeDeltaUnit = "BusinessDay"
	TimeDeltaUnitHour        TimeDeltaUnit = "Hour"
	TimeDeltaUnitMinute      TimeDeltaUnit = "Minute"
	TimeDeltaUnitSecond      TimeDeltaUnit = "Second"
)

// TimeDeltaSampler draws moments at a distance of [min, max) units from that of another column in the same row, each whole number of units
// equally likely: a shipment after its order. The value is a timestamp; it is null where that of the other column is.
//
// +kubebuilder:validation:XValidation:rule="self.min < self.max",message="min must be below max"
type TimeDeltaSampler struct {
	// from is the other column: one with a DateTime or TimeDelta sampler, or any whose values are timestamps, dates, or texts in their
	// ISO form.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +required
	From string `json:"from,omitempty"`

	// min is the least distance, which is included; negative for moments before the other.
	// +kubebuilder:validation:Minimum=-1000000000
	// +kubebuilder:validation:Maximum=1000000000
	// +required
	Min *int64 `json:"min,omitempty"`

	// max is the largest distance, which is excluded.
	// +kubebuilder:validation:Minimum=-1000000000
	// +kubebuilder:validation:Maximum=1000000000
	// +required
	Max *int64 `json:"max,omitempty"`

	// unit is what the distance is counted in. Defaults to Day. A moment on a weekend counts as the Monday after it for BusinessDay, or as the
	// Friday before it where the distance is negative.
	// +optional
	Unit TimeDeltaUnit `json:"unit,omitempty"`
}
