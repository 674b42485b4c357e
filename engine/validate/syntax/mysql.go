package syntax

import (
	"regexp"
	"strings"

	"github.com/pingcap/tidb/pkg/parser"
	// It makes the literals of statements; that of TiDB itself would bring the whole database.
	_ "github.com/pingcap/tidb/pkg/parser/test_driver"

	"seedloom.dev/seedloom/engine/validate"
	"seedloom.dev/seedloom/internal/clip"
)

// mysqlNear is how the parser says where it stopped: the line and the column of the end of a word, and the text from its beginning on.
var mysqlNear = regexp.MustCompile(`(?s)^line \d+ column \d+ near "(.*)"(.*)$`)

// mysqlMistakes takes the statements that TiDB's parser takes, which reads MySQL 8 without triggers, stored functions and events.
func mysqlMistakes(code string) []validate.Message {
	_, _, err := parser.New().ParseSQL(code)
	if err == nil {
		return looseDecimals(code)
	}
	found := mysqlNear.FindStringSubmatch(err.Error())
	if found == nil {
		return append([]validate.Message{{Text: err.Error()}}, looseDecimals(code)...)
	}
	near, why := found[1], strings.TrimSpace(found[2])
	text := `syntax error near "` + clip.Text(near, 40) + `"`
	if near == "" {
		text = "the text ends too early"
	}
	if why != "" {
		text += ": " + why
	}
	return append([]validate.Message{at(code, startOf(code, near), text)}, looseDecimals(code)...)
}

// startOf is the byte at which the rest of a text begins, which may have been cut off at its end.
func startOf(code, rest string) int {
	if strings.HasSuffix(code, rest) {
		return len(code) - len(rest)
	}
	return max(strings.Index(code, rest), 0)
}
