// Package conformance_test makes datasets from model servers that others wrote, as they are published: what our own simulator understands
// may be our own misunderstanding. Nothing is measured here, and no cluster is needed.
package conformance_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/internal/runreport"
)

// peersFolder names where hack/tools/peers.sh has installed the servers.
const peersFolder = "SEEDLOOM_TEST_PEERS"

// patience is far beyond what a server of Node needs to start.
const patience = time.Minute

// startPeer starts a server on a port that it is given as PORT and in place of the argument "PORT", and returns its address.
func startPeer(t *testing.T, program string, arguments ...string) string {
	t.Helper()
	folder := os.Getenv(peersFolder)
	if folder == "" {
		t.Fatalf("%s is not set; run the tests by: make test-conformance", peersFolder)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(address)
	for i, argument := range arguments {
		if argument == "PORT" {
			arguments[i] = port
		}
	}
	script := filepath.Join(folder, "node_modules", ".bin", program)
	command := exec.CommandContext(t.Context(), node(t, folder), append([]string{script}, arguments...)...)
	command.Env = append(os.Environ(), "HOST=127.0.0.1", "PORT="+port)
	command.Dir = t.TempDir()
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = command.Wait() }()
	t.Cleanup(func() { _ = command.Process.Kill(); <-ended })
	for deadline := time.Now().Add(patience); ; {
		connection, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			_ = connection.Close()
			return address
		}
		select {
		case <-ended:
			t.Fatalf("%s has ended:\n%s", program, output.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen", program)
		}
	}
}

// node is the Node of the same lock file: that of a distribution may be too old.
func node(t *testing.T, folder string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, "node_modules", "node-linux-*", "bin", "node"))
	if err != nil || len(found) == 0 {
		t.Fatalf("there is no Node for this machine in %s: %v", folder, err)
	}
	return found[0]
}

// generate makes a dataset of ten rows, whose prompts begin with a word, and returns how it ended and its texts.
func generate(t *testing.T, provider v1alpha1.ProviderType, endpoint, word string) (engine.Ending, []string) {
	t.Helper()
	var spec v1alpha1.DatasetGenerationSpec
	if err := yaml.UnmarshalStrict(fmt.Appendf(nil, `
numRecords: 10
randomSeed: 7
providers: [{name: peer, type: %s, endpoint: %q}]
models: [{alias: writer, provider: peer, model: some-model, healthCheck: Disabled, parameters: {temperature: 0.5, maxTokens: 50}}]
columns:
- {name: id, sampler: {type: UUID}}
- {name: text, llmText: {model: writer, systemPrompt: Be brief., prompt: "%s {{ id }}"}}
output: {persistentVolumeClaim: {claimName: c}}
`, provider, endpoint, word), &spec); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	output, hash := t.TempDir(), plan.ConfigHash(&spec)
	ending := engine.Generate(t.Context(), engine.Config{
		Run:             runreport.ResolvedRun{Version: runreport.Version, Namespace: "ns", Name: "ds", RunID: "ds-1", ConfigHash: hash, Attempt: 1, Shards: 1, Spec: raw},
		OutputDirectory: output, APIKey: func(int) string { return "sk-test" }, Logger: slog.New(slog.NewTextHandler(&log, nil)), Version: "test",
	})
	data, err := os.ReadFile(filepath.Join(output, "ns", "ds", strings.TrimPrefix(hash, "sha256:")[:16], "parquet-files",
		"batch_00000.parquet"))
	if err != nil {
		return ending, nil
	}
	_, rows, err := parquetfile.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, row := range rows {
		texts = append(texts, row[1].(string))
	}
	return ending, texts
}

// fixtures are what aimock answers.
const fixtures = `{"fixtures": [
	{"match": {"userMessage": "busy", "sequenceIndex": 0},
		"response": {"error": {"message": "slow down", "type": "rate_limit_error"}, "status": 429}},
	{"match": {"userMessage": "busy"}, "response": {"content": "At last."}},
	{"match": {"userMessage": "key"}, "response": {"error": {"message": "bad key", "type": "authentication_error"}, "status": 401}},
	{"match": {"userMessage": "about"}, "response": {"content": "A story."}}
]}`

func TestAimock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fixtures.json")
	if err := os.WriteFile(path, []byte(fixtures), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, protocol := range []struct {
		provider v1alpha1.ProviderType
		path     string
	}{{v1alpha1.ProviderOpenAI, "/v1"}, {v1alpha1.ProviderAnthropic, ""}} {
		t.Run(string(protocol.provider), func(t *testing.T) {
			endpoint := "http://" + startPeer(t, "llmock", "--port", "PORT", "--fixtures", path) + protocol.path
			for word, want := range map[string]string{"about": "A story.", "busy": "At last."} {
				ending, texts := generate(t, protocol.provider, endpoint, word)
				if ending.Result.Outcome != runreport.OutcomeComplete || len(texts) != 10 {
					t.Fatalf("%s: the run ended as %s with %d rows: %s", word, ending.Result.Outcome, len(texts), ending.Result.Message)
				}
				for _, text := range texts {
					if text != want {
						t.Errorf("%s: got %q, want %q", word, text, want)
					}
				}
				models := ending.Result.Models[0]
				if refused := word == "busy"; models.Succeeded != 10 || (models.Failed > 0) != refused {
					t.Errorf("%s: the usage is %+v", word, models)
				}
			}
			if ending, _ := generate(t, protocol.provider, endpoint, "key"); ending.Result.Reason != v1alpha1.ReasonModelAuthentication {
				t.Errorf("a wrong key: the run ended for the reason %s: %s", ending.Result.Reason, ending.Result.Message)
			}
			// What no fixture matches is answered 404, as an unknown model is.
			if ending, _ := generate(t, protocol.provider, endpoint, "unmatched"); ending.Result.Reason != v1alpha1.ReasonModelNotFound {
				t.Errorf("an unknown model: the run ended for the reason %s: %s", ending.Result.Reason, ending.Result.Message)
			}
		})
	}
}

// TestMockLLM takes a server that leaves out members that OpenAI's answers have: the index, the time, and the usage.
func TestMockLLM(t *testing.T) {
	endpoint := "http://" + startPeer(t, "mock-llm") + "/v1"
	ending, texts := generate(t, v1alpha1.ProviderOpenAI, endpoint, "echo")
	if ending.Result.Outcome != runreport.OutcomeComplete || len(texts) != 10 {
		t.Fatalf("the run ended as %s with %d rows: %s", ending.Result.Outcome, len(texts), ending.Result.Message)
	}
	for _, text := range texts {
		if !strings.HasPrefix(text, "echo ") {
			t.Errorf("got %q", text)
		}
	}
	if models := ending.Result.Models[0]; models.Succeeded != 10 || models.OutputTokens != 0 {
		t.Errorf("the usage is %+v", models)
	}
}
