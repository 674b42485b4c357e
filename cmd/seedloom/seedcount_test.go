package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestValidateCountsWhatIsNoTable holds what validate says of seeds whose rows no table has.
func TestValidateCountsWhatIsNoTable(t *testing.T) {
	for name, test := range map[string]struct {
		seed, column string
		files        map[string]string
		valid        bool
		says         string
	}{
		"chunks": {
			`path: "h/**"}, documents: {chunk: {by: Characters, size: 20}}`, "text",
			map[string]string{"h/a.txt": "One two three four five six seven.", "h/b.txt": "Short."}, true, "is valid; its seed has 3 chunks\n",
		},
		"documents, one of which is bad": {
			`path: "h/**"}, documents: {onError: Skip}`, "text", map[string]string{"h/a.txt": "One.", "h/b.txt": ""}, true,
			"is valid; its seed has 1 document, and 1 file left out\n",
		},
		"a bad document": {
			`path: "h/**"}, documents: {}`, "text", map[string]string{"h/a.txt": "One.", "h/b.txt": ""}, false, `spec.seed: the seed "h/**" on claim "c" can't be used: document "h/b.txt"`,
		},
		"files":         {`path: "h/**"}, files: {}`, "file_name", map[string]string{"h/a.txt": "One.", "h/b.bin": ""}, true, "is valid; its seed has 2 files\n"},
		"sessions":      {`path: "h/**"}, agentRollouts: {format: Codex}`, "trace_id", map[string]string{"h/rollout-1.jsonl": "{}", "h/x.txt": ""}, true, "is valid; its seed has 1 recorded session\n"},
		"nothing there": {`path: "h/**"}, documents: {}`, "text", nil, true, "is valid\n"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"m.yaml": `
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: counted}
spec:
  numRecords: 3
  seed: {persistentVolumeClaim: {claimName: c, ` + test.seed + `}
  columns: [{name: x, expression: {expr: "{{ ` + test.column + ` }}"}}]
  output: {persistentVolumeClaim: {claimName: c}}
`}
			for path, text := range test.files {
				files[path] = text
			}
			printed, valid := validated(t, filepath.Join(folderWith(t, files), "m.yaml"))
			if valid != test.valid || !strings.Contains(printed, test.says) {
				t.Errorf("got %v: %s", valid, printed)
			}
		})
	}
}
