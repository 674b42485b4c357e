package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// Column is one column of the dataset: exactly one of its kinds is set.
//
// +kubebuilder:validation:ExactlyOneOf=sampler;llmText;llmCode;llmStructured;llmJudge;expression;embedding;image;custom
// +kubebuilder:validation:XValidation:rule="!has(self.allowResize) || !self.allowResize || has(self.custom)",message="allowResize is possible for custom columns only"
// +kubebuilder:validation:XValidation:rule="!has(self.skip) || !has(self.sampler)",message="skip is not possible for samplers"
type Column struct {
	// name is the name of the column, by which templates refer to it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z][A-Za-z0-9_]*$`
	// +required
	Name string `json:"name,omitempty"`

	// allowResize lets a custom column return more or fewer rows than it was given. Such a column makes the whole
	// run fall back to one Pod in sync mode.
	// +optional
	AllowResize *bool `json:"allowResize,omitempty"`

	// drop leaves the column out of the dataset. Other columns may use it all the same, and its values are kept in files of their own
	// unless run.preserveDroppedColumns is false.
	// +optional
	Drop *bool `json:"drop,omitempty"`

	// skip leaves cells of the column out, row by row.
	// +optional
	Skip *Skip `json:"skip,omitempty"`

	// propagateSkip skips a cell when a column that it reads was skipped in the row. Defaults to true.
	// +optional
	PropagateSkip *bool `json:"propagateSkip,omitempty"`

	// weight is the share of a model's requests that the column gets when several columns wait for the same model. Defaults to 1.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +optional
	Weight *int32 `json:"weight,omitempty"`

	// sampler draws the value from a distribution.
	// +optional
	Sampler *Sampler `json:"sampler,omitempty"`

	// llmText has a model write the value.
	// +optional
	LLMText *LLMText `json:"llmText,omitempty"`

	// llmCode has a model write code.
	// +optional
	LLMCode *LLMCode `json:"llmCode,omitempty"`

	// llmStructured has a model write a document in a schema.
	// +optional
	LLMStructured *LLMStructured `json:"llmStructured,omitempty"`

	// llmJudge has a model judge other columns.
	// +optional
	LLMJudge *LLMJudge `json:"llmJudge,omitempty"`

	// embedding has a model turn a text into vectors.
	// +optional
	Embedding *Embedding `json:"embedding,omitempty"`

	// image has a model make images.
	// +optional
	Image *Image `json:"image,omitempty"`

	// expression computes the value from other columns.
	// +optional
	Expression *Expression `json:"expression,omitempty"`

	// custom computes the value by code of the user.
	// +optional
	Custom *Custom `json:"custom,omitempty"`
}

// SamplerType is the distribution of a sampler.
// +kubebuilder:validation:Enum=Category;Subcategory;Uniform;Gaussian;Bernoulli;BernoulliMixture;Binomial;Poisson;Distribution;Sequence;UUID;Pattern;DateTime;TimeDelta
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
// +kubebuilder:validation:XValidation:rule="!has(self.convertTo) || !(self.type in ['UUID', 'Pattern', 'DateTime', 'TimeDelta'])",message="convertTo is not possible for UUID, Pattern, DateTime and TimeDelta"
type Sampler struct {
	// type is the distribution.
	// +required
	Type SamplerType `json:"type,omitempty"`

	// convertTo converts the value: int (rounding half to even), float or str.
	// +optional
	ConvertTo NumberConversion `json:"convertTo,omitempty"`

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
}

// CategorySampler draws one of its values.
//
// +kubebuilder:validation:XValidation:rule="!has(self.weights) || self.weights.exists(w, w > 0.0)",message="at least one weight must be above 0"
type CategorySampler struct {
	// values are the possible values: strings or numbers. A mix of both is written as strings.
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1000
	// +required
	Values []apiextensionsv1.JSON `json:"values,omitempty"`

	// weights are the relative frequencies of the values, in the same order. All values are equally frequent without them.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:XValidation:rule="self >= 0.0",message="must not be negative"
	// +optional
	Weights []Decimal `json:"weights,omitempty"`
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
// +kubebuilder:validation:XValidation:rule="self.low < self.high",message="low must be below high"
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

// Skip leaves cells of a column out.
type Skip struct {
	// when is a Jinja template that refers to at least one other column; for instance "{{ stars > 2 }}". Where its value is true, the
	// cell is skipped: it gets the value below, and no model is asked. A text is false when it is blank, 0, None or False. Where the
	// template fails, the cell is skipped too, and a warning is logged.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	// +required
	When string `json:"when,omitempty"`

	// value is what a skipped cell holds: a text, a number, true, false or null, which must fit the type of the column. Defaults to null.
	// +optional
	Value *apiextensionsv1.JSON `json:"value,omitempty"`
}

// ValueType is the type of a computed value.
// +kubebuilder:validation:Enum=str;int;float;bool;decimal;date;time;timestamp
type ValueType string

// The types of computed values. A decimal has up to 38 digits, of which up to nine stand after the point.
const (
	ValueTypeStr       ValueType = "str"
	ValueTypeInt       ValueType = "int"
	ValueTypeFloat     ValueType = "float"
	ValueTypeBool      ValueType = "bool"
	ValueTypeDecimal   ValueType = "decimal"
	ValueTypeDate      ValueType = "date"
	ValueTypeTime      ValueType = "time"
	ValueTypeTimestamp ValueType = "timestamp"
)

// Expression computes a value from other columns by a Jinja template.
//
// +kubebuilder:validation:XValidation:rule="!has(self.type) || !has(self.schema)",message="type and schema can't both be set"
type Expression struct {
	// expr is a Jinja template that may refer to any other column; for instance "{{ title | upper }} ({{ year }})".
	// A row in which it renders to nothing, or to something that is not of the type, is dropped. A null stays null where it is all that
	// the template is, as in "{{ title }}".
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	Expr string `json:"expr,omitempty"`

	// type is the type of the value. Defaults to str.
	// +optional
	Type ValueType `json:"type,omitempty"`

	// schema is the JSON Schema of the value, in the place of a type: with it, an expression gives lists and structs, as that of
	// llmStructured does. A template that is one expression, such as "{{ turns[:2] }}", keeps its value; the text of any other one is read
	// as JSON.
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	// +optional
	Schema *apiextensionsv1.JSON `json:"schema,omitempty"`
}

// CustomStrategy says on how many rows custom code works at once.
// +kubebuilder:validation:Enum=Batch
type CustomStrategy string

const (
	// CustomBatch calls the code once for all rows of a row group.
	CustomBatch CustomStrategy = "Batch"
)

// Custom computes values by code of the user. Exactly one kind of code is set.
//
// +kubebuilder:validation:ExactlyOneOf=starlark
// +kubebuilder:validation:XValidation:rule="!has(self.type) || !has(self.schema)",message="type and schema can't both be set"
type Custom struct {
	// strategy says on how many rows the code works at once.
	// +required
	Strategy CustomStrategy `json:"strategy,omitempty"`

	// type is the type of the values. Defaults to str.
	// +optional
	Type ValueType `json:"type,omitempty"`

	// schema is the JSON Schema of the values, in the place of a type: with it, the code returns lists and dicts.
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	// +optional
	Schema *apiextensionsv1.JSON `json:"schema,omitempty"`

	// requiredColumns are the columns that the code reads. They are generated before it is called.
	// +listType=set
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	// +optional
	RequiredColumns []string `json:"requiredColumns,omitempty"`

	// starlark is code in the Starlark language.
	// +optional
	Starlark *Starlark `json:"starlark,omitempty"`
}

// Starlark is a program that runs in a sandbox, without input or output and with a limit on its steps.
type Starlark struct {
	// source defines the function generate(rows). Each row is a dict with the required columns and with _row, the number of the
	// row. It returns a list of dicts, each with the column's name and the _row that it belongs to; without allowResize
	// exactly one for every row that it was given.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	// +required
	Source string `json:"source,omitempty"`
}
