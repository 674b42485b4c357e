package syntax

import (
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"

	postgres "github.com/wasilibs/go-pgquery/parser"

	"seedloom.dev/seedloom/engine/validate"
)

// looseDecimal is a decimal without a scale, which holds whole numbers only.
var looseDecimal = regexp.MustCompile(`DECIMAL\(\d+\)`)

// looseDecimals are the decimals without a scale in a text of SQL.
func looseDecimals(code string) []validate.Message {
	found := looseDecimal.FindStringIndex(code)
	if found == nil {
		return nil
	}
	return []validate.Message{at(code, found[0], "a DECIMAL has no scale, so that it holds whole numbers only")}
}

// postgresMistakes takes the statements that PostgreSQL's own parser takes.
func postgresMistakes(code string) []validate.Message {
	// The parser reads up to a zero.
	if zero := strings.IndexByte(code, 0); zero >= 0 {
		return []validate.Message{at(code, zero, "a zero byte stands in the text")}
	}
	_, err := postgres.ParseToProtobuf(code)
	var wrong *postgres.Error
	switch {
	case err == nil:
		return looseDecimals(code)
	case errors.As(err, &wrong):
		return append([]validate.Message{at(code, offsetOf(code, wrong.Cursorpos), wrong.Message)}, looseDecimals(code)...)
	}
	return []validate.Message{{Text: err.Error()}}
}

// offsetOf is the byte at which a letter stands, counted from one.
func offsetOf(code string, letter int) int {
	offset := 0
	for range letter - 1 {
		_, size := utf8.DecodeRuneInString(code[offset:])
		offset += size
	}
	return offset
}
