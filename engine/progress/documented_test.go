package progress_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestMetricsAreDocumented holds docs/metrics.md to the metrics of engine Pods and of the manager.
func TestMetricsAreDocumented(t *testing.T) {
	read := func(file string) string {
		t.Helper()
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	page := read("../../docs/metrics.md")
	for file, least := range map[string]int{"http.go": 9, "../../controllers/datasetgeneration/metrics.go": 3} {
		names := regexp.MustCompile(`"seedloom_[a-z_]+"`).FindAllString(read(file), -1)
		if len(names) < least {
			t.Errorf("only %d metrics were found in %s", len(names), file)
		}
		for _, name := range names {
			if row := "| `" + strings.Trim(name, `"`) + "` |"; !strings.Contains(page, row) {
				t.Errorf("docs/metrics.md lacks %s of %s", name, file)
			}
		}
	}
}
