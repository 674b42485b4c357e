package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// seedFile is a file of rows with five columns: an integer, a name that comes again, a number, a city and a text that never comes again.
type seedFile struct {
	rows  int
	write func(to io.Writer, rows int) error
}

// make writes the file, unless it is there.
func (f seedFile) make(path string) (err error) {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	created, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, created.Close()) }()
	buffered := bufio.NewWriterSize(created, 1<<20)
	if err := f.write(buffered, f.rows); err != nil {
		return err
	}
	return buffered.Flush()
}

func personOf(row int) string { return "name " + strconv.Itoa(row%1000) + " of somebody" }
func scoreOf(row int) float64 { return float64(uint32(row)*2654435761%800_000) / 1000 }
func noteOf(row int) string {
	return "a note, quoted " + strconv.Itoa(int(uint32(row)*2654435761)) + " with some text that is long"
}

var cities = [...]string{"Zurich", "Paris", "Nairobi", "Lima"}

func writeCSV(to io.Writer, rows int) error {
	if _, err := io.WriteString(to, "id,name,score,city,note\n"); err != nil {
		return err
	}
	var line []byte
	for row := range rows {
		line = strconv.AppendInt(line[:0], int64(row), 10)
		line = append(append(line, ','), personOf(row)...)
		line = strconv.AppendFloat(append(line, ','), scoreOf(row), 'f', -1, 64)
		line = append(append(line, ','), cities[row%len(cities)]...)
		line = append(append(append(line, `,"`...), noteOf(row)...), "\"\n"...)
		if _, err := to.Write(line); err != nil {
			return err
		}
	}
	return nil
}

func writeJSONLines(to io.Writer, rows int) error {
	for row := range rows {
		if _, err := fmt.Fprintf(to, "{\"id\": %d, \"name\": %q, \"score\": %g, \"city\": %q, \"note\": %q}\n", row, personOf(row), scoreOf(row),
			cities[row%len(cities)], noteOf(row)); err != nil {
			return err
		}
	}
	return nil
}

// writeParquet writes one row group, with Snappy and dictionaries, as most writers do by default.
func writeParquet(to io.Writer, rows int) error {
	text := func(name string) schema.Node {
		return schema.Must(schema.NewPrimitiveNodeLogical(name, parquet.Repetitions.Optional, schema.StringLogicalType{}, parquet.Types.ByteArray,
			0, -1))
	}
	root := schema.MustGroup(schema.NewGroupNode("schema", parquet.Repetitions.Required, schema.FieldList{
		schema.Must(schema.NewPrimitiveNode("id", parquet.Repetitions.Optional, parquet.Types.Int64, -1, -1)), text("name"),
		schema.Must(schema.NewPrimitiveNode("score", parquet.Repetitions.Optional, parquet.Types.Double, -1, -1)), text("city"), text("note"),
	}, -1))
	writer := file.NewParquetWriter(to, root, file.WithWriterProps(parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy),
		parquet.WithDictionaryDefault(true))))
	group, err := writer.AppendRowGroupChecked()
	if err != nil {
		return err
	}
	levels := make([]int16, rows)
	for i := range levels {
		levels[i] = 1
	}
	for range root.NumFields() {
		column, err := group.NextColumn()
		if err != nil {
			return err
		}
		if err := writeLeaf(column, rows, levels); err != nil {
			return err
		}
		if err := column.Close(); err != nil {
			return err
		}
	}
	return writer.Close()
}

func writeLeaf(column file.ColumnChunkWriter, rows int, levels []int16) (err error) {
	switch typed := column.(type) {
	case *file.Int64ColumnChunkWriter:
		_, err = typed.WriteBatch(valuesOf(rows, func(row int) int64 { return int64(row) }), levels, nil)
	case *file.Float64ColumnChunkWriter:
		_, err = typed.WriteBatch(valuesOf(rows, scoreOf), levels, nil)
	case *file.ByteArrayColumnChunkWriter:
		of := map[string]func(int) string{"name": personOf, "city": func(row int) string { return cities[row%len(cities)] }, "note": noteOf}
		text := of[typed.Descr().Name()]
		_, err = typed.WriteBatch(valuesOf(rows, func(row int) parquet.ByteArray { return parquet.ByteArray(text(row)) }), levels, nil)
	}
	return err
}

func valuesOf[V any](rows int, of func(row int) V) []V {
	values := make([]V, rows)
	for row := range values {
		values[row] = of(row)
	}
	return values
}
