package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/store/objects"
	"seedloom.dev/seedloom/engine/store/storetest"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
	"seedloom.dev/seedloom/internal/logtest"
	"seedloom.dev/seedloom/internal/runreport"
)

// described reads metadata.json, and checks that it is true and fits its schema.
func (w *world) described() storetest.Described {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.folder(), "metadata.json"))
	if err != nil {
		w.t.Fatal(err)
	}
	read, wrong := storetest.PublishedSchema(w.t, "../docs/metadata.schema.json").Read(os.DirFS(w.folder()), data)
	for _, violation := range wrong {
		w.t.Error(violation)
	}
	return read
}

// requireDescribed checks how metadata.json says the run has ended, or that it goes on.
func (w *world) requireDescribed(phase string, outcome runreport.Outcome, reason string, actual int64) storetest.Described {
	w.t.Helper()
	found := w.described()
	if found.Phase != phase || found.Outcome != string(outcome) || found.Reason != reason || found.Actual != actual {
		w.t.Errorf("metadata.json says %+v, want %s, %s, %q with %d records", found, phase, outcome, reason, actual)
	}
	return found
}

// descriptions checks and notes each metadata.json that is written, and may hold or refuse the writing.
type descriptions struct {
	world  *world
	schema *storetest.Schema
	// refuse and refuseFile, where they are not nil, are asked for the error of a write, and of the naming of another file.
	refuse     func(storetest.Described) error
	refuseFile func(name string) error

	mutex sync.Mutex
	seen  []storetest.Described
}

func (w *world) watched(config *engine.Config) *descriptions {
	w.t.Helper()
	made := &descriptions{world: w, schema: storetest.PublishedSchema(w.t, "../docs/metadata.schema.json")}
	config.Volume = func(below store.Volume) store.Volume { return describedVolume{below, made} }
	return made
}

type describedVolume struct {
	store.Volume
	descriptions *descriptions
}

func (v describedVolume) Replace(name string, data []byte, version objects.Version) error {
	if name == "metadata.json" {
		if err := v.descriptions.add(data); err != nil {
			return err
		}
	} else if err := v.refused(name); err != nil {
		return err
	}
	return v.Volume.Replace(name, data, version)
}

func (v describedVolume) Put(name string, data []byte) error {
	if err := v.refused(name); err != nil {
		return err
	}
	return v.Volume.Put(name, data)
}

func (v describedVolume) Move(from, to string) error {
	if err := v.refused(to); err != nil {
		return err
	}
	return v.Volume.Move(from, to)
}

func (v describedVolume) refused(name string) error {
	if v.descriptions.refuseFile == nil {
		return nil
	}
	return v.descriptions.refuseFile(name)
}

func (d *descriptions) add(data []byte) error {
	read, wrong := d.schema.Read(os.DirFS(d.world.folder()), data)
	for _, violation := range wrong {
		d.world.t.Errorf("written when %+v: %s", read, violation)
	}
	d.mutex.Lock()
	d.seen = append(d.seen, read)
	d.mutex.Unlock()
	if d.refuse != nil {
		return d.refuse(read)
	}
	return nil
}

// phases are the phases and outcomes that were written, each run of the same ones once.
func (d *descriptions) phases() []string {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	var phases []string
	for _, read := range d.seen {
		phases = append(phases, read.Phase+" "+read.Outcome)
	}
	return slices.Compact(phases)
}

// gate holds who comes to it until it is opened, or the test ends.
type gate struct {
	open func()
	wait func()
}

func newGate(t *testing.T) *gate {
	opened := make(chan struct{})
	return &gate{open: sync.OnceFunc(func() { close(opened) }), wait: func() {
		select {
		case <-opened:
		case <-t.Context().Done():
		}
	}}
}

// holds answers at once for some prompts, and for those of which which is true when the gate is opened.
func (g *gate) holds(which func(prompt string) bool) func(string, int) (int, string) {
	return func(prompt string, before int) (int, string) {
		if which(prompt) {
			g.wait()
		}
		return echo(prompt, before)
	}
}

// beyondTheFirstGroup says whether a prompt of numberedSpec is of another row group than the first.
func beyondTheFirstGroup(prompt string) bool { return len(prompt) > len("about row 1.") }

// The reader sees how far a run is while it runs, in both modes.
func TestMetadataTellsOfTheRunningRun(t *testing.T) {
	t.Parallel()
	same := `- {name: same, allowResize: true, custom: {strategy: Batch, requiredColumns: [id],
    starlark: {source: "def generate(rows):\n  return [{'same': 'x', '_row': row['_row']} for row in rows]\n"}}}`
	for mode, spec := range map[string]string{"Async": numberedSpec, "Sync": strings.Replace(numberedSpec, "output:", same+"\noutput:", 1)} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			held := newGate(t)
			w := newWorld(t, spec, newEndpoint(t, held.holds(beyondTheFirstGroup)).URL)
			config := w.config(0)
			written := w.watched(&config)
			ended := make(chan engine.Ending, 1)
			go func() { ended <- engine.Generate(t.Context(), config) }()
			waitFor(t, "the first row group in metadata.json", func() bool { return w.exists("metadata.json") && w.described().Actual == 10 })
			found := w.requireDescribed(runreport.PhaseRunning, store.OutcomeRunning, "", 10)
			if found.Groups != 1 || !slices.Contains(found.Columns, "text string generated") || w.succeeded() {
				t.Errorf("metadata.json says %+v, _SUCCESS is there: %t", found, w.succeeded())
			}
			held.open()
			checkEnding(t, <-ended, runreport.OutcomeComplete, "", runreport.ExitOK, 30, 0)
			w.requireDescribed(runreport.PhaseEnded, runreport.OutcomeComplete, "", 30)
			if want := []string{"Preparing Running", "Running Running", "Ended Complete"}; !slices.Equal(written.phases(), want) {
				t.Errorf("written was %q, want %q", written.phases(), want)
			}
		})
	}
}

// What an earlier attempt has said of its end is gone as soon as the next one begins, and comes back in no other way than by its end.
func TestMetadataOfAnEarlierEndGivesWayToTheNextRun(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 100)
	var served atomic.Pointer[gate]
	var broken atomic.Bool
	seeds := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		served.Load().wait()
		if broken.Load() {
			writer.WriteHeader(http.StatusNotFound)
			return
		}
		fmt.Fprint(writer, "title,year\nAlien,1979\n")
	}))
	t.Cleanup(seeds.Close)
	w := newWorld(t, strings.Replace(basicSpec, "configMap: {name: s, key: seed.csv}", `http: {url: "`+seeds.URL+`/seed.csv"}`, 1),
		newEndpoint(t, echo).URL)
	ended := make(chan engine.Ending, 1)
	generate := func(ctx context.Context) { ended <- w.generate(ctx, 0) }

	served.Store(newGate(t))
	go generate(t.Context())
	<-asked
	if first := w.requireDescribed(runreport.PhasePreparing, store.OutcomeRunning, "", 0); len(first.Columns) > 0 {
		t.Errorf("before the seed was read, metadata.json knows the columns %q", first.Columns)
	}
	served.Load().open()
	checkEnding(t, <-ended, runreport.OutcomeComplete, "", runreport.ExitOK, 25, 0)
	complete := w.requireDescribed(runreport.PhaseEnded, runreport.OutcomeComplete, "", 25)

	// The dataset is to grow, and the seed's server does not answer.
	served.Store(newGate(t))
	broken.Store(true)
	w.spec.NumRecords = 30
	go generate(t.Context())
	<-asked
	growing := w.requireDescribed(runreport.PhasePreparing, store.OutcomeRunning, "", 25)
	if difference := cmp.Diff(complete.Columns, growing.Columns); difference != "" || w.succeeded() {
		t.Errorf("while it prepares, _SUCCESS is there: %t; the columns differ from those of the files: %s", w.succeeded(), difference)
	}
	served.Load().open()
	checkEnding(t, <-ended, runreport.OutcomeFailed, v1alpha1.ReasonSeedFailed, runreport.ExitInvalid, 25, 0)
	failed := w.requireDescribed(runreport.PhaseEnded, runreport.OutcomeFailed, v1alpha1.ReasonSeedFailed, 25)
	if difference := cmp.Diff(complete.Columns, failed.Columns); difference != "" || w.succeeded() ||
		!strings.Contains(failed.Message, seeds.URL) {
		t.Errorf("_SUCCESS is there: %t; the message is %q; the columns differ: %s", w.succeeded(), failed.Message, difference)
	}

	// It is asked to stop while it waits for the seed.
	served.Store(newGate(t))
	ctx, stop := context.WithCancel(t.Context())
	go generate(ctx)
	<-asked
	w.requireDescribed(runreport.PhasePreparing, store.OutcomeRunning, "", 25)
	stop()
	<-ended
	w.requireDescribed(runreport.PhaseEnded, runreport.OutcomeInterrupted, v1alpha1.ReasonInterrupted, 25)
	served.Load().open()

	broken.Store(false)
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", runreport.ExitOK, 30, 0)
	w.requireDescribed(runreport.PhaseEnded, runreport.OutcomeComplete, "", 30)
}

// A run that can't begin says why in its folder, as far as it is known which one that is.
func TestMetadataTellsWhyARunCannotBegin(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change          func(w *world)
		reason, message string
	}{
		"no seed": {change: func(w *world) { _ = os.Remove(filepath.Join(w.seeds, "seed.csv")) }, reason: v1alpha1.ReasonSeedFailed, message: "seed.csv"},
		"an invalid spec": {change: func(w *world) {
			w.spec.Columns[2].LLMText.Prompt = "about {{ nothing }}"
		}, reason: v1alpha1.ReasonConfigInvalid, message: "nothing"},
		"a wrong key": {change: func(w *world) {
			w.spec.Models[0].HealthCheck = v1alpha1.HealthCheckEnabled
			w.spec.Providers[0].Endpoint += "/denied"
		}, reason: v1alpha1.ReasonModelAuthentication, message: "writer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newEndpoint(t, func(string, int) (int, string) { return http.StatusUnauthorized, "" })
			w := newWorld(t, basicSpec, server.URL)
			test.change(w)
			ending := w.generate(t.Context(), 0)
			checkEnding(t, ending, runreport.OutcomeFailed, test.reason, runreport.ExitInvalid, 0, 0)
			found := w.requireDescribed(runreport.PhaseEnded, runreport.OutcomeFailed, test.reason, 0)
			if found.Message != ending.Result.Message || !strings.Contains(found.Message, test.message) || w.succeeded() {
				t.Errorf("metadata.json says %q, the result %q", found.Message, ending.Result.Message)
			}
		})
	}
	t.Run("a spec of another folder", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, basicSpec, "http://127.0.0.1:9")
		config := w.config(0)
		config.Run.ConfigHash = "sha256:" + strings.Repeat("0", 64)
		if ending := engine.Generate(t.Context(), config); ending.Result.Reason != v1alpha1.ReasonConfigInvalid {
			t.Errorf("the run ended as %s", ending.Result.Reason)
		}
		if found, _ := filepath.Glob(filepath.Join(w.output, "ns", "ds", "*", "metadata.json")); len(found) > 0 {
			t.Errorf("of which dataset is %q?", found)
		}
	})
}

func TestMetadataOfAnInterruptedRunSaysSo(t *testing.T) {
	t.Parallel()
	held := newGate(t)
	w := newWorld(t, numberedSpec, newEndpoint(t, held.holds(beyondTheFirstGroup)).URL)
	config := w.config(0)
	written := w.watched(&config)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan engine.Ending, 1)
	go func() { ended <- engine.Generate(ctx, config) }()
	waitFor(t, "the first row group", func() bool { return w.exists(".seedloom/row-groups/00000.json") })
	stop()
	ending := <-ended
	w.requireDescribed(runreport.PhaseEnded, runreport.OutcomeInterrupted, v1alpha1.ReasonInterrupted, ending.Result.Records.Actual)
	if phases := written.phases(); phases[len(phases)-1] != "Ended Interrupted" || slices.Contains(phases, "Ended Running") {
		t.Errorf("written was %q", phases)
	}
}

// After a kill, the metadata say that the run was running, with what they knew last; the next life ends them.
func TestMetadataAfterAKillSaysThatItWasRunning(t *testing.T) {
	t.Parallel()
	server := simtest.Start(t, llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultHang, FromRequest: 1000}}})
	k := newKilled(t, server)
	k.killWhen(func() bool { return k.exists("metadata.json") && k.described().Groups > 0 })
	if found := k.described(); found.Phase != runreport.PhaseRunning || found.Outcome != string(store.OutcomeRunning) || found.Actual < 100 ||
		k.world.succeeded() {
		t.Errorf("metadata.json says %+v", found)
	}
	server.WaitForClients()
	server.Configure(llmsim.Config{})
	if k.live(server, 1<<30) {
		t.Fatal("the last run was killed")
	}
	k.requireDescribed(runreport.PhaseEnded, runreport.OutcomeComplete, "", 2000)
}

// Metadata that can't be written while the run goes on doesn't end it, and is told once; at the end it does.
func TestMetadataThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	full := &os.PathError{Op: "write", Path: "metadata.json", Err: syscall.ENOSPC}
	for name, test := range map[string]struct {
		refuse  func(storetest.Described) error
		outcome runreport.Outcome
		reason  string
	}{
		"while it runs": {refuse: func(read storetest.Described) error {
			if read.Outcome == string(store.OutcomeRunning) {
				return full
			}
			return nil
		}, outcome: runreport.OutcomeComplete},
		"at the beginning": {refuse: func(read storetest.Described) error {
			if read.Phase == runreport.PhasePreparing {
				return full
			}
			return nil
		}, outcome: runreport.OutcomeComplete},
		"ever": {refuse: func(storetest.Described) error { return full }, outcome: runreport.OutcomeFailed, reason: v1alpha1.ReasonStorageFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, basicSpec, newEndpoint(t, echo).URL)
			var log logtest.Buffer
			config := w.config(0)
			config.Logger = slog.New(slog.NewTextHandler(&log, nil))
			w.watched(&config).refuse = test.refuse
			ending := engine.Generate(t.Context(), config)
			if ending.Result.Outcome != test.outcome || ending.Result.Reason != test.reason || ending.Result.Records.Actual != 25 {
				t.Errorf("the run ended as %s, %s with %+v", ending.Result.Outcome, ending.Result.Reason, ending.Result.Records)
			}
			if told := strings.Count(log.String(), "could not be written while the run goes on"); told != 1 {
				t.Errorf("it was told %d times:\n%s", told, log.String())
			}
			if test.outcome == runreport.OutcomeComplete {
				w.requireDescribed(runreport.PhaseEnded, runreport.OutcomeComplete, "", 25)
			} else if w.exists("metadata.json") || w.succeeded() {
				t.Error("metadata.json or _SUCCESS is there")
			}
		})
	}
}

// A dataset that can't be made of what was generated, since its files can't be written, is not left as one that is being made.
func TestMetadataOfADatasetThatCannotBeFinalized(t *testing.T) {
	t.Parallel()
	w := newWorld(t, numberedSpec+starlarkProcessor("same", "AfterGeneration", "FailRun", "return rows"), newEndpoint(t, echo).URL)
	config := w.config(0)
	w.watched(&config).refuseFile = func(name string) error {
		if strings.HasPrefix(name, "parquet-files/") {
			return &os.LinkError{Op: "rename", New: name, Err: syscall.EIO}
		}
		return nil
	}
	ending := engine.Generate(t.Context(), config)
	checkEnding(t, ending, runreport.OutcomeFailed, v1alpha1.ReasonStorageFailed, runreport.ExitStorage, 30, 0)
	found := w.requireDescribed(runreport.PhaseEnded, runreport.OutcomeFailed, v1alpha1.ReasonStorageFailed, 30)
	if found.Message != ending.Result.Message || found.PostGeneration != "started" {
		t.Errorf("metadata.json says %+v", found)
	}
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", runreport.ExitOK, 30, 0)
}

// However long a write of the metadata takes, rows are made and row groups committed meanwhile.
func TestNothingWaitsForTheMetadata(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"Async", "Sync"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			spec := basicSpec
			if mode == "Sync" {
				spec = strings.Replace(spec, "output:",
					`- {name: same, allowResize: true, custom: {strategy: Batch, requiredColumns: [id],
    starlark: {source: "def generate(rows):\n  return [{'same': 'x', '_row': row['_row']} for row in rows]\n"}}}`+"\noutput:", 1)
			}
			held := newGate(t)
			w := newWorld(t, spec, newEndpoint(t, echo).URL)
			config := w.config(0)
			written := w.watched(&config)
			written.refuse = func(read storetest.Described) error {
				if read.Phase == runreport.PhaseRunning {
					held.wait()
				}
				return nil
			}
			ended := make(chan engine.Ending, 1)
			go func() { ended <- engine.Generate(t.Context(), config) }()
			waitFor(t, "all row groups", func() bool {
				return w.exists(".seedloom/row-groups/00000.json") && w.exists(".seedloom/row-groups/00001.json") &&
					w.exists(".seedloom/row-groups/00002.json")
			})
			if found := w.described(); found.Phase != runreport.PhasePreparing {
				t.Errorf("the metadata were not held: %+v", found)
			}
			held.open()
			checkEnding(t, <-ended, runreport.OutcomeComplete, "", runreport.ExitOK, 25, 0)
			w.requireDescribed(runreport.PhaseEnded, runreport.OutcomeComplete, "", 25)
		})
	}
}

// Processors after the generation may take their time: until they are through, nothing has ended. What they have made stays made while the
// next run begins, until there are rows that they have not seen.
func TestMetadataWhileTheDatasetIsMadeOfWhatWasGenerated(t *testing.T) {
	t.Parallel()
	w := newWorld(t, numberedSpec+starlarkProcessor("same", "AfterGeneration", "FailRun", "return rows"), newEndpoint(t, echo).URL)
	for _, test := range []struct {
		records                    int64
		preparing, running, ending string
	}{{30, "", "", "complete"}, {30, "complete", "complete", "complete"}, {40, "", "", "complete"}} {
		w.spec.NumRecords = test.records
		config := w.config(0)
		written := w.watched(&config)
		checkEnding(t, engine.Generate(t.Context(), config), runreport.OutcomeComplete, "", runreport.ExitOK, test.records, 0)
		if want := []string{"Preparing Running", "Running Running", "Finalizing Running", "Ended Complete"}; !slices.Equal(written.phases(), want) {
			t.Errorf("written was %q, want %q", written.phases(), want)
		}
		states := map[string]string{}
		for _, read := range written.seen {
			states[read.Phase] = read.PostGeneration
		}
		want := map[string]string{"Preparing": test.preparing, "Running": test.running, "Finalizing": "started", "Ended": test.ending}
		if difference := cmp.Diff(want, states); difference != "" {
			t.Errorf("of %d records: %s", test.records, difference)
		}
	}
}
