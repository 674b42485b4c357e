package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/internal/runreport"
)

// endpoint is a model that answers by a function, and counts the prompts that it was sent.
type endpoint struct {
	*httptest.Server
	mutex   sync.Mutex
	prompts map[string]int
}

// newEndpoint answers with the status and the text that the function returns for a prompt and how often it was sent before.
func newEndpoint(t *testing.T, answer func(prompt string, before int) (int, string)) *endpoint {
	t.Helper()
	made := &endpoint{prompts: map[string]int{}}
	made.Server = httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		var body struct{ Messages []struct{ Content string } }
		if err := json.NewDecoder(request.Body).Decode(&body); err != nil {
			http.Error(writer, err.Error(), http.StatusBadRequest)
			return
		}
		prompt := body.Messages[len(body.Messages)-1].Content
		made.mutex.Lock()
		before := made.prompts[prompt]
		made.prompts[prompt]++
		made.mutex.Unlock()
		status, text := answer(prompt, before)
		writer.WriteHeader(status)
		_ = json.NewEncoder(writer).Encode(map[string]any{
			"choices": []any{map[string]any{"message": map[string]any{"content": text}, "finish_reason": "stop"}},
			"usage":   map[string]any{"prompt_tokens": 3, "completion_tokens": 2},
		})
	}))
	t.Cleanup(made.Close)
	return made
}

func echo(prompt string, _ int) (int, string) { return http.StatusOK, "answer to " + prompt }

// sent says how many different prompts, and how many in all, have arrived.
func (e *endpoint) sent() (different, all int) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	for _, count := range e.prompts {
		all += count
	}
	return len(e.prompts), all
}

const basicSpec = `
numRecords: 25
randomSeed: 7
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT}]
models: [{alias: writer, provider: local, model: m, maxParallelRequests: 4}]
seed: {configMap: {name: s, key: seed.csv}, order: Shuffled}
columns:
- {name: id, sampler: {type: UUID}}
- {name: note, expression: {expr: "{{ text | upper }}"}}
- {name: text, llmText: {model: writer, prompt: "about {{ title }} {{ id }}"}}
- {name: number, sampler: {type: Uniform, uniform: {low: 0, high: 100}, convertTo: int}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 10}
`

type world struct {
	t             *testing.T
	output, seeds string
	spec          v1alpha1.DatasetGenerationSpec
	attempt       int32
	shards        int32
}

func newWorld(t *testing.T, text string, address string) *world {
	t.Helper()
	made := &world{t: t, output: t.TempDir(), seeds: t.TempDir(), attempt: 1, shards: 1}
	if err := os.WriteFile(filepath.Join(made.seeds, "seed.csv"), []byte("title,year\nAlien,1979\nBrazil,1985\nHeat,1995\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict([]byte(strings.ReplaceAll(text, "ENDPOINT", address)), &made.spec); err != nil {
		t.Fatal(err)
	}
	// Tests count requests: those that want the one before the run say so.
	for i := range made.spec.Models {
		if model := &made.spec.Models[i]; model.HealthCheck == "" {
			model.HealthCheck = v1alpha1.HealthCheckDisabled
		}
	}
	return made
}

func (w *world) config(shard int32) engine.Config {
	w.t.Helper()
	raw, err := json.Marshal(w.spec)
	if err != nil {
		w.t.Fatal(err)
	}
	return engine.Config{
		LocalSeeds: true,
		Run: runreport.ResolvedRun{
			Version: runreport.Version, Namespace: "ns", Name: "ds", RunID: "ds-1", ConfigHash: plan.ConfigHash(&w.spec),
			Attempt: w.attempt, Shards: w.shards, Spec: raw,
		},
		Shard: shard, OutputDirectory: w.output, SeedDirectory: w.seeds, APIKey: func(int) string { return "" },
		Logger: slog.New(slog.DiscardHandler), Version: "test",
	}
}

func (w *world) generate(ctx context.Context, shard int32) engine.Ending {
	w.t.Helper()
	return engine.Generate(ctx, w.config(shard))
}

func (w *world) folder() string {
	hash := strings.TrimPrefix(plan.ConfigHash(&w.spec), "sha256:")
	return filepath.Join(w.output, "ns", "ds", hash[:16])
}

// rows reads all files of the dataset: the names of the columns, and the cells.
func (w *world) rows() (names []string, rows [][]any) {
	w.t.Helper()
	return w.rowsIn("parquet-files")
}

// rowsIn reads all files of a folder of the dataset.
func (w *world) rowsIn(folder string) (names []string, rows [][]any) {
	w.t.Helper()
	files, err := filepath.Glob(filepath.Join(w.folder(), folder, "*.parquet"))
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Sort(files)
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			w.t.Fatal(err)
		}
		info, err := file.Stat()
		if err != nil {
			w.t.Fatal(err)
		}
		schema, cells, err := parquetfile.Read(file, info.Size())
		_ = file.Close()
		if err != nil {
			w.t.Fatal(err)
		}
		names = nil
		for _, field := range schema.Fields() {
			names = append(names, field.Name)
		}
		rows = append(rows, cells...)
	}
	return names, rows
}

func (w *world) metadata() map[string]any {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.folder(), "metadata.json"))
	if err != nil {
		w.t.Fatal(err)
	}
	var document map[string]any
	if err := json.Unmarshal(data, &document); err != nil {
		w.t.Fatal(err)
	}
	return document
}

func (w *world) succeeded() bool {
	_, err := os.Stat(filepath.Join(w.folder(), "_SUCCESS"))
	return err == nil
}

func checkEnding(t *testing.T, ending engine.Ending, outcome runreport.Outcome, reason string, exitCode int, actual, dropped int64) {
	t.Helper()
	result := ending.Result
	if result.Outcome != outcome || result.Reason != reason || ending.ExitCode != exitCode || result.Records.Actual != actual ||
		result.Records.Dropped != dropped {
		t.Fatalf("got outcome %s, reason %q, exit code %d, %d records, %d dropped; want %s, %q, %d, %d, %d; message: %s",
			result.Outcome, result.Reason, ending.ExitCode, result.Records.Actual, result.Records.Dropped, outcome, reason, exitCode, actual,
			dropped, result.Message)
	}
	for _, column := range result.Columns {
		if total := column.Succeeded + column.Failed + column.Dropped + column.Skipped; total != result.Records.Actual+result.Records.Dropped {
			t.Errorf("column %s counts %d cells for %d records with a fate", column.Name, total, result.Records.Actual+result.Records.Dropped)
		}
	}
	checkProgress(t, ending)
}

// checkProgress holds the progress at the end of a run that has made its rows to the result.
func checkProgress(t *testing.T, ending engine.Ending) {
	t.Helper()
	snapshot := ending.Progress
	if snapshot.At.IsZero() || ending.ExitCode != runreport.ExitOK || ending.Result.Role != runreport.RoleGenerate {
		return
	}
	records := ending.Result.Records
	if snapshot.Records.Actual != records.Actual || snapshot.Records.Dropped != records.Dropped || snapshot.InFlight != 0 ||
		snapshot.Deferred != 0 {
		t.Errorf("the progress ends with %+v, %d in flight and %d deferred; the result has %+v", snapshot.Records, snapshot.InFlight,
			snapshot.Deferred, records)
	}
	for _, column := range snapshot.Columns {
		if column.Open != 0 || column.Succeeded+column.Failed+column.Dropped+column.Skipped != column.Completed ||
			column.Completed != records.Actual+records.Dropped {
			t.Errorf("the progress of records %+v ends with the column %+v", records, column)
		}
	}
}

func TestGenerateWritesEveryRecordOnce(t *testing.T) {
	server := newEndpoint(t, echo)
	w := newWorld(t, basicSpec, server.URL)
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", runreport.ExitOK, 25, 0)
	names, rows := w.rows()
	if want := []string{"title", "year", "id", "note", "text", "number"}; !slices.Equal(names, want) {
		t.Errorf("columns are %v, want %v", names, want)
	}
	if len(rows) != 25 {
		t.Fatalf("the files have %d rows, want 25", len(rows))
	}
	titles := map[any]int{}
	for i, row := range rows {
		titles[row[0]]++
		if want := fmt.Sprintf("answer to about %s %s", row[0], row[2]); row[4] != want || row[3] != strings.ToUpper(want) {
			t.Errorf("row %d: text is %q and note %q, want %q", i, row[4], row[3], want)
		}
	}
	for title, count := range titles {
		if count < 8 || count > 9 {
			t.Errorf("seed row %v comes %d times in 25 rows of a seed with 3", title, count)
		}
	}
	if different, all := server.sent(); different != 25 || all != 25 {
		t.Errorf("%d requests for %d prompts were sent, want 25 for 25", all, different)
	}
	if !w.succeeded() {
		t.Error("_SUCCESS is missing")
	}
}

func TestGenerateAgainSendsNothing(t *testing.T) {
	server := newEndpoint(t, echo)
	w := newWorld(t, basicSpec, server.URL)
	first := w.generate(t.Context(), 0)
	second := w.generate(t.Context(), 0)
	checkEnding(t, second, runreport.OutcomeComplete, "", runreport.ExitOK, 25, 0)
	if _, all := server.sent(); all != 25 {
		t.Errorf("%d requests were sent, want 25", all)
	}
	if first.Result.Models[0] != second.Result.Models[0] {
		t.Errorf("usage was %v, and is %v after a run that did nothing", first.Result.Models, second.Result.Models)
	}
}

func TestRaisingNumRecordsMakesOnlyTheMissing(t *testing.T) {
	server := newEndpoint(t, echo)
	w := newWorld(t, basicSpec, server.URL)
	w.generate(t.Context(), 0)
	_, before := w.rows()
	w.spec.NumRecords = 42
	w.attempt = 2
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", runreport.ExitOK, 42, 0)
	_, after := w.rows()
	if _, all := server.sent(); all != 42 {
		t.Errorf("%d requests were sent, want 42", all)
	}
	for i := range before {
		if fmt.Sprint(before[i]) != fmt.Sprint(after[i]) {
			t.Errorf("row %d has changed", i)
		}
	}
}

func TestShardsMakeTheSameRows(t *testing.T) {
	server := newEndpoint(t, echo)
	single := newWorld(t, basicSpec, server.URL)
	single.generate(t.Context(), 0)
	_, want := single.rows()
	sharded := newWorld(t, basicSpec, server.URL)
	sharded.shards = 4 // one more than there are row groups
	for shard := range sharded.shards {
		if ending := sharded.generate(t.Context(), shard); ending.ExitCode != runreport.ExitOK {
			t.Fatalf("shard %d ended with %d: %s", shard, ending.ExitCode, ending.Result.Message)
		}
	}
	if sharded.succeeded() {
		t.Error("_SUCCESS is there before the run was finalized")
	}
	checkEnding(t, engine.Finalize(t.Context(), sharded.config(0)), runreport.OutcomeComplete, "", runreport.ExitOK, 25, 0)
	if _, got := sharded.rows(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Error("the rows of 4 shards are not those of one")
	}
}

func TestAModelThatAlwaysFailsEndsTheRunEarly(t *testing.T) {
	server := newEndpoint(t, func(string, int) (int, string) { return http.StatusOK, "" })
	w := newWorld(t, basicSpec, server.URL)
	w.spec.NumRecords = 1000
	w.spec.Run.MaxConversationRestarts = new(int32)
	ending := w.generate(t.Context(), 0)
	if ending.Result.Reason != v1alpha1.ReasonEarlyShutdown || ending.ExitCode != runreport.ExitFailed || ending.Result.Records.Actual != 0 {
		t.Fatalf("got %+v with exit code %d", ending.Result, ending.ExitCode)
	}
	if _, all := server.sent(); all > 30+4 {
		t.Errorf("%d requests were sent to a model that always fails, want at most 30 and those in flight", all)
	}
	if w.succeeded() {
		t.Error("_SUCCESS is there")
	}
	if outcome := w.metadata()["run"].(map[string]any)["outcome"]; outcome != "Failed" {
		t.Errorf("metadata says %v", outcome)
	}
}

func TestRowsAreTriedAgainAndDropped(t *testing.T) {
	var mutex sync.Mutex
	failing := map[string]bool{}
	server := newEndpoint(t, func(prompt string, _ int) (int, string) {
		mutex.Lock()
		defer mutex.Unlock()
		// Every row about Alien fails; its second attempt has another id.
		if strings.Contains(prompt, "Alien") {
			failing[prompt] = true
			return http.StatusOK, " "
		}
		return http.StatusOK, prompt
	})
	w := newWorld(t, basicSpec, server.URL)
	w.spec.Seed.Order = v1alpha1.SeedOrdered
	w.spec.Run.MaxConversationRestarts = new(int32)
	ending := w.generate(t.Context(), 0)
	checkEnding(t, ending, runreport.OutcomePartial, v1alpha1.ReasonRowsDropped, runreport.ExitOK, 16, 9)
	if len(failing) != 18 {
		t.Errorf("%d prompts failed, want two for each of 9 rows", len(failing))
	}
	data, err := os.ReadFile(filepath.Join(w.folder(), "dropped-rows.jsonl"))
	if err != nil || strings.Count(string(data), `"reason":"ModelGenerationInvalid"`) != 9 {
		t.Errorf("dropped-rows.jsonl is %q (%v)", data, err)
	}
	// Another attempt tries the dropped rows again, and nothing else.
	_, sentBefore := server.sent()
	w.attempt = 2
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomePartial, v1alpha1.ReasonRowsDropped, runreport.ExitOK, 16, 9)
	if _, sent := server.sent(); sent-sentBefore != 18 {
		t.Errorf("the second attempt sent %d requests, want 18", sent-sentBefore)
	}
}

func TestWhatMayPassIsSentAgain(t *testing.T) {
	server := newEndpoint(t, func(prompt string, before int) (int, string) {
		if before == 0 && strings.Contains(prompt, "Heat") {
			return http.StatusServiceUnavailable, ""
		}
		return http.StatusOK, prompt
	})
	w := newWorld(t, basicSpec, server.URL)
	ending := w.generate(t.Context(), 0)
	checkEnding(t, ending, runreport.OutcomeComplete, "", runreport.ExitOK, 25, 0)
	if failed := ending.Result.Models[0].Failed; failed < 8 {
		t.Errorf("usage counts %d failed requests, want at least 8", failed)
	}
}

func TestAnInterruptionKeepsWholeRows(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mutex sync.Mutex
	answered := 0
	server := newEndpoint(t, func(prompt string, _ int) (int, string) {
		mutex.Lock()
		defer mutex.Unlock()
		answered++
		if answered == 14 {
			cancel()
		}
		return http.StatusOK, prompt
	})
	w := newWorld(t, basicSpec, server.URL)
	ending := w.generate(ctx, 0)
	if ending.Result.Outcome != runreport.OutcomeInterrupted || ending.ExitCode != runreport.ExitInterrupted {
		t.Fatalf("got %+v with exit code %d", ending.Result, ending.ExitCode)
	}
	kept := ending.Result.Records.Actual
	if kept == 0 || kept == 25 || ending.Result.Records.Missing != 25-kept {
		t.Fatalf("records are %+v", ending.Result.Records)
	}
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", runreport.ExitOK, 25, 0)
	_, rows := w.rows()
	if len(rows) != 25 {
		t.Errorf("the files have %d rows", len(rows))
	}
	// Four requests may have been in flight when the run was stopped; every other one is paid for once.
	if different, all := server.sent(); different != 25 || all > 25+4 {
		t.Errorf("%d requests for %d prompts were sent", all, different)
	}
}

func TestAnInterruptedSyncRunSendsNothingTwice(t *testing.T) {
	spec := strings.Replace(strings.Replace(resizeSpec, `"{{ sizes }}/{{ size }}"`, `"{{ id }} {{ size }}"`, 1),
		"columns:", "columns:\n- {name: id, sampler: {type: UUID}}\n- {name: intro, llmText: {model: writer, prompt: \"first {{ id }}\"}}", 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stop atomic.Int32
	server := newEndpoint(t, func(prompt string, before int) (int, string) {
		if stop.Add(1) == 17 {
			cancel()
		}
		return echo(prompt, before)
	})
	w := newWorld(t, spec, server.URL)
	parallel := int32(4)
	w.spec.Models[0].MaxParallelRequests = &parallel
	if ending := w.generate(ctx, 0); ending.Result.Outcome != runreport.OutcomeInterrupted {
		t.Fatalf("the first run ended as %s: %s", ending.Result.Outcome, ending.Result.Message)
	}
	ending := w.generate(t.Context(), 0)
	if ending.Result.Outcome != runreport.OutcomeComplete {
		t.Fatalf("the second run ended as %s: %s", ending.Result.Outcome, ending.Result.Message)
	}
	different, all := server.sent()
	if all > different+int(parallel) {
		t.Errorf("%d requests for %d prompts were sent", all, different)
	}
	if succeeded := ending.Result.Models[0].Succeeded; succeeded != int64(different) {
		t.Errorf("%d requests are counted as succeeded, want %d", succeeded, different)
	}
	other := newWorld(t, spec, server.URL)
	other.generate(t.Context(), 0)
	_, rows := w.rows()
	_, want := other.rows()
	if len(rows) == 0 || !reflect.DeepEqual(rows, want) {
		t.Errorf("the rows are %v, want %v", rows, want)
	}
}

func TestAWrongKeyEndsTheRun(t *testing.T) {
	server := newEndpoint(t, func(string, int) (int, string) { return http.StatusUnauthorized, "" })
	w := newWorld(t, basicSpec, server.URL)
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeFailed, v1alpha1.ReasonModelAuthentication, runreport.ExitInvalid, 0, 0)
	if _, all := server.sent(); all > 4 {
		t.Errorf("%d requests were sent, want those of the first round at most", all)
	}
}

func TestAChangedSeedIsRefused(t *testing.T) {
	server := newEndpoint(t, echo)
	w := newWorld(t, basicSpec, server.URL)
	w.generate(t.Context(), 0)
	if err := os.WriteFile(filepath.Join(w.seeds, "seed.csv"), []byte("title,year\nTron,1982\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.spec.NumRecords = 30
	ending := w.generate(t.Context(), 0)
	checkEnding(t, ending, runreport.OutcomeFailed, v1alpha1.ReasonSeedChanged, runreport.ExitInvalid, 25, 0)
}

const resizeSpec = `
numRecords: 20
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT}]
models: [{alias: writer, provider: local, model: m}]
columns:
- {name: sizes, sampler: {type: Uniform, uniform: {low: 0, high: 4}, convertTo: int}}
- name: size
  allowResize: true
  custom:
    strategy: Batch
    requiredColumns: [sizes]
    starlark:
      source: |
        def generate(rows):
            made = []
            for row in rows:
                for size in ["S", "M", "L", "XL"][:row["sizes"]]:
                    made.append({"_row": row["_row"], "size": size})
            return made
- {name: text, llmText: {model: writer, prompt: "{{ sizes }}/{{ size }}"}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 8}
`

func TestResizeRunsInSyncMode(t *testing.T) {
	server := newEndpoint(t, echo)
	w := newWorld(t, resizeSpec, server.URL)
	ending := w.generate(t.Context(), 0)
	_, rows := w.rows()
	records := ending.Result.Records
	if ending.ExitCode != runreport.ExitOK || ending.Result.Mode != "Sync" || int64(len(rows)) != records.Actual || records.Filtered == 0 ||
		records.Added == 0 {
		t.Fatalf("got %+v and %d rows", ending.Result, len(rows))
	}
	if records.Target+records.Added-records.Filtered != records.Actual || records.Missing != 0 {
		t.Errorf("records don't add up: %+v", records)
	}
	counts := map[string]int64{}
	for _, row := range rows {
		counts[fmt.Sprintf("%v/%v", row[0], row[1])]++
		if want := fmt.Sprintf("answer to %v/%v", row[0], row[1]); row[2] != want {
			t.Errorf("text is %q, want %q", row[2], want)
		}
	}
	for _, pair := range []string{"1/S", "2/M", "3/L"} {
		if counts[pair] == 0 {
			t.Errorf("no row has %s", pair)
		}
	}
	async := newWorld(t, basicSpec, server.URL)
	async.generate(t.Context(), 0)
	if got, want := keys(w.metadata()), keys(async.metadata()); !slices.Equal(got, want) {
		t.Errorf("sync metadata has the keys %v, async %v", got, want)
	}
}

// keys returns the paths of all keys of a document; lists count by their first entry.
func keys(document map[string]any) []string {
	var paths []string
	var walk func(prefix string, value any)
	walk = func(prefix string, value any) {
		switch typed := value.(type) {
		case map[string]any:
			for key, member := range typed {
				if prefix == ".schema" {
					continue
				}
				paths = append(paths, prefix+"."+key)
				walk(prefix+"."+key, member)
			}
		case []any:
			if len(typed) > 0 {
				walk(prefix+"[]", typed[0])
			}
		}
	}
	walk("", document)
	slices.Sort(paths)
	return paths
}
