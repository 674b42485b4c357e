package seed_test

import (
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/seed"
	"seedloom.dev/seedloom/internal/samplepdf"
)

// TestHeadersOfDocumentsAreKeptWhereThatIsAsked holds that the setting reaches the process that reads.
func TestHeadersOfDocumentsAreKeptWhereThatIsAsked(t *testing.T) {
	folder := library(t, map[string]string{"a.pdf": string(samplepdf.Text("Title\n\n\n\none", "Title\n\n\n\nother", "Title\n\n\n\nlast"))})
	for margins, want := range map[v1alpha1.PageMargins]int{"": 0, v1alpha1.PageMarginsOmit: 0, v1alpha1.PageMarginsKeep: 3} {
		dataset, err := seed.Load(t.Context(), &v1alpha1.Seed{
			PersistentVolumeClaim: &v1alpha1.PersistentVolumeClaimSeed{ClaimName: "c", Path: "a.pdf"},
			Documents:             &v1alpha1.SeedDocuments{PageMargins: margins},
		}, seed.Options{Directory: folder})
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(rowsOf(t, dataset), ""); strings.Count(text, "Title") != want || !strings.Contains(text, "other") {
			t.Errorf("%q: got %q", margins, text)
		}
		_ = dataset.Close() // was only read
	}
}
