package plan_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/table"
)

const valid = `
numRecords: 25
randomSeed: 3
providers: [{name: local, type: OpenAI, endpoint: "http://vllm:8000/v1"}]
models: [{alias: writer, provider: local, model: m, parameters: {temperature: 0.80}}]
seed: {configMap: {name: s, key: a.csv}}
columns:
- {name: headline, expression: {expr: "{{ review | upper }} {{ range(3) | list }}"}}
- {name: stars, sampler: {type: Uniform, uniform: {low: 1, high: 5}, convertTo: int}}
- {name: review, llmText: {model: writer, prompt: "{{ stars }} {{ title }}", systemPrompt: "{{ year }}"}}
- {name: rank, custom: {strategy: Batch, type: int, requiredColumns: [stars], starlark: {source: "def generate(rows):\n    return []\n"}}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 10}
`

var seedFields = []table.Field{{Name: "title"}, {Name: "year", Type: table.Type{Kind: table.KindInt}}}

func parse(t *testing.T, text string) *v1alpha1.DatasetGenerationSpec {
	t.Helper()
	var spec v1alpha1.DatasetGenerationSpec
	if err := yaml.UnmarshalStrict([]byte(text), &spec); err != nil {
		t.Fatal(err)
	}
	return &spec
}

func TestCompileOrdersColumnsByWhatTheyRead(t *testing.T) {
	compiled, err := plan.Compile(parse(t, valid), seedFields)
	if err != nil {
		t.Fatal(err)
	}
	var schema, order []string
	for _, field := range compiled.Schema.Fields() {
		schema = append(schema, field.Name+" "+field.Type.String())
	}
	if difference := cmp.Diff([]string{"title string", "year int64", "headline string", "stars int64", "review string", "rank int64"}, schema); difference != "" {
		t.Error(difference)
	}
	requires := map[string][]int{}
	dependents := map[string][]int{}
	for _, column := range compiled.Columns {
		order = append(order, column.Name)
		requires[column.Name] = column.Requires
		dependents[column.Name] = column.Dependents
	}
	if want := []string{"stars", "review", "headline", "rank"}; !slices.Equal(order, want) {
		t.Errorf("the order is %v, want %v", order, want)
	}
	if difference := cmp.Diff(map[string][]int{"headline": {4}, "stars": nil, "review": {0, 1, 3}, "rank": {3}}, requires); difference != "" {
		t.Error(difference)
	}
	if difference := cmp.Diff([]int{4, 5}, dependents["stars"]); difference != "" {
		t.Error(difference)
	}
	if compiled.Mode != v1alpha1.ExecutionAsync || compiled.RowGroups() != 3 || compiled.Column(4).Model.Alias != "writer" {
		t.Errorf("mode %s, %d row groups", compiled.Mode, compiled.RowGroups())
	}
}

func TestEveryViolationIsReported(t *testing.T) {
	text := `
numRecords: 0
providers:
- {name: local, type: OpenAI, endpoint: "ftp://vllm"}
- {name: local, type: OpenAI, endpoint: "http://vllm"}
models:
- {alias: writer, provider: locla, model: m}
- {alias: writer, provider: local, model: m}
columns:
- {name: a, expression: {expr: "{{ b }}"}}
- {name: b, expression: {expr: "{{ a }}"}}
- {name: a, sampler: {type: Uniform, uniform: {low: 5, high: 1}}}
- {name: c, llmText: {model: wrter, prompt: "{{ unclosed"}}
- {name: d, llmText: {model: writer, prompt: "{{ stars }} {{ cc }}"}}
- {name: e}
- {name: f, sampler: {type: UUID}, expression: {expr: x}}
- {name: g, expression: {expr: "{{ g }}", type: datum}}
- {name: h, custom: {strategy: Batch, requiredColumns: [nope], starlark: {source: "x = 1"}}}
- {name: i, allowResize: true, expression: {expr: x}}
output: {persistentVolumeClaim: {claimName: c}}
`
	spec := parse(t, text)
	var got []string
	for _, violation := range plan.Validate(spec) {
		got = append(got, violation.Field+" "+violation.Reason)
		if violation.Message == "" {
			t.Errorf("%s has no message", violation.Field)
		}
	}
	for _, want := range []string{
		"spec.numRecords InvalidValue", "spec.providers[0].endpoint InvalidValue", "spec.providers[1].name DuplicateProvider",
		"spec.models[0].provider UnknownProvider", "spec.models[1].alias DuplicateModel",
		"spec.columns[2].name DuplicateColumn", "spec.columns[3].llmText.model UnknownModel", "spec.columns[3].llmText.prompt TemplateSyntax",
		"spec.columns[4].llmText.prompt UnknownReference", "spec.columns[5] InvalidUnion", "spec.columns[6] InvalidUnion",
		"spec.columns[7].expression.type InvalidValue", "spec.columns[8].custom.requiredColumns[0] UnknownReference",
		"spec.columns[8].custom.starlark.source StarlarkSyntax",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("missing: %s", want)
		}
	}
	for _, reason := range []string{"Cycle", "InvalidSampler"} {
		if !strings.Contains(strings.Join(got, "\n"), reason) {
			t.Errorf("no violation has the reason %s", reason)
		}
	}
	if t.Failed() {
		t.Logf("got:\n%s", strings.Join(got, "\n"))
	}
	_, err := plan.Compile(spec, nil)
	var invalid *plan.InvalidError
	if !errors.As(err, &invalid) || len(invalid.Violations) != len(got) {
		t.Errorf("Compile says %v", err)
	}
}

func TestMessagesSayWhatWouldBeRight(t *testing.T) {
	cases := map[string]struct{ from, to, want string }{
		"a model with a slip":       {"model: writer, prompt", "model: wirter, prompt", `did you mean "writer"?`},
		"a column with a slip":      {"requiredColumns: [stars]", "requiredColumns: [star]", `did you mean "stars"?`},
		"a cycle names its way":     {`expr: "{{ review`, `expr: "{{ headline`, "headline"},
		"a budget needs prices":     {"rowGroupSize: 10}", "rowGroupSize: 10}\nlimits: {maxCost: 5}", "spec.limits.maxCost: has no effect without a price"},
		"a template names its line": {"{{ stars }} {{ title }}", "{{ stars", "line 1"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(valid, test.from, test.to, 1)
			if text == valid {
				t.Fatal("nothing was replaced")
			}
			_, err := plan.Compile(parse(t, text), seedFields)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want it to say %q", err, test.want)
			}
		})
	}
}

func TestSeedNamesAreCheckedOnceTheyAreKnown(t *testing.T) {
	spec := parse(t, strings.Replace(valid, "{{ title }}", "{{ titel }}", 1))
	if violations := plan.Validate(spec); len(violations) > 0 {
		t.Errorf("without the seed: %v", violations)
	}
	if _, err := plan.Compile(spec, seedFields); err == nil || !strings.Contains(err.Error(), `did you mean "title"?`) {
		t.Errorf("with the seed: %v", err)
	}
	if _, err := plan.Compile(parse(t, valid), append(seedFields, table.Field{Name: "stars"})); err == nil || !strings.Contains(err.Error(), "stars") {
		t.Errorf("a column of the seed and a configured one have the same name: %v", err)
	}
}

func TestAResizeColumnForcesSyncMode(t *testing.T) {
	compiled, err := plan.Compile(parse(t, strings.Replace(valid, "{name: rank,", "{name: rank, allowResize: true,", 1)), seedFields)
	if err != nil || compiled.Mode != v1alpha1.ExecutionSync || !compiled.Column(5).Resize {
		t.Errorf("got %+v, %v", compiled, err)
	}
}

func TestShardsPartitionTheRowGroups(t *testing.T) {
	for _, records := range []int64{1, 9, 10, 11, 99, 1000} {
		for _, shards := range []int32{1, 2, 3, 7, 100} {
			compiled := &plan.Plan{NumRecords: records, RowGroupSize: 10}
			seen := map[int64]int{}
			rows := int64(0)
			for shard := range shards {
				shardRows, shardGroups := int64(0), int64(0)
				for group := range compiled.RowGroups() {
					if !plan.Owns(shard, shards, group) {
						continue
					}
					seen[group]++
					shardGroups++
					start, end := compiled.RowGroup(group)
					shardRows += int64(end - start)
				}
				if got := compiled.ShardRows(shard, shards); got != shardRows {
					t.Errorf("%d records: shard %d of %d has %d rows, ShardRows says %d", records, shard, shards, shardRows, got)
				}
				if got := compiled.ShardRowGroups(shard, shards); got != shardGroups {
					t.Errorf("%d records: shard %d of %d has %d row groups, ShardRowGroups says %d", records, shard, shards, shardGroups, got)
				}
				rows += shardRows
			}
			if rows != records || int64(len(seen)) != compiled.RowGroups() {
				t.Errorf("%d records in %d shards: %d rows in %d groups", records, shards, rows, len(seen))
			}
			for group, count := range seen {
				if count != 1 {
					t.Errorf("row group %d belongs to %d shards", group, count)
				}
			}
		}
	}
}

// The hash names the folders of datasets that exist: it must not change.
const validHash = "sha256:d686ca96af2b001442ddaade53a243b39b05bb1d37c67811684d381bad52c7d8"

func TestTheHashHoldsWhatShapesRows(t *testing.T) {
	base := plan.ConfigHash(parse(t, valid))
	if base != validHash {
		t.Errorf("the hash is %s, and was %s: raise the version of the identity if rows have changed", base, validHash)
	}
	replaced := func(from, to string) string {
		t.Helper()
		text := strings.Replace(valid, from, to, 1)
		if text == valid {
			t.Fatalf("%q does not occur", from)
		}
		return plan.ConfigHash(parse(t, text))
	}
	for _, same := range [][2]string{
		{"numRecords: 25", "numRecords: 26"}, {"numRecords: 25", "numRecords: 25\nparallelism: 4\nsuspend: true"},
		{"claimName: c", "claimName: d"}, {"model: m,", "model: m, maxParallelRequests: 3, timeoutSeconds: 9,"},
		{"model: m,", "model: m, healthCheck: Disabled, price: {outputPerMillionTokens: 5},"}, {"numRecords: 25", "numRecords: 25\nlimits: {maxTokens: 9}"},
		{"rowGroupSize: 10", "rowGroupSize: 10, maxRowAttempts: 5"}, {"key: a.csv}", "key: a.csv}, order: Ordered"},
		{"{name: stars,", "{name: stars, allowResize: false,"}, {"OpenAI, endpoint", "OpenAI, apiKeySecretRef: {name: s, key: k}, endpoint"},
	} {
		if replaced(same[0], same[1]) != base {
			t.Errorf("%q changes the hash, and must not", same[1])
		}
	}
	for _, other := range [][2]string{
		{"randomSeed: 3", "randomSeed: 4"}, {"key: a.csv", "key: b.csv"}, {"key: a.csv}", "key: a.csv}, order: Shuffled"},
		{"high: 5", "high: 6"}, {"model: m,", "model: n,"}, {"0.80", "0.81"}, {"vllm:8000", "vllm:8001"}, {"rowGroupSize: 10", "rowGroupSize: 11"},
		{"| upper", "| lower"}, {"name: rank", "name: place"},
	} {
		if replaced(other[0], other[1]) == base {
			t.Errorf("%q does not change the hash, and must", other[1])
		}
	}
}
