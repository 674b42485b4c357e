package datadesigner

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/internal/golden"
)

func readTestdata(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// convertFile converts a configuration of the folder testdata, and returns the manifest with the notes before it.
func convertFile(t *testing.T, name string) string {
	t.Helper()
	base := strings.TrimSuffix(name, filepath.Ext(name))
	converted, err := Convert(readTestdata(t, name), Options{
		Name: base, NumRecords: 10, ClaimName: "datasets", Providers: readTestdata(t, "providers.yaml"),
		ToolProviders: readTestdata(t, "tool-providers.yaml"), RunConfig: readTestdata(t, "run.yaml"),
	})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, note := range converted.Notes {
		kind := "changed"
		if note.Lost {
			kind = "lost"
		}
		fmt.Fprintf(&text, "# %s %s: %s\n", kind, note.Path, note.Message)
	}
	manifest, err := yaml.Marshal(converted.Resource)
	if err != nil {
		t.Fatal(err)
	}
	return text.String() + string(manifest)
}

func TestConfigurationsBecomeManifests(t *testing.T) {
	for _, name := range []string{"basics.yaml", "structured.json", "seeds.yaml", "seed-of-a-hub.yaml", "distributions.yaml", "code.yaml", "tools.yaml", "media.yaml",
		"directory.yaml", "contents.yaml", "rollouts.json", "without-counterpart.yaml"} {
		t.Run(name, func(t *testing.T) {
			got := convertFile(t, name)
			golden.Check(t, filepath.Join("testdata", "manifests", name+".golden"), got, "see that nothing of the configuration is lost")
			for _, secret := range []string{"sk-live", "tv-secret", "hidden"} {
				if strings.Contains(got, secret) {
					t.Errorf("the key %s is copied", secret)
				}
			}
		})
	}
}

func TestWhatIsNoConfigurationIsAnError(t *testing.T) {
	bomb := "columns: []\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	bomb += "processors: [{name: p, processor_type: schema_transform, template: {a: *a9}}]\n"
	for name, config := range map[string]string{
		"empty": "", "a list": "[1, 2]", "a manifest": "apiVersion: v1\nkind: ConfigMap", "no YAML": "a: [", "zeros": "\x00\x00", "a bomb": bomb,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Convert([]byte(config), Options{}); !errors.Is(err, ErrNotConfiguration) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestPlacesBelowAClaim holds where files of the machine are looked for.
func TestPlacesBelowAClaim(t *testing.T) {
	for path, want := range map[string]string{
		"a/b.csv": "a/b.csv", "./a": "a", ".a/b": ".a/b", "/data/a.csv": "a.csv", "~/.claude/projects": "projects", "~": "", "..": "", "../a": "a",
		"/": "", ".": "", "a/../../b": "b", "/data/{a}[1]/": "{a}[1]",
	} {
		if got := place(path); got != want {
			t.Errorf("%s is looked for as %q, not %q", path, got, want)
		}
	}
}

// FuzzConvert looks for configurations that break the conversion, or make a resource that JSON can't hold.
func FuzzConvert(f *testing.F) {
	for _, name := range []string{"basics.yaml", "structured.json", "seeds.yaml", "contents.yaml", "rollouts.json", "without-counterpart.yaml"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("columns: [&a {name: *a}]"))
	f.Add([]byte("columns: [{<<: {name: x}, column_type: sampler, sampler_type: uuid, params: {}}]"))
	f.Fuzz(func(t *testing.T, config []byte) {
		converted, err := Convert(config, Options{Name: "fuzz", NumRecords: 1, ClaimName: "c"})
		if err != nil {
			return
		}
		if _, err := json.Marshal(converted.Resource); err != nil {
			t.Fatal(err)
		}
	})
}

func TestMerges(t *testing.T) {
	config := `
defaults: &defaults {column_type: sampler, sampler_type: uuid, params: {}, name: shadowed}
columns:
- {<<: *defaults, name: merged}
- {<<: [*defaults, {name: later}]}
- {<<: &list [*list], name: y, column_type: sampler, sampler_type: uuid, params: {}}
- &itself {<<: *itself, name: x, column_type: sampler, sampler_type: uuid, params: {}}
`
	converted, err := Convert([]byte(config), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var names, told []string
	for _, column := range converted.Resource.Spec.Columns {
		names = append(names, column.Name)
	}
	for _, note := range converted.Notes {
		told = append(told, note.Path)
	}
	if want := []string{"merged", "shadowed", "y", "x"}; !slices.Equal(names, want) {
		t.Errorf("got the columns %v, want %v", names, want)
	}
	if want := []string{"columns[2].<<", "columns[3].<<.<<", "defaults"}; !slices.Equal(told, want) {
		t.Errorf("got notes of %v, want %v", told, want)
	}
}

// Names that become the same one are of different things all the same.
func TestNamesThatBecomeTheSameOneStayApart(t *testing.T) {
	const config = `
model_configs:
- {alias: a, model: m, provider: My Server}
- {alias: b, model: m, provider: my-server}
- {alias: c, model: m, provider: My Server}
tool_configs:
- {tool_alias: t, providers: [my_server, MY SERVER]}
columns:
- {name: x, column_type: llm-text, model_alias: a, tool_alias: t, prompt: "Hello"}
`
	const providers = `
providers:
- {name: My Server, endpoint: "https://one.example/v1", provider_type: openai, api_key: ONE_KEY}
- {name: my-server, endpoint: "https://two.example/v1", provider_type: openai, api_key: TWO_KEY}
`
	const tools = `
providers:
- {name: my_server, endpoint: "https://three.example/mcp", provider_type: streamable_http, api_key: THREE_KEY}
- {name: MY SERVER, endpoint: "https://four.example/mcp", provider_type: streamable_http, api_key: FOUR_KEY}
`
	converted, err := Convert([]byte(config), Options{
		Name: "n", NumRecords: 1, ClaimName: "c", Providers: []byte(providers), ToolProviders: []byte(tools),
	})
	if err != nil {
		t.Fatal(err)
	}
	spec := converted.Resource.Spec
	var got []string
	for _, provider := range spec.Providers {
		got = append(got, provider.Name+" "+provider.Endpoint+" "+provider.APIKeySecretRef.Name)
	}
	for _, model := range spec.Models {
		got = append(got, model.Alias+" "+model.Provider)
	}
	for _, server := range spec.ToolServers {
		got = append(got, server.Name+" "+server.Endpoint+" "+server.APIKeySecretRef.Name)
	}
	want := []string{
		"my-server https://one.example/v1 my-server", "my-server-2 https://two.example/v1 my-server-2", "a my-server", "b my-server-2", "c my-server",
		"my-server https://three.example/mcp my-server-3", "my-server-2 https://four.example/mcp my-server-2-2",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if fmt.Sprint(spec.Tools[0].Servers) != "[my-server my-server-2]" {
		t.Errorf("the tools are those of %v", spec.Tools[0].Servers)
	}
}

func TestDatasetNamesAreThoseOfJobs(t *testing.T) {
	for file, want := range map[string]string{
		"reviews": "reviews", "01 Basics!": "dataset-01-basics", "___": "unnamed", "\xff\xfe": "unnamed",
		strings.Repeat("a", 51) + "-bc": strings.Repeat("a", 51), strings.Repeat("9", 60): "dataset-" + strings.Repeat("9", 44),
	} {
		if got := DatasetName(file); got != want {
			t.Errorf("%q becomes %q, not %q", file, got, want)
		}
	}
}

func TestPathsInHubsBecomeRepositories(t *testing.T) {
	for path, want := range map[string]string{
		"datasets/a/b/data/*.parquet":                 "a/b  [data/*.parquet]",
		"hf://datasets/a/b/x.csv":                     "a/b  [x.csv]",
		"datasets/a/b":                                "a/b  []",
		"datasets/a/b@~parquet/default/train/*":       "a/b refs/convert/parquet [default/train/*]",
		"datasets/a/b@refs%2Fconvert%2Fparquet/x/*.c": "a/b refs/convert/parquet [x/*.c]",
		"spaces/a/b/x.csv":                            "lost",
		"datasets/a":                                  "lost",
		"x.csv":                                       "lost",
	} {
		converted, err := Convert([]byte("columns: []\nseed_config: {source: {seed_type: hf, path: '"+path+"'}}"), Options{Name: "x"})
		if err != nil {
			t.Fatal(err)
		}
		got := "lost"
		if seed := converted.Resource.Spec.Seed; seed != nil {
			got = fmt.Sprintf("%s %s %v", seed.HuggingFace.Repository, seed.HuggingFace.Revision, seed.HuggingFace.Paths)
		}
		if got != want {
			t.Errorf("%s becomes %s, want %s", path, got, want)
		}
	}
}
