package engine_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/store/s3"
	"seedloom.dev/seedloom/engine/store/s3/s3test"
	"seedloom.dev/seedloom/internal/runreport"
)

// inBucket is a place in the bucket of a store.
func inBucket(t *testing.T, server *s3test.Server) *s3.Location {
	t.Helper()
	t.Setenv("AWS_CA_BUNDLE", "") // to read it each time takes long
	keys := t.TempDir()
	for name, content := range map[string]string{s3.AccessKeyFile: s3test.AccessKey, s3.SecretKeyFile: s3test.SecretKey} {
		if err := os.WriteFile(filepath.Join(keys, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return &s3.Location{
		Bucket: s3test.Bucket, Endpoint: "http://store.test", CredentialsDirectory: keys,
		Transport: &s3test.Way{Handler: server}, Patience: time.Second, Timeout: 10 * time.Second,
	}
}

// Exports lie in a bucket as they do on a volume; those that are no longer asked for are removed from it.
func TestExportsAreWrittenToABucket(t *testing.T) {
	w, server := newWorld(t, exportedSpec, ""), s3test.New()
	place := inBucket(t, server)
	run := func() (there []string) {
		config := w.config(0)
		config.ObjectStore = place
		checkEnding(t, engine.Generate(t.Context(), config), runreport.OutcomeComplete, "", 0, 30, 0)
		for _, key := range server.Keys() {
			if _, name, is := strings.Cut(key, "/exports/"); is && !strings.Contains(key, "/.seedloom/") {
				there = append(there, name)
			}
		}
		return there
	}
	want := []string{
		"arrow/data-00000.arrow", "chat/test-00000.jsonl.zst", "chat/train-00000.jsonl.zst", "lines/test-00000.jsonl", "lines/train-00000.jsonl",
		"sheet/data-00000.csv.gz",
	}
	if there := run(); !slices.Equal(there, want) {
		t.Fatalf("got %v, want %v", there, want)
	}
	w.spec.Output.Exports = w.spec.Output.Exports[:1]
	if there := run(); !slices.Equal(there, want[3:5]) {
		t.Errorf("with fewer exports, got %v", there)
	}
}
