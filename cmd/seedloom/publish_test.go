package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/store/s3/s3test"
	"seedloom.dev/seedloom/internal/hubsim"
	"seedloom.dev/seedloom/internal/llmsim"
)

// hubWorld is a world with a hub in its environment, and a dataset in the folder out.
func hubWorld(t *testing.T) (*world, *hubsim.Hub) {
	w, hub := newWorld(t, exported, llmsim.Config{}), startHub(t)
	if code, _, log := w.run("run", "reviews.yaml", "--output", "out"); code != 0 {
		t.Fatal(log)
	}
	return w, hub
}

// startHub starts a hub, and names it in the environment.
func startHub(t *testing.T) *hubsim.Hub {
	hub := hubsim.New()
	server := httptest.NewServer(hub)
	t.Cleanup(server.Close)
	t.Setenv("HF_ENDPOINT", server.URL)
	t.Setenv("HF_TOKEN", hubsim.Token)
	t.Setenv("HF_TOKEN_PATH", "")
	t.Setenv("HF_HOME", t.TempDir())
	return hub
}

func TestPublish(t *testing.T) {
	w, hub := hubWorld(t)
	code, out, log := w.run("publish", "local", "-o", "out", "--to", "me/reviews", "--license", "cc-by-4.0", "--tag", "support")
	if code != exitOK || !strings.Contains(out, "published in "+os.Getenv("HF_ENDPOINT")+"/datasets/me/reviews, commit ") {
		t.Fatalf("exit code %d: %s%s", code, out, log)
	}
	files := hub.Files("me/reviews", "main")
	for name, contains := range map[string]string{
		"README.md": "license: cc-by-4.0", "parquet-files/batch_00000.parquet": "PAR1", "processors-files/chat/batch_00000.parquet": "PAR1",
	} {
		if !strings.Contains(string(files[name].Data), contains) {
			t.Errorf("%s holds %q, want %q", name, files[name].Data, contains)
		}
	}
	if len(files) != 4 || !hub.IsPrivate("me/reviews") {
		t.Errorf("the repository (private: %t) holds %d files", hub.IsPrivate("me/reviews"), len(files))
	}
	code, out, _ = w.run("publish", "out/default/local", "--to", "me/reviews", "--license", "cc-by-4.0", "--tag", "support")
	if code != exitOK || !strings.Contains(out, "already (commit "+hub.Head("me/reviews", "main")) {
		t.Errorf("exit code %d: %s", code, out)
	}
	for arguments, want := range map[string]string{
		"local -o out --to reviews":                        "--to must be OWNER/NAME",
		"local -o out --to me/x --license MIT":             "--license must be an identifier",
		"local -o out --to me/x --tag a --tag |":           "--tag must have letters",
		"local -o out --to me/x --revision a/b":            "--revision must be the name of a branch",
		"local -o out --to me/x --hub https://user:pw@hub": "--hub (or HF_ENDPOINT) must be an http or https URL",
		"local -o out --to me/x --token NOBODY":            "the environment variable NOBODY",
		"nowhere -o out --to me/x":                         "there is no dataset in out/default/nowhere or out/nowhere",
		"local -o out --to others/x":                       "You don't have the rights",
		"local -o out":                                     `required flag(s) "to" not set`,
	} {
		code, out, log := w.run(append([]string{"publish"}, strings.Fields(arguments)...)...)
		if code != exitFailed || !strings.Contains(log, want) || strings.Contains(out+log, hubsim.Token) {
			t.Errorf("%s: exit code %d: %s; want %q", arguments, code, log, want)
		}
	}
}

// TestTheTokenOfTheHub is found where the programs of the hub leave it.
func TestTheTokenOfTheHub(t *testing.T) {
	w, hub := hubWorld(t)
	t.Setenv("HF_TOKEN", "")
	publish := []string{"publish", "local", "-o", "out", "--to", "me/reviews"}
	if code, _, log := w.run(publish...); code != exitFailed || !strings.Contains(log, "there is no token of the hub") {
		t.Errorf("exit code %d: %s", code, log)
	}
	if err := os.WriteFile(filepath.Join(os.Getenv("HF_HOME"), "token"), []byte(hubsim.Token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, log := w.run(publish...); code != exitOK || hub.Commits("me/reviews") != 2 {
		t.Errorf("exit code %d: %s", code, log)
	}
}

// TestADatasetWithoutAnEndIsNotPublished, nor one that is a part without a word.
func TestADatasetWithoutAnEndIsNotPublished(t *testing.T) {
	w, hub := hubWorld(t)
	if err := os.Remove(filepath.Join(w.path("out/default/local/latest"), "_SUCCESS")); err != nil {
		t.Fatal(err)
	}
	code, _, log := w.run("publish", "local", "-o", "out", "--to", "me/reviews")
	if code != exitFailed || !strings.Contains(log, "has not ended with a dataset") || len(hub.Requests("")) > 0 {
		t.Errorf("exit code %d after %d requests: %s", code, len(hub.Requests("")), log)
	}
}

// TestADatasetInABucketIsExportedAndPublished by its address, and by its name.
func TestADatasetInABucketIsExportedAndPublished(t *testing.T) {
	w, endpoint := bucketWorld(t, s3test.New())
	hub := startHub(t)
	store := []string{"--output-endpoint", endpoint}
	if code, _, log := w.run(append([]string{"run", "reviews.yaml", "--output", "s3://bucket/team"}, store...)...); code != 0 {
		t.Fatal(log)
	}
	for i, arguments := range []string{
		"export s3://bucket/team/default/reviews --to a.jsonl", "export reviews --output s3://bucket/team --to b.jsonl",
		"export default/reviews --output s3://bucket/team --to c.jsonl",
	} {
		code, out, log := w.run(append(strings.Fields(arguments), store...)...)
		if code != exitOK || !strings.Contains(out, "24 rows in ") {
			t.Errorf("%s: exit code %d: %s%s", arguments, code, out, log)
		}
		if data, err := os.ReadFile(w.path(string(rune('a'+i)) + ".jsonl")); err != nil || strings.Count(string(data), "\n") != 24 {
			t.Errorf("%s: %q (%v)", arguments, data, err)
		}
	}
	code, out, log := w.run(append([]string{"publish", "reviews", "--output", "s3://bucket/team", "--to", "me/reviews"}, store...)...)
	if code != exitOK || len(hub.Files("me/reviews", "main")) < 3 {
		t.Errorf("exit code %d: %s%s", code, out, log)
	}
	for arguments, want := range map[string]string{
		"export nothing --output s3://bucket/team --to x.jsonl": "there is no dataset in s3://bucket/team/default/nothing or s3://bucket/team/nothing",
		"export s3://bucket/team --to x.jsonl":                  "there is no dataset in s3://bucket/team",
		"export s3://another/team --to x.jsonl":                 "NoSuchBucket",
	} {
		if code, _, log := w.run(append(strings.Fields(arguments), store...)...); code != exitFailed || !strings.Contains(log, want) {
			t.Errorf("%s: exit code %d: %s; want %q", arguments, code, log, want)
		}
	}
}
