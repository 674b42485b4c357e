package sampler

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

var categories = family{
	name: v1alpha1.SamplerCategory, member: "category", isSet: func(s *v1alpha1.Sampler) bool { return s.Category != nil }, converts: true,
	validate: validateCategory,
	kind: func(s *v1alpha1.Sampler) table.Kind {
		if s.Category.TakesValues() {
			return convertedKind(s.ConvertTo, table.KindString)
		}
		kind, _ := categoryValues(s.Category)
		return convertedKind(s.ConvertTo, kind)
	},
	writeDefaults: func(s *v1alpha1.Sampler) {
		if s.Category != nil && s.Category.Balance == v1alpha1.BalanceRandom {
			s.Category.Balance = ""
		}
		if s.Category != nil && s.Category.Weighting == v1alpha1.WeightingEqual {
			s.Category.Weighting = ""
		}
	},
	draws: func(s *v1alpha1.Sampler, in site) drawFunc {
		if s.Category.IsBalanced() {
			return balanced(s.Category, s.ConvertTo, in)
		}
		return category(s.Category, s.ConvertTo)
	},
	columns: func(s *v1alpha1.Sampler) columnFunc {
		if s.Category.IsBalanced() {
			return nil // which goes by rows, and not by draws
		}
		return categoryColumn(s.Category, s.ConvertTo)
	},
}

func validateCategory(spec *v1alpha1.Sampler) []Violation {
	switch {
	case len(spec.Category.Values) > 0 && spec.Category.ValuesOf != "":
		return []Violation{{"category", "exactly one of values and valuesOf must be set"}}
	case spec.Category.TakesValues():
		return append(validateTaken(spec.Category), validateBalance(spec.Category)...)
	case len(spec.Category.Values) == 0:
		return []Violation{{"category.values", "at least one value is required"}}
	}
	var violations []Violation
	for i, raw := range spec.Category.Values {
		if problem := categoryProblem(raw, spec.ConvertTo); problem != "" {
			violations = append(violations, Violation{fmt.Sprintf("category.values[%d]", i), problem})
		}
	}
	if spec.Category.Weighting != "" && spec.Category.Weighting != v1alpha1.WeightingEqual {
		violations = append(violations, Violation{"category.weighting",
			"is for valuesOf a column of the seed; weights are for values that are written"})
	}
	violations = append(violations, validateBalance(spec.Category)...)
	return append(violations, validateWeights("category", spec.Category.Weights, len(spec.Category.Values))...)
}

// validateTaken looks at what stands beside values that a column of the seed has.
func validateTaken(spec *v1alpha1.CategorySampler) []Violation {
	var violations []Violation
	if spec.Weights != nil {
		violations = append(violations, Violation{"category.weights", fmt.Sprintf("belong to values that are written; those of the column %q "+
			"of the seed are as frequent as there with weighting: Frequency", spec.ValuesOf)})
	}
	switch spec.Weighting {
	case "", v1alpha1.WeightingEqual, v1alpha1.WeightingFrequency:
	default:
		violations = append(violations, Violation{"category.weighting", fmt.Sprintf("must be Equal or Frequency, but is %q", spec.Weighting)})
	}
	return violations
}

func validateBalance(spec *v1alpha1.CategorySampler) []Violation {
	switch spec.Balance {
	case "", v1alpha1.BalanceRandom, v1alpha1.BalanceExact:
		return nil
	}
	return []Violation{{"category.balance", fmt.Sprintf("must be Random or Exact, but is %q", spec.Balance)}}
}

func categoryProblem(raw apiextensionsv1.JSON, convert v1alpha1.NumberConversion) string {
	value, err := decodeValue(raw)
	if err != nil {
		return "is not valid JSON"
	}
	var text any
	switch v := value.(type) {
	case string:
		text = v
	case json.Number:
		float, err := v.Float64()
		if err != nil || math.IsInf(float, 0) {
			return fmt.Sprintf("%s is outside the range of a 64-bit number", v)
		}
		text = v.String()
	default:
		return "must be a string or a number; put quotes around true, false and dates"
	}
	if convert == "" || convertValue(text, convert) != nil {
		return ""
	}
	problem := fmt.Sprintf("%q can't be converted to %s, which convertTo asks for", text, convert)
	if convert == v1alpha1.ConvertToInt && convertValue(text, v1alpha1.ConvertToFloat) != nil {
		problem += ": an int holds " + intRange
	}
	return problem
}

// validateWeights looks at the weights of a list of so many values at a path.
func validateWeights(at string, weights []v1alpha1.Decimal, values int) []Violation {
	if weights == nil {
		return nil
	}
	if len(weights) != values {
		return []Violation{{at + ".weights", fmt.Sprintf("has %d entries, but there are %d values", len(weights), values)}}
	}
	total := 0.0
	for i, weight := range weights {
		if weight.Float64() < 0 {
			return []Violation{{fmt.Sprintf("%s.weights[%d]", at, i), "must not be negative"}}
		}
		total += weight.Float64()
	}
	if total <= 0 || math.IsInf(total, 0) {
		return []Violation{{at + ".weights", "at least one weight must be above 0, and their sum finite"}}
	}
	return nil
}

func category(spec *v1alpha1.CategorySampler, convert v1alpha1.NumberConversion) drawFunc {
	_, values := categoryValues(spec)
	convertAll(values, convert)
	return oneOf(values, spec.Weights)
}

// convertAll converts values that can be converted.
func convertAll(values []any, convert v1alpha1.NumberConversion) {
	if convert == "" {
		return
	}
	for i, value := range values {
		values[i] = convertValue(value, convert)
	}
}

// oneOf draws one of some values.
func oneOf(values []any, weights []v1alpha1.Decimal) drawFunc {
	pick := picker(len(values), weights)
	return func(stream *random.Stream, _ *table.Record) (any, error) { return values[pick(stream)], nil }
}

func decodeValue(raw apiextensionsv1.JSON) (value any, err error) {
	decoder := json.NewDecoder(strings.NewReader(string(raw.Raw)))
	decoder.UseNumber()
	err = decoder.Decode(&value)
	return value, err
}

// categoryValues decodes the values: ints where all are, floats where all are numbers, else strings.
func categoryValues(spec *v1alpha1.CategorySampler) (table.Kind, []any) {
	decoded := make([]any, len(spec.Values))
	allInts, allNumbers := true, true
	for i, raw := range spec.Values {
		decoded[i], _ = decodeValue(raw) // as the validation has
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

// convertValue converts one value; nil where that is impossible.
func convertValue(value any, convert v1alpha1.NumberConversion) any {
	if convert == v1alpha1.ConvertToStr {
		if float, ok := value.(float64); ok {
			return formatFloat(float)
		}
		return fmt.Sprint(value)
	}
	text := fmt.Sprint(value)
	if convert == v1alpha1.ConvertToInt {
		if integer, err := strconv.ParseInt(text, 10, 64); err == nil {
			return integer // without the detour through a float, which would round large ones
		}
	}
	float, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(float) || math.IsInf(float, 0) {
		return nil
	}
	if convert == v1alpha1.ConvertToInt {
		if integer, fits := toInt(float); fits {
			return integer
		}
		return nil
	}
	return float
}

// balanced gives each value to as many rows as its weight says: the rows are shuffled by a keyed permutation, so that each finds its place
// by itself, and the first places have the first value. Attempts of a row have one value.
func balanced(spec *v1alpha1.CategorySampler, convert v1alpha1.NumberConversion, in site) drawFunc {
	_, values := categoryValues(spec)
	convertAll(values, convert)
	records := uint64(max(in.Records, 1))
	ends := shares(len(values), spec.Weights, records)
	stream := random.NewKey(in.Seed, "balance/"+in.column).At(0)
	permutation := random.NewPermutation(&stream, records)
	return func(_ *random.Stream, record *table.Record) (any, error) {
		place := permutation.At(uint64(record.Row) % records)
		return values[sort.Search(len(ends), func(i int) bool { return place < ends[i] })], nil
	}
}

// shares divides places among values by their weights, and returns where the places of each end. What is left after rounding down goes to
// those that lack most, of equal ones to the first.
func shares(values int, weights []v1alpha1.Decimal, places uint64) []uint64 {
	of, total := make([]float64, values), 0.0
	for i := range of {
		of[i] = 1
		if weights != nil {
			of[i] = weights[i].Float64()
		}
		total += of[i]
	}
	counts, lacks, order := make([]uint64, values), make([]float64, values), make([]int, values)
	left := places
	for i, weight := range of {
		exact := float64(places) * (weight / total)
		counts[i] = min(uint64(math.Floor(exact)), left)
		lacks[i], order[i] = exact-float64(counts[i]), i
		left -= counts[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(lacks[b], lacks[a]) })
	for i := 0; left > 0; i = (i + 1) % values {
		if of[order[i]] > 0 {
			counts[order[i]]++
			left--
		}
	}
	for i := 1; i < values; i++ {
		counts[i] += counts[i-1]
	}
	return counts
}
