package structured

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/kaptinlin/jsonrepair"
)

// matches says whether a document is of one of the kinds.
func (k kinds) matches(document any) bool {
	switch document.(type) {
	case map[string]any:
		return k.object
	case []any:
		return k.array
	}
	return k.scalar
}

// parse reads strict JSON within the limits. Of keys that are there twice, the last one counts.
func parse(text string) (any, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var document any
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return nil, errors.New("it ends too early")
		}
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows after its end")
	}
	return document, checkDocument(document, 0)
}

// checkDocument keeps depths and numbers within what can be worked with.
func checkDocument(document any, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("it is nested more than %d levels deep", maxDepth)
	}
	switch typed := document.(type) {
	case map[string]any:
		for _, member := range typed {
			if err := checkDocument(member, depth+1); err != nil {
				return err
			}
		}
	case []any:
		for _, item := range typed {
			if err := checkDocument(item, depth+1); err != nil {
				return err
			}
		}
	case json.Number:
		return checkNumber(string(typed))
	}
	return nil
}

func checkNumber(number string) error {
	if len(number) > maxNumberBytes {
		return fmt.Errorf("a number has more than %d digits", maxNumberBytes)
	}
	if at := strings.IndexAny(number, "eE"); at >= 0 {
		if exponent, err := strconv.Atoi(number[at+1:]); err != nil || exponent > maxExponent || exponent < -maxExponent {
			return fmt.Errorf("the exponent of a number is beyond %d", maxExponent)
		}
	}
	return nil
}

// A number without its leading zero, and one with a sign that JSON does not have.
var (
	bareFraction = regexp.MustCompile(`([:\[,\s]-?)(\.\d)`)
	plusSign     = regexp.MustCompile(`([:\[,\s])\+([.\d])`)
)

// repair makes JSON out of what was prepared and nearly is: trailing commas, Python's literals, comments, missing quotes and commas.
func repair(text string) (repaired string, ok bool) {
	// A defect of the library must cost this answer only.
	defer func() {
		if recover() != nil {
			repaired, ok = "", false
		}
	}()
	repaired, err := jsonrepair.Repair(text)
	// The library takes words for a string, and leaves some numbers as they are.
	return repaired, err == nil && json.Valid([]byte(repaired)) && strings.HasPrefix(strings.TrimSpace(repaired), text[:1])
}

// prepare mends, in linear time, single quotes, and what the library would spoil: it drops backslashes that begin no escape, such as those
// of regular expressions, and keeps numbers without a leading zero.
func prepare(text string) string {
	var mended strings.Builder
	outside := 0 // where the text outside of strings begins that was not written yet
	flush := func(end int) {
		mended.WriteString(bareFraction.ReplaceAllString(plusSign.ReplaceAllString(text[outside:end], "$1$2"), "${1}0$2"))
		outside = end
	}
	previous := byte(0) // the last one that is no white space
	for i := 0; i < len(text); i++ {
		single := text[i] == '\'' && strings.IndexByte("{[,:", previous) >= 0
		if strings.IndexByte(" \t\r\n", text[i]) < 0 {
			previous = text[i]
		}
		if text[i] != '"' && !single {
			continue
		}
		length := quoted(text[i:], rune(text[i]), 1)
		if length == 0 {
			break
		}
		flush(i)
		if single {
			mended.WriteString(mendEscapes(doubleQuoted(text[i : i+length])))
		} else {
			mended.WriteString(mendEscapes(text[i : i+length]))
		}
		i += length - 1
		outside = i + 1
	}
	flush(len(text))
	return mended.String()
}

// doubleQuoted writes a string in single quotes with double ones.
func doubleQuoted(single string) string {
	var mended strings.Builder
	mended.WriteByte('"')
	for i := 1; i < len(single)-1; i++ {
		switch {
		case single[i] == '\\' && single[i+1] == '\'' && i+1 < len(single)-1:
			continue
		case single[i] == '\\' && i+1 < len(single)-1:
			mended.WriteByte('\\')
			i++
			mended.WriteByte(single[i])
			continue
		case single[i] == '"':
			mended.WriteByte('\\')
		}
		mended.WriteByte(single[i])
	}
	mended.WriteByte('"')
	return mended.String()
}

func mendEscapes(quoted string) string {
	var mended strings.Builder
	for i := 0; i < len(quoted); i++ {
		mended.WriteByte(quoted[i])
		if quoted[i] != '\\' || i+1 == len(quoted) {
			continue
		}
		next := quoted[i+1]
		switch {
		case next == 'u' && !isHex(quoted[i+2:min(i+6, len(quoted))]), strings.IndexByte("\"'\\/bfnrtu\n", next) < 0:
			mended.WriteByte('\\')
		default:
			i++
			mended.WriteByte(next)
		}
	}
	return mended.String()
}

func isHex(digits string) bool {
	_, err := strconv.ParseUint(digits, 16, 16)
	return err == nil && len(digits) == 4
}
