package engine_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/store/s3"
	"seedloom.dev/seedloom/engine/store/s3/s3test"
	"seedloom.dev/seedloom/internal/runreport"
)

const bucketSeedSpec = `
numRecords: 4
randomSeed: 7
seed: {objectStore: {url: "s3://bucket/orders/*.csv", endpoint: ENDPOINT, credentialsSecretRef: {name: s}}}
columns:
- {name: line, expression: {expr: "{{ customer }} paid {{ price }}"}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 2}
`

// bucketWorld is a world whose seed is in a bucket.
func bucketWorld(t *testing.T, spec string) (w *world, store *s3test.Server, config func(shard int32) engine.Config) {
	t.Helper()
	store = s3test.New()
	server := httptest.NewServer(store)
	t.Cleanup(server.Close)
	keys := t.TempDir()
	for name, content := range map[string]string{s3.AccessKeyFile: s3test.AccessKey, s3.SecretKeyFile: s3test.SecretKey} {
		if err := os.WriteFile(filepath.Join(keys, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w = newWorld(t, spec, server.URL)
	return w, store, func(shard int32) engine.Config {
		config := w.config(shard)
		config.SeedStoreDirectory = keys
		return config
	}
}

func TestSeedsAreReadFromABucket(t *testing.T) {
	t.Setenv("AWS_CA_BUNDLE", "")
	t.Setenv("TMPDIR", t.TempDir())
	w, store, config := bucketWorld(t, bucketSeedSpec)
	store.Put("orders/1.csv", "customer,price\nAnn,3.10\nBob,5.00\n")
	store.Put("orders/2.csv", "customer,price\nCem,7.00\n")
	store.Put("orders/_SUCCESS", "")
	checkEnding(t, engine.Generate(t.Context(), config(0)), runreport.OutcomeComplete, "", 0, 4, 0)
	_, rows := w.rows()
	var lines []string
	for _, row := range rows {
		lines = append(lines, row[2].(string))
	}
	if got, want := strings.Join(lines, "; "), "Ann paid 3.10; Bob paid 5.00; Cem paid 7.00; Ann paid 3.10"; got != want {
		t.Errorf("got %s", got)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("%v is left over (%v)", left, err)
	}
}

// A run and its extension read the same seed. What is far behind the rows that are wanted is not fetched.
func TestASeedInABucketThatChangesIsNoticed(t *testing.T) {
	t.Setenv("AWS_CA_BUNDLE", "")
	w, store, config := bucketWorld(t, bucketSeedSpec)
	w.spec.NumRecords = 2
	store.Put("orders/1.csv", "customer,price\nAnn,3.10\nBob,5.00\n")
	store.Put("orders/2.csv", "customer,price\nCem,7.00\n")
	checkEnding(t, engine.Generate(t.Context(), config(0)), runreport.OutcomeComplete, "", 0, 2, 0)
	if got := store.Requests()["GET"]; got != 2 { // a listing, and the first object
		t.Errorf("%d requests of GET", got)
	}
	w.spec.NumRecords = 3
	store.Put("orders/2.csv", "customer,price\nDaniel,9.00\n")
	ending := engine.Generate(t.Context(), config(0))
	if ending.Result.Reason != v1alpha1.ReasonSeedChanged || !strings.Contains(ending.Result.Message, "2 files") {
		t.Errorf("got %s: %s", ending.Result.Reason, ending.Result.Message)
	}
}

func TestDocumentsAreReadFromABucket(t *testing.T) {
	t.Setenv("AWS_CA_BUNDLE", "")
	w, store, config := bucketWorld(t, strings.Replace(strings.Replace(bucketSeedSpec, "orders/*.csv", "handbook/**", 1),
		"endpoint: ENDPOINT, credentialsSecretRef: {name: s}}}", "endpoint: ENDPOINT, credentialsSecretRef: {name: s}}, documents: {}}", 1))
	w.spec.Columns[0].Expression.Expr = "{{ document }}: {{ text | trim }}"
	w.spec.NumRecords = 2
	store.Put("handbook/a.txt", "The first text.")
	store.Put("handbook/deep/b.md", "# Title\n\nThe second one.")
	store.Put("handbook/picture.png", "no document")
	checkEnding(t, engine.Generate(t.Context(), config(0)), runreport.OutcomeComplete, "", 0, 2, 0)
	_, rows := w.rows()
	if got := fmt.Sprint(rows[0][10], "|", rows[1][10]); !strings.Contains(got, "handbook/a.txt: The first text.") ||
		!strings.Contains(got, "handbook/deep/b.md: ") {
		t.Errorf("got %s", got)
	}
}

// Only the texts of the files whose rows are wanted are fetched.
func TestFilesOfABucketAreRows(t *testing.T) {
	t.Setenv("AWS_CA_BUNDLE", "")
	w, store, config := bucketWorld(t, strings.Replace(strings.Replace(bucketSeedSpec, "orders/*.csv", "notes", 1),
		"credentialsSecretRef: {name: s}}}", "credentialsSecretRef: {name: s}}, files: {content: Text}}", 1))
	w.spec.Columns[0].Expression.Expr = "{{ relative_path }}, {{ size }}: {{ content }}"
	w.spec.NumRecords = 2
	for key, text := range map[string]string{"notes/a.txt": "one", "notes/b": "two", "notes/c.txt": "three", "notes/deep/d.txt": "four"} {
		store.Put(key, text)
	}
	checkEnding(t, engine.Generate(t.Context(), config(0)), runreport.OutcomeComplete, "", 0, 2, 0)
	_, rows := w.rows()
	if got := fmt.Sprint(rows[0][7], "; ", rows[1][7]); got != "notes/a.txt, 3: one; notes/b, 3: two" {
		t.Errorf("got %s", got)
	}
	if got := store.Requests()["GET"]; got != 3 { // a listing, and two objects
		t.Errorf("%d requests of GET", got)
	}
}

// A tenant names the endpoint: it may not have the engine look around inside of the cluster, and no message has what is secret.
func TestBucketsInsideAreNoSeeds(t *testing.T) {
	t.Setenv("AWS_CA_BUNDLE", "")
	_, store, config := bucketWorld(t, bucketSeedSpec)
	store.Put("orders/1.csv", "customer,price\nAnn,3.10\n")
	inCluster := config(0)
	inCluster.LocalSeeds = false
	ending := engine.Generate(t.Context(), inCluster)
	if ending.Result.Reason != v1alpha1.ReasonSeedFailed || !strings.Contains(ending.Result.Message, "SEEDLOOM_ALLOWED_ADDRESSES") ||
		len(store.Requests()) != 0 {
		t.Errorf("got %s: %s", ending.Result.Reason, ending.Result.Message)
	}
	unknown := config(0)
	unknown.SeedStoreDirectory = t.TempDir()
	for name, content := range map[string]string{s3.AccessKeyFile: "unknown-key", s3.SecretKeyFile: "unknown-secret"} {
		if err := os.WriteFile(filepath.Join(unknown.SeedStoreDirectory, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ending = engine.Generate(t.Context(), unknown)
	if message := ending.Result.Message; ending.Result.Reason != v1alpha1.ReasonSeedFailed || strings.Contains(message, "unknown-") ||
		!strings.Contains(message, "the seed s3://bucket/orders/*.csv can't be used: ") || !strings.Contains(message, "credentials") {
		t.Errorf("got %s: %s", ending.Result.Reason, ending.Result.Message)
	}
}

// TestSessionsOfAgentsAreReadFromABucket holds that what is left out is counted and named where documents are.
func TestSessionsOfAgentsAreReadFromABucket(t *testing.T) {
	t.Setenv("AWS_CA_BUNDLE", "")
	w, store, config := bucketWorld(t, strings.Replace(strings.Replace(bucketSeedSpec, "orders/*.csv", "sessions/**", 1),
		"credentialsSecretRef: {name: s}}}", "credentialsSecretRef: {name: s}}, agentRollouts: {format: ClaudeCode}}", 1))
	w.spec.Columns[0].Expression.Expr = "{{ messages[0].role }}: {{ messages[0].content[0].text }} {{ source_meta.record_types[0] }}"
	w.spec.NumRecords = 2
	store.Put("sessions/a/1.jsonl", `{"type": "user", "message": {"content": "Why?"}}`)
	store.Put("sessions/a/2.jsonl", "no session")
	store.Put("sessions/b.jsonl", `{"type": "assistant", "message": {"content": "Because."}}`)
	ending := engine.Generate(t.Context(), config(0))
	checkEnding(t, ending, runreport.OutcomeComplete, "", 0, 2, 0)
	_, rows := w.rows()
	if got := fmt.Sprint(rows[0][16], "; ", rows[1][16]); got != "user: Why? user; assistant: Because. assistant" {
		t.Errorf("got %s", got)
	}
	want := `1 of 3 recorded sessions of the seed were left out, the first is "sessions/a/2.jsonl": line 1: it is not JSON`
	if got := ending.Result.Documents.Note(2); !strings.HasPrefix(got, want) {
		t.Errorf("got %s", got)
	}
}
