package plan

import (
	"fmt"
	"net/url"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// bounds are what the protocols admit for a parameter.
type bounds struct {
	low, high float64
	// open says that low itself is not admitted.
	open bool
	text string
}

func (b bounds) admit(value float64) bool {
	return value <= b.high && (value > b.low || value == b.low && !b.open)
}

func temperatureBounds(provider *v1alpha1.Provider) bounds {
	if provider.Type == v1alpha1.ProviderAnthropic {
		return bounds{low: 0, high: 1, text: "must be from 0 to 1 for a provider of type Anthropic"}
	}
	return bounds{low: 0, high: 2, text: "must be from 0 to 2"}
}

var topPBounds = bounds{low: 0, high: 1, open: true, text: "must be above 0 and at most 1"}

// model checks a model against its provider.
func (v *validation) model(field string, model *v1alpha1.Model, provider *v1alpha1.Provider) {
	if parameters := model.Parameters; parameters != nil {
		v.parameter(field+".parameters.temperature", parameters.Temperature, parameters.TemperatureDistribution, temperatureBounds(provider))
		v.parameter(field+".parameters.topP", parameters.TopP, parameters.TopPDistribution, topPBounds)
	}
	seeded := model.RowSeed == v1alpha1.RowSeedEnabled
	switch _, extra := provider.ExtraBodyOf(model)["seed"]; {
	case seeded && provider.Type == v1alpha1.ProviderAnthropic:
		v.add(field+".rowSeed", ReasonInvalidValue, "must be Disabled for a provider of type Anthropic, whose protocol has no seed")
	case seeded && extra:
		v.add(field+".rowSeed", ReasonInvalidValue, "can't be Enabled where an extraBody of the model or of its provider sets seed")
	}
	if model.Embedding != nil && provider.Type == v1alpha1.ProviderAnthropic {
		v.add(field+".embedding", ReasonInvalidValue, "must not be set for a provider of type Anthropic, which has no embeddings")
	}
}

// parameter checks a parameter that is fixed or drawn. The field of the distribution is that of the parameter with an ending.
func (v *validation) parameter(field string, fixed *v1alpha1.Decimal, distribution *v1alpha1.ParameterDistribution, admitted bounds) {
	if fixed != nil && !admitted.admit(fixed.Float64()) {
		v.add(field, ReasonInvalidValue, "%s", admitted.text)
	}
	if distribution == nil {
		return
	}
	field += "Distribution"
	if fixed != nil {
		v.add(field, ReasonInvalidUnion, "can't be set beside a fixed value")
	}
	switch uniform, manual := distribution.Uniform, distribution.Manual; {
	case (uniform == nil) == (manual == nil):
		v.add(field, ReasonInvalidUnion, "exactly one of uniform and manual must be set")
	case uniform != nil:
		v.uniform(field+".uniform", uniform, admitted)
	default:
		v.manual(field+".manual", manual, admitted)
	}
}

func (v *validation) uniform(field string, uniform *v1alpha1.UniformDistribution, admitted bounds) {
	if uniform.Low == nil || uniform.High == nil {
		v.add(field, ReasonRequired, "low and high are needed")
		return
	}
	if low, high := uniform.Low.Float64(), uniform.High.Float64(); low >= high {
		v.add(field, ReasonInvalidValue, "low must be below high")
	} else {
		if !admitted.admit(low) {
			v.add(field+".low", ReasonInvalidValue, "%s", admitted.text)
		}
		if !admitted.admit(high) {
			v.add(field+".high", ReasonInvalidValue, "%s", admitted.text)
		}
	}
}

func (v *validation) manual(field string, manual *v1alpha1.ManualDistribution, admitted bounds) {
	if len(manual.Values) == 0 {
		v.add(field+".values", ReasonRequired, "at least one value is needed")
	}
	for i := range manual.Values {
		if !admitted.admit(manual.Values[i].Float64()) {
			v.add(fmt.Sprintf("%s.values[%d]", field, i), ReasonInvalidValue, "%s", admitted.text)
		}
	}
	if len(manual.Weights) == 0 {
		return
	}
	if len(manual.Weights) != len(manual.Values) {
		v.add(field+".weights", ReasonInvalidValue, "must have as many entries as values: %d, but has %d", len(manual.Values),
			len(manual.Weights))
	}
	sum := 0.0
	for i := range manual.Weights {
		weight := manual.Weights[i].Float64()
		if weight < 0 {
			v.add(fmt.Sprintf("%s.weights[%d]", field, i), ReasonInvalidValue, "must not be negative")
		}
		sum += max(0, weight)
	}
	if sum == 0 {
		v.add(field+".weights", ReasonInvalidValue, "at least one weight must be above 0")
	}
}

// connection checks how a provider is reached.
func (v *validation) connection(field string, provider *v1alpha1.Provider) {
	endpoint, err := url.Parse(provider.Endpoint)
	if provider.TLS != nil && err == nil && endpoint.Scheme == "http" {
		v.add(field+".tls", ReasonInvalidValue, "has no use where the endpoint is an http URL; write it with https, or remove tls")
	}
	if provider.ProxyURL == "" {
		return
	}
	// It is not quoted: a password may have been written into it.
	switch proxy, err := url.Parse(provider.ProxyURL); {
	case err != nil, proxy.Scheme != "http" && proxy.Scheme != "https", proxy.Host == "":
		v.add(field+".proxyURL", ReasonInvalidValue, "must be an http or https URL with a host, like http://proxy.example:3128")
	case proxy.User != nil:
		v.add(field+".proxyURL", ReasonInvalidValue, "must not hold a user or a password; proxies that demand them are not supported")
	}
}

// capabilities checks what a column wants of its model's provider. Only what no request could get is refused here.
func (v *validation) capabilities(field string, column *v1alpha1.Column) {
	alias := column.ModelAlias()
	if alias == nil || !v.isAnthropic(*alias) {
		return
	}
	if prompt := column.Prompt(); prompt != nil {
		for i, context := range prompt.Context {
			if context.Modality != v1alpha1.MediaImage {
				v.add(fmt.Sprintf("%s.%s.context[%d].modality", field, kindsOf(column)[0], i), ReasonInvalidValue,
					"must be Image for a model whose provider is of type Anthropic, which takes neither audio nor video")
			}
		}
	}
	for _, kind := range kindsOf(column) {
		switch at := field + "." + kind.String() + ".model"; kinds[kind].requests {
		case RequestsEmbedding:
			v.add(at, ReasonInvalidValue, "the provider of model %q is of type Anthropic, which has no embeddings", *alias)
		case RequestsImage:
			v.add(at, ReasonInvalidValue, "the provider of model %q is of type Anthropic, which makes no images", *alias)
		}
	}
}

func (v *validation) isAnthropic(alias string) bool {
	model := v.spec.Model(alias)
	if model == nil {
		return false
	}
	provider := v.spec.Provider(model.Provider)
	return provider != nil && provider.Type == v1alpha1.ProviderAnthropic
}
