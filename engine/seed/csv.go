package seed

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"seedloom.dev/seedloom/engine/table"
)

var byteOrderMark = []byte("\xef\xbb\xbf")

// parseCSV reads comma-separated text with a header. The types of the columns are inferred from all of their cells: the
// narrowest of bool, int, float, timestamp and string that fits. An empty cell is null.
func parseCSV(data []byte) ([]table.Field, [][]any, error) {
	data = bytes.TrimPrefix(data, byteOrderMark)
	if !utf8.Valid(data) {
		return nil, nil, errors.New("it is not text in UTF-8")
	}
	header, lines, err := readLines(csv.NewReader(bytes.NewReader(data)))
	if err != nil {
		return nil, nil, err
	}
	fields := make([]table.Field, len(header))
	rows := make([][]any, len(lines))
	for i := range rows {
		rows[i] = make([]any, len(header))
	}
	for column, name := range header {
		kind, parse := inferText(lines, column)
		fields[column] = table.Field{Name: strings.TrimSpace(name), Type: table.Type{Kind: kind}}
		for i, cells := range lines {
			if cells[column] != "" {
				rows[i][column], _ = parse(cells[column])
			}
		}
	}
	return fields, rows, nil
}

// readLines returns the header and the records below it, which are all as wide as the header. A blank line is no record.
func readLines(reader *csv.Reader) (header []string, lines [][]string, err error) {
	reader.FieldsPerRecord = -1
	for {
		cells, err := reader.Read()
		switch {
		case errors.Is(err, io.EOF) && header == nil:
			return nil, nil, errors.New("it is empty; the first line must be the header")
		case errors.Is(err, io.EOF):
			return header, lines, nil
		case err != nil:
			return nil, nil, err
		case header == nil:
			header = cells
		case len(cells) != len(header):
			line, _ := reader.FieldPos(0)
			return nil, nil, fmt.Errorf("line %d has %d cells, but the header has %d", line, len(cells), len(header))
		default:
			lines = append(lines, cells)
		}
	}
}

type parseText func(string) (any, bool)

// inferText returns the narrowest kind that all cells of a column have. A column without any value is one of strings.
func inferText(lines [][]string, column int) (table.Kind, parseText) {
	for _, candidate := range []struct {
		kind  table.Kind
		parse parseText
	}{{table.KindBool, parseBool}, {table.KindInt, parseInt}, {table.KindFloat, parseFloat}, {table.KindTimestamp, parseTimestamp}} {
		if allParse(lines, column, candidate.parse) {
			return candidate.kind, candidate.parse
		}
	}
	return table.KindString, func(text string) (any, bool) { return text, true }
}

func allParse(lines [][]string, column int, parse parseText) bool {
	found := false
	for _, cells := range lines {
		if cells[column] == "" {
			continue
		}
		if _, parses := parse(cells[column]); !parses {
			return false
		}
		found = true
	}
	return found
}

func parseBool(text string) (any, bool) {
	switch strings.ToLower(text) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return nil, false
}

// parseInt refuses what would not be written the same way again: "007" is a code, not a number.
func parseInt(text string) (any, bool) {
	number, err := strconv.ParseInt(text, 10, 64)
	return number, err == nil && strconv.FormatInt(number, 10) == text
}

// parseFloat refuses what is rather a code than a number, such as "007" and "+41791234567", and integers that a float can't hold exactly.
func parseFloat(text string) (any, bool) {
	digits := strings.TrimPrefix(text, "-")
	if len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' || strings.HasPrefix(text, "+") || strings.ContainsAny(text, "xXpP_") {
		return nil, false
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(number, 0) || math.IsNaN(number) {
		return nil, false
	}
	return number, !isInteger(text) || exactAsFloat(text)
}

// isInteger says whether a number is written without a fraction or an exponent.
func isInteger(text string) bool { return !strings.ContainsAny(text, ".eE") }

// exactAsFloat says whether a float holds every digit of an integer.
func exactAsFloat(text string) bool {
	number, isNumber := new(big.Int).SetString(text, 10)
	if !isNumber {
		return false
	}
	_, accuracy := new(big.Float).SetInt(number).Float64()
	return accuracy == big.Exact
}

var timestampLayouts = []string{"2006-01-02", time.RFC3339Nano, "2006-01-02T15:04:05.999999", "2006-01-02 15:04:05.999999"}

func parseTimestamp(text string) (any, bool) {
	for _, layout := range timestampLayouts {
		if moment, err := time.Parse(layout, text); err == nil {
			return moment.UTC().Truncate(time.Microsecond), true
		}
	}
	return nil, false
}
