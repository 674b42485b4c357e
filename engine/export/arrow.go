package export

import (
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/table"
)

// A batch of an Arrow file has batchRows rows, or as many as have batchBytes together.
const (
	batchRows  = 4096
	batchBytes = 8 << 20
)

// fixedCell is what a value without text takes in memory, roughly.
const fixedCell = 8

// arrowFormat is the file format of Arrow IPC: every type of the engine is one of Arrow's, so that all values are there as they are.
type arrowFormat struct {
	fields  []table.Field
	schema  *arrow.Schema
	options []ipc.Option
	next    []any
}

func newArrow(schema *table.Schema, compression v1alpha1.ExportCompression) (format, error) {
	result := &arrowFormat{fields: schema.Fields()}
	var fields []arrow.Field
	for _, field := range result.fields {
		kind, err := arrowType(field.Type)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", field.Name, err)
		}
		fields = append(fields, arrow.Field{Name: field.Name, Type: kind, Nullable: true})
	}
	result.schema = arrow.NewSchema(fields, nil)
	result.options = []ipc.Option{ipc.WithSchema(result.schema), ipc.WithAllocator(memory.NewGoAllocator())}
	if compression == v1alpha1.ExportZstd {
		result.options = append(result.options, ipc.WithZstd(), ipc.WithCompressConcurrency(1))
	}
	return result, nil
}

func (f *arrowFormat) encode(cells []any) (size int64, err error) {
	if len(cells) != len(f.fields) {
		return 0, fmt.Errorf("%d values are there for %d columns", len(cells), len(f.fields))
	}
	f.next = cells
	return table.Bytes(cells) + fixedCell*int64(len(cells)), nil
}

func (f *arrowFormat) maxRows() int64 { return 0 }

func (f *arrowFormat) open(to io.Writer) (rows, error) {
	writer, err := ipc.NewFileWriter(to, f.options...)
	if err != nil {
		return nil, err
	}
	return &arrowRows{format: f, writer: writer, builder: array.NewRecordBuilder(memory.NewGoAllocator(), f.schema)}, nil
}

// arrowRows are those of one file, some of which are still to be written as a batch.
type arrowRows struct {
	format  *arrowFormat
	writer  *ipc.FileWriter
	builder *array.RecordBuilder
	pending int
	bytes   int64
}

func (r *arrowRows) put() error {
	for i, cell := range r.format.next {
		if err := appendArrow(r.builder.Field(i), r.format.fields[i].Type, cell); err != nil {
			return fmt.Errorf("column %q: %w", r.format.fields[i].Name, err)
		}
	}
	r.pending++
	r.bytes += table.Bytes(r.format.next)
	if r.pending < batchRows && r.bytes < batchBytes {
		return nil
	}
	return r.flush()
}

func (r *arrowRows) flush() error {
	batch := r.builder.NewRecordBatch()
	defer batch.Release()
	r.pending, r.bytes = 0, 0
	return r.writer.Write(batch)
}

func (r *arrowRows) end() error {
	defer r.builder.Release()
	if r.pending > 0 {
		if err := r.flush(); err != nil {
			return err
		}
	}
	return r.writer.Close()
}

// arrowType is the type of Arrow that has the values of a type.
func arrowType(kind table.Type) (arrow.DataType, error) {
	switch kind.Kind {
	case table.KindString:
		return arrow.BinaryTypes.String, nil
	case table.KindInt:
		return arrow.PrimitiveTypes.Int64, nil
	case table.KindFloat:
		return arrow.PrimitiveTypes.Float64, nil
	case table.KindBool:
		return arrow.FixedWidthTypes.Boolean, nil
	case table.KindBinary:
		return arrow.BinaryTypes.Binary, nil
	case table.KindDate:
		return arrow.FixedWidthTypes.Date32, nil
	case table.KindTime:
		return &arrow.Time64Type{Unit: unitOf(kind)}, nil
	case table.KindTimestamp:
		if kind.Local {
			return &arrow.TimestampType{Unit: unitOf(kind)}, nil
		}
		return &arrow.TimestampType{Unit: unitOf(kind), TimeZone: "UTC"}, nil
	case table.KindDecimal:
		if kind.Precision > decimal128Digits {
			return &arrow.Decimal256Type{Precision: kind.Precision, Scale: kind.Scale}, nil
		}
		return &arrow.Decimal128Type{Precision: kind.Precision, Scale: kind.Scale}, nil
	case table.KindList:
		element, err := arrowType(*kind.Element)
		if err != nil {
			return nil, err
		}
		return arrow.ListOf(element), nil
	case table.KindStruct:
		return arrowStruct(kind)
	}
	return nil, fmt.Errorf("the type %s can't be written", kind)
}

// decimal128Digits is how many digits a decimal of 128 bits has.
const decimal128Digits = 38

func unitOf(kind table.Type) arrow.TimeUnit {
	if kind.Nanoseconds {
		return arrow.Nanosecond
	}
	return arrow.Microsecond
}

func arrowStruct(kind table.Type) (arrow.DataType, error) {
	var fields []arrow.Field
	for _, field := range kind.Fields {
		member, err := arrowType(field.Type)
		if err != nil {
			return nil, err
		}
		fields = append(fields, arrow.Field{Name: field.Name, Type: member, Nullable: true})
	}
	return arrow.StructOf(fields...), nil
}

// appendArrow appends a value of a type to the column of that type.
func appendArrow(to array.Builder, kind table.Type, value any) error {
	if value == nil {
		to.AppendNull()
		return nil
	}
	switch column := to.(type) {
	case *array.ListBuilder:
		return appendArrowList(column, kind, value)
	case *array.StructBuilder:
		return appendArrowStruct(column, kind, value)
	case *array.Decimal128Builder:
		return appendDecimal(kind, value, func(unscaled *big.Int) { column.Append(decimal128.FromBigInt(unscaled)) })
	case *array.Decimal256Builder:
		return appendDecimal(kind, value, func(unscaled *big.Int) { column.Append(decimal256.FromBigInt(unscaled)) })
	}
	return appendArrowScalar(to, kind, value)
}

func appendArrowScalar(to array.Builder, kind table.Type, value any) error {
	switch typed := value.(type) {
	case string:
		if column, fits := to.(*array.StringBuilder); fits {
			column.Append(typed)
			return nil
		}
	case int64:
		if column, fits := to.(*array.Int64Builder); fits {
			column.Append(typed)
			return nil
		}
	case float64:
		if column, fits := to.(*array.Float64Builder); fits {
			column.Append(typed)
			return nil
		}
	case bool:
		if column, fits := to.(*array.BooleanBuilder); fits {
			column.Append(typed)
			return nil
		}
	case []byte:
		if column, fits := to.(*array.BinaryBuilder); fits {
			column.Append(typed)
			return nil
		}
	case table.Date:
		if column, fits := to.(*array.Date32Builder); fits {
			column.Append(arrow.Date32(typed))
			return nil
		}
	default:
		return appendArrowTime(to, kind, value)
	}
	return unfit(kind, value)
}

func appendArrowTime(to array.Builder, kind table.Type, value any) error {
	switch typed := value.(type) {
	case table.TimeOfDay:
		if column, fits := to.(*array.Time64Builder); fits {
			column.Append(arrow.Time64(int64(typed) / nanosecondsPer(kind)))
			return nil
		}
	case time.Time:
		if column, fits := to.(*array.TimestampBuilder); fits {
			moment, err := arrow.TimestampFromTime(typed, unitOf(kind))
			column.Append(moment)
			return err
		}
	}
	return unfit(kind, value)
}

func nanosecondsPer(kind table.Type) int64 {
	if kind.Nanoseconds {
		return 1
	}
	return 1000
}

func appendArrowList(to *array.ListBuilder, kind table.Type, value any) error {
	items, isList := value.([]any)
	if !isList || kind.Kind != table.KindList {
		return unfit(kind, value)
	}
	to.Append(true)
	for _, item := range items {
		if err := appendArrow(to.ValueBuilder(), *kind.Element, item); err != nil {
			return err
		}
	}
	return nil
}

func appendArrowStruct(to *array.StructBuilder, kind table.Type, value any) error {
	members, isStruct := value.([]any)
	if !isStruct || len(members) != len(kind.Fields) {
		return unfit(kind, value)
	}
	to.Append(true)
	for i, member := range members {
		if err := appendArrow(to.FieldBuilder(i), kind.Fields[i].Type, member); err != nil {
			return err
		}
	}
	return nil
}

func appendDecimal(kind table.Type, value any, add func(unscaled *big.Int)) error {
	number, isDecimal := value.(table.Decimal)
	if !isDecimal {
		return unfit(kind, value)
	}
	exact, fits := number.Rescaled(kind.Scale)
	if !fits || exact.Precision() > kind.Precision {
		return unfit(kind, value)
	}
	add(exact.Unscaled)
	return nil
}

func unfit(kind table.Type, value any) error {
	return fmt.Errorf("a %T can't be written as %s", value, kind)
}
