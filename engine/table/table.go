// Package table holds the data model of the engine: the types of columns, and records of cells.
// It knows nothing of templates, files or scheduling; every other engine package may depend on it.
package table

import (
	"fmt"
	"time"
)

// RowIndex is the index of a row in the dataset that was asked for, from 0. Everything random depends on it, never on arrival order.
type RowIndex int64

// Kind is the kind of a cell's value.
type Kind int

// The kinds, with the Go type of a value. Every value may also be nil, which means null.
const (
	KindString    Kind = iota // string
	KindInt                   // int64
	KindFloat                 // float64
	KindBool                  // bool
	KindTimestamp             // time.Time in UTC; Type.Local and Type.Nanoseconds say more
	KindList                  // []any, of values of the element type
	KindStruct                // []any, one value for each field, in the order of the fields
	KindDate                  // Date
	KindTime                  // TimeOfDay; Type.Nanoseconds says more
	KindDecimal               // Decimal, of Type.Precision digits, Type.Scale of them after the point
	KindBinary                // []byte
)

// String returns the name that metadata gives to the kind.
func (k Kind) String() string {
	switch k {
	case KindString:
		return "string"
	case KindInt:
		return "int64"
	case KindFloat:
		return "double"
	case KindBool:
		return "bool"
	case KindTimestamp:
		return "timestamp[us, tz=UTC]"
	case KindList:
		return "list"
	case KindStruct:
		return "struct"
	case KindDate:
		return "date32[day]"
	case KindTime:
		return "time64[us]"
	case KindDecimal:
		return "decimal"
	case KindBinary:
		return "binary"
	}
	return "unknown"
}

// Type is the type of a column. The zero value is a string.
type Type struct {
	Kind Kind
	// Element is the type of a list's elements.
	Element *Type
	// Fields are the fields of a struct.
	Fields []Field
	// Precision and Scale are those of a decimal.
	Precision, Scale int32
	// Nanoseconds says that timestamps and times have a precision of a nanosecond, and not of a microsecond.
	Nanoseconds bool
	// Local says that timestamps are those of a clock on a wall: they belong to no time zone.
	Local bool
	// Document says that a string is a document in JSON, which has no type of its own: it is text in files, and the document for
	// templates and code.
	Document bool
	// Mixed says that a string holds texts as they are, and lists and objects as documents in JSON, which templates and code see as such.
	Mixed bool
}

// HoldsDocument says whether a text of the type is a document in JSON, if it is valid at all.
func (t Type) HoldsDocument(text string) bool {
	return t.Document || t.Mixed && len(text) > 0 && (text[0] == '{' || text[0] == '[')
}

// String returns the type as metadata names it, for instance list<string> or struct<a: int64>.
func (t Type) String() string {
	switch t.Kind {
	case KindList:
		return "list<" + t.Element.String() + ">"
	case KindStruct:
		text := "struct<"
		for i, field := range t.Fields {
			if i > 0 {
				text += ", "
			}
			text += field.Name + ": " + field.Type.String()
		}
		return text + ">"
	case KindDecimal:
		if t.Precision > 38 {
			return fmt.Sprintf("decimal256(%d, %d)", t.Precision, t.Scale)
		}
		return fmt.Sprintf("decimal128(%d, %d)", t.Precision, t.Scale)
	case KindTime:
		return "time64[" + t.unit() + "]"
	case KindTimestamp:
		if t.Local {
			return "timestamp[" + t.unit() + "]"
		}
		return "timestamp[" + t.unit() + ", tz=UTC]"
	}
	return t.Kind.String()
}

func (t Type) unit() string {
	if t.Nanoseconds {
		return "ns"
	}
	return "us"
}

// Equal says whether two types are the same.
func (t Type) Equal(other Type) bool { return t.String() == other.String() }

// Field is a named, typed member of a struct or of a schema.
type Field struct {
	Name string
	Type Type
}

// Schema is the list of a table's columns in output order. It is immutable once made.
type Schema struct {
	fields  []Field
	indexes map[string]int
}

// NewSchema returns the schema of the given columns. Names are unique; of two equal ones the first wins.
func NewSchema(fields ...Field) *Schema {
	schema := &Schema{fields: append([]Field(nil), fields...), indexes: make(map[string]int, len(fields))}
	for i, field := range fields {
		if _, taken := schema.indexes[field.Name]; !taken {
			schema.indexes[field.Name] = i
		}
	}
	return schema
}

// Fields returns the columns; the caller does not change them.
func (s *Schema) Fields() []Field { return s.fields }

// Len is the number of columns.
func (s *Schema) Len() int { return len(s.fields) }

// Index returns the position of a column.
func (s *Schema) Index(name string) (int, bool) {
	index, found := s.indexes[name]
	return index, found
}

// Record is one row while it is being made: its cells stand in the order of the schema. Who writes a cell owns it until it is
// written; after that it is only read.
type Record struct {
	Schema *Schema
	// Row is the row that was asked for. Ordinal tells apart the rows that a resize made of one row.
	Row     RowIndex
	Ordinal int32
	// Attempt counts how often the row was started, from 0. Fresh attempts have fresh draws.
	Attempt int32
	Cells   []any
	// Texts are, of the first columns, what the file of the seed says where a template would print the value of the cell in another way. An
	// empty text is none. Nil where there is none at all.
	Texts []string
	// Skipped says of each cell whether it was left out by skip, and belongs to the writer of the cell. Nil where no cell can be.
	Skipped []bool
	// Unfinished is, by column, what is kept of cells that failed in a way that passes, until they are tried again. It goes with the attempt,
	// and belongs to the goroutine that hands out the cells. Nil where nothing is kept.
	Unfinished map[int]any
}

// IsSkipped says whether a cell was left out by skip.
func (r *Record) IsSkipped(index int) bool { return index < len(r.Skipped) && r.Skipped[index] }

// NewRecord returns a record whose cells are all null.
func NewRecord(schema *Schema, row RowIndex, attempt int32) *Record {
	return &Record{Schema: schema, Row: row, Attempt: attempt, Cells: make([]any, schema.Len())}
}

// TimestampLayout is how templates and CSV show a timestamp.
const TimestampLayout = "2006-01-02T15:04:05"

// FormatTimestamp returns the ISO form that templates see, with a fraction only where there is one: of six digits, or of nine where six
// don't tell it.
func FormatTimestamp(moment time.Time) string {
	moment = moment.UTC()
	switch {
	case moment.Nanosecond() == 0:
		return moment.Format(TimestampLayout)
	case moment.Nanosecond()%1000 == 0:
		return moment.Format(TimestampLayout + ".000000")
	}
	return moment.Format(TimestampLayout + ".000000000")
}
