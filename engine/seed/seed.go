// Package seed reads seed datasets, from a folder, a volume or a web server, and says which of their rows belongs to which row of the
// dataset. It holds them in memory, and knows nothing of what is generated from them.
package seed

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/table"
)

// maxColumns bounds the columns of a seed, and the fields of an object in it.
const maxColumns = 1000

// maxBytes is the largest seed that is read: it is held in memory.
const maxBytes = 1 << 30

// Dataset is a seed in memory. It is immutable.
type Dataset struct {
	schema *table.Schema
	rows   [][]any
	digest string
}

// Schema returns the columns of the seed.
func (d *Dataset) Schema() *table.Schema { return d.schema }

// Len is the number of rows, at least 1.
func (d *Dataset) Len() int { return len(d.rows) }

// Row returns the cells of a row; the caller does not change them.
func (d *Dataset) Row(index int) []any { return d.rows[index] }

// Digest is the SHA-256 of the seed's bytes in hexadecimal.
func (d *Dataset) Digest() string { return d.digest }

var formats = map[string]v1alpha1.SeedFormat{
	".csv": v1alpha1.SeedFormatCSV, ".json": v1alpha1.SeedFormatJSON, ".jsonl": v1alpha1.SeedFormatJSONL,
	".ndjson": v1alpha1.SeedFormatJSONL, ".parquet": v1alpha1.SeedFormatParquet,
}

// formatOf returns the format that was given, or that the ending of the name tells.
func formatOf(given v1alpha1.SeedFormat, name string) (v1alpha1.SeedFormat, error) {
	if given != "" {
		return given, nil
	}
	if format, known := formats[strings.ToLower(path.Ext(name))]; known {
		return format, nil
	}
	return "", fmt.Errorf("its format can't be told from the name %q, which does not end in .csv, .json, .jsonl, .ndjson or .parquet; set spec.seed.format", name)
}

// Parse reads a seed out of its bytes. What is wrong with them is said with the line or the record.
func Parse(data []byte, format v1alpha1.SeedFormat) (*Dataset, error) {
	var fields []table.Field
	var rows [][]any
	var err error
	switch format {
	case v1alpha1.SeedFormatCSV:
		fields, rows, err = parseCSV(data)
	case v1alpha1.SeedFormatJSON:
		fields, rows, err = parseJSON(data)
	case v1alpha1.SeedFormatJSONL:
		fields, rows, err = parseJSONLines(data)
	case v1alpha1.SeedFormatParquet:
		var schema *table.Schema
		if schema, rows, err = parquetfile.Read(bytes.NewReader(data), int64(len(data))); err == nil {
			fields = schema.Fields()
		}
	default:
		err = fmt.Errorf("the format %q is not known", format)
	}
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("it has no rows")
	}
	if err := checkFields(fields); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	return &Dataset{schema: table.NewSchema(fields...), rows: rows, digest: hex.EncodeToString(sum[:])}, nil
}

// namePattern is what a template can refer to.
var namePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func checkFields(fields []table.Field) error {
	if len(fields) == 0 || len(fields) > maxColumns {
		return fmt.Errorf("it has %d columns; 1 to %d are supported", len(fields), maxColumns)
	}
	seen := map[string]bool{}
	for i, field := range fields {
		switch {
		case !namePattern.MatchString(field.Name):
			return fmt.Errorf("column %d has the name %q, which templates can't refer to; rename it to letters, digits and underscores", i+1, field.Name)
		case seen[field.Name]:
			return fmt.Errorf("two columns have the name %q", field.Name)
		}
		seen[field.Name] = true
		if err := checkType(field.Type); err != nil {
			return fmt.Errorf("column %q: %w", field.Name, err)
		}
	}
	return nil
}

// checkType refuses what a Parquet file can't hold.
func checkType(kind table.Type) error {
	if kind.Kind == table.KindList {
		return checkType(*kind.Element)
	}
	if kind.Kind == table.KindStruct && len(kind.Fields) == 0 {
		return errors.New("its objects have no keys, which can't be stored; remove the column")
	}
	for _, field := range kind.Fields {
		if field.Name == "" {
			return errors.New("an object has an empty key, which can't be stored; give it a name")
		}
		if err := checkType(field.Type); err != nil {
			return fmt.Errorf("%q: %w", field.Name, err)
		}
	}
	return nil
}

// invalid is a failure that starting again does not mend.
func invalid(source string, err error) error {
	return failure.New(v1alpha1.ReasonSeedFailed, failure.EndRun, "the seed %s can't be used: %v", source, err)
}

// unreachable is a failure that may pass.
func unreachable(source string, err error) error {
	result := failure.New(v1alpha1.ReasonSeedFailed, failure.EndRun, "the seed %s can't be read: %v", source, err)
	result.Temporary = true
	return result
}
