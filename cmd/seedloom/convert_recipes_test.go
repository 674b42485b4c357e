package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/seed"
	"seedloom.dev/seedloom/engine/seed/rollout"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
)

// fewestConverted is how many of the recipes are there as configurations too.
const fewestConverted = 37

// providersOfRecipes and toolsOfRecipes are the files that Data Designer keeps beside configurations.
const (
	providersOfRecipes = "providers:\n- {name: simulator, endpoint: ENDPOINT, provider_type: openai}\n"
	toolsOfRecipes     = "providers:\n- {name: lexicon, endpoint: ENDPOINT, provider_type: streamable_http}\n"
)

// TestConfigurationsOfRecipesRunToTheSameColumns converts the recipes as they are written for Data Designer, in both of its forms and as
// YAML and JSON, and runs what becomes of them.
func TestConfigurationsOfRecipesRunToTheSameColumns(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long with the race detector: it runs without")
	}
	models := simtest.Start(t, llmsim.Config{Models: map[string]llmsim.Model{"demo/painter": {Images: true}}})
	lexicon := startLexicon(t)
	paths, err := filepath.Glob(filepath.Join(configurations, "recipes", "*"))
	if err != nil || len(paths) < fewestConverted {
		t.Fatalf("there are %d configurations, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
			recipe := filepath.Join(recipes, name+".yaml")
			data, err := os.ReadFile(recipe)
			if err != nil {
				t.Fatal(err)
			}
			folder := t.TempDir()
			written := strings.ReplaceAll(string(data), "http://lexicon:8000/mcp", lexicon)
			write := func(name, text string) string {
				t.Helper()
				file := filepath.Join(folder, name)
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				return file
			}
			converted := filepath.Join(folder, "converted.yaml")
			printed, err := executed(t, "convert", path, "-o", converted, "-n", "3", "--strict",
				"--providers", write("providers.yaml", strings.ReplaceAll(providersOfRecipes, "ENDPOINT", models.Endpoint())),
				"--tool-providers", write("tools.yaml", strings.ReplaceAll(toolsOfRecipes, "ENDPOINT", lexicon)))
			if err != nil {
				t.Fatalf("the conversion has ended with %v: %s", err, printed)
			}
			t.Setenv("RECIPE_KEY", "k")
			arguments := []string{"--endpoint", "simulator=" + models.Endpoint(), "--api-key", "simulator=RECIPE_KEY"}
			rows := seedOf(t, written)
			switch {
			case rows != nil && !strings.Contains(written, "\n  seed:"): // the ConfigMap is that of the persons
				arguments = append(arguments, "--people-file", "customer="+managedPersons(t, folder, write("personas.csv", *rows)))
				rows = nil
			case rows != nil:
				arguments = append(arguments, "--seed-file", write("seed", *rows))
			}
			if strings.Contains(written, "agentRollouts:") { // the sessions lie beside the recipes
				arguments = append(arguments, "--seed-dir", recipes)
			}
			got := previewed(t, append([]string{"-f", converted}, arguments...)...)
			if want := columnsOf(t, written, rows); !slices.Equal(got, want) {
				t.Errorf("the columns are %q, and those of the recipe %q", got, want)
			}
		})
	}
}

// managedPersons writes persons as the file that Data Designer manages has them: Parquet, whose column for the state is called region.
func managedPersons(t *testing.T, folder, table string) string {
	t.Helper()
	manifest := filepath.Join(folder, "persons.yaml")
	const text = `
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: persons}
spec:
  numRecords: 4
  seed: {persistentVolumeClaim: {claimName: c, path: personas.csv}}
  columns: [{name: region, expression: {expr: "{{ state }}"}}]
  processors: [{name: managed, dropColumns: {columnNames: [state]}}]
  output: {persistentVolumeClaim: {claimName: c}}
`
	if err := os.WriteFile(manifest, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	printed, err := executed(t, "run", "-f", manifest, "--output", filepath.Join(folder, "persons"), "--seed-file", table)
	files, _ := filepath.Glob(filepath.Join(folder, "persons", "default", "persons", "*", "parquet-files", "*.parquet"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %s: %q", err, printed, files)
	}
	return files[0]
}

// seedOf is the content of the ConfigMap that stands beside a recipe; nil where there is none.
func seedOf(t *testing.T, manifest string) *string {
	t.Helper()
	for _, document := range strings.Split(manifest, "\n---\n") {
		var configMap corev1.ConfigMap
		if err := yaml.Unmarshal([]byte(document), &configMap); err != nil || configMap.Kind != "ConfigMap" {
			continue
		}
		for _, content := range configMap.Data {
			return &content
		}
	}
	return nil
}

// columnsOf are the columns of a recipe with a seed, sorted.
func columnsOf(t *testing.T, manifest string, content *string) []string {
	t.Helper()
	first, _, _ := strings.Cut(manifest, "\n---\n")
	var recipe v1alpha1.DatasetGeneration
	if err := yaml.Unmarshal([]byte(first), &recipe); err != nil {
		t.Fatal(err)
	}
	var fields []table.Field
	if source := recipe.Spec.Seed; content != nil {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, source.ConfigMap.Key), []byte(*content), 0o600); err != nil {
			t.Fatal(err)
		}
		dataset, err := seed.Load(t.Context(), source, seed.Options{Directory: folder})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = dataset.Close() }()
		fields = plan.SeedFields(&recipe.Spec, dataset.Schema().Fields())
	} else if source != nil && source.AgentRollouts != nil {
		fields = rollout.Fields()
	}
	compiled, err := plan.Compile(&recipe.Spec, fields)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, field := range compiled.Output.Fields() {
		names = append(names, field.Name)
	}
	slices.Sort(names)
	return names
}

// previewed are the columns of a row that is made without a warning, sorted.
func previewed(t *testing.T, arguments ...string) []string {
	t.Helper()
	printed, err := executed(t, append([]string{"preview", "-n", "1", "-o", "json"}, arguments...)...)
	start := strings.Index(printed, "{")
	var made struct{ Records []map[string]any }
	if err != nil || start < 0 || json.NewDecoder(strings.NewReader(printed[start:])).Decode(&made) != nil || len(made.Records) != 1 ||
		strings.Contains(printed, "warning") {
		t.Fatalf("the preview has ended with %v: %s", err, printed)
	}
	return slices.Sorted(maps.Keys(made.Records[0]))
}
