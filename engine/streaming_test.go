package engine_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/llmsim"
)

// A dataset whose answers are streamed, by connections that break again and again, has the rows of one whose answers come as a whole:
// seeds and temperatures are drawn for each request, and drawn alike when it is sent again.
func TestBrokenStreamsChangeNoRow(t *testing.T) {
	t.Parallel()
	var parameters v1alpha1.ModelParameters
	if err := yaml.UnmarshalStrict([]byte("temperatureDistribution: {uniform: {low: 0.2, high: 1.2}}\nmaxTokens: 40"),
		&parameters); err != nil {
		t.Fatal(err)
	}
	made := func(streaming v1alpha1.StreamingPolicy, faults ...llmsim.Fault) [][]any {
		w, _ := newScenario(t, 60, 8, llmsim.Config{Faults: faults})
		model := &w.spec.Models[0]
		model.Streaming, model.RowSeed, model.Parameters = streaming, v1alpha1.RowSeedEnabled, &parameters
		requireComplete(t, w, w.generate(t.Context(), 0))
		_, rows := w.rows()
		return rows
	}
	want := made(v1alpha1.StreamingDisabled)
	got := made(v1alpha1.StreamingEnabled, llmsim.Fault{Kind: llmsim.FaultResetMidBody, Every: 5}, llmsim.Fault{Kind: llmsim.FaultBadChunk, Every: 7}, llmsim.Fault{Kind: llmsim.FaultTruncatedBody, Every: 9})
	if difference := cmp.Diff(want, got); difference != "" {
		t.Error(difference)
	}
}
