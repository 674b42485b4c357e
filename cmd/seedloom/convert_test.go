package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"seedloom.dev/seedloom/engine/seed/rollout"
	"seedloom.dev/seedloom/internal/llmsim"
)

// configurations is the folder with configurations of Data Designer.
const configurations = "../../internal/datadesigner/testdata"

// copyConfiguration puts a configuration beside the manifests.
func (w *world) copyConfiguration(name string) {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(configurations, name))
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(name, string(data))
}

func TestConvertedConfigurationsRun(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long with the race detector: it runs without")
	}
	tests := []struct {
		file string
		// providers are those that the simulated server stands in for.
		providers []string
		seed      string
		// files lie beside the manifest.
		files map[string]string
		want  []string
	}{
		{
			file: "basics.yaml", providers: []string{"nvidia"},
			want: []string{"product_category", "product_subcategory", "price", "number_of_stars", "review_id", "product_name", "review",
				"review__reasoning_content"},
		},
		{
			file: "structured.json", providers: []string{"openai"},
			want: []string{"product", "headline", "slogan", "rating"},
		},
		{
			file: "seeds.yaml", providers: []string{"nvidia"}, seed: "diagnosis,summary\ncold,cough\nflu,fever\nsprain,ankle\ngout,toe\n",
			want: []string{"diagnosis", "summary", "patient_id", "onset", "visit", "notes"},
		},
		{file: "distributions.yaml", want: []string{"coin", "claim", "hits", "calls", "wait", "seats", "size", "low", "high", "customer"}},
		{
			file: "directory.yaml", files: map[string]string{"photos/IMG_1.{jpg}": "a", "photos/IMG_2.{jpg}": "b", "photos/deep/IMG_3.{jpg}": "c"},
			want: []string{"source_kind", "source_path", "relative_path", "file_name", "title"},
		},
		{
			file: "contents.yaml", files: map[string]string{"notes/a.txt": "caf\xe9", "notes/deep/b.txt": "x", "notes/c.md": "no"},
			want: []string{"source_kind", "source_path", "relative_path", "file_name", "content", "line"},
		},
		{
			file: "rollouts.json", files: map[string]string{
				"projects/p/1.jsonl": `{"type": "user", "message": {"content": "Why?"}}`, "projects/p/2.jsonl": `{"type": "user", "message": {"content": "How?"}}`,
			},
			want: append(rollout.Columns(), "asked", "branch"),
		},
		{file: "code.yaml", providers: []string{"local"}, want: []string{"topic", "instruction", "solution", "query", "checked"}},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			w := newWorld(t, localOnly, llmsim.Config{})
			w.copyConfiguration(test.file)
			w.copyConfiguration("providers.yaml")
			w.write("seed.csv", test.seed)
			for name, text := range test.files {
				if err := os.MkdirAll(filepath.Dir(w.path(name)), 0o755); err != nil {
					t.Fatal(err)
				}
				w.write(name, text)
			}
			code, out, log := w.run("convert", test.file, "-o", "manifest.yaml", "-n", "6", "--providers", "providers.yaml", "--strict")
			if code != 0 || out != "" {
				t.Fatalf("got %d, %s, %s", code, out, log)
			}
			preview := []string{"preview", "manifest.yaml", "-n", "2", "-o", "json"}
			for _, provider := range test.providers {
				preview = append(preview, "--endpoint", provider+"="+w.server.Endpoint(), "--api-key", provider+"=PATH")
			}
			if test.seed != "" {
				preview = append(preview, "--seed-file", "seed.csv")
			}
			code, out, log = w.run(preview...)
			var made struct{ Records []map[string]any }
			if err := json.Unmarshal([]byte(out), &made); code != 0 || err != nil || len(made.Records) != 2 {
				t.Fatalf("got %d, %v, %s, %s", code, err, out, log)
			}
			for _, column := range test.want {
				if _, there := made.Records[0][column]; !there {
					t.Errorf("the column %s is missing", column)
				}
			}
			for column := range made.Records[0] {
				if !slices.Contains(test.want, column) {
					t.Errorf("there is a column %s", column)
				}
			}
		})
	}
}

// TestFilesOfAConvertedFolderHaveTheValuesOfDataDesigner compares the values of columns that a manifest makes of others.
func TestFilesOfAConvertedFolderHaveTheValuesOfDataDesigner(t *testing.T) {
	w := newWorld(t, localOnly, llmsim.Config{})
	w.copyConfiguration("contents.yaml")
	if err := os.MkdirAll(w.path("notes/deep"), 0o755); err != nil {
		t.Fatal(err)
	}
	w.write("notes/a.txt", "caf\xe9\n")
	w.write("notes/deep/b.txt", "x")
	w.write("notes/c.md", "no")
	if code, _, log := w.run("convert", "contents.yaml", "-o", "manifest.yaml", "-n", "2", "--strict"); code != 0 {
		t.Fatal(log)
	}
	code, out, log := w.run("preview", "manifest.yaml", "-n", "2", "-o", "json")
	if code != 0 {
		t.Fatal(log)
	}
	contains(t, out, `"line": "a.txt (file_contents): café"`, `"line": "deep/b.txt (file_contents): x"`, `"source_path": "notes/deep/b.txt"`)
}

func TestConvertTellsWhatItLeavesOut(t *testing.T) {
	w := newWorld(t, localOnly, llmsim.Config{})
	w.copyConfiguration("without-counterpart.yaml")
	w.write("no.yaml", "kind: ConfigMap\n")
	code, out, log := w.run("convert", "without-counterpart.yaml")
	contains(t, out, "apiVersion: seedloom.dev/v1alpha1\nkind: DatasetGeneration\nmetadata:\n  name: without-counterpart\n")
	contains(t, log, `without-counterpart.yaml: warning: data_designer.columns[2]: column "mine" is made by the Python function "make_rows"`,
		"error: spec.columns[1].llmText.prompt: ")
	if code != exitFailed {
		t.Errorf("a manifest that is not valid ends with %d", code)
	}
	w.copyConfiguration("tools.yaml")
	if code, _, log := w.run("convert", "tools.yaml"); code != 0 {
		t.Errorf("got %d, %s", code, log)
	}
	if code, _, _ := w.run("convert", "tools.yaml", "--strict"); code != exitFailed {
		t.Errorf("with --strict, what is left out ends with %d", code)
	}
	if code, _, log := w.run("convert", "no.yaml"); code != exitFailed {
		t.Errorf("got %d", code)
	} else {
		contains(t, log, "no.yaml: not a configuration of Data Designer: it has no columns")
	}
	if code, _, log := w.run("convert", "no.yaml", "-o", "./no.yaml"); code != exitFailed {
		t.Errorf("got %d, %s", code, log)
	}
}
