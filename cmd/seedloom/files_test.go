package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/progress/terminal"
)

// outcome is what a command has done.
type outcome struct {
	code     int
	out, log string
}

// inProcess runs a command in this process, on a terminal of that width.
func inProcess(t *testing.T, width int, arguments ...string) outcome {
	t.Helper()
	var out, log bytes.Buffer
	streams := &Streams{
		In: strings.NewReader(localOnly), Out: &out, Log: terminal.NewOutput(&log), Width: func() int { return width },
		Environment: os.LookupEnv, Exit: func(int) {},
		Interrupts: func() (<-chan os.Signal, func()) { return nil, func() {} },
	}
	code := execute(streams, arguments)
	return outcome{code, out.String(), log.String()}
}

// folderWith is a folder with files.
func folderWith(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestAllManifestsOfFilesAndFoldersAreChecked(t *testing.T) {
	other := strings.Replace(localOnly, "name: local", "name: other", 1)
	broken := strings.Replace(localOnly, "numRecords: 10", "numRecords: 0", 1)
	folder := folderWith(t, map[string]string{
		"a.yaml": localOnly, "b.yml": other + "\n---\n" + strings.Replace(broken, "name: local", "name: broken", 1), "notes.txt": "no manifest",
		"kustomization.yaml": "kind: Kustomization\n", "below/c.yaml": strings.Replace(broken, "name: local", "name: deep", 1),
	})
	t.Chdir(folder)
	for _, test := range []struct {
		arguments []string
		code      int
		has, not  []string
	}{
		{[]string{"-f", "a.yaml", "-f", "b.yml"}, 1, []string{"datasetgeneration/local is valid", "datasetgeneration/other is valid", "b.yml:17:3:"}, nil},
		{[]string{"a.yaml"}, 0, []string{"datasetgeneration/local is valid"}, []string{"other"}},
		{[]string{"-f", "below/c.yaml", "a.yaml"}, 1, []string{"below/c.yaml:6:3: error: spec.numRecords"}, nil},
		{[]string{"."}, 1, []string{"local is valid", "b.yml:17:3:"}, []string{"below"}},
		{[]string{"-R", "."}, 1, []string{"below/c.yaml:6:3: error: spec.numRecords", "error: 2 files are invalid: 2 problems"}, []string{"kustomization", "notes"}},
		{[]string{"-"}, 0, []string{"datasetgeneration/local is valid"}, nil},
		{[]string{"b.yml", "--name", "other"}, 0, []string{"datasetgeneration/other is valid"}, []string{"broken"}},
		{[]string{"b.yml", "--name", "othr"}, 1, []string{`did you mean "other"?`}, nil},
		{[]string{"notes.txt"}, 1, []string{"notes.txt:1:1: error: there is no resource of kind DatasetGeneration in it; a manifest begins with apiVersion"}, nil},
	} {
		got := inProcess(t, 0, append([]string{"validate"}, test.arguments...)...)
		if got.code != test.code {
			t.Errorf("%v: exit code %d, want %d", test.arguments, got.code, test.code)
		}
		contains(t, got.out+got.log, test.has...)
		for _, unwanted := range test.not {
			if strings.Contains(got.out+got.log, unwanted) {
				t.Errorf("%v: %q is in\n%s%s", test.arguments, unwanted, got.out, got.log)
			}
		}
	}
	if got := inProcess(t, 0, "preview", "b.yml"); got.code != 1 ||
		!strings.Contains(got.log, "2 resources of kind DatasetGeneration (other, broken); choose one with --name") {
		t.Errorf("got %+v", got)
	}
	if got := inProcess(t, 0, "preview", "b.yml", "--name", "other", "-n", "2", "-o", "jsonl"); got.code != 0 ||
		strings.Count(got.out, "{\"stars\":") != 2 {
		t.Errorf("got %+v", got)
	}
}

func TestAConfigMapOfTheSameFilesIsTheSeed(t *testing.T) {
	seeded := strings.Replace(localOnly, "numRecords: 10", "numRecords: 3\n  seed: {configMap: {name: movies, key: movies.csv}}", 1)
	seeded = strings.Replace(seeded, "  output:", "  - {name: shout, expression: {expr: \"{{ title }}!\"}}\n  output:", 1)
	data := "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: movies}\n" +
		"data:\n  movies.csv: |\n    title,year\n    Alien,1979\n    Brazil,1985\n"
	t.Chdir(folderWith(t, map[string]string{"all.yaml": seeded + data, "manifest.yaml": seeded, "data.yaml": data, "wrong.yaml": strings.Replace(seeded, "{{ title }}", "{{ tilte }}", 1)}))
	for _, arguments := range [][]string{{"all.yaml"}, {"manifest.yaml", "data.yaml"}} {
		got := inProcess(t, 0, append([]string{"preview", "-o", "csv"}, arguments...)...)
		if got.code != 0 || !strings.HasPrefix(got.out, "title,year,stars,shout\nAlien,1979,") || !strings.Contains(got.out, ",Brazil!\n") {
			t.Errorf("%v: got %+v", arguments, got)
		}
	}
	got := inProcess(t, 0, "validate", "wrong.yaml", "data.yaml")
	if got.code != 1 || !strings.Contains(got.out,
		`wrong.yaml:10:32: error: spec.columns[1].expression.expr: no column is called "tilte"; did you mean "title"?`) {
		t.Errorf("got %+v", got)
	}
}

func TestWhatYAMLWouldChangeIsRefused(t *testing.T) {
	text := `
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: yaml}
spec:
  numRecords: 1
  providers: [{name: p, type: OpenAI, endpoint: "http://127.0.0.1:1/v1"}]
  models: [{alias: m, provider: p, model: demo}]
  columns:
  - {name: zip, sampler: {type: Category, category: {values: [01234, "01235", -7, 0, 1.50]}}}
  - name: point
    drop: no
    llmStructured: {model: m, prompt: "A point near {{ zip }}",
      schema: {type: object, required: [x], properties: {x: {type: number}, y: {type: number}}}}
  - name: verdict
    llmJudge:
      model: m
      prompt: "Judge {{ point.x }}"
      scores: [{name: relevant, description: "Is it?", options: {yes: it is, "no": it is not}}]
  output: {persistentVolumeClaim: {claimName: d}}
`
	t.Chdir(folderWith(t, map[string]string{"yaml.yaml": text}))
	got := inProcess(t, 0, "validate", "yaml.yaml")
	want := []string{
		`yaml.yaml:10:63: error: spec.columns[0].sampler.category.values[0]: YAML reads 01234 as the number 668; put quotes around it to keep it as it is: "01234", or write 668`,
		`yaml.yaml:14:77: error: spec.columns[1].llmStructured.schema.properties.y: YAML reads the key y as true; put quotes around it to keep it as it is: "y"`,
		`yaml.yaml:19:66: error: spec.columns[2].llmJudge.scores[0].options.yes: YAML reads the key yes as true; put quotes around it to keep it as it is: "yes"`,
	}
	if printed := strings.Join(want, "\n") + "\n"; got.out != printed || got.code != 1 {
		t.Errorf("got %d\n%s\nwant\n%s", got.code, got.out, printed)
	}
}

func TestProblemsAreSaidOnceWithWhatWouldBeRight(t *testing.T) {
	for name, test := range map[string]struct{ from, to, want string }{
		"a misspelt field, without its consequences": {
			"numRecords: 10", "numRecord: 10",
			`m.yaml:6:3: error: spec.numRecord: there is no field "numRecord"; did you mean "numRecords"?`,
		},
		"a misspelt kind of column": {"sampler: {type", "samplr: {type", `m.yaml:8:19: error: spec.columns[0].samplr: there is no field "samplr"; did you mean "sampler"?`},
		"a path that was said twice": {
			"{type: Uniform, uniform: {low: 1, high: 5}, convertTo: int}", "{type: UUID, uuid: {}}",
			"m.yaml:8:41: error: spec.columns[0].sampler.uuid: should have at least 1 properties",
		},
		"no spec at all": {localOnly[strings.Index(localOnly, "spec:"):], "spec:\n", "m.yaml:5:1: error: spec: must be an object, but is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(folderWith(t, map[string]string{"m.yaml": strings.Replace(localOnly, test.from, test.to, 1)}))
			if got := inProcess(t, 0, "validate", "m.yaml"); got.code != 1 || got.out != test.want+"\n" {
				t.Errorf("got\n%s\nwant\n%s", got.out, test.want)
			}
		})
	}
	t.Chdir(folderWith(t, map[string]string{"m.yaml": strings.Replace(localOnly, "type: Uniform", "type: Uniforn", 1)}))
	got := inProcess(t, 0, "validate", "m.yaml")
	contains(t, got.out, `spec.columns[0].sampler.type: "Uniforn" is not one of its values; did you mean "Uniform"? Its values are `,
		"Category", "Gaussian")
	if lines := strings.Count(got.out, "\n"); lines != 1 {
		t.Errorf("one problem has %d lines:\n%s", lines, got.out)
	}
}

func TestACountOfRecordsMayBeTheLeast(t *testing.T) {
	t.Chdir(folderWith(t, map[string]string{
		"m.yaml":    strings.Replace(localOnly, "numRecords: 10", "numRecords: 20\n  completionPolicy: {minRecords: 18}", 1),
		"much.yaml": strings.Replace(localOnly, "numRecords: 10", "numRecords: 20\n  completionPolicy: {minRecords: 21}", 1),
		"zero.yaml": strings.Replace(localOnly, "numRecords: 10", "numRecords: 20\n  completionPolicy: {minRecords: 0}", 1),
	}))
	if got := inProcess(t, 0, "validate", "m.yaml"); got.code != 0 || got.log != "" {
		t.Errorf("got %+v", got)
	}
	got := inProcess(t, 0, "validate", "much.yaml")
	if got.code != 0 || !strings.HasPrefix(got.log, "much.yaml:7:22: warning: spec.completionPolicy.minRecords: asks for 21 of 20") ||
		strings.Contains(got.out, "warning") {
		t.Errorf("a warning: got %+v", got)
	}
	if got := inProcess(t, 0, "validate", "zero.yaml"); got.code != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestAResourceThatIsThereTwiceIsRefused(t *testing.T) {
	elsewhere := strings.Replace(localOnly, "{name: local}", "{name: local, namespace: other}", 1)
	data := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: data}\ndata: {}\n"
	t.Chdir(folderWith(t, map[string]string{
		"a.yaml": localOnly, "b.yaml": "\n" + localOnly, "c.yaml": elsewhere, "d.yaml": elsewhere + "\n---\n" + elsewhere,
		"e.yaml": localOnly + "---\n" + data + "---\n" + data,
	}))
	for _, test := range []struct {
		arguments []string
		want      string
	}{
		{[]string{"a.yaml", "b.yaml"}, `b.yaml:5:12: error: metadata.name: the DatasetGeneration "local" of namespace "default" is there twice: ` +
			"it stands at a.yaml:2:1 too;"},
		{[]string{"d.yaml"}, `d.yaml:15:12: error: metadata.name: the DatasetGeneration "local" of namespace "other" is there twice: ` +
			"it stands at d.yaml:2:1 too;"},
		{[]string{"e.yaml"}, `the ConfigMap "data" of namespace "default" is there twice`},
		{[]string{"a.yaml", "c.yaml"}, ""},
		{[]string{"a.yaml", "./a.yaml"}, ""},
	} {
		got := inProcess(t, 0, append([]string{"validate"}, test.arguments...)...)
		if (got.code == 0) != (test.want == "") || !strings.Contains(got.out, test.want) {
			t.Errorf("%v: got %d,\n%s%s\nwant %q", test.arguments, got.code, got.out, got.log, test.want)
		}
	}
}

func TestProblemsForPrograms(t *testing.T) {
	t.Chdir(folderWith(t, map[string]string{"m.yaml": strings.Replace(localOnly, "numRecords: 10", "numRecords: 0", 1),
		"good.yaml": strings.Replace(localOnly, "name: local", "name: good", 1)}))
	got := inProcess(t, 0, "validate", "m.yaml", "good.yaml", "-o", "json")
	var made validationReport
	if err := json.Unmarshal([]byte(got.out), &made); err != nil || got.log != "" || got.code != 1 {
		t.Fatalf("%v: %+v", err, got)
	}
	if made.Valid || len(made.Manifests) != 2 || made.Manifests[0].Valid || !made.Manifests[1].Valid || len(made.Problems) != 1 {
		t.Errorf("got %+v", made)
	}
	if one := made.Problems[0]; one.File != "m.yaml" || one.Line != 6 || one.Column != 3 || one.Field != "spec.numRecords" ||
		one.Severity != severityError {
		t.Errorf("got %+v", one)
	}
	got = inProcess(t, 0, "validate", "m.yaml", "-o", "github")
	if want := "::error file=m.yaml,line=6,col=3::spec.numRecords: must be at least 1, but is 0\n"; got.out != want {
		t.Errorf("got %q, want %q", got.out, want)
	}
}

func TestAPreviewFitsTheTerminal(t *testing.T) {
	wide := strings.Replace(localOnly, "  output:",
		"  - {name: story, expression: {expr: \"{{ 'word ' * 30 }}\"}}\n  - {name: again, expression: {expr: \"{{ 'word ' * 30 }}\"}}\n  output:",
		1)
	t.Chdir(folderWith(t, map[string]string{"m.yaml": wide}))
	for _, width := range []int{120, 60, 40} {
		got := inProcess(t, width, "preview", "m.yaml", "-n", "2")
		lines := strings.Split(strings.TrimSpace(got.out), "\n")
		if len(lines) != 3 || !strings.HasPrefix(lines[0], "STARS") {
			t.Errorf("%d wide: got\n%s%s", width, got.out, got.log)
		}
		for _, line := range lines {
			if terminal.Width(line) > width {
				t.Errorf("%d wide, and the line is %q", width, line)
			}
		}
	}
	got := inProcess(t, 20, "preview", "m.yaml", "-n", "2")
	if !strings.HasPrefix(got.out, "record 0\n  stars   ") || strings.Count(got.out, strings.TrimSpace(strings.Repeat("word ", 30))) != 4 {
		t.Errorf("too narrow for a table: got\n%s%s", got.out, got.log)
	}
}

func TestTheVersionIsTold(t *testing.T) {
	for _, arguments := range [][]string{{"version"}, {"--version"}} {
		if got := inProcess(t, 0, arguments...); got.code != 0 || !strings.HasPrefix(got.out, "seedloom dev") ||
			!strings.Contains(got.out, "go1.") {
			t.Errorf("%v: got %+v", arguments, got)
		}
	}
}
