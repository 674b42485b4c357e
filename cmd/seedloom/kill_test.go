package main

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"seedloom.dev/seedloom/engine/store/s3/s3test"
	"seedloom.dev/seedloom/internal/llmsim"
)

// gate lets requests through to a model server, but for a while only so many.
type gate struct {
	server http.Handler
	mutex  sync.Mutex
	left   int
	// shut is nil while all may pass.
	shut *shutGate
}

// shutGate is a gate from when it is shut until it opens again.
type shutGate struct {
	opened  chan struct{}
	waiting atomic.Int32
}

// ServeHTTP implements http.Handler.
func (g *gate) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	g.mutex.Lock()
	shut := g.shut
	if g.left > 0 {
		g.left--
		shut = nil
	}
	g.mutex.Unlock()
	if shut != nil {
		shut.waiting.Add(1)
		select {
		case <-shut.opened:
		case <-request.Context().Done():
			return
		}
	}
	g.server.ServeHTTP(writer, request)
}

// shutAfter lets so many requests through, until the gate is opened.
func (g *gate) shutAfter(requests int) *shutGate {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.left, g.shut = requests, &shutGate{opened: make(chan struct{})}
	return g.shut
}

func (g *gate) open() {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	close(g.shut.opened)
	g.left, g.shut = 0, nil
}

// startGate starts a gate before the model server of a world, and returns the endpoint by which models are asked through it.
func startGate(t *testing.T, w *world) (before *gate, endpoint string) {
	t.Helper()
	model, err := url.Parse(w.server.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	path := model.Path
	model.Path = ""
	proxy := httputil.NewSingleHostReverseProxy(model)
	proxy.ErrorLog = log.New(io.Discard, "", 0) // of requests that the kill has ended
	before = &gate{server: proxy}
	server := httptest.NewServer(before)
	t.Cleanup(server.Close)
	return before, server.URL + path
}

const killedRun = `
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: reviews}
spec:
  numRecords: 24
  randomSeed: 7
  providers: [{name: local, type: OpenAI, endpoint: "ENDPOINT"}]
  models: [{alias: writer, provider: local, model: m, maxParallelRequests: 4}]
  SEED
  columns:
  - {name: stars, sampler: {type: Uniform, uniform: {low: 1, high: 5}, convertTo: int}}
  - {name: review, llmText: {model: writer, prompt: "{{ stars }} stars: {{ COLUMN }}"}}
  - {name: summary, llmText: {model: writer, prompt: "sum up {{ review }}"}}
  RESIZED
  output: {persistentVolumeClaim: {claimName: c}}
  run: {rowGroupSize: 8}
`

const resized = `- name: half
    allowResize: true
    custom:
      strategy: Batch
      requiredColumns: [summary]
      starlark:
        source: |
          def generate(rows):
              return [{"_row": row["_row"], "half": half} for row in rows for half in ("first", "second")]`

const titles = `
---
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: titles}
spec:
  numRecords: 6
  columns:
  - {name: title, sampler: {type: UUID}}
  output: {persistentVolumeClaim: {claimName: c}}
`

// killSeed is a kind of seed: what the spec says of it, the column that the prompt reads, and other resources.
type killSeed struct{ seed, column, more string }

// killSeeds lays the data of seeds of every kind.
func killSeeds(t *testing.T, w *world, bucket *s3test.Server, endpoint string) map[string]killSeed {
	t.Helper()
	movies := w.read("movies.csv")
	bucket.Put("seeds/movies.csv", movies)
	for name, content := range map[string]string{
		"parts/1.csv": "title\nAlien\nBrazil\n", "parts/2.csv": "title\nHeat\n",
		"notes/a.txt": "Alien", "notes/b.txt": "Brazil",
		"books/a.md": "# One\n\nAlien\n\n# Two\n\nBrazil\n", "books/b.md": "# Three\n\nHeat\n",
	} {
		if err := os.MkdirAll(filepath.Dir(w.path(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		w.write(name, content)
	}
	web := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(writer, movies) }))
	t.Cleanup(web.Close)
	startHub(t).Create("me/movies", false, map[string]string{"train.csv": movies})
	if err := os.CopyFS(w.path("sessions"), os.DirFS("../../config/samples/recipes/sessions")); err != nil {
		t.Fatal(err)
	}
	return map[string]killSeed{
		"no seed":       {column: "stars"},
		"a ConfigMap":   {"seed: {configMap: {name: movies, key: movies.csv}}", "title", ""},
		"several files": {`seed: {order: Shuffled, persistentVolumeClaim: {claimName: d, path: "parts/*.csv"}}`, "title", ""},
		"a web server":  {`seed: {http: {url: "` + web.URL + `/movies.csv"}}`, "title", ""},
		"a bucket":      {`seed: {objectStore: {url: "s3://bucket/seeds/movies.csv", endpoint: "` + endpoint + `"}}`, "title", ""},
		"a hub":         {"seed: {huggingFace: {repository: me/movies}}", "title", ""},
		"a dataset":     {"seed: {datasetRef: {name: titles}}", "title", titles},
		"documents": {
			`seed: {persistentVolumeClaim: {claimName: d, path: "books/*"}, documents: {chunk: {by: Headings, size: 100}}}`, "text", "",
		},
		"sessions": {`seed: {persistentVolumeClaim: {claimName: d, path: "sessions/**"}, agentRollouts: {format: Codex}}`, "trace_id", ""},
		"files":    {`seed: {persistentVolumeClaim: {claimName: d, path: "notes/*"}, files: {content: Text}}`, "content", ""},
	}
}

// TestAKilledRunHasTheRowsOfOneThatWasNot kills runs in their middle, on a volume and in a bucket, with a seed of each kind and in both
// modes, and starts them again: the rows are those of a run that was left alone.
func TestAKilledRunHasTheRowsOfOneThatWasNot(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long with the race detector: it runs without")
	}
	bucket := s3test.New()
	_, endpoint := bucketWorld(t, bucket)
	w := newWorld(t, "", llmsim.Config{})
	models, address := startGate(t, w)
	for name, seed := range killSeeds(t, w, bucket, endpoint) {
		for mode, column := range map[string]string{"Async": "", "Sync": resized} {
			if mode == "Sync" && name != "no seed" && name != "several files" {
				continue // the rows of a seed are there before the mode matters
			}
			filled := strings.NewReplacer("ENDPOINT", address, "SEED", seed.seed, "COLUMN", seed.column, "RESIZED", column)
			w.write("reviews.yaml", filled.Replace(killedRun)+seed.more)
			folder := strings.ReplaceAll(mode+" "+name, " ", "-")
			want := w.rows(t, "whole-"+folder)
			for place, output := range map[string]string{"volume": "killed-" + folder, "bucket": "s3://bucket/" + folder} {
				t.Run(strings.Join([]string{place, name, mode}, ", "), func(t *testing.T) {
					t.Setenv("AWS_ENDPOINT_URL", endpoint)
					shut := models.shutAfter(12)
					w.kill(t, output, func() bool { return shut.waiting.Load() > 0 })
					models.open()
					if got := w.rows(t, output); got != want {
						t.Errorf("got the rows\n%swant\n%s", got, want)
					}
				})
			}
		}
	}
}

// kill starts a run, and kills it once something is so.
func (w *world) kill(t *testing.T, output string, is func() bool) {
	t.Helper()
	command := w.command("run", "reviews.yaml", "--output", output)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "the middle of the run", is)
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err == nil {
		t.Fatal("the run came to its end before it was killed")
	}
}

// rows are those of a run, to its end, as lines of JSON.
func (w *world) rows(t *testing.T, output string) string {
	t.Helper()
	if code, _, log := w.run("run", "reviews.yaml", "--output", output); code != exitOK {
		t.Fatalf("got %d, %s", code, log)
	}
	lines := strings.ReplaceAll(strings.TrimPrefix(output, "s3://bucket/"), "/", "-") + ".jsonl"
	if code, _, log := w.run("export", output+"/default/reviews", "--to", lines); code != exitOK {
		t.Fatalf("got %d, %s", code, log)
	}
	return w.read(lines)
}
