// Package simulation runs whole engines, with their files, through faults in virtual time. It looks at what they leave, and at
// what they send; nothing here waits for real time.
package simulation

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/store/objects"
	"seedloom.dev/seedloom/engine/store/s3/s3test"
	"seedloom.dev/seedloom/engine/store/storetest"
	"seedloom.dev/seedloom/internal/runreport"
)

// The simulation runs whole engines, with their files, in virtual time: hours of faults pass in milliseconds. A schedule is a function of
// its seed: how the spec looks, what each request meets, and when the engine is asked to stop.
var (
	simulatedRuns = flag.Int("simulation.runs", 150, "how many schedules of faults whole runs go through")
	simulatedSeed = flag.Uint64("simulation.seed", 0, "the seed of the first schedule; 0 draws one")
)

const simulatedSpec = `
numRecords: %d
randomSeed: %d
providers:
- {name: near, type: OpenAI, endpoint: "http://near/v1"}
- {name: far, type: OpenAI, endpoint: "http://far/v1"}
models:
- {alias: writer, provider: near, model: w, maxParallelRequests: %d, timeoutSeconds: 20}
- {alias: editor, provider: far, model: e, maxParallelRequests: %d, timeoutSeconds: 20}
columns:
- {name: id, sampler: {type: UUID}}
- {name: stars, sampler: {type: Uniform, uniform: {low: 1, high: 6}, convertTo: int}}
- {name: text, llmText: {model: writer, prompt: "text {{ id }}"}}
- {name: summary, skip: {when: "{{ stars == 5 }}", value: none}, llmText: {model: editor, prompt: "summary {{ text }}"}}
- {name: title, llmText: {model: editor, prompt: "title {{ id }}"}}
- {name: line, expression: {expr: "{{ title }} / {{ stars }}"}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: %d, maxRowAttempts: 2, earlyShutdown: {policy: Disabled}}
`

// weather is a network and two servers on which things go wrong.
type weather struct {
	seed  uint64
	began time.Time
	mutex sync.Mutex
	// asked counts how often each prompt came, and each operation on a file was tried.
	asked map[string]uint64
	// trouble is the share of requests that meet a fault; outages are times in which nobody is there.
	trouble float64
	outages [][2]time.Duration
	// quiet ends all faults.
	quiet bool
	// over says that the engine has returned; late counts the requests after that.
	over bool
	late int
	// decay is the share of operations on files that fail; decayed counts those that did.
	decay   float64
	decayed int
	// storm is the share of requests to the store of a bucket that meet a fault; stormed counts those that did.
	storm   float64
	stormed int
	// answered counts the whole answers to each prompt, and came those of this life; inFlight are the requests under way.
	answered map[string]int
	came     int
	inFlight int
	// metadata checks each metadata.json that is written.
	metadata func(data []byte)
	// latest is when the latest answers came, and arriving how many came then: they may not have been taken yet.
	latest   time.Time
	arriving int
}

// draw returns random numbers for what is done for the nth time: they don't depend on what else is done meanwhile.
func (w *weather) draw(what string) *rand.Rand {
	w.asked[what]++
	hash := fnv.New64a()
	_, _ = io.WriteString(hash, what) // a hash takes everything
	return rand.New(rand.NewPCG(w.seed^hash.Sum64(), w.asked[what]))
}

// fate is what a request meets, after how long.
type fate struct {
	after  time.Duration
	status int
	header http.Header
	body   string
	err    error
	hangs  bool
	cut    bool
}

func (w *weather) fateOf(prompt string) fate {
	random := w.draw(prompt)
	f := fate{after: time.Duration(5+random.IntN(3000)) * time.Millisecond, status: http.StatusOK, body: answerTo(prompt)}
	since := time.Since(w.began)
	for _, outage := range w.outages {
		if !w.quiet && since >= outage[0] && since < outage[1] {
			return fate{after: time.Millisecond, err: &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}}
		}
	}
	if w.quiet || random.Float64() >= w.trouble {
		return f
	}
	switch random.IntN(9) {
	case 0:
		f.status, f.body, f.header = http.StatusTooManyRequests, "{}", http.Header{"Retry-After": {fmt.Sprint(random.IntN(40))}}
	case 1:
		f.status, f.body = http.StatusTooManyRequests, "{}"
	case 2:
		f.status, f.body = []int{500, 502, 503, 504, 529}[random.IntN(5)], "oops"
	case 3:
		f.err = syscall.ECONNRESET
	case 4:
		f.hangs = true
	case 5:
		f.cut = true
	case 6:
		f.body = `{"choices":[{"message":{"content":""},"finish_reason":"stop"}]}`
	case 7:
		f.body = `{"choices":[{"message":{"refusal":"no"},"finish_reason":"stop"}]}`
	case 8:
		f.body = "<html>"
	}
	return f
}

func answerTo(prompt string) string {
	document, err := json.Marshal(map[string]any{
		"choices": []any{map[string]any{"message": map[string]any{"content": "re: " + prompt}, "finish_reason": "stop"}},
		"usage":   map[string]any{"prompt_tokens": 3, "completion_tokens": 2},
	})
	if err != nil {
		panic(err)
	}
	return string(document)
}

func (w *weather) RoundTrip(request *http.Request) (*http.Response, error) {
	var body struct{ Messages []struct{ Content string } }
	if err := json.NewDecoder(request.Body).Decode(&body); err != nil {
		return nil, err
	}
	prompt := body.Messages[len(body.Messages)-1].Content
	w.mutex.Lock()
	if w.over {
		w.late++
	}
	f := w.fateOf(prompt)
	w.inFlight++
	w.mutex.Unlock()
	defer func() {
		w.mutex.Lock()
		defer w.mutex.Unlock()
		w.inFlight--
	}()
	timer := time.NewTimer(f.after)
	defer timer.Stop()
	wait := timer.C
	if f.hangs {
		wait = nil
	}
	select {
	case <-request.Context().Done():
		return nil, request.Context().Err()
	case <-wait:
	}
	if f.err != nil {
		return nil, f.err
	}
	response := &http.Response{StatusCode: f.status, Header: f.header, Request: request, ContentLength: int64(len(f.body))}
	if response.Header == nil {
		response.Header = http.Header{"Content-Type": {"application/json"}}
	}
	var reader io.Reader = strings.NewReader(f.body)
	if f.cut {
		reader = io.MultiReader(strings.NewReader(f.body[:len(f.body)/2]), failing{io.ErrUnexpectedEOF})
	} else if f.status == http.StatusOK && f.body == answerTo(prompt) {
		w.mutex.Lock()
		w.answered[prompt]++
		w.came++
		if now := time.Now(); !now.Equal(w.latest) {
			w.latest, w.arriving = now, 0
		}
		w.arriving++
		w.mutex.Unlock()
	}
	response.Body = io.NopCloser(reader)
	return response, nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// volume is one on which operations fail now and then: objects for which there is no room, writes and reads that fail, done or not.
func (w *weather) volume(below store.Volume) store.Volume { return decaying{below, w} }

type decaying struct {
	store.Volume
	weather *weather
}

func (d decaying) fails(operation string) bool {
	d.weather.mutex.Lock()
	defer d.weather.mutex.Unlock()
	if d.weather.decay == 0 || d.weather.draw(operation).Float64() >= d.weather.decay {
		return false
	}
	d.weather.decayed++
	return true
}

// full is a log without room.
type full struct{ objects.Log }

func (full) Write([]byte) (int, error) { return 0, objects.ErrFull }

func (d decaying) Append(name string, from int64) (objects.Log, error) {
	log, err := d.Volume.Append(name, from)
	if err == nil && d.fails("open "+name) {
		return full{log}, nil
	}
	return log, err
}

// write fails before or after a write, or lets it through.
func (d decaying) write(name string, write func() error) error {
	if d.fails("open " + name) {
		return objects.ErrFull
	}
	if d.fails("name " + name) {
		return &os.PathError{Op: "write", Path: name, Err: syscall.EIO}
	}
	if err := write(); err != nil {
		return err
	}
	if d.fails("sync " + name) {
		return &os.PathError{Op: "sync", Path: name, Err: syscall.EIO}
	}
	return nil
}

func (d decaying) Put(name string, data []byte) error {
	return d.write(name, func() error { return d.Volume.Put(name, data) })
}

func (d decaying) PutNew(name string, data []byte) error {
	return d.write(name, func() error { return d.Volume.PutNew(name, data) })
}

func (d decaying) Replace(name string, data []byte, version objects.Version) error {
	if name == "metadata.json" && d.weather.metadata != nil {
		d.weather.metadata(data)
	}
	return d.write(name, func() error { return d.Volume.Replace(name, data, version) })
}

func (d decaying) Move(from, to string) error {
	return d.write(to, func() error { return d.Volume.Move(from, to) })
}

func (d decaying) MoveOver(from, to string, version objects.Version) error {
	return d.write(to, func() error { return d.Volume.MoveOver(from, to, version) })
}

func (d decaying) ReadLog(name string) ([]byte, error) {
	if d.fails("read " + name) {
		return nil, &os.PathError{Op: "read", Path: name, Err: syscall.EIO}
	}
	return d.Volume.ReadLog(name)
}

func (d decaying) Get(name string) ([]byte, error) {
	if d.fails("read " + name) {
		return nil, &os.PathError{Op: "read", Path: name, Err: syscall.EIO}
	}
	return d.Volume.Get(name)
}

// TestWholeRunsInVirtualTime goes through all schedules in one bubble of virtual time: the pools of compressors that files are written with
// may not be used from several.
func TestWholeRunsInVirtualTime(t *testing.T) {
	first := *simulatedSeed
	if first == 0 {
		first = rand.Uint64()
	}
	t.Logf("%d runs from seed %d on", *simulatedRuns, first)
	synctest.Test(t, func(t *testing.T) {
		schema := publishedSchema(t)
		countDescriptions(t, schema)
		for i := range *simulatedRuns {
			seed := first + uint64(i)
			simulateRun(t, seed, schema)
			if t.Failed() {
				t.Fatalf("again: go test ./test/simulation -simulation.runs 1 -simulation.seed %d", seed)
			}
		}
	})
}

// world is a dataset, and what its engines need.
type world struct {
	output string
	// bucket is the store that the dataset lies in; nil where it lies in a folder of output.
	bucket  *s3test.Server
	spec    v1alpha1.DatasetGenerationSpec
	attempt int32
	shards  int32
	// schema is that of metadata.json.
	schema *storetest.Schema
}

func (w *world) config(t *testing.T, shard int32, sky *weather) engine.Config {
	t.Helper()
	raw, err := json.Marshal(w.spec)
	if err != nil {
		t.Fatal(err)
	}
	return engine.Config{
		ObjectStore: w.location(sky),
		Run: runreport.ResolvedRun{
			Version: runreport.Version, Namespace: "ns", Name: "ds", RunID: "ds-1", ConfigHash: plan.ConfigHash(&w.spec),
			Attempt: w.attempt, Shards: w.shards, Spec: raw,
		},
		Shard: shard, OutputDirectory: w.output, APIKey: func(int) string { return "" }, Logger: slog.New(slog.DiscardHandler), Version: "test",
		Transport: sky, Volume: sky.volume, Outage: schedule.OutageConfig{First: time.Hour, Later: time.Hour},
	}
}

// files are those of the dataset.
func (w *world) files() fs.FS {
	folder := runreport.Folder("ns", "ds", plan.ConfigHash(&w.spec))
	if w.bucket == nil {
		return os.DirFS(filepath.Join(w.output, filepath.FromSlash(folder)))
	}
	return filesOf(w.bucket, folder)
}

// rows reads all files of the dataset.
func (w *world) rows(t *testing.T) (names []string, rows [][]any) {
	t.Helper()
	files := w.files()
	found, err := fs.Glob(files, "parquet-files/*.parquet")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	for _, name := range found {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		schema, more, err := parquetfile.Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		names = nil
		for _, field := range schema.Fields() {
			names = append(names, field.Name)
		}
		rows = append(rows, more...)
	}
	return names, rows
}

// simulateRun takes one dataset through a few lives of engines, and a last one in good weather.
func simulateRun(t *testing.T, seed uint64, schema *storetest.Schema) {
	random := rand.New(rand.NewPCG(seed, 1))
	rows := 5 + random.IntN(60)
	w := &world{output: t.TempDir(), attempt: 1, shards: int32(1 + random.IntN(3)), schema: schema}
	text := fmt.Sprintf(simulatedSpec, rows, random.IntN(1000), 1+random.IntN(16), 1+random.IntN(16), 1+random.IntN(25))
	if err := yaml.UnmarshalStrict([]byte(text), &w.spec); err != nil {
		t.Fatal(err)
	}
	sky := &weather{seed: seed, asked: map[string]uint64{}, began: time.Now(), trouble: random.Float64() * 0.4, answered: map[string]int{}}
	sky.metadata = func(data []byte) { w.checkMetadata(t, data) }
	if random.IntN(3) == 0 {
		from := time.Duration(random.IntN(60)) * time.Second
		sky.outages = [][2]time.Duration{{from, from + time.Duration(1+random.IntN(300))*time.Second}}
	}
	if random.IntN(3) == 0 {
		sky.decay = random.Float64() * 0.05
	}
	if random.IntN(3) == 0 {
		w.useBucket(t)
		sky.storm = random.Float64() * 0.02
	}
	lost := 0
	for life := range 1 + random.IntN(4) {
		stop := time.Duration(random.IntN(120_000)) * time.Millisecond
		if random.IntN(3) == 0 {
			stop = 100 * time.Hour // it is left to end by itself
		}
		lost += w.live(t, sky, stop)
		if random.IntN(4) == 0 {
			w.attempt++
		}
		_ = life
	}
	sky.quiet, sky.decay, sky.storm = true, 0, 0
	w.attempt++
	w.live(t, sky, 100*time.Hour)
	w.checkDataset(t, rows)
	paid := 0
	delete(sky.answered, "Hello!") // the question to each model before the run, which each shard may ask
	for prompt, count := range sky.answered {
		if count > 1 {
			paid += count - 1
		}
		if count > 1+lost {
			t.Errorf("%d answers to %q", count, prompt)
		}
	}
	if paid > lost {
		t.Errorf("%d answers were paid for twice, and %d were under way when an engine was asked to stop", paid, lost)
	}
}

// live lets the engines of all shards live until they end, or are asked to stop. It returns how many requests were under way then.
func (w *world) live(t *testing.T, sky *weather, stop time.Duration) (lost int) {
	t.Helper()
	sky.over, sky.decayed, sky.stormed, sky.came = false, 0, 0, 0
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stopped := make(chan struct{})
	timer := time.AfterFunc(stop, func() {
		defer close(stopped)
		sky.mutex.Lock()
		lost = sky.inFlight
		if time.Now().Equal(sky.latest) {
			lost += sky.arriving
		}
		sky.mutex.Unlock()
		cancel()
	})
	var running sync.WaitGroup
	endings := make([]engine.Ending, w.shards)
	for shard := range w.shards {
		running.Go(func() {
			endings[shard] = engine.Generate(ctx, w.config(t, shard, sky))
		})
	}
	running.Wait()
	if !timer.Stop() {
		<-stopped
	}
	sky.over = true
	if sky.inFlight > 0 {
		t.Errorf("%d requests are under way after the end", sky.inFlight)
	}
	for shard, ending := range endings {
		result := ending.Result
		if testing.Verbose() {
			t.Logf("attempt %d, shard %d: %s, %s, %+v, %d faults of files, %s", w.attempt, shard, result.Outcome, result.Reason, result.Records,
				sky.decayed, result.Message)
		}
		if result.Records.Actual+result.Records.Dropped+result.Records.Missing != result.Records.Target {
			t.Errorf("shard %d: the records don't add up: %+v", shard, result.Records)
		}
		if result.Reason == v1alpha1.ReasonStorageFailed {
			lost += w.lostWithStorage(sky)
			continue
		}
		if ctx.Err() == nil && sky.calm() && result.Outcome != runreport.OutcomeComplete && result.Outcome != runreport.OutcomePartial {
			t.Errorf("shard %d ended as %s, %s: %s", shard, result.Outcome, result.Reason, result.Message)
		}
		if w.shards == 1 && sky.calm() {
			w.checkEnding(t, result)
		}
		for _, column := range result.Columns {
			if sum := column.Succeeded + column.Failed + column.Dropped + column.Skipped; sum != result.Records.Actual+result.Records.Dropped {
				t.Errorf("shard %d, column %s: %+v are %d cells of %+v", shard, column.Name, column, sum, result.Records)
			}
		}
	}
	if sky.late > 0 {
		t.Errorf("%d requests were sent after the end", sky.late)
	}
	if w.shards > 1 && sky.calm() {
		if ending := engine.Finalize(context.Background(), w.config(t, 0, sky)); ending.Result.Records.Target != int64(w.spec.NumRecords) {
			t.Errorf("finalized: %+v", ending.Result)
		}
	}
	return lost
}

// lostWithStorage is how many answers may be lost when a run ends since its output can't be written: those that were under way, and those
// whose journal could not be written. In a bucket that is what has come since the last segment of a journal.
func (w *world) lostWithStorage(sky *weather) (lost int) {
	for _, model := range w.spec.Models {
		lost += model.EffectiveMaxParallelRequests()
	}
	if w.bucket != nil {
		lost += sky.came
	}
	return lost + sky.decayed
}

// checkDataset checks that each row is there once, and says what its own prompts ask for.
func (w *world) checkDataset(t *testing.T, want int) {
	t.Helper()
	names, rows := w.rows(t)
	if len(rows) != want {
		t.Errorf("%d rows are on the disk, want %d", len(rows), want)
	}
	position := func(name string) int { return slices.Index(names, name) }
	seen := map[string]bool{}
	for _, cells := range rows {
		id, _ := cells[position("id")].(string)
		if seen[id] {
			t.Errorf("the row %s is there twice", id)
		}
		seen[id] = true
		text := "re: text " + id
		var summary any = "re: summary " + text
		if cells[position("stars")] == int64(5) {
			summary = "none"
		}
		title := "re: title " + id
		line := fmt.Sprintf("%s / %d", title, cells[position("stars")])
		if cells[position("text")] != text || cells[position("summary")] != summary || cells[position("title")] != title ||
			cells[position("line")] != line {
			t.Errorf("the row %s is mixed up: %v", id, cells)
		}
	}
	if _, err := fs.Stat(w.files(), "_SUCCESS"); err != nil {
		t.Error(err)
	}
}
