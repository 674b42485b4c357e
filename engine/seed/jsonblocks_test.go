package seed

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// linesRead is what is known of a text once it was read.
type linesRead struct {
	Problem string
	Index   index
	Shape   *jsonShape
	Columns string
	dataset *Dataset
}

// atHand is what the library shows of what it can't read: as much as it has at hand.
var atHand = regexp.MustCompile("(?s)(invalid character|invalid escape sequence) ('.*?'|`.*`)")

// readLines reads a text in blocks of a size; one record after the other where it is 0.
func readLines(data []byte, size int, limits limits) linesRead {
	dataset := &Dataset{}
	scan := &jsonScan{scan: scan{dataset: dataset, spec: &v1alpha1.Seed{}, limits: limits}, shape: &jsonShape{}}
	err := scan.records(bytes.NewReader(data), 3, size)
	if err == nil {
		err = scan.finish()
	}
	read := linesRead{Index: dataset.index, Shape: scan.shape}
	if err != nil {
		// What was read before the problem is of no use to anybody.
		return linesRead{Problem: atHand.ReplaceAllString(err.Error(), "$1")}
	}
	if dataset.schema != nil {
		read.Columns = fmt.Sprint(dataset.schema.Fields())
	}
	read.dataset = dataset
	return read
}

// decoded are the rows of a dataset as text, decoded row by row and column by column.
func decoded(dataset *Dataset, data []byte) (rows, columns string) {
	dataset.at = bytes.NewReader(append([]byte("xxx"), data...))
	positions := make([]int, dataset.index.count)
	for i := range positions {
		positions[i] = i
	}
	fetched, err := dataset.Fetch(positions)
	if err != nil {
		return err.Error(), err.Error()
	}
	cells := make([]any, dataset.schema.Len())
	typed, problem := fetched.Columns()
	for number := range fetched.Len() {
		if _, err := fetched.Row(number, cells); err != nil {
			return err.Error(), fmt.Sprint(problem)
		}
		rows += fmt.Sprintf("%#v\n", cells)
		for column := range typed {
			cells[column] = typed[column].Value(number)
		}
		columns += fmt.Sprintf("%#v\n", cells)
	}
	if problem != nil {
		columns = problem.Error()
	}
	return rows, columns
}

// whatCounts leaves out how a shape is found.
var whatCounts = cmp.Options{
	cmp.AllowUnexported(index{}, indexPart{}, jsonShape{}), cmpopts.IgnoreFields(linesRead{}, "dataset"),
	cmpopts.IgnoreFields(jsonShape{}, "isPlain", "seen", "seenIn", "start", "end"), cmpopts.EquateEmpty(),
}

func compareLines(t *testing.T, data []byte, sizes ...int) {
	t.Helper()
	if dataset := readLines(data, 0, limits{count: -1}).dataset; dataset != nil && dataset.schema != nil {
		rows, columns := decoded(dataset, data)
		if difference := cmp.Diff(rows, columns); difference != "" {
			t.Fatalf("row by row -, and column by column +: %s\nof %.2000q", difference, data)
		}
	}
	for _, limits := range []limits{{count: -1}, {count: 3}, {count: 40}, {offset: 2, count: -1}} {
		want := readLines(data, 0, limits)
		for _, size := range sizes {
			if difference := cmp.Diff(want, readLines(data, size, limits), whatCounts); difference != "" {
				t.Fatalf("in blocks of %d bytes, %+v (-one after the other): %s\nof %.2000q", size, limits, difference, data)
			}
		}
	}
}

var oddValues = []string{
	"1", "-1", "0", "-0", "-0.0", "12345678901234567", "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
	"1234567890123456789012345678901234567890", "1e5", "1E-5", "1e400", "-1e400", "0.1", "1.50", "123456789012345.6", "1.7976931348623157e308", "01", "1.", ".5", "-", "+1", "1e", "0x1",
	"true", "false", "null", "nul", "True", "NaN", "-Infinity", "Infinity", "nan",
	`""`, `"text"`, `"ümläut €"`, `"a \"quote\" and \\ and \/ \b\f\n\r\t"`, `"\u00e9\u20AC"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ude00"`, `"\ud83d\n"`, `"\ude00\ud83d"`, `"\x"`, `"\u12"`, `"\u12g4"`,
	"\"\xff\"", "\"\xed\xa0\x80\"", "\"\xc3\"", "\"a\tb\"", "\"a\x00b\"", "\"a\nb\"", `"never closed`, "\"\r", `"1234567\"`,
	"[]", "[1]", "[1, 2.5, null]", `["a", 1]`, "[[1], [[2]], []]", "[1,]", "[,1]", "[1 2]", "[", "]",
	"{}", `{"x": 1}`, `{"x": {"y": [{"z": 1}, {"z": "t", "w": null}]}}`, `{"x": 1, "x": 2}`, `{"x": 1, "\u0078": 2}`, `{"": 1}`, `{"x" 1}`, `{"x": 1,}`, `{,}`, `{x: 1}`, "{", "}",
	strings.Repeat("[", 33) + strings.Repeat("]", 33), strings.Repeat("[", 32) + strings.Repeat("]", 32), strings.Repeat(`{"a":`, 33) + "1" + strings.Repeat("}", 33), "\n1", "[\n{\"a\": 1}\n]", "[\n{\"a\": 1},\n{\"b\": 2}\n]",
}

var oddKeys = []string{"a", "b", "c", "", "ä", `\u0061`, `q\"q`, "q\"q", "long name with blanks", "\xff", "a\\"}

var oddEnds = []string{"\n", "\r\n", "\n\n", " \n\t\n", "", " ", "\r", ",\n", "\n,", "x\n", "1\n", "null\n", "[]\n", "\x00\n", "\xef\xbb\xbf\n", "\n\ufeff"}

// oddLines are lines most of which are alike, with something odd at few places.
func oddLines(random *rand.Rand, odd int) []byte {
	var text bytes.Buffer
	pick := func(of []string, usual int) string {
		if random.IntN(odd) > 0 {
			return of[random.IntN(usual)]
		}
		return of[random.IntN(len(of))]
	}
	for range 1 + random.IntN(60) {
		text.WriteString(pick([]string{"", " ", "x", "["}, 1) + "{")
		for i := range 1 + random.IntN(4) {
			if i > 0 {
				text.WriteString(pick([]string{", ", ",", ",\n", " ,", ",,", ""}, 2))
			}
			key := oddKeys[i]
			if random.IntN(odd) == 0 {
				key = oddKeys[random.IntN(len(oddKeys))]
			}
			text.WriteString(`"` + key + `"` + pick([]string{":", ": ", " :", ":\n", "", "::"}, 2) + pick(oddValues, 1+i*5))
		}
		text.WriteString(pick([]string{"}", " }", "\n}", "", "]"}, 1) + pick(oddEnds, 2))
	}
	return text.Bytes()
}

// TestBlocksOfJSONLinesAreReadAsOneLineAfterTheOther compares all that is told and kept of odd texts: columns, types, places and problems.
func TestBlocksOfJSONLinesAreReadAsOneLineAfterTheOther(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 400 {
		data := oddLines(random, 1<<random.IntN(11))
		compareLines(t, data, 1+random.IntN(40), 50+random.IntN(200), len(data)+1)
		if round%4 == 0 && len(data) > 0 {
			data[random.IntN(len(data))] = byte(random.IntN(256))
			compareLines(t, data, 64, 128)
		}
	}
}

// TestOddValuesInAnyBlock has each odd value at a place that some block begins or ends with.
func TestOddValuesInAnyBlock(t *testing.T) {
	lines := func(count int) string { return strings.Repeat(`{"a": 1, "b": "text"}`+"\n", count) }
	for _, value := range oddValues {
		for _, end := range []string{"\r\n", ""} {
			record := `{"a": 2, "b": ` + value + `, "late": ` + value + "}" + end
			for _, text := range []string{record, lines(9) + record, lines(9) + record + lines(3) + record + "{"} {
				compareLines(t, []byte(text), 64, 257)
			}
		}
	}
}

// TestLongLinesAndManyKeys has records larger than a block, and more keys than are kept in all, but not in one block.
func TestLongLinesAndManyKeys(t *testing.T) {
	long := `{"a": "` + strings.Repeat("x", 5000) + `", "b": [` + strings.Repeat("1, ", 3000) + "2.5]}\n"
	usual := `{"a": "x", "b": [1]}` + "\n"
	compareLines(t, []byte(usual+usual+long+usual+long+long+strings.Repeat(usual, 50)+long), 100, 1000, 4096)
	for _, keys := range []int{1000, 1001} {
		var top, below strings.Builder
		for key := range keys {
			fmt.Fprintf(&top, "{\"key %d\": %d}\n", key, key)
			fmt.Fprintf(&below, "{\"a\": {\"key %d\": %d}}\n", key, key)
		}
		again := "{\"key 1\": true}\n{\"new\": 1}\n"
		compareLines(t, []byte(top.String()+again), 2000)
		compareLines(t, []byte(below.String()+"{\"a\": {\"key 1\": true}}\n"), 2000)
	}
}

// TestPrettyRecordsAreNoLines has records of several lines, whose parts look like records.
func TestPrettyRecordsAreNoLines(t *testing.T) {
	record := "{\n\"a\": [\n{\"x\": 1}\n,\n{\"x\": 2}\n],\n\"b\":\n{\"y\": 1.5}\n}\n"
	compareLines(t, []byte(strings.Repeat(record, 200)), 10, 37, 64, 500, 2000)
	compareLines(t, []byte(strings.Repeat(record, 20)+strings.Repeat("{\"a\": []}\n", 200)+record), 37, 64, 500)
}

func FuzzJSONBlocks(f *testing.F) {
	f.Add([]byte("{\"0\": 0, \"1\": 1}\n{\"0\": 10000000000000000000}\n{}\n{}\n\"\r"), 20)
	random := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		f.Add(oddLines(random, 20), 40)
	}
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		compareLines(t, data, 1+(size&0x3ff), 64)
	})
}
