package engine_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/internal/hubsim"
	"seedloom.dev/seedloom/internal/runreport"
)

const repositorySeedSpec = `
numRecords: 2
randomSeed: 7
seed: {huggingFace: {repository: me/orders, endpoint: ENDPOINT, tokenSecretRef: {name: hub, key: token}}}
columns:
- {name: line, expression: {expr: "{{ customer }} paid {{ price }}"}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 2}
`

// repositoryWorld is a world whose seed is in a repository of a hub, which has two files.
func repositoryWorld(t *testing.T, spec string) (w *world, hub *hubsim.Hub, config func() engine.Config) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	hub = hubsim.New()
	server := httptest.NewServer(hub)
	t.Cleanup(server.Close)
	hub.Create("me/orders", true, map[string]string{
		"train-1.csv": "customer,price\nAnn,3.10\nBob,5.00\n", "train-2.csv": "customer,price\nCem,7.00\n", "README.md": "# Orders\n",
		"notes/a.txt": "The first text.", "notes/b.md": "The second one.",
	})
	w = newWorld(t, spec, server.URL)
	return w, hub, func() engine.Config {
		config := w.config(0)
		config.SeedToken = hubsim.Token
		return config
	}
}

// seedInMetadata is what the metadata says of the repository.
func (w *world) seedInMetadata() map[string]any {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.output, "ns", "ds", "latest", "metadata.json"))
	if err != nil {
		w.t.Fatal(err)
	}
	var document struct {
		Seed map[string]any `json:"seed_repository"`
	}
	if err := json.Unmarshal(data, &document); err != nil {
		w.t.Fatal(err)
	}
	return document.Seed
}

// A run and its extension read the commit with which the run has begun, though the branch has moved on.
func TestSeedsAreReadFromARepository(t *testing.T) {
	w, hub, config := repositoryWorld(t, repositorySeedSpec)
	commit := hub.Head("me/orders", "main")
	checkEnding(t, engine.Generate(t.Context(), config()), runreport.OutcomeComplete, "", 0, 2, 0)
	hub.Commit("me/orders", "main", map[string]hubsim.File{"train.csv": {Data: []byte("other,columns\n1,2\n")}})
	w.spec.NumRecords = 4
	checkEnding(t, engine.Generate(t.Context(), config()), runreport.OutcomeComplete, "", 0, 4, 0)
	_, rows := w.rows()
	var lines []string
	for _, row := range rows {
		lines = append(lines, row[2].(string))
	}
	if got, want := strings.Join(lines, "; "), "Ann paid 3.10; Bob paid 5.00; Cem paid 7.00; Ann paid 3.10"; got != want {
		t.Errorf("got %s", got)
	}
	seed := w.seedInMetadata()
	if seed["commit"] != commit || seed["config"] != "default" || seed["split"] != "train" || seed["file_count"] != 2.0 ||
		!strings.HasSuffix(seed["address"].(string), "/datasets/me/orders") {
		t.Errorf("the metadata says %v", seed)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("%v is left over (%v)", left, err)
	}
}

// Where the commit with which a run has begun is gone, its extension can't be made of another one.
func TestACommitThatIsGoneIsNoticed(t *testing.T) {
	w, hub, config := repositoryWorld(t, repositorySeedSpec)
	checkEnding(t, engine.Generate(t.Context(), config()), runreport.OutcomeComplete, "", 0, 2, 0)
	hub.Create("me/orders", true, map[string]string{"train-1.csv": "customer,price\nDaniel,3.10\n"})
	hub.Commit("me/orders", "main", nil)
	w.spec.NumRecords = 3
	ending := engine.Generate(t.Context(), config())
	if message := ending.Result.Message; ending.Result.Reason != v1alpha1.ReasonSeedChanged ||
		!strings.Contains(message, "the seed hf://datasets/me/orders can't be used: the commit ") {
		t.Errorf("got %s: %s", ending.Result.Reason, message)
	}
}

func TestDocumentsAreReadFromARepository(t *testing.T) {
	w, _, config := repositoryWorld(t, strings.Replace(repositorySeedSpec, "tokenSecretRef: {name: hub, key: token}}",
		`revision: main, paths: ["notes/*"]}, documents: {}`, 1))
	w.spec.Columns[0].Expression.Expr = "{{ document }}: {{ text | trim }}"
	checkEnding(t, engine.Generate(t.Context(), config()), runreport.OutcomeComplete, "", 0, 2, 0)
	_, rows := w.rows()
	if got := fmt.Sprint(rows[0][10], "|", rows[1][10]); got != "notes/a.txt: The first text.|notes/b.md: The second one." {
		t.Errorf("got %s", got)
	}
	if seed := w.seedInMetadata(); seed["file_count"] != 2.0 || seed["split"] != nil {
		t.Errorf("the metadata says %v", seed)
	}
}

// A tenant names the hub: it may not have the engine look around inside of the cluster, and no message has what is secret.
func TestHubsInsideAreNoSeeds(t *testing.T) {
	_, hub, config := repositoryWorld(t, repositorySeedSpec)
	inCluster := config()
	inCluster.LocalSeeds = false
	ending := engine.Generate(t.Context(), inCluster)
	if ending.Result.Reason != v1alpha1.ReasonSeedFailed || !strings.Contains(ending.Result.Message, "SEEDLOOM_ALLOWED_ADDRESSES") ||
		len(hub.Requests("")) != 0 {
		t.Errorf("got %s: %s", ending.Result.Reason, ending.Result.Message)
	}
	unknown := config()
	unknown.SeedToken = "hf_unknown"
	ending = engine.Generate(t.Context(), unknown)
	if message := ending.Result.Message; ending.Result.Reason != v1alpha1.ReasonSeedFailed || strings.Contains(message, "hf_unknown") ||
		!strings.Contains(message, "the seed hf://datasets/me/orders can't be used: looking at the revision main of me/orders: ") ||
		!strings.Contains(message, "see that the token is right") {
		t.Errorf("got %s: %s", ending.Result.Reason, message)
	}
}

// All shards read the commit that the first of them has found.
func TestShardsReadTheSameCommit(t *testing.T) {
	w, hub, config := repositoryWorld(t, repositorySeedSpec)
	w.spec.NumRecords, w.shards = 4, 2
	first, second := config(), config()
	second.Shard = 1
	if ending := engine.Generate(t.Context(), first); ending.Result.Outcome != runreport.OutcomeComplete {
		t.Fatal(ending.Result.Message)
	}
	hub.Commit("me/orders", "main", map[string]hubsim.File{"train.csv": {Data: []byte("customer,price\nDaniel,9.00\n")}})
	if ending := engine.Generate(t.Context(), second); ending.Result.Outcome != runreport.OutcomeComplete {
		t.Fatal(ending.Result.Message)
	}
	if asked := hub.Requests("GET /api/datasets/me/orders/revision/"); len(asked) != 1 {
		t.Errorf("the revision was looked up %d times", len(asked))
	}
}
