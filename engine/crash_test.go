package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
	"seedloom.dev/seedloom/internal/runreport"
)

// engineProcess names the file with what a process of its own, which can be killed, is to generate.
const engineProcess = "SEEDLOOM_TEST_ENGINE"

var crashSeed = flag.Uint64("crash.seed", 0, "repeat the crash suite with this seed")

func TestMain(m *testing.M) {
	if path := os.Getenv(engineProcess); path != "" {
		os.Exit(generateInProcess(path))
	}
	goleak.VerifyTestMain(m)
}

type processInput struct {
	Run    runreport.ResolvedRun
	Output string
}

func generateInProcess(path string) int {
	var input processInput
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &input)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ending := engine.Generate(context.Background(), engine.Config{
		Run: input.Run, OutputDirectory: input.Output, APIKey: func(int) string { return "" },
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})), Version: "test",
	})
	return ending.ExitCode
}

const crashSpec = `
numRecords: 2000
randomSeed: 7
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT}]
models: [{alias: writer, provider: local, model: crash/writer, maxParallelRequests: 64, parameters: {maxTokens: 8}}]
columns:
- {name: id, sampler: {type: UUID}}
- {name: question, llmText: {model: writer, prompt: "ask about {{ id }}"}}
- {name: answer, llmText: {model: writer, prompt: "answer {{ id }}: {{ question }}"}}
- {name: both, expression: {expr: "{{ question }} {{ answer }}"}}
- {name: aside, drop: true, skip: {when: "{{ 'a' in id[:4] }}", value: none}, expression: {expr: "{{ answer | upper }}"}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 100}
`

// killed is the engine in a process of its own.
type killed struct {
	*world
	input string
}

func newKilled(t *testing.T, server *simtest.Server) *killed {
	t.Helper()
	return newKilledOf(t, crashSpec, server)
}

func newKilledOf(t *testing.T, spec string, server *simtest.Server) *killed {
	t.Helper()
	w := newWorld(t, spec, server.Endpoint())
	data, err := json.Marshal(processInput{Run: w.config(0).Run, Output: w.output})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "input.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return &killed{w, path}
}

// live runs the engine until it ends by itself, or, once the server has had so many requests in all, kills it. It says whether it did.
func (k *killed) live(server *simtest.Server, requests int) bool {
	k.t.Helper()
	return k.killWhen(func() bool { return server.Counters().Requests >= requests })
}

// killWhen runs the engine until it ends by itself, or kills it once a condition holds. It says whether it did.
func (k *killed) killWhen(reached func() bool) bool {
	k.t.Helper()
	command := exec.CommandContext(k.t.Context(), os.Args[0])
	command.Env = append(os.Environ(), engineProcess+"="+k.input)
	var messages bytes.Buffer
	command.Stderr = &messages
	if err := command.Start(); err != nil {
		k.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	for {
		select {
		case err := <-ended:
			if err != nil {
				k.t.Fatalf("the engine ended with %v\n%s", err, messages.String())
			}
			return false
		default:
		}
		if reached() {
			if err := command.Process.Signal(syscall.SIGKILL); err != nil {
				k.t.Fatal(err)
			}
			return <-ended != nil
		}
	}
}

// kept counts the cells of models that are on the disk.
func (k *killed) kept() int {
	k.t.Helper()
	cells := 0
	for group := range 20 {
		if data, err := os.ReadFile(filepath.Join(k.folder(), ".seedloom/row-groups", fmt.Sprintf("%05d.json", group))); err == nil {
			var manifest struct{ Rows int }
			if err := json.Unmarshal(data, &manifest); err != nil {
				k.t.Fatal(err)
			}
			cells += 2 * manifest.Rows
			continue
		}
		if data, err := os.ReadFile(filepath.Join(k.folder(), ".seedloom/journal", fmt.Sprintf("%05d.jsonl", group))); err == nil {
			cells += bytes.Count(data, []byte("\n"))
		}
	}
	return cells
}

// succeeded is how many requests the manifests count.
func (k *killed) succeeded() int {
	k.t.Helper()
	count := 0
	for group := range 20 {
		data, err := os.ReadFile(filepath.Join(k.folder(), ".seedloom/row-groups", fmt.Sprintf("%05d.json", group)))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			k.t.Fatal(err)
		}
		var manifest struct{ Models []struct{ Succeeded int } }
		if err := json.Unmarshal(data, &manifest); err != nil {
			k.t.Fatal(err)
		}
		for _, model := range manifest.Models {
			count += model.Succeeded
		}
	}
	return count
}

// A row whose first attempt has failed goes on with its second one after a kill, in both modes: the failure is not paid for again.
func TestAKillForgetsNoFailedAttempt(t *testing.T) {
	t.Parallel()
	one := strings.Replace(crashSpec, "numRecords: 2000", "numRecords: 1", 1)
	same := `- {name: same, allowResize: true, custom: {strategy: Batch, requiredColumns: [id],
    starlark: {source: "def generate(rows):\n  return [{'same': 'x', '_row': row['_row']} for row in rows]\n"}}}`
	for mode, spec := range map[v1alpha1.ExecutionMode]string{
		v1alpha1.ExecutionAsync: one, v1alpha1.ExecutionSync: strings.Replace(one, "output:", same+"\noutput:", 1),
	} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			server := simtest.Start(t, llmsim.Config{Faults: []llmsim.Fault{
				{Kind: llmsim.FaultRefusal, FromRequest: 2, ToRequest: 2},
				{Kind: llmsim.FaultHang, FromRequest: 3},
			}})
			k := newKilledOf(t, spec, server)
			if k.spec.ExecutionMode() != mode {
				t.Fatalf("the mode is %s", k.spec.ExecutionMode())
			}
			if !k.live(server, 3) {
				t.Fatal("the engine has ended by itself")
			}
			server.WaitForClients()
			server.Configure(llmsim.Config{})
			if k.live(server, 1<<30) {
				t.Fatal("the last run was killed")
			}
			again := 0
			for _, prompt := range server.Prompts() {
				again += prompt.Count - 1
			}
			// Of the requests before the kill, only the one under way is sent again.
			if counters := server.Counters(); again != 1 || counters.Requests != 2+1+2 {
				t.Errorf("%d requests were sent again, of %d in all: %+v", again, counters.Requests, server.Prompts())
			}
		})
	}
}

// TestAHundredKills kills the engine at random moments, a hundred times: the target is met, no row is there twice, the rows are those of a
// run that was never killed, in the files of dropped columns too, and each kill costs the requests that were in flight, and no more.
func TestAHundredKills(t *testing.T) {
	t.Parallel()
	const kills, inFlight, cells = 100, 64, 4000
	seed := *crashSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("again: go test ./engine -run TestAHundredKills -crash.seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	server := simtest.Start(t, llmsim.Config{Defaults: llmsim.Model{Latency: llmsim.Latency{Distribution: llmsim.Uniform, Min: milliseconds(1), Max: milliseconds(30)}}})
	k := newKilled(t, server)
	keptBefore, requestsBefore := 0, 0
	for kill := range kills {
		// On the average a little less than what makes all cells in a hundred lives, of which each also pays for what is in flight; and some
		// are left for the last life.
		missing := cells - keptBefore
		most := min(inFlight+2*missing/(kills-kill)*7/10, max(1, missing-2*inFlight))
		if !k.live(server, requestsBefore+random.IntN(most)) {
			t.Fatalf("the run came to its end after %d kills", kill)
		}
		server.WaitForClients()
		kept, requests := k.kept(), server.Counters().Requests
		if lost := (requests - requestsBefore) - (kept - keptBefore); lost > inFlight || kept < keptBefore {
			t.Fatalf("kill %d: %d requests were sent and %d cells kept: %d are lost, of %d in flight", kill, requests-requestsBefore,
				kept-keptBefore, lost, inFlight)
		}
		keptBefore, requestsBefore = kept, requests
	}
	if k.live(server, 1<<30) {
		t.Fatal("the last run was killed")
	}
	if counters := server.Counters(); counters.Requests-requestsBefore != cells-keptBefore {
		t.Errorf("%d cells were missing, and %d requests were sent", cells-keptBefore, counters.Requests-requestsBefore)
	}
	if counted := k.succeeded(); counted != cells {
		t.Errorf("the metadata counts %d requests that succeeded, want %d", counted, cells)
	}
	reference := newKilled(t, server)
	reference.live(server, 1<<30)
	names, rows := k.rows()
	wantNames, want := reference.rows()
	if difference := cmp.Diff(wantNames, names) + cmp.Diff(want, rows); len(rows) != 2000 || difference != "" {
		t.Errorf("%d rows, other than those of a run that was never killed: %s", len(rows), difference)
	}
	_, dropped := k.rowsIn("dropped-columns-parquet-files")
	_, wantDropped := reference.rowsIn("dropped-columns-parquet-files")
	if difference := cmp.Diff(wantDropped, dropped); len(dropped) != 2000 || difference != "" {
		t.Errorf("%d rows of the dropped columns, other than those of a run that was never killed: %s", len(dropped), difference)
	}
	if left, _ := filepath.Glob(filepath.Join(k.folder(), ".seedloom/journal", "*")); len(left) > 0 {
		t.Errorf("journals are left over: %s", strings.Join(left, ", "))
	}
}
