package main

import (
	"net"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/internal/llmsim"
)

const documents = `
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: documents}
spec:
  numRecords: 20
  providers: [{name: local, type: OpenAI, endpoint: "ENDPOINT"}]
  models:
  - {alias: writer, provider: local, model: m}
  - {alias: caller, provider: local, model: CALLER, structuredOutput: Tool}
  - {alias: vectors, provider: local, model: v, embedding: {dimensions: 16}}
  columns:
  - {name: topic, sampler: {type: Category, category: {values: [tea, rain]}}}
  - {name: text, llmText: {model: writer, prompt: "about {{ topic }}"}}
  - {name: card, llmStructured: {model: caller, prompt: "a card of {{ text }}",
     schema: {type: object, required: [title], properties: {title: {type: string}}}}}
  - {name: vector, embedding: {model: vectors, targetColumn: text}}
  output: {persistentVolumeClaim: {claimName: c}}
`

func TestCheckAsksTheModelsAndNothingElse(t *testing.T) {
	good := strings.ReplaceAll(documents, "CALLER", "c")
	w := newWorld(t, good, llmsim.Config{})
	code, out, log := w.run("check", "-f", "reviews.yaml")
	if code != exitOK || strings.Count(out, " ok: ") != 3 {
		t.Errorf("got %d, %s, %s", code, out, log)
	}
	contains(t, out, "model/writer ok: a text", "model/caller ok: a tool call", "model/vectors ok: an embedding")
	if counters := w.server.Counters(); counters.Requests != 3 {
		t.Errorf("%d requests were sent, want one a model", counters.Requests)
	}

	refused := llmsim.Config{Faults: []llmsim.Fault{{
		Kind: llmsim.FaultStatus, Status: 400, Models: []string{"v"}, Body: `{"error":{"message":"This model does not support specifying dimensions"}}`,
	}}}
	w = newWorld(t, good, refused)
	code, out, log = w.run("check", "-f", "reviews.yaml")
	if code != exitFailed {
		t.Errorf("got %d, %s, %s", code, out, log)
	}
	contains(t, out, "model/writer ok", "model/vectors can't be used: UnsupportedRequest", "embedding.dimensions")
	contains(t, log, "next: the message names the parameter")

	// A run ends for the same reason, before it has paid for a row.
	code, _, log = w.run("run", "-f", "reviews.yaml", "--output", w.path("out"))
	if counters := w.server.Counters(); code != exitFailed || counters.Requests != 6 {
		t.Errorf("the run ended with %d after %d requests, those of the check among them: %s", code, counters.Requests, log)
	}
	contains(t, log, "UnsupportedRequest", "embedding.dimensions")
}

func TestAPreviewDoesNotWaitLongForWhoIsNotThere(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	w := newWorld(t, strings.ReplaceAll(reviews, "ENDPOINT", "http://"+listener.Addr().String()+"/v1"), llmsim.Config{})
	begun := time.Now()
	code, _, log := w.run("preview", "-f", "reviews.yaml", "-n", "2")
	if took := time.Since(begun); code != exitFailed || took > 45*time.Second {
		t.Errorf("it ended with %d after %s", code, took)
	}
	contains(t, log, "connection refused", "ProviderUnavailable")
}

// The limit of a minute, in the words of Gemini, is waited for: the run goes on and has all its records.
func TestALimitOfAMinuteEndsNoRun(t *testing.T) {
	body := `[{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details. ` +
		`* Quota exceeded for metric: generate_content_free_tier_requests, limit: 10\nPlease retry in 0.2s.","status":"RESOURCE_EXHAUSTED",` +
		`"details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerMinutePerProject"}]},` +
		`{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"0.3s"}]}}]`
	limit := llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultStatus, Status: 429, Body: body, FromRequest: 5, ToRequest: 6}}}
	w := newWorld(t, reviews, limit)
	code, out, log := w.run("run", "-f", "reviews.yaml", "--output", w.path("out"))
	if code != exitOK {
		t.Errorf("got %d, %s, %s", code, out, log)
	}
	contains(t, out, "complete: 24 records")
}
