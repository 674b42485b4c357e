package rollout_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/seed/rollout"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/golden"
)

// folders are those of the sessions that are stored for the tests, by their formats.
var folders = map[v1alpha1.AgentRolloutFormat]string{
	v1alpha1.AgentRolloutATIF: "atif", v1alpha1.AgentRolloutClaudeCode: "claude_code", v1alpha1.AgentRolloutCodex: "codex",
	v1alpha1.AgentRolloutHermesAgent: "hermes_agent", v1alpha1.AgentRolloutPiCodingAgent: "pi_coding_agent",
}

// TestSessionsOfEachFormat reads the stored sessions of each format, with what lies beside them, and compares their rows with those that
// were looked at.
func TestSessionsOfEachFormat(t *testing.T) {
	for _, format := range v1alpha1.AgentRolloutFormats {
		t.Run(string(format), func(t *testing.T) {
			root := filepath.Join("testdata", folders[format])
			index := rollout.Index{}
			each := func(take func(name string, data []byte)) {
				t.Helper()
				err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
					if err != nil || entry.IsDir() {
						return err
					}
					data, err := os.ReadFile(path)
					name, _ := filepath.Rel(root, path)
					take(filepath.ToSlash(name), data)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			each(func(name string, data []byte) {
				if rollout.IsIndex(format, name) {
					if err := index.Add(format, data); err != nil {
						t.Fatal(err)
					}
				}
			})
			var rows []string
			each(func(name string, data []byte) {
				if !rollout.Handles(format, name) {
					return
				}
				cells, err := rollout.Read(format, name, data, index)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				row, err := table.AppendRecordJSON(nil, rollout.Fields(), cells)
				if err != nil {
					t.Fatal(err)
				}
				var readable bytes.Buffer
				if err := json.Indent(&readable, row, "", " "); err != nil {
					t.Fatal(err)
				}
				rows = append(rows, readable.String())
			})
			golden.Check(t, filepath.Join("testdata", folders[format]+".golden"), strings.Join(rows, "\n")+"\n",
				"rows of recorded sessions change")
		})
	}
}
