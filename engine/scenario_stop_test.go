package engine_test

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
	"seedloom.dev/seedloom/internal/runreport"
)

// stuck is one step of a program that takes far longer than a test may. Nothing within the program can end it.
const stuck = `int("9" * 20000000)`

// codeSpec has code that works on all rows of a row group, and a model that needs nothing of it.
const codeSpec = `
numRecords: 200
randomSeed: 7
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT}]
models: [{alias: writer, provider: local, model: scenario/writer, maxParallelRequests: 16, timeoutSeconds: 60}]
columns:
- {name: id, sampler: {type: UUID}}
- name: code
  custom:
    strategy: Batch
    requiredColumns: [id]
    starlark:
      source: |
        def generate(rows):
            CODE
            return [{"_row": row["_row"], "code": row["id"]} for row in rows]
- {name: text, llmText: {model: writer, prompt: "about {{ id }}"}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 200, maxConversationRestarts: 0}
`

// P6: the run ends while code of the user is at work. The code is ended with it, whatever it is doing, and nothing that it has made is
// written.
func TestCodeThatRunsWhenTheRunEnds(t *testing.T) {
	written := func(text, code string) string {
		return strings.Replace(text, "            CODE", "            "+strings.ReplaceAll(code, "\n", "\n            "), 1)
	}
	resizing := strings.Replace(codeSpec, "- name: code\n", "- name: code\n  allowResize: true\n", 1)
	for name, test := range map[string]struct {
		spec, work string
		// stopped says that the run is asked to stop; else it is ended by the failures of its model.
		stopped bool
	}{
		"a loop, and the error gate":            {spec: written(codeSpec, hangs), work: `column "code"`},
		"one long step, and the error gate":     {spec: written(codeSpec, stuck), work: `column "code"`},
		"one long step of a resize, and a stop": {spec: written(resizing, stuck), work: `column "code"`, stopped: true},
		"one long step of a processor, and a stop": {
			spec: written(codeSpec, "pass") + "processors:\n" + starlarkProcessor("slow", "PreBatch", "FailRun", stuck+"\nreturn rows"), work: "PreBatch processors",
			stopped: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			// The model takes longer than the columns before the code, and shorter than the code.
			server := simtest.Start(t, llmsim.Config{Defaults: llmsim.Model{Latency: answersAfter(150)}, Faults: []llmsim.Fault{{Kind: llmsim.FaultInvalid}}})
			w := newWatchedRun(t, test.spec, server.Endpoint())
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := w.start(ctx)
			waitFor(t, "the code to be told of", func() bool { return w.atWork(test.work) })
			waitFor(t, "the code to be at work", func() bool { return runs(inCode) })
			outcome, reason := runreport.OutcomeFailed, v1alpha1.ReasonEarlyShutdown
			if test.stopped {
				cancel()
				outcome, reason = runreport.OutcomeInterrupted, v1alpha1.ReasonInterrupted
			}
			ending := <-ended
			if ending.Result.Outcome != outcome || ending.Result.Reason != reason || ending.Result.Records.Actual != 0 {
				t.Errorf("the run ended as %s, %s with %+v: %s", ending.Result.Outcome, ending.Result.Reason, ending.Result.Records,
					ending.Result.Message)
			}
			if said := ending.Result.Message + w.log.String(); runs(inCode) || strings.Contains(said, "did not stop") {
				t.Errorf("code of the run goes on: %t, and it says:\n%s", runs(inCode), said)
			}
			server.WaitForClients()
			requests, files, log := server.Counters().Requests, w.files(), w.log.String()
			if difference := cmp.Diff(files, w.files()); difference != "" || w.log.String() != log {
				t.Errorf("the late result was not discarded: %s%s", difference, strings.TrimPrefix(w.log.String(), log))
			}
			if now := server.Counters().Requests; now != requests {
				t.Errorf("%d requests were sent after the end", now-requests)
			}
		})
	}
}

// inCode is the function that waits for the process in which code of a user runs.
const inCode = "sandbox.(*worker).call"

// runs says whether a goroutine of this process is in a function.
func runs(function string) bool {
	stacks := make([]byte, 4<<20)
	return strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), function)
}

// files are the files of the dataset, with their sizes and the times when they were last written.
func (w *world) files() map[string]string {
	w.t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(w.output, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			found[path] = fmt.Sprint(info.Size(), info.ModTime())
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}
