package v1alpha1_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// documented is a constant of conditions.go with what its comment says.
type documented struct{ name, value, meaning string }

// constantsOf returns the string constants of a file, in their order.
func constantsOf(t *testing.T, file string) (found []documented) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, declaration := range parsed.Decls {
		general, isGeneral := declaration.(*ast.GenDecl)
		if !isGeneral || general.Tok != token.CONST {
			continue
		}
		for _, spec := range general.Specs {
			constant := spec.(*ast.ValueSpec)
			name := constant.Names[0].Name
			value, err := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			meaning := strings.Join(strings.Fields(constant.Doc.Text()), " ")
			meaning = strings.TrimPrefix(strings.TrimPrefix(meaning, name), ":")
			meaning = strings.TrimSpace(strings.TrimPrefix(meaning, " is "))
			found = append(found, documented{name, value, meaning})
		}
	}
	return found
}

// tableOf returns the rows of the page's tables with the columns name and meaning: what stands after each name.
func tableOf(t *testing.T, file string) map[string][]string {
	t.Helper()
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	inTable := false
	for line := range strings.Lines(string(page)) {
		if !strings.HasPrefix(line, "|") {
			inTable = false
			continue
		}
		inTable = inTable || strings.HasPrefix(line, "| name | meaning |")
		if name, rest, isRow := strings.Cut(strings.TrimPrefix(line, "| `"), "` | "); inTable && isRow {
			rows[name] = append(rows[name], rest)
		}
	}
	return rows
}

// TestConditionsAreDocumented holds docs/conditions.md to the constants: each has one row, which begins with what the constant's comment
// says, and there are no other rows.
func TestConditionsAreDocumented(t *testing.T) {
	rows := tableOf(t, "../../docs/conditions.md")
	unknown := maps.Clone(rows)
	counts := map[string]int{}
	constants := constantsOf(t, "conditions.go")
	for _, constant := range constants {
		counts[constant.value]++
	}
	for _, constant := range constants {
		delete(unknown, constant.value)
		if len(rows[constant.value]) != counts[constant.value] {
			t.Errorf("%s (%q) has %d rows in docs/conditions.md, want %d", constant.name, constant.value, len(rows[constant.value]),
				counts[constant.value])
			continue
		}
		want := strings.TrimSuffix(constant.meaning, ".")
		want = strings.ToUpper(want[:1]) + want[1:]
		if !slices.ContainsFunc(rows[constant.value], func(row string) bool { return strings.HasPrefix(row, want) }) {
			t.Errorf("%s (%q): docs/conditions.md says %q, which does not begin with %q", constant.name, constant.value, rows[constant.value], want)
		}
	}
	for name := range unknown {
		t.Errorf("docs/conditions.md names %q, which conditions.go has no constant for", name)
	}
}
