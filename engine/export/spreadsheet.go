package export

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"seedloom.dev/seedloom/engine/table"
)

// What a sheet can hold, in Excel and in what follows it.
const (
	maxSheetRows    = 1_048_576
	maxSheetColumns = 16_384
	// maxCellUnits is how long a text may be, in units of UTF-16.
	maxCellUnits = 32_767
	// exactDigits is how many digits of a number a spreadsheet keeps.
	exactDigits = 15
)

// cutMark stands at the end of a text that was cut.
const cutMark = " … [cut]"

// spreadsheet writes cells for people who open the file in a spreadsheet. It counts what it had to change.
type spreadsheet struct{ result *Result }

// newSpreadsheet is CSV that begins with a byte order mark, without which a spreadsheet takes the text for one of an older encoding, and in
// which no text is a formula.
func newSpreadsheet(schema *table.Schema, result *Result) (format, error) {
	if schema.Len() > maxSheetColumns {
		return nil, fmt.Errorf("a spreadsheet holds %d columns at most, and there are %d", maxSheetColumns, schema.Len())
	}
	sheet := &spreadsheet{result: &Result{}} // names of columns are not counted
	text, err := csvFormat(schema, sheet.cell)
	if err != nil {
		return nil, err
	}
	sheet.result = result
	text.head = append([]byte("\ufeff"), text.head...)
	text.limit = maxSheetRows - 1
	return text, nil
}

func (s *spreadsheet) cell(to []byte, kind table.Type, value any) ([]byte, error) {
	if moment, isTimestamp := value.(time.Time); isTimestamp {
		return append(to, strings.Replace(table.FormatTimestamp(moment), "T", " ", 1)...), nil
	}
	before := len(to)
	to, err := plainCell(to, kind, value)
	if err != nil {
		return to, err
	}
	cell := string(to[before:])
	switch value.(type) {
	case string, []any, []byte:
		cell = withoutControls(cell)
		if isFormula(cell) || isChanged(cell) {
			s.result.Marked++
			cell = "'" + cell
		}
		if shorter := cut(cell); shorter != cell {
			s.result.Cut++
			cell = shorter
		}
	case int64, table.Decimal:
		if digits(cell) > exactDigits {
			s.result.Marked++
			cell = "'" + cell
		}
	}
	return append(to[:before], cell...), nil
}

// isFormula says whether a spreadsheet would compute a text, or run what it says, when it is opened.
func isFormula(text string) bool {
	trimmed := strings.TrimLeftFunc(text, func(char rune) bool { return unicode.IsSpace(char) || char == '\ufeff' || char == '\u200b' })
	char, _ := utf8.DecodeRuneInString(trimmed)
	return strings.ContainsRune("=+-@＝＋－＠|", char) && trimmed != "" || strings.HasPrefix(text, "\t") || strings.HasPrefix(text, "\r")
}

// isChanged says whether a text of digits would lose some as the number that a spreadsheet makes of it.
func isChanged(text string) bool {
	if text == "" || strings.Trim(text, "0123456789.") != "" {
		return false
	}
	return digits(text) > exactDigits || text[0] == '0' && len(text) > 1 && text[1] != '.'
}

func digits(text string) int {
	count := 0
	for _, char := range strings.TrimLeft(text, "-0.") {
		if char >= '0' && char <= '9' {
			count++
		}
	}
	return count
}

// withoutControls leaves out what a cell can't hold, and ends lines with LF alone.
func withoutControls(text string) string {
	if strings.IndexFunc(text, isControl) < 0 {
		return text
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.Map(func(char rune) rune {
		switch {
		case char == '\r':
			return '\n'
		case isControl(char):
			return -1
		}
		return char
	}, text)
}

func isControl(char rune) bool { return char < ' ' && char != '\n' && char != '\t' || char == 0x7f }

// cut returns a text that a cell can hold.
func cut(text string) string {
	if len(text) <= maxCellUnits {
		return text
	}
	units, room := 0, maxCellUnits-len([]rune(cutMark))
	end := 0
	for at, char := range text {
		if units <= room {
			end = at
		}
		if units += len16(char); units > maxCellUnits {
			return text[:end] + cutMark
		}
	}
	return text
}

// len16 is how many units of UTF-16 a character has.
func len16(char rune) int {
	if char > 0xffff {
		return 2
	}
	return 1
}
