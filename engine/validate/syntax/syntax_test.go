package syntax_test

import (
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/validate"
	"seedloom.dev/seedloom/engine/validate/syntax"
)

func TestMistakesHaveTheirPlaces(t *testing.T) {
	for name, test := range map[string]struct {
		language, code string
		line, column   int
		text           string
	}{
		"a loop in bash":            {"bash", "for f in *; do\n  echo \"$f\"\ndone", 0, 0, ""},
		"an if that does not end":   {"bash", "if true; then\n  echo", 1, 1, "must end with"},
		"a quote that never ends":   {"bash", "echo \"x", 1, 6, "without closing quote"},
		"a file of go":              {"go", "package a\n\nfunc f() int { return 1 }\n", 0, 0, ""},
		"declarations of go":        {"go", "func f() {}\n\nvar x = 1", 0, 0, ""},
		"statements of go":          {"go", "x := 1\nfmt.Println(x)", 0, 0, ""},
		"a brace too few":           {"go", "package a\n\nfunc f() {\n", 3, 12, "expected '}'"},
		"javascript with JSX":       {"javascript", "export const a = () => <p>hi</p>;", 0, 0, ""},
		"a name declared twice":     {"javascript", "let a = 1;\nlet a = 2;", 2, 5, "already been declared"},
		"types in javascript":       {"javascript", "const a: number = 1", 1, 8, "Expected"},
		"types":                     {"typescript", "interface A { b?: string }\nconst a = <T,>(b: T): T => b;", 0, 0, ""},
		"an interface that is open": {"typescript", "interface A { b: ", 1, 18, "Unexpected end of file"},
		"a document":                {"json", `{"a": [1, 2.5e3, null]}`, 0, 0, ""},
		"a trailing comma":          {"json", "{\"a\": 1,\n}", 2, 1, "invalid character '}'"},
		"half a document":           {"json", `{"a": `, 1, 7, "ends too early"},
		"two documents":             {"json", "{} []", 1, 4, "something follows"},
		"a stream of yaml":          {"yaml", "a: 1\n---\nb: [1, 2]\n", 0, 0, ""},
		"a tab":                     {"yaml", "a:\n\t- b", 2, 1, "cannot start any token"},
		"an alias of nothing":       {"yaml", "a: *b", 0, 0, "unknown anchor"},
		"a page":                    {"html", "<!doctype html><html><body><p>a<p>b<br><ul><li>c<li>d</ul></body></html>", 0, 0, ""},
		"a script":                  {"html", "<script>if (a < b) { c() }</script>", 0, 0, ""},
		"a wrong order":             {"html", "<div>\n<b>x</div></b>", 2, 5, "<b> is still open"},
		"an element that is open":   {"html", "<p><b>x</p>", 1, 8, "<b> is still open"},
		"an end without a start":    {"html", "a</i>", 1, 2, "has not begun"},
		"half a tag":                {"html", "<p>a</p><a href=", 1, 9, "within a tag"},
		"a pattern":                 {"regex", `^\d{3}-(?P<name>[a-z]+)$`, 0, 0, ""},
		"a group that is open":      {"regex", "a(b", 1, 1, "missing closing )"},
		"look-ahead":                {"regex", "a(?=b)", 1, 2, "invalid or unsupported"},
		"statements":                {"sql:postgres", "SELECT 1; SELECT v->>'a' FROM t", 0, 0, ""},
		"a wrong word":              {"sql:postgres", "SELECT 1;\nSELECT * FORM t", 2, 10, "syntax error at or near"},
		"a decimal without a scale": {"sql:postgres", "CREATE TABLE t (a DECIMAL(5))", 1, 19, "no scale"},
		"a zero":                    {"sql:postgres", "SELECT 1\x00 FORM", 1, 9, "zero byte"},
		"statements of MySQL":       {"sql:mysql", "SELECT `a` FROM t LIMIT 1, 2; INSERT IGNORE INTO s SET b = 1 ON DUPLICATE KEY UPDATE b = 2", 0, 0, ""},
		"a wrong word of MySQL":     {"sql:mysql", "SELECT 1;\nSELECT * FORM t", 2, 10, "syntax error near \"FORM t\""},
		"half a statement of MySQL": {"sql:mysql", "SELECT (1", 1, 10, "ends too early"},
		"a number too large":        {"sql:mysql", "SELECT 1e400", 0, 0, "Illegal double"},
		"a scale in MySQL":          {"sql:mysql", "CREATE TABLE t (a DECIMAL(5))", 1, 19, "no scale"},
		"tables that are not there": {"sql:sqlite", "SELECT a FROM t; INSERT INTO s VALUES (1)", 0, 0, ""},
		"a wrong second statement":  {"sql:sqlite", "SELECT 1;\nSELECT * FORM t;", 2, 10, "near \"FORM\": syntax error"},
		"an end too early":          {"sql:sqlite", "SELECT (1", 1, 10, "incomplete input"},
		"nothing":                   {"json", " \n", 0, 0, "nothing but white space"},
	} {
		t.Run(name, func(t *testing.T) {
			found := syntax.Mistakes(test.language, test.code)
			if test.text == "" {
				if len(found) > 0 {
					t.Errorf("found %+v", found)
				}
				return
			}
			if len(found) == 0 || found[0].Line != test.line || found[0].Column != test.column || !strings.Contains(found[0].Text, test.text) {
				t.Errorf("found %+v, want line %d, column %d: %s", found, test.line, test.column, test.text)
			}
		})
	}
}

func TestEveryLanguageOfTheAPIHasAParser(t *testing.T) {
	for _, language := range validate.Languages() {
		if language != validate.Python && !syntax.Knows(language) {
			t.Errorf("nothing parses %s", language)
		}
	}
}
