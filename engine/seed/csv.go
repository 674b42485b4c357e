package seed

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
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
	reader := csv.NewReader(bytes.NewReader(data))
	reader.FieldsPerRecord = -1
	lines, err := reader.ReadAll()
	if err != nil {
		return nil, nil, err
	}
	if len(lines) == 0 {
		return nil, nil, errors.New("it is empty; the first line must be the header")
	}
	header, lines := lines[0], lines[1:]
	for i, cells := range lines {
		if len(cells) != len(header) {
			return nil, nil, fmt.Errorf("record %d has %d cells, but the header has %d columns", i+1, len(cells), len(header))
		}
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

func parseFloat(text string) (any, bool) {
	digits := strings.TrimPrefix(text, "-")
	if len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' || strings.ContainsAny(text, "xXpP_") {
		return nil, false
	}
	number, err := strconv.ParseFloat(text, 64)
	return number, err == nil && !math.IsInf(number, 0) && !math.IsNaN(number)
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
