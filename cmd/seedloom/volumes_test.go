package main

import (
	"os"
	"strings"
	"testing"

	"seedloom.dev/seedloom/internal/llmsim"
)

func TestVolumesOfMediaAreFolders(t *testing.T) {
	w := newWorld(t, `
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: reviews}
spec:
  numRecords: 2
  providers: [{name: local, type: OpenAI, endpoint: "ENDPOINT"}]
  models: [{alias: listener, provider: local, model: m, healthCheck: Disabled}]
  columns:
  - {name: file, sampler: {type: Category, category: {values: [a.mp3]}}}
  - name: transcript
    llmText: {model: listener, prompt: Listen., context: [{column: file, modality: Audio, dataType: File, volume: calls}]}
  pod: {volumes: [{name: calls, mountPath: /calls, persistentVolumeClaim: {claimName: calls}}]}
  output: {persistentVolumeClaim: {claimName: c}}
`, llmsim.Config{})
	for _, folder := range []string{"elsewhere", "empty"} {
		if err := os.Mkdir(w.path(folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.write("elsewhere/a.mp3", "sound")
	check := func(want int, text string, flags ...string) {
		t.Helper()
		code, out, log := w.run(append([]string{"preview", "-f", "reviews.yaml"}, flags...)...)
		if code != want || !strings.Contains(out+log, text) {
			t.Errorf("%q: got %d, %s, %s", flags, code, out, log)
		}
	}
	check(exitFailed, "which is no folder; name it with --volume-dir calls=DIR")
	check(exitFailed, `"other" is none`, "--volume-dir", "other=elsewhere")
	check(exitFailed, "has no file that can be read", "--volume-dir", "calls=empty")
	check(exitOK, "TRANSCRIPT", "--volume-dir", "calls=elsewhere")
	if err := os.Rename(w.path("elsewhere"), w.path("calls")); err != nil {
		t.Fatal(err)
	}
	check(exitOK, "TRANSCRIPT")
}
