package sampler

import (
	"math"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

// columnFunc draws what a drawFunc draws of consecutive rows at their first attempts, without a box for each value: from a row on, so many.
// It returns nil where a value can't be drawn, and is called from many goroutines at once.
type columnFunc func(key random.Key, first table.RowIndex, rows int) *table.Column

// GenerateColumn draws the values of rows at once, where the sampler can.
func (s *Sampler) GenerateColumn(first table.RowIndex, rows int) *table.Column {
	if s.column == nil {
		return nil
	}
	return s.column(s.key, first, rows)
}

// numberColumn draws columns of numbers that are not converted to texts.
func numberColumn(convert v1alpha1.NumberConversion, places *int32, draw func(*random.Stream) float64) columnFunc {
	switch convert {
	case v1alpha1.ConvertToStr:
		return nil
	case v1alpha1.ConvertToInt:
		return func(key random.Key, first table.RowIndex, rows int) *table.Column {
			column := &table.Column{Ints: make([]int64, rows)}
			var stream random.Stream // one for all rows, since what is drawn by a function value is in the heap
			for i := range column.Ints {
				stream = key.OfRow(first + table.RowIndex(i))
				value, err := drawNumber(&stream, places, draw)
				integer, fits := toInt(value)
				if err != nil || !fits {
					return nil
				}
				column.Ints[i] = integer
			}
			return column
		}
	}
	return func(key random.Key, first table.RowIndex, rows int) *table.Column {
		column := &table.Column{Floats: make([]float64, rows)}
		var stream random.Stream
		for i := range column.Floats {
			stream = key.OfRow(first + table.RowIndex(i))
			value, err := drawNumber(&stream, places, draw)
			if err != nil {
				return nil
			}
			column.Floats[i] = value
		}
		return column
	}
}

// categoryColumn draws columns of values that all are of one kind.
func categoryColumn(spec *v1alpha1.CategorySampler, convert v1alpha1.NumberConversion) columnFunc {
	kind, values := categoryValues(spec)
	convertAll(values, convert)
	pick := picker(len(values), spec.Weights)
	switch convertedKind(convert, kind) {
	case table.KindInt:
		return pickedColumn(values, pick, func(into *table.Column) *[]int64 { return &into.Ints }, func(v int64) int64 { return v })
	case table.KindFloat:
		return pickedColumn(values, pick, func(into *table.Column) *[]float64 { return &into.Floats }, func(v float64) float64 { return v })
	}
	return pickedColumn(values, pick, func(into *table.Column) *[][]byte { return &into.Texts }, func(v string) []byte { return []byte(v) })
}

// pickedColumn draws columns of values of a type, which the column holds in another one.
func pickedColumn[V, C any](
	values []any, pick func(*random.Stream) int, held func(*table.Column) *[]C, hold func(V) C,
) columnFunc {
	choices := make([]C, len(values))
	for i, value := range values {
		typed, isTyped := value.(V)
		if !isTyped {
			return nil
		}
		choices[i] = hold(typed)
	}
	return func(key random.Key, first table.RowIndex, rows int) *table.Column {
		column, drawn := &table.Column{}, make([]C, rows)
		var stream random.Stream
		for i := range drawn {
			stream = key.OfRow(first + table.RowIndex(i))
			drawn[i] = choices[pick(&stream)]
		}
		*held(column) = drawn
		return column
	}
}

// picker draws the position of one of so many values.
func picker(values int, weights []v1alpha1.Decimal) func(*random.Stream) int {
	if weights == nil {
		return func(stream *random.Stream) int { return int(stream.Below(uint64(values))) }
	}
	shares := make([]float64, len(weights))
	for i, weight := range weights {
		shares[i] = weight.Float64()
	}
	return random.NewWeights(shares...).Draw
}

// identifierColumn draws columns of UUIDs, whose bytes lie in one piece of memory.
func identifierColumn(spec *v1alpha1.UUIDSampler) columnFunc {
	draw, size := identifier(spec), len(spec.Prefix)+int(*spec.Length)
	return func(key random.Key, first table.RowIndex, rows int) *table.Column {
		column := &table.Column{Texts: make([][]byte, rows)}
		all := make([]byte, 0, rows*size)
		var stream random.Stream
		for i := range column.Texts {
			stream = key.OfRow(first + table.RowIndex(i))
			all = draw(&stream, all)
			column.Texts[i] = all[i*size : (i+1)*size : (i+1)*size]
		}
		return column
	}
}

// drawNumber draws a number with so many decimal places; nil leaves it as it is.
func drawNumber(stream *random.Stream, places *int32, draw func(*random.Stream) float64) (float64, error) {
	value := draw(stream)
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return 0, outsideNumbers(value)
	}
	if places != nil {
		value = round(value, *places)
	}
	return value, nil
}
