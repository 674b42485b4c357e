package sampler

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// maxSpan bounds dates to what a duration can hold: 250 years.
const maxSpanSeconds = 250 * 366 * 24 * 3600

// Validate returns everything that is wrong with a sampler: also what admission refuses, since not every spec passes through it.
func Validate(spec *v1alpha1.Sampler) []Violation {
	switch spec.Type {
	case v1alpha1.SamplerCategory:
		return validateCategory(spec)
	case v1alpha1.SamplerUniform:
		return validateUniform(spec.Uniform)
	case v1alpha1.SamplerGaussian:
		return validateGaussian(spec.Gaussian)
	case v1alpha1.SamplerUUID:
		return nil
	case v1alpha1.SamplerDateTime:
		return validateDateTime(spec.DateTime)
	}
	return []Violation{{"type", fmt.Sprintf("unknown sampler type %q", spec.Type)}}
}

func validateCategory(spec *v1alpha1.Sampler) []Violation {
	if spec.Category == nil || len(spec.Category.Values) == 0 {
		return []Violation{{"category.values", "at least one value is required"}}
	}
	var violations []Violation
	for i, raw := range spec.Category.Values {
		field := fmt.Sprintf("category.values[%d]", i)
		decoder := json.NewDecoder(strings.NewReader(string(raw.Raw)))
		decoder.UseNumber()
		var value any
		if err := decoder.Decode(&value); err != nil {
			violations = append(violations, Violation{field, "is not valid JSON"})
			continue
		}
		var text any
		switch v := value.(type) {
		case string:
			text = v
		case json.Number:
			float, err := v.Float64()
			if err != nil || math.IsInf(float, 0) {
				violations = append(violations, Violation{field, fmt.Sprintf("%s is outside the range of a 64-bit number", v)})
				continue
			}
			text = v.String()
		default:
			violations = append(violations, Violation{field, "must be a string or a number; put quotes around true, false and dates"})
			continue
		}
		if spec.ConvertTo != "" && convertValue(text, spec.ConvertTo) == nil {
			violations = append(violations, Violation{field, fmt.Sprintf("%q can't be converted to %s, which convertTo asks for", text, spec.ConvertTo)})
		}
	}
	return append(violations, validateWeights(spec.Category)...)
}

func validateWeights(spec *v1alpha1.CategorySampler) []Violation {
	if spec.Weights == nil {
		return nil
	}
	if len(spec.Weights) != len(spec.Values) {
		return []Violation{{"category.weights", fmt.Sprintf("has %d entries, but there are %d values", len(spec.Weights), len(spec.Values))}}
	}
	total := 0.0
	for i, weight := range spec.Weights {
		if weight.Float64() < 0 {
			return []Violation{{fmt.Sprintf("category.weights[%d]", i), "must not be negative"}}
		}
		total += weight.Float64()
	}
	if total <= 0 || math.IsInf(total, 0) {
		return []Violation{{"category.weights", "at least one weight must be above 0, and their sum finite"}}
	}
	return nil
}

func validateUniform(spec *v1alpha1.UniformSampler) []Violation {
	switch {
	case spec == nil || spec.Low == nil || spec.High == nil:
		return []Violation{{"uniform", "low and high are required"}}
	case spec.Low.Float64() >= spec.High.Float64():
		return []Violation{{"uniform.high", fmt.Sprintf("high (%s) must be above low (%s)", spec.High, spec.Low)}}
	case math.IsInf(spec.High.Float64()-spec.Low.Float64(), 0):
		return []Violation{{"uniform", "the interval is too wide for 64-bit numbers"}}
	}
	return nil
}

func validateGaussian(spec *v1alpha1.GaussianSampler) []Violation {
	switch {
	case spec == nil || spec.Mean == nil || spec.Stddev == nil:
		return []Violation{{"gaussian", "mean and stddev are required"}}
	case spec.Stddev.Float64() < 0:
		return []Violation{{"gaussian.stddev", fmt.Sprintf("must not be negative, is %s", spec.Stddev)}}
	}
	return nil
}

func validateDateTime(spec *v1alpha1.DateTimeSampler) []Violation {
	if spec == nil {
		return []Violation{{"dateTime", "start and end are required"}}
	}
	var violations []Violation
	start, startErr := parseMoment(spec.Start)
	if startErr != nil {
		violations = append(violations, Violation{"dateTime.start", startErr.Error()})
	}
	end, endErr := parseMoment(spec.End)
	if endErr != nil {
		violations = append(violations, Violation{"dateTime.end", endErr.Error()})
	}
	if len(violations) > 0 {
		return violations
	}
	switch span := end.Unix() - start.Unix(); {
	case span <= 0:
		violations = append(violations, Violation{"dateTime.end", fmt.Sprintf("end (%s) must be at least a second after start (%s)", spec.End, spec.Start)})
	case span > maxSpanSeconds:
		violations = append(violations, Violation{"dateTime.end", "start and end are more than 250 years apart"})
	}
	return violations
}
