package column

import (
	"hash/fnv"
	"math/bits"
	"strconv"
	"time"

	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/table"
)

// Vars gives a template the cells of a record by the names of their columns: timestamps in their ISO form, structs as dictionaries
// in the order of their fields, null as None. The record is only read, and must not change while the template is rendered.
func Vars(record *table.Record) jinja.Vars { return recordVars{record} }

type recordVars struct{ record *table.Record }

// Lookup returns the cell of the column with this name.
func (v recordVars) Lookup(name string) (jinja.Value, bool) {
	index, found := v.record.Schema.Index(name)
	if !found {
		return nil, false
	}
	return templateValue(v.record.Schema.Fields()[index].Type, v.record.Cells[index]), true
}

func templateValue(kind table.Type, value any) jinja.Value {
	switch typed := value.(type) {
	case nil:
		return nil
	case time.Time:
		return table.FormatTimestamp(typed)
	case []any:
		if kind.Kind == table.KindStruct {
			dict := jinja.NewDict()
			for i, field := range kind.Fields {
				if i < len(typed) {
					// A string can always be a key.
					_ = dict.Set(field.Name, templateValue(field.Type, typed[i]))
				}
			}
			return dict
		}
		list := &jinja.List{Items: make([]jinja.Value, len(typed))}
		for i, item := range typed {
			list.Items[i] = templateValue(elementType(kind), item)
		}
		return list
	}
	return jinja.FromGo(value)
}

func elementType(list table.Type) table.Type {
	if list.Element == nil {
		return table.Type{}
	}
	return *list.Element
}

// TemplateOptions are the options with which every template of a column is rendered: a missing name is an error, and the filter
// "random" draws as a function of the seed, the column, the row and the attempt.
func TemplateOptions(seed int64, name string, record *table.Record) jinja.Options {
	// The generator is made at the first draw: hardly any template has one.
	var random *splitMix
	return jinja.Options{Undefined: jinja.UndefinedStrict, Random: func(n int) int {
		if random == nil {
			random = newSplitMix(seed, name, record)
		}
		return random.below(n)
	}}
}

// splitMix is the SplitMix64 generator.
type splitMix struct{ state uint64 }

func newSplitMix(seed int64, name string, record *table.Record) *splitMix {
	hash := fnv.New64a()
	key := strconv.AppendInt(nil, seed, 10)
	for _, number := range []int64{int64(record.Row), int64(record.Ordinal), int64(record.Attempt)} {
		key = strconv.AppendInt(append(key, '/'), number, 10)
	}
	key = append(append(key, '/'), name...)
	// Writing to a hash does not fail.
	_, _ = hash.Write(key)
	return &splitMix{state: hash.Sum64()}
}

func (s *splitMix) next() uint64 {
	s.state += 0x9e3779b97f4a7c15
	mixed := s.state
	mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9
	mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb
	return mixed ^ (mixed >> 31)
}

// below returns a number in [0, n); 0 when n is not positive.
func (s *splitMix) below(n int) int {
	if n <= 0 {
		return 0
	}
	high, _ := bits.Mul64(s.next(), uint64(n))
	return int(high)
}
