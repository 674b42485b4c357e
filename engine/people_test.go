package engine_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

const peopleSpec = `
numRecords: 60
randomSeed: 3
columns:
- {name: customer, sampler: {type: Person, person: {locale: de_DE, ageRange: [18, 80], emails: Unique}}}
- {name: agent, drop: true, sampler: {type: Person}}
- name: greeting
  expression:
    expr: "{{ customer.first_name }} {{ customer['city'] }} {{ customer.age + 1 }} {{ agent.last_name }} {{ customer.birth_date }}"
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 20}
`

func TestPersonsAreStructsThatTemplatesRead(t *testing.T) {
	whole := newWorld(t, peopleSpec, "")
	checkEnding(t, whole.generate(t.Context(), 0), runreport.OutcomeComplete, "", 0, 60, 0)
	names, rows := whole.rows()
	if !slices.Equal(names, []string{"customer", "greeting"}) {
		t.Fatalf("the columns are %v", names)
	}
	seen := map[any]bool{}
	for _, row := range rows {
		person := row[0].([]any)
		want := fmt.Sprintf("%v %v %d ", person[2], person[18], person[7].(int64)+1)
		if greeting := row[1].(string); !strings.HasPrefix(greeting, want) || !strings.HasSuffix(greeting, person[8].(table.Date).String()) {
			t.Errorf("the greeting %q is not of %v", greeting, person)
		}
		seen[person[13]] = true
	}
	if len(seen) != 60 {
		t.Errorf("there are %d different e-mail addresses", len(seen))
	}
	divided := newWorld(t, peopleSpec, "")
	divided.shards = 3
	for shard := range divided.shards {
		divided.generate(t.Context(), shard)
	}
	if _, again := divided.rows(); fmt.Sprint(again) != fmt.Sprint(rows) {
		t.Error("three shards make other rows than one")
	}
}

const peopleFile = `first_name,last_name,gender,age,state,city,zipcode,persona,score
Ada,Lovelace,F,36,California,San Diego,02134,"{""hobby"": ""numbers""}",1.5
Alan,Turing,M,41,Texas,Houston,77001,machines,2
Grace,Hopper,Female,85,New York,Buffalo,14201,ships,3
Tim,Young,male,12,Ohio,Columbus,43201,,4
`

const peopleDatasetSpec = `
numRecords: 8
columns:
- name: customer
  sampler:
    type: Person
    person:
      dataset:
        configMap: {name: people, key: people.csv}
        members: [{name: persona}, {name: points, from: score, type: float}]
- name: line
  expression:
    expr: "{{ customer.full_name }}|{{ customer.postcode }}|{{ customer.persona }}|{{ customer.points }}|{{ customer.age }}"
output: {persistentVolumeClaim: {claimName: c}}
`

// withPeople writes a file of persons for all columns.
func withPeople(t *testing.T, w *world, name, content string) engine.Config {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	config := w.config(0)
	config.PeopleDirectory = func(string) string { return folder }
	return config
}

func TestPersonsOfAFile(t *testing.T) {
	w := newWorld(t, peopleDatasetSpec, "")
	checkEnding(t, engine.Generate(t.Context(), withPeople(t, w, "people.csv", peopleFile)), runreport.OutcomeComplete, "", 0, 8, 0)
	_, rows := w.rows()
	lines := map[string]int{}
	for _, row := range rows {
		person, line := row[0].([]any), row[1].(string)
		lines[line]++
		isAdult := person[7].(int64) >= 18
		if (person[13] != nil) != isAdult || (person[14] != nil) != isAdult || person[8] == nil || person[23] == nil {
			t.Errorf("of %v, what follows was not filled in: %v", line, person)
		}
	}
	// Each comes once before any comes twice.
	for _, line := range []string{
		`Ada Lovelace|02134|{'hobby': 'numbers'}|1.5|36`, "Alan Turing|77001|machines|2.0|41", "Grace Hopper|14201|ships|3.0|85",
		"Tim Young|43201||4.0|12",
	} {
		if lines[line] != 2 {
			t.Errorf("%s comes %d times: %v", line, lines[line], lines)
		}
	}
}

func TestPersonsOfAFileAreFiltered(t *testing.T) {
	for name, test := range map[string]struct{ filter, file, want, message string }{
		"sexes":          {filter: "sexes: [{value: Female}]", want: "Ada Grace"},
		"ages":           {filter: "ageRange: [40, 90]", want: "Alan Grace"},
		"regions":        {filter: "regions: [{value: Texas}, {value: Ohio}]", want: "Alan Tim"},
		"cities":         {filter: "cities: [{value: Buffalo}]", want: "Grace"},
		"nobody":         {filter: "ageRange: [90, 100]", message: "none of its 4 rows meets the filters"},
		"no such member": {filter: "ageRange: [1, 2]", file: "first_name,last_name,persona,score\nA,B,c,1\n", message: "ageRange filters by age, and"},
		"no names":       {file: "name,age\nA,3\n", message: `it has no column first_name`},
		"no member":      {file: "first_name,last_name,persone\nA,B,c\n", message: `it has no column "persona"; did you mean "persone"?`},
		"empty":          {file: "", message: "it"},
		"not UTF-8":      {file: "first_name,last_name,persona,score\n\xff\xfe\xfa,B,c,1\n", message: "UTF-8"},
		"wrong type":     {file: "first_name,last_name,persona,score\nA,B,c,many\n", message: "the member points"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(peopleDatasetSpec, "    person:\n", "    person:\n      "+test.filter+"\n", 1)
			if test.filter == "" {
				text = peopleDatasetSpec
			}
			file := test.file
			if file == "" && name != "empty" {
				file = peopleFile
			}
			w := newWorld(t, text, "")
			ending := engine.Generate(t.Context(), withPeople(t, w, "people.csv", file))
			if test.message != "" {
				reported := fmt.Sprintf("%s %v", ending.Result.Message, ending.Result.Dropped)
				if ending.Result.Outcome == runreport.OutcomeComplete || !strings.Contains(reported, test.message) {
					t.Errorf("the run has ended with %s %q, which does not say %q", ending.Result.Reason, reported, test.message)
				}
				return
			}
			_, rows := w.rows()
			var first []string
			for _, row := range rows {
				first = append(first, row[0].([]any)[2].(string))
			}
			slices.Sort(first)
			if got := strings.Join(slices.Compact(first), " "); got != test.want {
				t.Errorf("these were drawn: %s, not %s", got, test.want)
			}
		})
	}
}

// TestManagedPersonaFiles reads a file in the layout that NeMo Data Designer keeps its personas in: datasets/LOCALE.parquet.
func TestManagedPersonaFiles(t *testing.T) {
	text := table.Type{Kind: table.KindString}
	schema := table.NewSchema(
		table.Field{Name: "uuid", Type: text}, table.Field{Name: "first_name", Type: text}, table.Field{Name: "last_name", Type: text},
		table.Field{Name: "sex", Type: text}, table.Field{Name: "age", Type: table.Type{Kind: table.KindInt}},
		table.Field{Name: "marital_status", Type: text}, table.Field{Name: "education_level", Type: text},
		table.Field{Name: "occupation", Type: text}, table.Field{Name: "city", Type: text}, table.Field{Name: "state", Type: text},
		table.Field{Name: "zipcode", Type: text}, table.Field{Name: "country", Type: text}, table.Field{Name: "locale", Type: text},
		table.Field{Name: "professional_persona", Type: text},
	)
	var file bytes.Buffer
	if err := new(parquetfile.Writer).Write(&file, schema, [][]any{
		{"u1", "Mary", "Alberti", "Female", int64(28), "never_married", "bachelors", "nurse", "Austin", "Texas", "78701", "USA", "en_US", "calm"},
		{"u2", "Leo", "Ruiz", "Male", int64(51), "divorced", "graduate", "lawyer", "Miami", "Florida", "33101", "USA", "en_US", "sharp"},
	}); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, `
numRecords: 4
columns:
- name: customer
  sampler:
    type: Person
    person:
      dataset:
        persistentVolumeClaim: {claimName: assets, path: en_US.parquet}
        members: [{name: professional_persona}]
        where: [{column: occupation, values: [lawyer]}]
- {name: line, expression: {expr: "{{ customer.first_name }} {{ customer.region }} {{ customer.professional_persona }}"}}
output: {persistentVolumeClaim: {claimName: c}}
`, "")
	ending := engine.Generate(t.Context(), withPeople(t, w, "en_US.parquet", file.String()))
	checkEnding(t, ending, runreport.OutcomeComplete, "", 0, 4, 0)
	_, rows := w.rows()
	for _, row := range rows {
		if row[1] != "Leo Florida sharp" {
			t.Errorf("a row is %v", row[1])
		}
	}
}

func TestAChangedFileOfPersonsIsRefused(t *testing.T) {
	w := newWorld(t, peopleDatasetSpec, "")
	engine.Generate(t.Context(), withPeople(t, w, "people.csv", peopleFile))
	w.spec.NumRecords = 12
	ending := engine.Generate(t.Context(), withPeople(t, w, "people.csv", strings.Replace(peopleFile, "Ada", "Ida", 1)))
	if ending.Result.Reason != v1alpha1.ReasonSeedChanged || !strings.Contains(ending.Result.Message, "have changed since this run began") {
		t.Errorf("the run has ended with %s: %s", ending.Result.Reason, ending.Result.Message)
	}
}
