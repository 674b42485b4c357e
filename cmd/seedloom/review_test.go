package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
)

// TestTheSampleWithAReviewHasAllRowsInTheEnd runs the steps of the sample as its pages say: drafts, what people have made of them, the
// rest, and one dataset of both.
func TestTheSampleWithAReviewHasAllRowsInTheEnd(t *testing.T) {
	t.Parallel()
	models := simtest.Start(t, llmsim.Config{})
	output := t.TempDir()
	endpoint := []string{"--endpoint", "simulator=" + models.Endpoint()}
	for _, step := range []struct {
		name  string
		flags []string
	}{
		{"1-candidates.yaml", endpoint}, {"2-reviewed.yaml", nil}, {"3-remaining.yaml", endpoint}, {"4-final.yaml", []string{"--seed-dir", output}},
	} {
		arguments := append([]string{"run", "-f", filepath.Join("../../config/samples/review", step.name), "--output", output}, step.flags...)
		if printed, err := executed(t, arguments...); err != nil {
			t.Fatalf("%s has ended with %v: %s", step.name, err, printed)
		}
	}
	printed, err := executed(t, "preview", "-f", "../../config/samples/review/4-final.yaml", "--seed-dir", output, "-n", "6", "-o", "jsonl")
	if err != nil {
		t.Fatalf("%v: %s", err, printed)
	}
	var rows []string
	for line := range strings.Lines(printed) {
		var row struct {
			Origin string
			Page   string `json:"page_id"`
		}
		if json.Unmarshal([]byte(line), &row) == nil {
			rows = append(rows, row.Page+" by "+row.Origin)
		}
	}
	slices.Sort(rows)
	want := []string{
		"handbook-1 by people", "handbook-2 by people", "letter-1 by model", "letter-2 by model", "report-1 by model", "report-2 by model",
	}
	if !slices.Equal(rows, want) {
		t.Errorf("got %q of %s", rows, printed)
	}
}
