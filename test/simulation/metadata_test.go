package simulation

import (
	"fmt"
	"io/fs"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/store/storetest"
	"seedloom.dev/seedloom/internal/runreport"
)

func publishedSchema(t *testing.T) *storetest.Schema {
	t.Helper()
	return storetest.PublishedSchema(t, "../../docs/metadata.schema.json")
}

// checkMetadata checks a metadata.json that is going to be in its place.
func (w *world) checkMetadata(t *testing.T, data []byte) {
	t.Helper()
	read, wrong := w.schema.Read(w.files(), data)
	for _, violation := range wrong {
		t.Errorf("metadata.json was to say %+v: %s", read, violation)
	}
}

// checkEnding checks that metadata.json says of a run with one shard what its result says.
func (w *world) checkEnding(t *testing.T, result runreport.Result) {
	t.Helper()
	data, err := fs.ReadFile(w.files(), "metadata.json")
	if err != nil {
		t.Error(err)
		return
	}
	read, wrong := w.schema.Read(w.files(), data)
	if len(wrong) > 0 || read.Phase != runreport.PhaseEnded || read.Outcome != string(result.Outcome) || read.Reason != result.Reason ||
		read.Actual != result.Records.Actual {
		t.Errorf("metadata.json says %+v (%q), the result is %s, %s with %+v", read, wrong, result.Outcome, result.Reason, result.Records)
	}
}

const steadySpec = `
numRecords: 200
providers: [{name: local, type: OpenAI, endpoint: "http://models.example/v1"}]
models: [{alias: writer, provider: local, model: m, maxParallelRequests: 10, healthCheck: Disabled}]
columns:
- {name: id, sampler: {type: UUID}}
- {name: text, llmText: {model: writer, prompt: "text {{ id }}"}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 10}
`

// countDescriptions holds the metadata of a run, which takes half a minute for its twenty row groups, to their times: on a quick volume
// they are written once a second at most, on a slow one at most 2 % of the time, and always at the beginning and the end.
func countDescriptions(t *testing.T, schema *storetest.Schema) {
	for _, test := range []struct {
		// cost is how long a write takes, pause the least time between two of them.
		cost, pause time.Duration
		least, most int
	}{
		{0, time.Second, 15, 32},
		{100 * time.Millisecond, 5 * time.Second, 5, 10},
	} {
		w := &world{output: t.TempDir(), attempt: 1, shards: 1, schema: schema}
		if err := yaml.UnmarshalStrict([]byte(steadySpec), &w.spec); err != nil {
			t.Fatal(err)
		}
		sky := &weather{seed: 1, asked: map[string]uint64{}, began: time.Now(), answered: map[string]int{}}
		var written []time.Duration
		sky.metadata = func(data []byte) {
			w.checkMetadata(t, data)
			written = append(written, time.Since(sky.began))
			time.Sleep(test.cost)
		}
		ending := engine.Generate(t.Context(), w.config(t, 0, sky))
		if ending.Result.Outcome != runreport.OutcomeComplete || ending.Result.Output.CompletedRowGroups != 20 {
			t.Fatalf("the run ended as %s with %+v", ending.Result.Outcome, ending.Result.Output)
		}
		if elapsed := time.Since(sky.began); elapsed < 20*time.Second || elapsed > time.Minute {
			t.Fatalf("the run took %s", elapsed)
		}
		if len(written) < test.least || len(written) > test.most {
			t.Errorf("the metadata were written %d times, at %s", len(written), fmt.Sprint(written))
		}
		// The first is that of the beginning, the last that of the end.
		for i := 2; i < len(written)-1; i++ {
			if written[i]-written[i-1] < test.pause {
				t.Errorf("the metadata were written at %s, and again at %s", written[i-1], written[i])
			}
		}
	}
}
