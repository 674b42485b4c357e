// Package sampler holds the generators of sampled columns: each draws its value from a distribution by a keyed random stream.
// It needs nothing but the column's spec; how columns are scheduled, and what else a row holds, is not known here.
package sampler

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

// Violation says what is wrong with a sampler.
type Violation struct {
	// Field is the path below the sampler, such as "dateTime.end".
	Field   string
	Message string
}

// Sampler draws the values of one column.
type Sampler struct {
	key  random.Key
	kind table.Kind
	draw func(stream *random.Stream) any
}

// New returns the sampler of a column. The spec has passed Validate.
func New(name string, spec *v1alpha1.Sampler, seed int64) (*Sampler, error) {
	if violations := Validate(spec); len(violations) > 0 {
		return nil, fmt.Errorf("sampler of column %s: %s: %s", name, violations[0].Field, violations[0].Message)
	}
	sampler := &Sampler{key: random.NewKey(seed, name)}
	switch spec.Type {
	case v1alpha1.SamplerCategory:
		sampler.kind, sampler.draw = category(spec.Category, spec.ConvertTo)
	case v1alpha1.SamplerUniform:
		low, width := spec.Uniform.Low.Float64(), spec.Uniform.High.Float64()-spec.Uniform.Low.Float64()
		high := spec.Uniform.High.Float64()
		sampler.kind, sampler.draw = number(spec.ConvertTo, spec.Uniform.DecimalPlaces, func(stream *random.Stream) float64 {
			// Rounding of the sum may reach the upper end, which is excluded.
			return math.Min(low+width*stream.Float64(), math.Nextafter(high, math.Inf(-1)))
		})
	case v1alpha1.SamplerGaussian:
		mean, deviation := spec.Gaussian.Mean.Float64(), spec.Gaussian.Stddev.Float64()
		sampler.kind, sampler.draw = number(spec.ConvertTo, spec.Gaussian.DecimalPlaces, func(stream *random.Stream) float64 {
			return mean + deviation*stream.Normal()
		})
	case v1alpha1.SamplerUUID:
		sampler.kind, sampler.draw = table.KindString, identifier(spec.UUID)
	case v1alpha1.SamplerDateTime:
		sampler.kind, sampler.draw = table.KindTimestamp, moment(spec.DateTime)
	}
	return sampler, nil
}

// Type returns the type of the column.
func (s *Sampler) Type() table.Type { return table.Type{Kind: s.kind} }

// Generate draws the value of a record. It never fails and never waits.
func (s *Sampler) Generate(_ context.Context, record *table.Record) (any, error) {
	stream := s.key.Of(record)
	return s.draw(&stream), nil
}

// number finishes a numeric draw: decimal places, then the conversion.
func number(convert v1alpha1.NumberConversion, places *int32, draw func(*random.Stream) float64) (table.Kind, func(*random.Stream) any) {
	rounded := draw
	if places != nil {
		rounded = func(stream *random.Stream) float64 { return round(draw(stream), *places) }
	}
	switch convert {
	case v1alpha1.ConvertToInt:
		return table.KindInt, func(stream *random.Stream) any { return toInt(rounded(stream)) }
	case v1alpha1.ConvertToStr:
		return table.KindString, func(stream *random.Stream) any { return formatFloat(rounded(stream)) }
	}
	return table.KindFloat, func(stream *random.Stream) any { return rounded(stream) }
}

// round rounds half to even on the exact binary value.
func round(value float64, places int32) float64 {
	// What FormatFloat writes always parses.
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(value, 'f', int(places), 64), 64)
	return rounded
}

// toInt rounds half to even; what lies outside of 64 bits becomes the nearest end.
func toInt(value float64) int64 {
	value = math.RoundToEven(value)
	switch {
	case value >= math.MaxInt64:
		return math.MaxInt64
	case value <= math.MinInt64:
		return math.MinInt64
	}
	return int64(value)
}

func formatFloat(value float64) string {
	text := strconv.FormatFloat(value, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

func category(spec *v1alpha1.CategorySampler, convert v1alpha1.NumberConversion) (table.Kind, func(*random.Stream) any) {
	kind, values := categoryValues(spec)
	if convert != "" {
		kind, values = convertValues(values, convert)
	}
	if spec.Weights == nil {
		return kind, func(stream *random.Stream) any { return values[stream.Below(uint64(len(values)))] }
	}
	sums := make([]float64, len(spec.Weights))
	total := 0.0
	for i, weight := range spec.Weights {
		total += weight.Float64()
		sums[i] = total
	}
	return kind, func(stream *random.Stream) any {
		at := stream.Float64() * total
		for i, sum := range sums {
			if at < sum {
				return values[i]
			}
		}
		// Rounding can reach the total: the last value with a weight.
		last := len(sums) - 1
		for last > 0 && sums[last-1] == total {
			last--
		}
		return values[last]
	}
}

// categoryValues decodes the values: ints where all are, floats where all are numbers, else strings.
func categoryValues(spec *v1alpha1.CategorySampler) (table.Kind, []any) {
	decoded := make([]any, len(spec.Values))
	allInts, allNumbers := true, true
	for i, raw := range spec.Values {
		decoder := json.NewDecoder(strings.NewReader(string(raw.Raw)))
		decoder.UseNumber()
		// Validate has decoded the same.
		_ = decoder.Decode(&decoded[i])
		text, isNumber := decoded[i].(json.Number)
		_, err := text.Int64()
		allNumbers = allNumbers && isNumber
		allInts = allInts && isNumber && err == nil
	}
	kind := table.KindString
	if allInts {
		kind = table.KindInt
	} else if allNumbers {
		kind = table.KindFloat
	}
	for i, value := range decoded {
		text, isNumber := value.(json.Number)
		switch {
		case kind == table.KindInt:
			decoded[i], _ = text.Int64()
		case kind == table.KindFloat:
			decoded[i], _ = text.Float64()
		case isNumber:
			decoded[i] = text.String()
		}
	}
	return kind, decoded
}

func convertValues(values []any, convert v1alpha1.NumberConversion) (table.Kind, []any) {
	converted := make([]any, len(values))
	for i, value := range values {
		converted[i] = convertValue(value, convert)
	}
	switch convert {
	case v1alpha1.ConvertToInt:
		return table.KindInt, converted
	case v1alpha1.ConvertToFloat:
		return table.KindFloat, converted
	}
	return table.KindString, converted
}

// convertValue converts one value; nil where that is impossible.
func convertValue(value any, convert v1alpha1.NumberConversion) any {
	if convert == v1alpha1.ConvertToStr {
		if float, ok := value.(float64); ok {
			return formatFloat(float)
		}
		return fmt.Sprint(value)
	}
	if integer, ok := value.(int64); ok && convert == v1alpha1.ConvertToInt {
		return integer
	}
	float, err := strconv.ParseFloat(fmt.Sprint(value), 64)
	if err != nil || math.IsNaN(float) || math.IsInf(float, 0) {
		return nil
	}
	if convert == v1alpha1.ConvertToInt {
		return toInt(float)
	}
	return float
}

// identifier draws version 4 UUIDs (RFC 9562): 122 random bits, so that two are never equal in practice.
func identifier(spec *v1alpha1.UUIDSampler) func(*random.Stream) any {
	if spec == nil {
		spec = &v1alpha1.UUIDSampler{}
	}
	digits, length := "0123456789abcdef", 32
	if spec.LetterCase == v1alpha1.LetterCaseUpper {
		digits = "0123456789ABCDEF"
	}
	if spec.Length != nil {
		length = int(*spec.Length)
	}
	return func(stream *random.Stream) any {
		high, low := stream.Uint64(), stream.Uint64()
		high = high&^0xf000 | 0x4000
		low = low&^(3<<62) | 2<<62
		text := make([]byte, len(spec.Prefix), len(spec.Prefix)+length)
		copy(text, spec.Prefix)
		for i := range length {
			word := high
			if i >= 16 {
				word = low
			}
			text = append(text, digits[word>>(60-4*(i%16))&15])
		}
		return string(text)
	}
}

func moment(spec *v1alpha1.DateTimeSampler) func(*random.Stream) any {
	// Validate has parsed the same.
	start, _ := parseMoment(spec.Start)
	end, _ := parseMoment(spec.End)
	seconds := uint64(end.Unix() - start.Unix())
	unit := spec.Unit
	return func(stream *random.Stream) any {
		return truncate(start.Add(time.Duration(stream.Below(seconds))*time.Second), unit)
	}
}

func truncate(at time.Time, unit v1alpha1.TimeUnit) time.Time {
	year, month, day := at.Date()
	switch unit {
	case v1alpha1.TimeUnitYear:
		return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
	case v1alpha1.TimeUnitMonth:
		return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
	case v1alpha1.TimeUnitHour:
		return at.Truncate(time.Hour)
	case v1alpha1.TimeUnitMinute:
		return at.Truncate(time.Minute)
	case v1alpha1.TimeUnitSecond:
		return at.Truncate(time.Second)
	}
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// momentLayouts are the accepted forms; those without a zone mean UTC.
var momentLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"}

func parseMoment(text string) (time.Time, error) {
	for _, layout := range momentLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a date; write 2026-01-31 or 2026-01-31T12:00:00Z", text)
}
