package seedvalues_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/seed"
	"seedloom.dev/seedloom/engine/seedvalues"
)

// load opens a file as the seed of a spec whose column c takes the values of a column.
func load(t *testing.T, name, content, category, seedFields string) (*v1alpha1.DatasetGenerationSpec, *seed.Dataset) {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	text := "numRecords: 2\nseed: {configMap: {name: m, key: " + name + "}" + seedFields + "}\n" +
		"columns:\n- {name: c, sampler: {type: Category, category: {" + category + "}}}\n"
	spec := &v1alpha1.DatasetGenerationSpec{}
	if err := yaml.UnmarshalStrict([]byte(text), spec); err != nil {
		t.Fatal(err)
	}
	dataset, err := seed.Load(t.Context(), spec.Seed, seed.Options{Directory: folder})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dataset.Close() })
	return spec, dataset
}

func TestFill(t *testing.T) {
	const rows = "text,int,float,bool,date,nothing\n" +
		"b,3,1.5,true,2026-01-31,\na,1,2.0,false,2026-01-31,\n,3,2.0,true,2026-02-01,\nb,3,,true,2026-01-31,\n"
	for name, test := range map[string]struct{ category, seed, want, message string }{
		"texts, in their order, without nulls": {category: "valuesOf: text", want: `["b" "a"] []`},
		"as frequent as in the seed":           {category: "valuesOf: text, weighting: Frequency", want: `["b" "a"] [2 1]`},
		"written default":                      {category: "valuesOf: text, weighting: Equal", want: `["b" "a"] []`},
		"ints":                                 {category: "valuesOf: int, weighting: Frequency", want: `[3 1] [3 1]`},
		"floats stay floats":                   {category: "valuesOf: float, weighting: Frequency", want: `[1.5 2.0] [1 2]`},
		"booleans as the file has them":        {category: "valuesOf: bool", want: `["true" "false"] []`},
		"dates as texts":                       {category: "valuesOf: date", want: `["2026-01-31" "2026-02-01"] []`},
		"the rows that are selected":           {category: "valuesOf: text", seed: ", selection: {offset: 1, limit: 2}", want: `["a"] []`},
		"whatever the order":                   {category: "valuesOf: int", seed: ", order: Shuffled", want: `[3 1] []`},
		"no value":                             {category: "valuesOf: nothing", message: `column "nothing" of the seed, which spec.columns[0].sampler.category.valuesOf names, has no value in any row`},
		"unknown, which the plan reports":      {category: "valuesOf: txt", want: `[] []`},
	} {
		t.Run(name, func(t *testing.T) {
			spec, dataset := load(t, "s.csv", rows, test.category, test.seed)
			err := seedvalues.Fill(t.Context(), spec, dataset)
			if test.message != "" {
				if err == nil || err.Error() != test.message {
					t.Fatalf("%v, want %s", err, test.message)
				}
				return
			}
			category := spec.Columns[0].Sampler.Category
			var values []string
			for _, value := range category.Values {
				values = append(values, string(value.Raw))
			}
			if got := fmt.Sprintf("%s %v", values, category.Weights); err != nil || got != test.want {
				t.Errorf("%v %s, want %s", err, got, test.want)
			}
		})
	}
}

func TestFillReadsValuesThatAreWrittenInManyWays(t *testing.T) {
	spec, dataset := load(t, "s.jsonl", `{"a": "x\"y"}`+"\n"+`{"a": ""}`+"\n"+`{"a": "ü"}`+"\n"+`{"a": null}`+"\n", "valuesOf: a", "")
	if err := seedvalues.Fill(t.Context(), spec, dataset); err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, value := range spec.Columns[0].Sampler.Category.Values {
		values = append(values, string(value.Raw))
	}
	if got := strings.Join(values, " "); got != `"x\"y" "" "ü"` {
		t.Error(got)
	}
}

func TestFillHasLimits(t *testing.T) {
	var many, long strings.Builder
	many.WriteString("a\n")
	for i := range 10_001 {
		fmt.Fprintf(&many, "v%d\n", i)
	}
	long.WriteString("a\n")
	for i := range 50 {
		fmt.Fprintf(&long, "%d%s\n", i, strings.Repeat("x", 100_000))
	}
	for name, content := range map[string]string{"many": many.String(), "long": long.String()} {
		spec, dataset := load(t, "s.csv", content, "valuesOf: a", "")
		err := seedvalues.Fill(t.Context(), spec, dataset)
		if err == nil || !strings.Contains(err.Error(), "has more than 10000 different values or 4 MiB of them: name one with fewer") {
			t.Errorf("%s: %v", name, err)
		}
	}
	spec, dataset := load(t, "s.csv", strings.TrimSuffix(many.String(), "v10000\n"), "valuesOf: a", "")
	if err := seedvalues.Fill(t.Context(), spec, dataset); err != nil || len(spec.Columns[0].Sampler.Category.Values) != 10_000 {
		t.Error(err)
	}
	spec, dataset = load(t, "s.csv", "a\nx\n", "valuesOf: a", "")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := seedvalues.Fill(ended, spec, dataset); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
