package seed_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/seed"
)

// sessionText is a session of Claude Code in which the assistant says something.
func sessionText(said string) string {
	return fmt.Sprintf(`{"type": "assistant", "message": {"content": %q}}`, said) + "\n"
}

// recorded opens the sessions of Claude Code below a folder as a seed. reported are the files that were read or left out.
func recorded(
	t *testing.T, folder string, change func(*v1alpha1.Seed), rows int64,
) (dataset *seed.Dataset, reported []seed.DocumentResult, err error) {
	t.Helper()
	spec := &v1alpha1.Seed{
		PersistentVolumeClaim: &v1alpha1.PersistentVolumeClaimSeed{ClaimName: "c", Path: "**"},
		AgentRollouts:         &v1alpha1.SeedAgentRollouts{Format: v1alpha1.AgentRolloutClaudeCode},
		Columns:               []v1alpha1.SeedColumn{{Name: "path", From: "source_path"}, {Name: "last", From: "final_assistant_message"}},
	}
	if change != nil {
		change(spec)
	}
	dataset, err = seed.Load(t.Context(), spec, seed.Options{
		Directory: folder, Rows: rows, Document: func(result seed.DocumentResult) { reported = append(reported, result) },
	})
	if err == nil {
		t.Cleanup(func() { _ = dataset.Close() }) // was only read
	}
	return dataset, reported, err
}

func TestEachRecordedSessionIsARow(t *testing.T) {
	folder := notes(t, map[string]string{
		"b.jsonl": sessionText("B"), "a/one.jsonl": sessionText("A"), "a/bad.jsonl": "{", "history.jsonl": "{}", "readme.md": "# x",
		"z.jsonl": sessionText("Z"), "empty.jsonl": "",
	})
	dataset, reported, err := recorded(t, folder, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(rowsOf(t, dataset), "; "); got != "a/one.jsonlA; b.jsonlB; z.jsonlZ" {
		t.Errorf("got %s", got)
	}
	const want = "[{a/bad.jsonl 0 0 0 0 0 line 1: it is not JSON: it ends in the middle of a value} {a/one.jsonl 1 0 0 0 0 } " +
		"{b.jsonl 1 0 0 0 0 } {empty.jsonl 0 0 0 0 0 it is empty} {z.jsonl 1 0 0 0 0 }]"
	if got := fmt.Sprint(reported); got != want {
		t.Errorf("reported are %s", got)
	}
	second, _, err := recorded(t, folder, func(spec *v1alpha1.Seed) {
		spec.Selection = &v1alpha1.SeedSelection{Offset: new(int64(1))}
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(rowsOf(t, second), "; "); got != "b.jsonlB" {
		t.Errorf("got %s", got)
	}
	if second.Digest() != dataset.Digest() {
		t.Error("the sessions tell another seed where fewer of them are read")
	}
	if err := os.WriteFile(filepath.Join(folder, "z.jsonl"), []byte(sessionText("longer")), 0o600); err != nil {
		t.Fatal(err)
	}
	if changed, _, err := recorded(t, folder, nil, 1); err != nil || changed.Digest() == dataset.Digest() {
		t.Errorf("a session that has changed, and is not read, is no other seed (%v)", err)
	}
}

func TestRecordedSessionsThatCantBeUsed(t *testing.T) {
	large := func(t *testing.T) string {
		t.Helper()
		folder := notes(t, map[string]string{"a.jsonl": ""})
		if err := os.Truncate(filepath.Join(folder, "a.jsonl"), 100<<20); err != nil {
			t.Fatal(err)
		}
		return folder
	}
	for name, test := range map[string]struct {
		folder    func(t *testing.T) string
		change    func(*v1alpha1.Seed)
		complains string
	}{
		"all are bad": {
			func(t *testing.T) string { return notes(t, map[string]string{"a.jsonl": "x", "b.jsonl": ""}) }, nil,
			`none of its 2 files can be read as a session of ClaudeCode; the first is "a.jsonl": line 1: it is not JSON`,
		},
		"one is bad": {
			func(t *testing.T) string {
				return notes(t, map[string]string{"a.jsonl": sessionText("A"), "b.jsonl": ""})
			},
			func(spec *v1alpha1.Seed) { spec.AgentRollouts.OnError = v1alpha1.DocumentErrorFail },
			`"b.jsonl": it is empty; mend or remove it, or set spec.seed.agentRollouts.onError to Skip`,
		},
		"a bad index": {
			func(t *testing.T) string {
				return notes(t, map[string]string{"a.jsonl": sessionText("A"), "sessions-index.json": `{"entries": 5}`})
			},
			func(spec *v1alpha1.Seed) { spec.AgentRollouts.OnError = v1alpha1.DocumentErrorFail },
			`"sessions-index.json": it has a number where a list should be`,
		},
		"100 MiB": {large, nil, "it has 100 MiB, and a recorded session may have 64"},
		"none by its name": {
			func(t *testing.T) string { return notes(t, map[string]string{"a.txt": "", "history.jsonl": ""}) }, nil,
			"none of its 2 files is a session of ClaudeCode by its name, which is *.jsonl",
		},
		"no file": {func(t *testing.T) string { return t.TempDir() }, nil, "**"},
		"too far": {
			func(t *testing.T) string { return notes(t, map[string]string{"a.jsonl": sessionText("A")}) },
			func(spec *v1alpha1.Seed) { spec.Selection = &v1alpha1.SeedSelection{Offset: new(int64(1))} },
			"there are no sessions after the first 1",
		},
		"a column of another type": {
			func(t *testing.T) string { return notes(t, map[string]string{"a.jsonl": sessionText("A")}) },
			func(spec *v1alpha1.Seed) { spec.Columns = []v1alpha1.SeedColumn{{Name: "messages", Type: "str"}} },
			`column "messages", "a.jsonl": lists and structs have no other type`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := recorded(t, test.folder(t), test.change, 0); err == nil || !strings.Contains(err.Error(), test.complains) {
				t.Errorf("got %v, want %s", err, test.complains)
			}
		})
	}
}

func TestARecordedSessionInAConfigMap(t *testing.T) {
	folder := notes(t, map[string]string{"a.jsonl": sessionText("A"), "b.jsonl": sessionText("B")})
	dataset, _, err := recorded(t, folder, func(spec *v1alpha1.Seed) {
		spec.PersistentVolumeClaim, spec.ConfigMap = nil, &v1alpha1.ConfigMapSeed{Name: "m", Key: "b.jsonl"}
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(rowsOf(t, dataset), "; "); got != "b.jsonlB" {
		t.Errorf("got %s", got)
	}
}
