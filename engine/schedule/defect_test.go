package schedule

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFaultSchedulesNoticeADefect builds the scheduler with a defect in it, and expects the simulation to find that.
func TestFaultSchedulesNoticeADefect(t *testing.T) {
	overlay := withDefect(t, "schedule.go", "for !c.closed {", "for true {")
	command := exec.CommandContext(t.Context(), "go", "test", "-overlay", overlay, "-run", "^TestFaultSchedules$", "-simulation.schedules",
		"1000", ".")
	command.Env = append(os.Environ(), "GOFLAGS=")
	output, err := command.CombinedOutput()
	if err == nil || !strings.Contains(string(output), "was started after the end") {
		t.Errorf("the simulation does not notice a task that starts after the end: %v\n%s", err, output)
	}
}

// withDefect writes what "go test -overlay" needs to see a file of this package with a defect in it.
func withDefect(t *testing.T, name, right, wrong string) (overlay string) {
	t.Helper()
	original, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	if count := strings.Count(string(source), right); count != 1 {
		t.Fatalf("%s has %q %d times, and the defect is to take the place of it", name, right, count)
	}
	folder := t.TempDir()
	defective := filepath.Join(folder, name)
	overlay = filepath.Join(folder, "overlay.json")
	replaced, err := json.Marshal(map[string]any{"Replace": map[string]string{original: defective}})
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string][]byte{defective: bytes.ReplaceAll(source, []byte(right), []byte(wrong)), overlay: replaced} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return overlay
}
