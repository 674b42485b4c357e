package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/engine/progress/terminal/terminaltest"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
)

// asCommand makes the test's program be the command: so the tests run it as a process of its own.
const asCommand = "SEEDLOOM_TEST_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}

const reviews = `
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: reviews}
spec:
  numRecords: 24
  randomSeed: 7
  providers: [{name: local, type: OpenAI, endpoint: "ENDPOINT"}]
  models: [{alias: writer, provider: local, model: m, maxParallelRequests: 4}]
  seed: {configMap: {name: movies, key: movies.csv}}
  columns:
  - {name: stars, sampler: {type: Uniform, uniform: {low: 1, high: 5}, convertTo: int}}
  - {name: review, llmText: {model: writer, prompt: "{{ stars }} stars for {{ title }}"}}
  - {name: summary, llmText: {model: writer, prompt: "sum up {{ review }}"}}
  output: {persistentVolumeClaim: {claimName: c}}
  run: {rowGroupSize: 8}
`

const localOnly = `
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: local}
spec:
  numRecords: 10
  columns:
  - {name: stars, sampler: {type: Uniform, uniform: {low: 1, high: 5}, convertTo: int}}
  output: {persistentVolumeClaim: {claimName: c}}
`

// world is a folder with a manifest, the data of its seed, and a model server.
type world struct {
	t      *testing.T
	folder string
	server *simtest.Server
}

func newWorld(t *testing.T, manifest string, config llmsim.Config) *world {
	t.Helper()
	w := &world{t: t, folder: t.TempDir(), server: simtest.Start(t, config)}
	w.write("reviews.yaml", strings.ReplaceAll(manifest, "ENDPOINT", w.server.Endpoint()))
	w.write("movies.csv", "title,year\nAlien,1979\nBrazil,1985\nHeat,1995\n")
	return w
}

func (w *world) path(name string) string { return filepath.Join(w.folder, name) }

func (w *world) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(w.path(name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// command returns the command as a process that was not started yet.
func (w *world) command(arguments ...string) *exec.Cmd {
	command := exec.CommandContext(w.t.Context(), os.Args[0], arguments...)
	command.Dir = w.folder
	command.Env = append(os.Environ(), asCommand+"=1")
	return command
}

// run runs the command without a terminal, and returns its exit code and what it wrote.
func (w *world) run(arguments ...string) (code int, out, log string) {
	w.t.Helper()
	var stdout, stderr bytes.Buffer
	command := w.command(arguments...)
	command.Stdout, command.Stderr = &stdout, &stderr
	code = exitCode(w.t, command.Run())
	for _, text := range []string{stdout.String(), stderr.String()} {
		if strings.Contains(text, "\x1b") {
			w.t.Errorf("escape codes without a terminal: %q", text)
		}
	}
	return code, stdout.String(), stderr.String()
}

func exitCode(t *testing.T, err error) int {
	t.Helper()
	var failed *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &failed):
		return failed.ExitCode()
	}
	t.Fatal(err)
	return 0
}

// dataset reads what a run has left in the folder out.
func (w *world) dataset() *store.Dataset {
	w.t.Helper()
	folders, err := filepath.Glob(w.path("out/default/reviews/[0-9a-f]*"))
	if err != nil || len(folders) != 1 {
		w.t.Fatalf("got the folders %v, %v", folders, err)
	}
	opened, err := store.Open(filepath.Dir(folders[0]), filepath.Base(folders[0]), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer opened.Close()
	dataset, err := opened.ReadDataset()
	if err != nil {
		w.t.Fatal(err)
	}
	return dataset
}

// requests is how many requests were sent for cells. A run may look first whether its models answer.
func (w *world) requests() (count int) {
	w.t.Helper()
	for _, prompt := range w.server.Prompts() {
		if strings.Contains(prompt.Text, "stars for") || strings.Contains(prompt.Text, "sum up") {
			count += prompt.Count
		}
	}
	return count
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}

func TestValidateListsAllThatIsWrong(t *testing.T) {
	w := newWorld(t, reviews, llmsim.Config{})
	if code, out, log := w.run("validate", "-f", "reviews.yaml"); code != 0 || out != "datasetgeneration/reviews is valid\n" || log != "" {
		t.Errorf("a valid manifest: got %d, %q, %q", code, out, log)
	}
	text, err := os.ReadFile(w.path("reviews.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	broken := func(name string, pairs ...string) {
		t.Helper()
		w.write(name, strings.NewReplacer(pairs...).Replace(string(text)))
	}
	broken("spec.yaml", "numRecords: 24", "numRecords: -1", "model: writer, prompt: \"sum", "model: nobody, prompt: \"sum", "randomSeed: 7",
		"randomSeed: 7\n  colums: []")
	code, out, log := w.run("validate", "-f", "spec.yaml")
	if code != 1 || log != "error: spec.yaml is invalid: 3 problems\n" {
		t.Errorf("got %d, %q", code, log)
	}
	contains(t, out, `spec.yaml:8:3: error: spec.colums: there is no field "colums"; did you mean "columns"?`,
		"spec.yaml:6:3: error: spec.numRecords: must be at least 1", `spec.columns[2].llmText.model`)
	broken("definition.yaml", "output: {persistentVolumeClaim: {claimName: c}}", "", "rowGroupSize: 8", "rowGroupSize: 8, trace: Sometimes")
	code, out, _ = w.run("validate", "-f", "definition.yaml")
	if code != 1 {
		t.Error("a manifest that the API server refuses is valid")
	}
	contains(t, out, `spec.run.trace: "Sometimes" is not one of its values`, "Enabled", "spec.output: is missing")
	broken("rules.yaml", "name: reviews", "name: Reviews", "rowGroupSize: 8", "rowGroupSize: 8, trace: Sometimes")
	code, out, _ = w.run("validate", "-f", "rules.yaml")
	if code != 1 {
		t.Error("a manifest that the API server refuses is valid")
	}
	contains(t, out, "metadata.name must start with a letter", "spec.run.trace: ")
	if code, _, log := w.run("preview", "-f", "rules.yaml"); code != 1 || !strings.Contains(log, "metadata.name must") {
		t.Errorf("a manifest that the API server refuses is previewed: got %d, %s", code, log)
	}
	broken("seed.yaml", "{{ title }}", "{{ tilte }}")
	code, out, _ = w.run("validate", "-f", "seed.yaml")
	if code != 1 {
		t.Errorf("a name that the seed has not is valid")
	}
	contains(t, out, "tilte", "title")
	broken("twice.yaml", "randomSeed: 7", "randomSeed: 7\n  randomSeed: 8")
	if code, out, _ := w.run("validate", "-f", "twice.yaml"); code != 1 ||
		!strings.Contains(out, `twice.yaml:8:3: error: spec.randomSeed: the key "randomSeed" is there twice`) {
		t.Errorf("a key that is there twice: got %d, %q", code, out)
	}
	w.write("others.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n---\n"+string(text))
	if code, out, _ := w.run("validate", "-f", "others.yaml"); code != 0 {
		t.Errorf("a file with other resources: got %d, %q", code, out)
	}
	w.write("none.yaml", "apiVersion: v1\nkind: ConfigMap\n")
	if code, out, _ := w.run("validate", "-f", "none.yaml"); code != 1 || !strings.Contains(out, "no resource of kind DatasetGeneration") {
		t.Errorf("a file without a DatasetGeneration: got %d, %q", code, out)
	}
	if code, _, log := w.run("validate", "-f", "nowhere.yaml"); code != 1 || !strings.Contains(log, "nowhere.yaml") {
		t.Errorf("a file that is not there: got %d, %q", code, log)
	}
	if code, _, log := w.run("validate"); code != 1 || !strings.Contains(log, "--filename") {
		t.Errorf("no file: got %d, %q", code, log)
	}
}

// preview is a preview as it is printed.
type preview struct {
	Records []struct {
		Title, Review, Summary string
		Year, Stars            int64
	}
	Dropped []struct {
		Row            int64
		Column, Reason string
	}
	Metadata map[string]any
}

func TestPreviewShowsTheRowsOfTheRun(t *testing.T) {
	w := newWorld(t, reviews, llmsim.Config{})
	code, out, log := w.run("preview", "-f", "reviews.yaml", "-n", "5", "-o", "json")
	if code != 0 || log != "" {
		t.Fatalf("got %d, %s", code, log)
	}
	var asJSON, asYAML preview
	if err := json.Unmarshal([]byte(out), &asJSON); err != nil {
		t.Fatal(err)
	}
	_, out, _ = w.run("preview", "-f", "reviews.yaml", "-n", "5", "-o", "yaml")
	if err := yaml.Unmarshal([]byte(out), &asYAML); err != nil {
		t.Fatal(err)
	}
	if len(asJSON.Records) != 5 || asJSON.Metadata["actual_num_records"] != 5.0 || asJSON.Records[1] != asYAML.Records[1] {
		t.Fatalf("got %+v and %+v", asJSON, asYAML)
	}
	_, out, _ = w.run("preview", "-f", "reviews.yaml", "-n", "5")
	if lines := strings.Split(strings.TrimSpace(out), "\n"); len(lines) != 6 ||
		!strings.HasPrefix(lines[0], "TITLE    YEAR   STARS   REVIEW") || !strings.HasPrefix(lines[2], "Brazil   1985") {
		t.Errorf("as a table:\n%s", out)
	}
	if code, out, log := w.run("run", "-f", "reviews.yaml", "--output", "out"); code != 0 {
		t.Fatalf("got %d, %s, %s", code, out, log)
	}
	dataset := w.dataset()
	for i, record := range asJSON.Records {
		row := dataset.Rows[i]
		if row[0] != record.Title || row[2] != record.Stars || row[3] != record.Review || row[4] != record.Summary {
			t.Errorf("record %d is %+v in the preview, and %v in the run", i, record, row)
		}
	}
}

// refuseHeat drops all rows of one of the three movies.
var refuseHeat = llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultStatus, Status: 400, PromptContains: "stars for Heat"}}}

func TestPreviewShowsDroppedRowsAndKeepsTheSettings(t *testing.T) {
	w := newWorld(t, reviews, refuseHeat)
	code, out, log := w.run("preview", "-f", "reviews.yaml", "-n", "6", "-o", "json")
	var made preview
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		t.Fatal(err)
	}
	if code != exitPartial || len(made.Records) != 4 || len(made.Dropped) != 2 || made.Dropped[0].Row != 2 ||
		made.Dropped[0].Column != "review" {
		t.Errorf("got %d, %+v", code, made)
	}
	contains(t, log, "cells fail", "2 of 6 records were dropped")
	_, out, _ = w.run("preview", "-f", "reviews.yaml", "-n", "6")
	contains(t, out, "\nDROPPED ROW   COLUMN   REASON", "\n2             review   RequestRejected")
	// All fail: early shutdown ends that, and without it all rows are tried.
	everything := reviews[:strings.LastIndex(reviews, "}")] + ", earlyShutdown: {policy: POLICY}}\n"
	for policy, want := range map[string]string{"Enabled": "EarlyShutdown", "Disabled": "NoRecords"} {
		w := newWorld(t, strings.ReplaceAll(everything, "POLICY", policy), llmsim.Config{Defaults: llmsim.Model{Always: &llmsim.Fault{Kind: llmsim.FaultInvalid}}})
		code, out, log := w.run("preview", "-f", "reviews.yaml", "-n", "60", "-o", "json")
		var made preview
		if err := json.Unmarshal([]byte(out), &made); err != nil {
			t.Fatal(err)
		}
		if code != exitFailed || (policy == "Disabled") != (len(made.Dropped) == 60) {
			t.Errorf("early shutdown %s: got %d and %d dropped rows", policy, code, len(made.Dropped))
		}
		contains(t, log, "failed: "+want)
	}
}

func TestRunGoesOnWhereItWas(t *testing.T) {
	w := newWorld(t, reviews, llmsim.Config{})
	code, out, log := w.run("run", "-f", "reviews.yaml", "--output", "out")
	if code != 0 {
		t.Fatalf("got %d, %s", code, log)
	}
	contains(t, out, "datasetgeneration/reviews complete: 24 records in out/default/reviews/")
	lines := strings.Split(strings.TrimSpace(log), "\n")
	contains(t, lines[len(lines)-1], "the run has ended", "outcome=Complete", "records=24")
	contains(t, log, `columns="review 24/24 (`)
	if code, _, log := w.run("run", "-f", "reviews.yaml", "--output", "out"); code != 0 || w.requests() != 48 {
		t.Errorf("again: got %d and %d requests\n%s", code, w.requests(), log)
	}
	if code, out, log := w.run("run", "-f", "reviews.yaml", "--output", "out", "--num-records", "30"); code != 0 || w.requests() != 60 ||
		!strings.Contains(log, "fromEarlier=24") {
		t.Errorf("with more records: got %d, %q and %d requests", code, out, w.requests())
	}
}

func TestExitCodes(t *testing.T) {
	t.Run("partial, and dropped rows tried again", func(t *testing.T) {
		w := newWorld(t, reviews, refuseHeat)
		code, out, _ := w.run("run", "-f", "reviews.yaml", "--output", "out")
		if code != exitPartial {
			t.Errorf("got %d", code)
		}
		contains(t, out, "datasetgeneration/reviews partial: 16 of 24 records in out/", "8 of 24 records were dropped",
			"--retry-dropped tries them again")
		w.server.Configure(llmsim.Config{})
		if code, _, _ := w.run("run", "-f", "reviews.yaml", "--output", "out"); code != exitPartial {
			t.Errorf("dropped rows are tried again without being asked: got %d", code)
		}
		if code, out, _ := w.run("run", "-f", "reviews.yaml", "--output", "out", "--retry-dropped"); code != exitOK ||
			len(w.dataset().Rows) != 24 {
			t.Errorf("with --retry-dropped: got %d, %s", code, out)
		}
	})
	t.Run("early shutdown with data", func(t *testing.T) {
		many := strings.ReplaceAll(reviews, "numRecords: 24", "numRecords: 400")
		w := newWorld(t, many, llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultInvalid, FromRequest: 60}}})
		code, out, log := w.run("run", "-f", "reviews.yaml", "--output", "out")
		if code != exitEarlyShutdown {
			t.Errorf("got %d", code)
		}
		contains(t, out, "ended early")
		contains(t, log, "error: EarlyShutdown")
		if strings.Contains(log, "outcome=Complete") {
			t.Error("the log says that the run is complete")
		}
	})
	t.Run("complete, with answers that could not be used and others that were cut off", func(t *testing.T) {
		cut := `{"choices": [{"message": {"content": "half a sen"}, "finish_reason": "length"}]}`
		config := llmsim.Config{Faults: []llmsim.Fault{
			{Kind: llmsim.FaultInvalid, PromptContains: "stars for", FromRequest: 3, ToRequest: 4},
			{Kind: llmsim.FaultErrorObject, Body: cut, PromptContains: "sum up"},
		}}
		keeping := strings.ReplaceAll(reviews, `prompt: "sum up {{ review }}"`, `prompt: "sum up {{ review }}", onTruncation: Keep`)
		w := newWorld(t, keeping, config)
		for _, arguments := range [][]string{
			{"run", "-f", "reviews.yaml", "--output", "out"}, {"preview", "-f", "reviews.yaml", "-n", "24"},
		} {
			w.server.Configure(config)
			code, _, log := w.run(arguments...)
			if code != exitOK {
				t.Errorf("got %d", code)
			}
			contains(t, log, "column review: 2 of 26 answers were paid for and could not be used: 2 ModelGenerationInvalid",
				"column summary: 24 of 24 answers were cut off by the limit of tokens and kept")
		}
	})
	t.Run("failed", func(t *testing.T) {
		w := newWorld(t, reviews, llmsim.Config{APIKeys: []string{"right"}})
		code, _, log := w.run("run", "-f", "reviews.yaml", "--output", "out")
		if code != exitFailed {
			t.Errorf("got %d", code)
		}
		contains(t, log, "error: datasetgeneration/reviews failed: ModelAuthentication")
	})
}

func TestAPIKeysComeFromTheEnvironment(t *testing.T) {
	withKey := strings.ReplaceAll(reviews, `"ENDPOINT"`, `"ENDPOINT", apiKeySecretRef: {name: s, key: k}`)
	w := newWorld(t, withKey, llmsim.Config{APIKeys: []string{"right-key"}})
	code, _, log := w.run("run", "-f", "reviews.yaml", "--output", "out")
	if code != exitFailed || !strings.Contains(log, "--api-key local=") {
		t.Errorf("without a key: got %d, %s", code, log)
	}
	if code, _, log := w.run("run", "-f", "reviews.yaml", "--output", "out", "--api-key", "local=NOT_SET_ANYWHERE"); code != exitFailed ||
		!strings.Contains(log, "NOT_SET_ANYWHERE") {
		t.Errorf("with a variable that is not set: got %d, %s", code, log)
	}
	if code, _, log := w.run("run", "-f", "reviews.yaml", "--output", "out", "--api-key", "other=A_KEY"); code != exitFailed ||
		!strings.Contains(log, `"other"`) {
		t.Errorf("for a provider that is not there: got %d, %s", code, log)
	}
	t.Setenv("A_KEY", "right-key")
	code, out, log := w.run("run", "-f", "reviews.yaml", "--output", "out", "--api-key", "local=A_KEY", "--log-level", "debug")
	if code != exitOK || strings.Contains(out+log, "right-key") {
		t.Errorf("with the key: got %d, %s, %s", code, out, log)
	}
}

func TestTheSeedMayLieAnywhere(t *testing.T) {
	w := newWorld(t, reviews, llmsim.Config{})
	if err := os.MkdirAll(w.path("data"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(w.path("movies.csv"), w.path("data/all.csv")); err != nil {
		t.Fatal(err)
	}
	code, _, log := w.run("run", "-f", "reviews.yaml", "--output", "out")
	if code != exitFailed {
		t.Errorf("without a seed: got %d", code)
	}
	contains(t, log, "movies.csv", "--seed-file")
	_, _, log = w.run("run", "-f", "reviews.yaml", "--output", "out", "--seed-file", "data")
	contains(t, log, "data is a folder", "--seed-dir")
	if code, _, log := w.run("run", "-f", "reviews.yaml", "--output", "out", "--seed-file", "data/all.csv"); code != exitOK {
		t.Errorf("with --seed-file: got %d, %s", code, log)
	}
	if err := os.Rename(w.path("data/all.csv"), w.path("data/movies.csv")); err != nil {
		t.Fatal(err)
	}
	before := w.requests()
	if code, _, log := w.run("run", "-f", "reviews.yaml", "--output", "out", "--seed-dir", "data"); code != exitOK || w.requests() != before {
		t.Errorf("with --seed-dir: got %d and %d requests, %s", code, w.requests()-before, log)
	}
}

// slow answers late, so that a run lasts until it is interrupted.
var slow = llmsim.Config{Defaults: llmsim.Model{Latency: llmsim.Latency{Value: llmsim.Duration(50 * time.Millisecond)}}}

// await waits until something is so.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !is() {
		if time.Now().After(deadline) {
			t.Fatalf("waited 30 s for: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestAnInterruptedRunSaysWhatIsKept(t *testing.T) {
	w := newWorld(t, strings.ReplaceAll(reviews, "numRecords: 24", "numRecords: 2000"), slow)
	var out, log bytes.Buffer
	command := w.command("run", "-f", "reviews.yaml", "--output", "out")
	command.Stdout, command.Stderr = &out, &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "some requests", func() bool { return w.requests() > 40 })
	if err := command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := exitCode(t, command.Wait()); code != exitInterrupted {
		t.Errorf("got %d", code)
	}
	contains(t, out.String(), "datasetgeneration/reviews interrupted: ", " of 2000 records are kept in out/")
	contains(t, log.String(), "stopping: ", "outcome=Interrupted")
	kept := len(w.dataset().Rows)
	if kept == 0 {
		t.Error("no record is kept")
	}
	// What is kept, and what is in the journal, is not paid for again.
	before := w.requests()
	w.server.Configure(llmsim.Config{})
	code, _, _ := w.run("run", "-f", "reviews.yaml", "--output", "out", "--num-records", "48")
	if after := w.requests() - before; code != exitOK || after > 2*48-2*kept {
		t.Errorf("with %d records kept, going on to 48 has sent %d requests; exit code %d", kept, after, code)
	}
}

// startOn starts the command with a terminal for all its streams.
func (w *world) startOn(pseudo *terminaltest.Pseudo, arguments ...string) *exec.Cmd {
	w.t.Helper()
	command := w.command(arguments...)
	command.Stdin, command.Stdout, command.Stderr = pseudo.Slave, pseudo.Slave, pseudo.Slave
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := command.Start(); err != nil {
		w.t.Fatal(err)
	}
	return command
}

func panels(lines []string) (count int) {
	for _, line := range lines {
		if strings.Contains(line, "reviews: ") && strings.Contains(line, " records (") {
			count++
		}
	}
	return count
}

func TestTheTerminalShowsTheProgress(t *testing.T) {
	w := newWorld(t, strings.ReplaceAll(reviews, "numRecords: 24", "numRecords: 60"), slow)
	pseudo := terminaltest.New(t, 110, 40)
	command := w.startOn(pseudo, "run", "-f", "reviews.yaml", "--output", "out")
	await(t, "a panel", func() bool { return panels(pseudo.Lines()) == 1 })
	if code := exitCode(t, command.Wait()); code != exitOK {
		t.Errorf("got %d", code)
	}
	lines := pseudo.Close()
	screen := strings.Join(lines, "\n")
	if panels(lines) != 1 || !pseudo.CursorVisible() {
		t.Errorf("%d panels, cursor visible %v:\n%s", panels(lines), pseudo.CursorVisible(), screen)
	}
	contains(t, screen, "60/60 records (100%)", "\nreview ", "\nsummary ", "\nwriter ", "INF generating")
	if strings.Contains(screen, "INF progress") {
		t.Errorf("the progress is logged beside the panel:\n%s", screen)
	}
	contains(t, lines[len(lines)-1], "complete: 60 records")
}

func TestAnInterruptLeavesTheTerminalInOrder(t *testing.T) {
	w := newWorld(t, strings.ReplaceAll(reviews, "numRecords: 24", "numRecords: 2000"), slow)
	pseudo := terminaltest.New(t, 110, 40)
	command := w.startOn(pseudo, "run", "-f", "reviews.yaml", "--output", "out")
	await(t, "a panel", func() bool { return panels(pseudo.Lines()) == 1 && w.requests() > 40 })
	if err := command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := exitCode(t, command.Wait()); code != exitInterrupted {
		t.Errorf("got %d", code)
	}
	lines := pseudo.Close()
	if panels(lines) != 1 || !pseudo.CursorVisible() {
		t.Errorf("%d panels, cursor visible %v:\n%s", panels(lines), pseudo.CursorVisible(), strings.Join(lines, "\n"))
	}
	contains(t, strings.Join(lines, "\n"), "interrupted: ")
}

func TestAKilledCommandLeavesTheCursor(t *testing.T) {
	w := newWorld(t, strings.ReplaceAll(reviews, "numRecords: 24", "numRecords: 2000"), slow)
	pseudo := terminaltest.New(t, 110, 40)
	command := w.startOn(pseudo, "run", "-f", "reviews.yaml", "--output", "out")
	await(t, "a panel", func() bool { return panels(pseudo.Lines()) == 1 })
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait() // it was killed
	if pseudo.Close(); !pseudo.CursorVisible() {
		t.Error("the cursor is gone")
	}
}

func TestARunWithoutModelsWritesNoEscapeCodes(t *testing.T) {
	w := newWorld(t, localOnly, llmsim.Config{})
	for _, arguments := range [][]string{{"run", "-f", "reviews.yaml", "--output", "out"}, {"preview", "-f", "reviews.yaml"}, {"validate", "-f", "reviews.yaml"}} {
		pseudo := terminaltest.New(t, 110, 40)
		code := exitCode(t, w.startOn(pseudo, arguments...).Wait())
		pseudo.Close()
		if text := pseudo.Text(); code != exitOK || text == "" || strings.Contains(text, "\x1b") {
			t.Errorf("%v: got %d and %q", arguments, code, text)
		}
	}
}

func TestTwoRunsOnATerminalHaveOnePanel(t *testing.T) {
	w := newWorld(t, strings.ReplaceAll(reviews, "numRecords: 24", "numRecords: 2000"), slow)
	pseudo := terminaltest.New(t, 110, 60)
	first := w.startOn(pseudo, "run", "-f", "reviews.yaml", "--output", "out")
	await(t, "a panel", func() bool { return panels(pseudo.Lines()) == 1 })
	second := w.command("run", "-f", "reviews.yaml", "--output", "other", "--num-records", "10")
	second.Stdin, second.Stdout, second.Stderr = pseudo.Slave, pseudo.Slave, pseudo.Slave
	if code := exitCode(t, second.Run()); code != exitOK {
		t.Errorf("the second run: got %d", code)
	}
	contains(t, pseudo.Text(), "another seedloom shows its progress on this terminal", "INF progress")
	if err := first.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := exitCode(t, first.Wait()); code != exitInterrupted {
		t.Errorf("the first run: got %d", code)
	}
	pseudo.Close()
}

func TestPreviewTracesWhatItDoes(t *testing.T) {
	w := newWorld(t, reviews, llmsim.Config{})
	code, out, log := w.run("preview", "-f", "reviews.yaml", "-o", "json", "--trace", "trace.json")
	if code != 0 {
		t.Fatalf("got %d, %s", code, log)
	}
	var made struct {
		TaskTraces []struct {
			Column, Status                             string
			ReadyAt, AdmittedAt, StartedAt, FinishedAt time.Time
			Tries                                      []struct{ Requests []any }
		}
	}
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		t.Fatal(err)
	}
	cells := map[string]int{}
	for _, span := range made.TaskTraces {
		cells[span.Column]++
		if span.Status != "ok" || span.AdmittedAt.Before(span.ReadyAt) || span.StartedAt.Before(span.AdmittedAt) ||
			span.FinishedAt.Before(span.StartedAt) {
			t.Errorf("got %+v", span)
		}
		if span.Column != "stars" && (len(span.Tries) != 1 || len(span.Tries[0].Requests) != 1) {
			t.Errorf("a cell of a model has no request: %+v", span)
		}
	}
	if cells["review"] != 10 || cells["summary"] != 10 {
		t.Errorf("got spans for the cells %v", cells)
	}
	var events []struct{ Ph string }
	if text, err := os.ReadFile(w.path("trace.json")); err != nil || json.Unmarshal(text, &events) != nil || len(events) < 40 {
		t.Errorf("the file for a viewer has %d events, %v", len(events), err)
	}
	w.run("preview", "-f", "reviews.yaml", "-n", "2", "--trace", "trace.jsonl")
	if text, err := os.ReadFile(w.path("trace.jsonl")); err != nil || strings.Count(string(text), `"column":"review"`) != 2 {
		t.Errorf("got the lines %s, %v", text, err)
	}
	if _, out, _ := w.run("preview", "-f", "reviews.yaml", "-n", "2", "-o", "json"); strings.Contains(out, "taskTraces") {
		t.Error("there is a trace that nobody has asked for")
	}
}
