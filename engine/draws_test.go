package engine_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/internal/golden"
	"seedloom.dev/seedloom/internal/runreport"
)

// drawingServer answers every prompt with itself, and prompts for images with one; it keeps what was drawn for its requests.
type drawingServer struct {
	*httptest.Server
	mutex sync.Mutex
	// parameters are the seed and the temperature of each request, by its prompt.
	parameters map[string][]string
}

func newDrawingServer(t *testing.T) *drawingServer {
	t.Helper()
	made := &drawingServer{parameters: map[string][]string{}}
	made.Server = httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		var body struct {
			Model       string
			Messages    []struct{ Content string }
			Seed        json.Number
			Temperature json.Number
		}
		if err := json.NewDecoder(request.Body).Decode(&body); err != nil {
			http.Error(writer, err.Error(), http.StatusBadRequest)
			return
		}
		var prompts []string
		for _, message := range body.Messages {
			prompts = append(prompts, message.Content)
		}
		prompt := strings.Join(prompts, " ")
		made.mutex.Lock()
		made.parameters[prompt] = append(made.parameters[prompt], string(body.Seed+" "+body.Temperature))
		made.mutex.Unlock()
		message := map[string]any{"content": prompt}
		if body.Model == "painter" {
			url := "data:image/png;base64," + base64.StdEncoding.EncodeToString(painting(prompt))
			message = map[string]any{"content": "", "images": []any{map[string]any{"type": "image_url", "image_url": map[string]any{"url": url}}}}
		}
		_ = json.NewEncoder(writer).Encode(map[string]any{
			"choices": []any{map[string]any{"message": message, "finish_reason": "stop"}}, "usage": map[string]any{"prompt_tokens": 3, "completion_tokens": 2},
		})
	}))
	t.Cleanup(made.Close)
	return made
}

// drawn lists what was drawn for requests, each with its prompt, sorted.
func (s *drawingServer) drawn() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var lines []string
	for prompt, parameters := range s.parameters {
		for _, one := range parameters {
			lines = append(lines, prompt+": "+one)
		}
	}
	slices.Sort(lines)
	return lines
}

// drawingColumns are columns of all kinds that draw. Those that ask models write what they have drawn.
var drawingColumns = []string{
	`{name: id, sampler: {type: UUID}}`,
	`{name: number, sampler: {type: Uniform, uniform: {low: 0, high: 1}}}`,
	`{name: normal, sampler: {type: Gaussian, gaussian: {mean: 0, stddev: 1}}}`,
	`{name: moment, sampler: {type: DateTime, dateTime: {start: "1900-01-01", end: "2100-01-01", unit: Second}}}`,
	`{name: letter, sampler: {type: Category, category: {values: [a, b, c, d, e, f, g, h], weights: [1, 1, 1, 1, 2, 2, 2, 2]}}}`,
	`{name: picked, expression: {expr: "{{ range(999) | random }}-{{ range(999) | random }}"}}`,
	`{name: left, skip: {when: "{{ range(2) | random == 1 and number < 2 }}"}, expression: {expr: "{{ number }}"}}`,
	`{name: text, llmText: {model: writer, systemPrompt: "{{ range(999) | random }}-{{ range(999) | random }}", prompt: "text {{ range(999) | random }}-{{ range(999) | random }} of {{ id }}"}}`,
	`{name: picture, image: {model: painter, prompt: "paint {{ range(999) | random }}-{{ range(999) | random }} of {{ id }}"}}`,
}

const tripling = `{name: part, allowResize: true, custom: {strategy: Batch, type: int, starlark: {source: ` +
	`"def generate(rows):\n    return [{'_row': r['_row'], 'part': i} for r in rows for i in range(3)]"}}}`

// drawingSpec is a spec with some columns.
func drawingSpec(rows, rowGroupSize int, columns []string) string {
	return fmt.Sprintf(`
numRecords: %d
randomSeed: 7
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT}]
models:
- {alias: writer, provider: local, model: m, rowSeed: Enabled, parameters: {temperatureDistribution: {uniform: {low: 0, high: 2}}}}
- {alias: painter, provider: local, model: painter, rowSeed: Enabled, parameters: {temperatureDistribution: {uniform: {low: 0, high: 2}}}}
seed: {configMap: {name: s, key: seed.csv}, order: Shuffled}
columns:
- %s
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: %d}
`, rows, strings.Join(columns, "\n- "), rowGroupSize)
}

// draw generates the dataset of a spec in some shards, and returns its columns by their names, and what was drawn for requests.
func draw(t *testing.T, spec string, shards int32) (columns map[string][]string, requests []string) {
	t.Helper()
	server := newDrawingServer(t)
	w := newWorld(t, spec, server.URL)
	w.shards = shards
	for shard := range shards {
		if result := w.generate(t.Context(), shard).Result; result.Outcome != runreport.OutcomeComplete {
			t.Fatalf("shard %d ended as %s: %s", shard, result.Outcome, result.Message)
		}
	}
	names, rows := w.rows()
	return byColumn(names, rows), server.drawn()
}

func byColumn(names []string, rows [][]any) map[string][]string {
	columns := map[string][]string{}
	for _, cells := range rows {
		for i, name := range names {
			columns[name] = append(columns[name], fmt.Sprint(cells[i]))
		}
	}
	return columns
}

// A resize makes several records of a row: what is drawn for them after it differs, for every kind that draws.
func TestRecordsOfOneRowDrawForThemselves(t *testing.T) {
	t.Parallel()
	const rows = 200
	columns, requests := draw(t, drawingSpec(rows, 100, append([]string{tripling}, drawingColumns...)), 1)
	for _, name := range []string{"id", "number", "normal", "moment", "picked", "text"} {
		values := slices.Clone(columns[name])
		slices.Sort(values)
		if records, different := len(columns[name]), len(slices.Compact(values)); records != 3*rows || different != records {
			t.Errorf("%s has %d records with %d different values", name, records, different)
		}
	}
	for _, name := range []string{"letter", "left"} {
		same := 0
		for row := range rows {
			if values := columns[name][3*row:]; values[0] == values[1] && values[1] == values[2] {
				same++
			}
		}
		if same > rows/2 {
			t.Errorf("%s is the same in all records of %d of %d rows", name, same, rows)
		}
	}
	parameters := map[string]bool{}
	for _, request := range requests {
		parameters[request[strings.LastIndex(request, ":"):]] = true
	}
	if len(requests) != 2*3*rows || len(parameters) != len(requests) {
		t.Errorf("%d requests have %d different seeds and temperatures", len(requests), len(parameters))
	}
	prompts := map[string]bool{}
	for _, request := range requests {
		if words := strings.Fields(request); words[0] == "paint" {
			prompts[words[1]] = true
		}
	}
	if len(prompts) != 3*rows {
		t.Errorf("%d different images were asked for", len(prompts))
	}
}

// What is drawn for a column depends on no other column, on no order of columns, and on no layout of the run.
func TestDrawsOfAColumnDependOnNothingElse(t *testing.T) {
	t.Parallel()
	const rows = 30
	want, wantRequests := draw(t, drawingSpec(rows, 30, drawingColumns), 1)
	check := func(name string, got map[string][]string, gotRequests []string) {
		t.Helper()
		for column, values := range got {
			if reference := want[column]; reference != nil && !slices.Equal(values, reference[:len(values)]) {
				t.Errorf("%s: %s draws %v, want %v", name, column, values, reference[:len(values)])
			}
		}
		for _, request := range gotRequests {
			if _, found := slices.BinarySearch(wantRequests, request); !found {
				t.Errorf("%s: a request has drawn %s", name, request)
			}
		}
	}
	for trial := range uint64(6) {
		random := rand.New(rand.NewPCG(trial, 0))
		columns := slices.Clone(drawingColumns)
		random.Shuffle(len(columns), func(i, j int) { columns[i], columns[j] = columns[j], columns[i] })
		removed := ""
		if trial%2 == 1 { // without one that no other reads
			at := slices.IndexFunc(columns, func(column string) bool {
				return !strings.Contains(column, "name: id") && !strings.Contains(column, "name: number")
			})
			removed = columns[at]
			columns = append(slices.Delete(columns, at, at+1), `{name: another, sampler: {type: UUID}}`)
		}
		size, shards := 1+random.IntN(rows), 1+random.Int32N(4)
		got, requests := draw(t, drawingSpec(rows, size, columns), shards)
		check(fmt.Sprintf("trial %d (row groups of %d, %d shards, without %q)", trial, size, shards, removed), got, requests)
	}

	server := newDrawingServer(t)
	w := newWorld(t, drawingSpec(1000, 7, drawingColumns), server.URL)
	preview, err := engine.Preview(t.Context(), w.config(0), 5)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, field := range preview.Dataset.Schema.Fields() {
		names = append(names, field.Name)
	}
	got := byColumn(names, preview.Dataset.Rows)
	if len(got["id"]) != 5 {
		t.Fatalf("the preview has %d records", len(got["id"]))
	}
	check("preview", got, server.drawn())
}

// All that users see of draws: the cells of a dataset, and the requests that were sent.
func TestDrawsOfADatasetAreFrozen(t *testing.T) {
	t.Parallel()
	columns := slices.Insert(slices.Clone(drawingColumns), 1, tripling)
	server := newDrawingServer(t)
	w := newWorld(t, drawingSpec(4, 4, columns), server.URL)
	if result := w.generate(t.Context(), 0).Result; result.Outcome != runreport.OutcomeComplete {
		t.Fatalf("the run ended as %s: %s", result.Outcome, result.Message)
	}
	var text strings.Builder
	names, rows := w.rows()
	for _, cells := range rows {
		for i, name := range names {
			fmt.Fprintf(&text, "%s %v\n", name, cells[i])
		}
		text.WriteString("\n")
	}
	for _, request := range server.drawn() {
		text.WriteString(request + "\n")
	}
	golden.Check(t, "testdata/draws.txt", text.String(),
		"users would get other data for the same manifest; raise identityVersion in engine/plan if that is meant")
}
