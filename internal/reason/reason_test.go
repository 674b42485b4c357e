package reason_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/reason"
	"seedloom.dev/seedloom/internal/runreport"
)

func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// rows are the cells of the rows of the table that begins with a header, without it.
func rows(t *testing.T, text, header string) (found [][]string) {
	t.Helper()
	_, table, present := strings.Cut(text, header)
	if !present {
		t.Fatalf("there is no table %q", header)
	}
	for line := range strings.Lines(table) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "|---") || line == "" && len(found) == 0:
		case !strings.HasPrefix(line, "|"):
			return found
		default:
			found = append(found, strings.Split(strings.Trim(line, "| "), " | "))
		}
	}
	return found
}

// TestConditionsSayWhatReasonsLeadTo holds the reasons of the engine in docs/conditions.md to the table, and the table to them: a reason is
// in both, with the same fate and the same next step.
func TestConditionsSayWhatReasonsLeadTo(t *testing.T) {
	text := page(t, "conditions.md")
	documented := map[string][2]string{}
	for _, row := range rows(t, text, "| name | meaning | what becomes of it | what to do |") {
		documented[strings.Trim(row[0], "`")] = [2]string{row[2], row[3]}
	}
	for _, row := range rows(t, text, "| name | meaning | of | what to do |") {
		name := strings.Trim(row[0], "`")
		switch name {
		case v1alpha1.ReasonEarlyShutdown, v1alpha1.ReasonNoRecords, v1alpha1.ReasonRowsDropped, v1alpha1.ReasonShardFailed:
			// The engine reports them too.
			documented[name] = [2]string{"", row[3]}
		}
	}
	if len(documented) < 25 {
		t.Fatalf("only %d reasons are documented", len(documented))
	}
	known := reason.Names()
	if documents := slices.Sorted(maps.Keys(documented)); !slices.Equal(documents, known) {
		t.Fatalf("docs/conditions.md has\n%q, the table has\n%q", documents, known)
	}
	for _, name := range known {
		traits := reason.Of(name)
		if want := [2]string{traits.Fate, traits.NextStep}; documented[name] != want {
			t.Errorf("%s: docs/conditions.md says\n%q, the table says\n%q", name, documented[name], want)
		}
	}
}

var quoted = regexp.MustCompile("`([A-Za-z]+)`")

// TestExitCodesAreDocumented holds the table of exit codes in docs/architecture.md to the reasons: each that can end an engine stands at
// its code, and nothing else does.
func TestExitCodesAreDocumented(t *testing.T) {
	documented := map[string]string{}
	for _, row := range rows(t, page(t, "architecture.md"), "| code | means | reasons | the controller |") {
		// What an exception adds stands behind "also".
		ordinary, _, _ := strings.Cut(row[2], "; also")
		ordinary, _, _ = strings.Cut(ordinary, ", and none; also")
		for _, name := range quoted.FindAllStringSubmatch(ordinary, -1) {
			documented[name[1]] = row[0]
		}
	}
	for _, name := range reason.Names() {
		traits := reason.Of(name)
		want := fmt.Sprint(traits.Exit)
		if traits.DropsRow {
			want = ""
		}
		if documented[name] != want {
			t.Errorf("%s: docs/architecture.md has it at exit code %q, the table at %q", name, documented[name], want)
		}
		delete(documented, name)
	}
	for name := range documented {
		t.Errorf("docs/architecture.md names %q, which is no reason of the engine", name)
	}
}

func TestAReasonThatIsNotKnownNeedsAPerson(t *testing.T) {
	if traits := reason.Of("SomethingNew"); traits.Exit != runreport.ExitFailed || traits.DropsRow || traits.KeepsDataset {
		t.Errorf("%+v", traits)
	}
}
