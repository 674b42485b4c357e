package column

import (
	"time"

	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/random"
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
// "random" draws from the record's stream under a key.
func TemplateOptions(key random.Key, record *table.Record) jinja.Options {
	// The stream is made at the first draw: hardly any template has one.
	var stream random.Stream
	begun := false
	return jinja.Options{Undefined: jinja.UndefinedStrict, Random: func(n int) int {
		if !begun {
			stream, begun = key.Of(record), true
		}
		return int(stream.Below(uint64(max(n, 0))))
	}}
}
