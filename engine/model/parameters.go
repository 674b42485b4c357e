package model

import (
	"strconv"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/random"
)

// The numbers of the streams of what is drawn for a request. They are part of the contract with users: the same spec sends the same
// requests.
const (
	seedStream uint64 = iota
	temperatureStream
	topPStream
)

// maxRequestSeed is the largest seed that is sent: some servers hold it in 32 bits with a sign.
const maxRequestSeed = 1<<31 - 1

// settings are what a model's requests have beside their conversation.
type settings struct {
	model             string
	temperature, topP parameter
	maxTokens         *int64
	rowSeed           bool
	stream            bool
	embedding         v1alpha1.EmbeddingParameters
}

func newSettings(model *v1alpha1.Model) settings {
	result := settings{model: model.Model, rowSeed: model.RowSeed == v1alpha1.RowSeedEnabled,
		stream: model.Streaming == v1alpha1.StreamingEnabled}
	if parameters := model.Parameters; parameters != nil {
		result.temperature = newParameter(parameters.Temperature, parameters.TemperatureDistribution)
		result.topP = newParameter(parameters.TopP, parameters.TopPDistribution)
		result.maxTokens = parameters.MaxTokens
	}
	if model.Embedding != nil {
		result.embedding = *model.Embedding
	}
	return result
}

// seed returns the seed of a request.
func (s *settings) seed(stream random.Stream) int64 {
	source := stream.Sub(seedStream)
	return int64(source.Below(maxRequestSeed + 1))
}

// parameter is a parameter of requests: not sent (the zero value), fixed, or drawn for each. What is one of a list of values is sent as it
// was written.
type parameter struct {
	values []string
	// bounds has, for each of the values, the sum of the weights up to it.
	bounds    []float64
	low, high float64
}

func newParameter(fixed *v1alpha1.Decimal, distribution *v1alpha1.ParameterDistribution) parameter {
	switch {
	case fixed != nil:
		return parameter{values: []string{fixed.String()}}
	case distribution == nil:
	case distribution.Manual != nil:
		manual := distribution.Manual
		result := parameter{}
		sum := 0.0
		for i := range manual.Values {
			weight := 1.0
			if i < len(manual.Weights) {
				weight = manual.Weights[i].Float64()
			}
			sum += weight
			result.values, result.bounds = append(result.values, manual.Values[i].String()), append(result.bounds, sum)
		}
		return result
	case distribution.Uniform != nil && distribution.Uniform.Low != nil && distribution.Uniform.High != nil:
		return parameter{low: distribution.Uniform.Low.Float64(), high: distribution.Uniform.High.Float64()}
	}
	return parameter{}
}

// append appends the parameter as a member, with the value that one of the request's streams gives.
func (p *parameter) append(body []byte, name string, request random.Stream, number uint64) []byte {
	if len(p.values) == 0 && p.low >= p.high {
		return body
	}
	body = appendMember(body, name)
	if len(p.values) == 1 {
		return append(body, p.values[0]...)
	}
	source := request.Sub(number)
	drawn := source.Float64()
	if len(p.values) == 0 {
		value := p.low + drawn*(p.high-p.low)
		if value >= p.high {
			// The sum was rounded up to the end that is excluded.
			value = p.low
		}
		return strconv.AppendFloat(body, value, 'g', -1, 64)
	}
	drawn *= p.bounds[len(p.bounds)-1]
	for i, bound := range p.bounds {
		if drawn < bound {
			return append(body, p.values[i]...)
		}
	}
	return append(body, p.values[len(p.values)-1]...)
}
