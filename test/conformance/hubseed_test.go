package conformance

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/hub"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/seed"
	"seedloom.dev/seedloom/engine/seed/remote"
	"seedloom.dev/seedloom/engine/seed/repository"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/internal/hubsim"
	"seedloom.dev/seedloom/internal/runreport"
)

//go:embed hubseed.py
var hubSeedReader string

// shelved are repositories of a hub as people lay them out, each with its files.
var shelved = map[string]map[string]string{
	"me/card": {
		"README.md": "---\nconfigs:\n- config_name: en\n  default: true\n  data_files:\n  - {split: train, path: [en/b.csv, \"en/a*.csv\"]}\n" +
			"  - {split: test, path: en/test.csv}\n- config_name: de\n  data_files: \"de/*.csv\"\n- config_name: fr\n  data_dir: fr\n---\n# A card\n",
		"en/a1.csv": "text,count\none,1\n", "en/a2.csv": "text,count\ntwo,2\n", "en/b.csv": "text,count\nthree,3\n", "en/test.csv": "text,count\nfour,4\n",
		"de/x.csv": "text,count\nfünf,5\n", "de/y.csv": "text,count\nsechs,6\n", "de/notes.txt": "no data",
		"fr/train.csv": "text,count\nsept,7\n", "fr/validation.csv": "text,count\nhuit,8\n",
	},
	"me/lines": {
		"README.md":    "---\nconfigs: [{config_name: lines, data_files: [{split: each, path: \"**/*.jsonl\"}]}]\n---\n",
		"deep/x.jsonl": `{"text":"one","count":5}`, "y.jsonl": `{"text":"two","count":6}`,
	},
	"me/several": {
		"README.md": "---\nconfigs: [{config_name: a, data_files: a.csv}, {config_name: b, data_files: b.csv}]\n---\n",
		"a.csv":     "text\none\n", "b.csv": "text\ntwo\n",
	},
	"me/numbered": {
		"data/train-00000-of-00002.csv": "text\none\n", "data/train-00001-of-00002.csv": "text\ntwo\n", "data/test-00000-of-00001.csv": "text\nthree\n",
		"data/my_own.split-00000-of-00001.csv": "text\nfour\n", "train.csv": "text\nnot this\n",
	},
	"me/folders": {
		"train/b.csv": "text\none\n", "train/a.csv": "text\ntwo\n", "my_dev/x.csv": "text\nthree\n", "validation 2/y.csv": "text\nfour\n",
		"testing/z.csv": "text\nfive\n", "train.csv": "text\nsix\n",
	},
	"me/names": {
		"x-train-1.csv": "text\none\n", "train.csv": "text\ntwo\n", "training.csv": "text\nthree\n", "my.test.csv": "text\nfour\n", "eval.csv": "text\nfive\n",
		"sub/valid.csv": "text\nsix\n", "trains.csv": "text\nseven\n",
	},
	"me/plain": {
		"README.md": "# No head\n", "b.csv": "text\none\n", "a.csv": "text\ntwo\n", ".hidden.csv": "text\nno\n", "__special/c.csv": "text\nno\n",
		"notes.parquet.md": "no data", "LICENSE": "MIT",
	},
	"me/nothing": {"reviews.py": "print()", "LICENSE": "MIT"},
}

// read are what is read of them: the repository, the revision, the configuration and the split, which may be empty.
var read = [][4]string{
	{"me/card"}, {"me/card", "", "en", "test"}, {"me/card", "main", "de"}, {"me/card", "", "fr", "validation"}, {"me/card", "", "it"},
	{"me/card", "", "en", "dev"}, {"me/lines", "", "", "each"}, {"me/several"}, {"me/several", "", "b"},
	{"me/numbered"}, {"me/numbered", "", "", "test"}, {"me/numbered", "", "", "my_own.split"}, {"me/numbered", "", "", "validation"},
	{"me/folders"}, {"me/folders", "", "", "validation"}, {"me/folders", "", "", "test"},
	{"me/names"}, {"me/names", "", "", "validation"}, {"me/names", "", "", "test"}, {"me/plain"}, {"me/plain", "other"}, {"me/nothing"}, {"me/none"},
	{"me/published"}, {"me/published", "", "chat", "train"},
}

const publishedForSeeds = `
numRecords: 25
randomSeed: 7
columns:
- {name: number, sampler: {type: Sequence, sequence: {start: 1}}}
- {name: odd, expression: {expr: "{{ 'a,b: \"c\"\n' }}{{ number }}"}}
- {name: price, sampler: {type: Uniform, uniform: {low: 0, high: 100}, convertTo: float}}
- {name: good, expression: {expr: "{{ number > 9 }}", type: bool}}
processors:
- {name: chat, form: {chat: {user: "{{ number }}", assistant: "{{ price }}"}}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 10}
`

// publishForSeeds publishes a dataset as me/published.
func publishForSeeds(t *testing.T, address string) {
	t.Helper()
	var spec v1alpha1.DatasetGenerationSpec
	if err := yaml.UnmarshalStrict([]byte(publishedForSeeds), &spec); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	output, hash := t.TempDir(), plan.ConfigHash(&spec)
	ending := engine.Generate(t.Context(), engine.Config{
		Run: runreport.ResolvedRun{
			Version: runreport.Version, Namespace: "ns", Name: "ds", RunID: "ds-1", ConfigHash: hash, Attempt: 1, Shards: 1, Spec: raw,
		},
		APIKey: func(int) string { return "" }, OutputDirectory: output, Logger: slog.New(slog.DiscardHandler),
	})
	if ending.Result.Outcome != runreport.OutcomeComplete {
		t.Fatalf("the run ended as %s: %s", ending.Result.Outcome, ending.Result.Message)
	}
	folder := filepath.Join(output, filepath.FromSlash(runreport.Folder("ns", "ds", hash)))
	dataset, err := store.Open(filepath.Dir(folder), filepath.Base(folder), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = dataset.Close() }() // was only read
	if _, err := engine.Publish(t.Context(), engine.Publication{
		Dataset: dataset, Logger: slog.New(slog.DiscardHandler), Token: hubsim.Token,
		Repository: &v1alpha1.HuggingFaceRepository{Repository: "me/published", Endpoint: address},
	}); err != nil {
		t.Fatal(err)
	}
}

// seedRows are the rows of a seed of the hub as JSON; null where it is refused.
func seedRows(t *testing.T, address string, wanted [4]string) []byte {
	t.Helper()
	spec := &v1alpha1.Seed{HuggingFace: &v1alpha1.HuggingFaceSeed{
		Repository: wanted[0], Revision: wanted[1], Config: wanted[2], Split: wanted[3],
	}}
	dataset, err := seed.Load(t.Context(), spec, seed.Options{Remote: func(ctx context.Context) (seed.Folder, error) {
		place, err := repository.Open(spec, repository.Options{Source: hub.Source{
			Endpoint: address, Repository: wanted[0], Token: hubsim.Token, Transport: &http.Transport{},
		}})
		if err != nil {
			return nil, err
		}
		return remote.Open(ctx, place), nil
	}})
	if err != nil {
		t.Logf("%s: %v", strings.Join(wanted[:], " "), err)
		return []byte("null")
	}
	defer func() { _ = dataset.Close() }() // was only read
	positions := make([]int, dataset.Len())
	for i := range positions {
		positions[i] = i
	}
	fetched, err := dataset.Fetch(positions)
	if err != nil {
		t.Fatal(err)
	}
	rows := make([][]any, fetched.Len())
	for i := range rows {
		rows[i] = make([]any, dataset.Schema().Len())
		if _, err := fetched.Row(i, rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	data, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestSeedsOfHubsAreWhatTheFieldReads reads repositories of a stand-in for a hub as seeds, and with datasets: the same files in the same
// order, or a refusal of both.
func TestSeedsOfHubsAreWhatTheFieldReads(t *testing.T) {
	python := os.Getenv(pythonVariable)
	if python == "" {
		t.Skipf("%s names no Python, so that datasets is not asked what it reads", pythonVariable)
	}
	shelf := hubsim.New()
	shelf.PageEntries = 4
	site := httptest.NewServer(shelf)
	defer site.Close()
	for name, texts := range shelved {
		content := map[string]hubsim.File{}
		for path, text := range texts {
			content[path] = hubsim.File{Data: []byte(text), Large: strings.HasSuffix(path, "b.csv")}
		}
		shelf.Commit(name, "main", content)
	}
	publishForSeeds(t, site.URL)
	asked, err := json.Marshal(read)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), python, "-W", "ignore", "-c", hubSeedReader, string(asked))
	command.Env = append(os.Environ(), "HF_ENDPOINT="+site.URL, "HF_TOKEN="+hubsim.Token, "HF_HUB_DISABLE_XET=1",
		"HF_DATASETS_DISABLE_PROGRESS_BARS=1", "HF_HUB_DISABLE_PROGRESS_BARS=1", "HF_HOME="+t.TempDir())
	var said, problems bytes.Buffer
	command.Stdout, command.Stderr = &said, &problems
	if err := command.Run(); err != nil {
		t.Fatalf("%v\n%s", err, problems.Bytes())
	}
	lines := strings.Split(strings.TrimSpace(said.String()), "\n")
	if len(lines) != len(read) {
		t.Fatalf("%d answers to %d questions\n%s", len(lines), len(read), problems.Bytes())
	}
	refused := 0
	for i, wanted := range read {
		var ours, theirs any
		if err := json.Unmarshal([]byte(lines[i]), &theirs); err != nil {
			t.Fatalf("%v: %s", err, lines[i])
		}
		if err := json.Unmarshal(seedRows(t, site.URL, wanted), &ours); err != nil {
			t.Fatal(err)
		}
		if theirs == nil {
			refused++
		}
		got, _ := json.Marshal(ours) // they were JSON
		want, _ := json.Marshal(theirs)
		if !bytes.Equal(got, want) {
			t.Errorf("%s: we read %.500s, and datasets %.500s", strings.Join(wanted[:], " "), got, want)
		}
	}
	if refused == 0 || refused > len(read)/2 {
		t.Errorf("datasets refuses %d of %d", refused, len(read))
	}
	t.Logf("datasets says of what it refuses:\n%s", problems.Bytes())
}
