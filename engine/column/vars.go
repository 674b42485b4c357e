package column

import (
	"fmt"
	"time"
	"unicode/utf8"

	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

// Vars gives a template the cells of a record by the names of their columns: timestamps in their ISO form, structs as dictionaries
// in the order of their fields, documents as what they hold, null as what prints as nothing. The record is only read, and must not change
// while the template is rendered.
func Vars(record *table.Record) jinja.Vars { return recordVars{record} }

type recordVars struct{ record *table.Record }

// Lookup returns the cell of the column with this name.
func (v recordVars) Lookup(name string) (jinja.Value, bool) {
	index, found := v.record.Schema.Index(name)
	if !found {
		return nil, false
	}
	kind, cell := v.record.Schema.Fields()[index].Type, v.record.Cells[index]
	if index < len(v.record.Texts) && v.record.Texts[index] != "" {
		return writtenValue(kind, cell, v.record.Texts[index]), true
	}
	if data, isBinary := cell.([]byte); isBinary && !utf8.Valid(data) {
		return jinja.Undefined{Message: fmt.Sprintf("column %q holds binary data, which a template can't print; use it as a context of media",
			name)}, true
	}
	return templateValue(kind, cell), true
}

// writtenValue is a cell that a template prints as the file of the seed has it.
func writtenValue(kind table.Type, cell any, text string) jinja.Value {
	switch kind.Kind {
	case table.KindBool, table.KindFloat, table.KindInt:
		return jinja.NewWritten(text, jinja.FromGo(cell))
	case table.KindDecimal:
		number := cell.(table.Decimal)
		return jinja.NewDecimal(text, number.Unscaled, number.Scale)
	}
	return text
}

func templateValue(kind table.Type, value any) jinja.Value {
	switch typed := value.(type) {
	case nil:
		return jinja.Null
	case time.Time:
		return table.FormatTimestamp(typed)
	case table.Decimal:
		return jinja.NewDecimal(typed.String(), typed.Unscaled, typed.Scale)
	case []byte:
		return string(typed)
	case string:
		if kind.HoldsDocument(typed) {
			if document, err := jinja.DecodeDocument([]byte(typed)); err == nil {
				return document
			}
		}
		return typed
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
