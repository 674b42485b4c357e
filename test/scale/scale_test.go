package main

import (
	"os"
	"testing"
)

// TestASmallCrowd holds the counts of the profile `small`; `make test-scale` measures the full one.
func TestASmallCrowd(t *testing.T) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Skip("KUBEBUILDER_ASSETS names no etcd and API server: make test-controllers sets it")
	}
	size, err := readProfile("small")
	if err != nil {
		t.Fatal(err)
	}
	figures, err := run(t.Context(), size, "")
	if err != nil {
		t.Fatal(err)
	}
	size.print(t.Output(), figures)
	for _, missed := range size.check(figures) {
		t.Error(missed)
	}
}

// TestRangesAreChecked has a figure above its range, one without any, and a range without a figure.
func TestRangesAreChecked(t *testing.T) {
	size := profile{Ranges: map[string]most{"writes": {Most: 3}, "seconds": {Most: 1}}}
	missed := size.check([]figure{{"writes", 4, "5 patch"}, {"memory", 900, ""}})
	if len(missed) != 2 {
		t.Fatalf("missed %q", missed)
	}
	for i, want := range []string{"seconds: was not measured", "writes: 4, and at most 3 is promised (5 patch)"} {
		if missed[i] != want {
			t.Errorf("missed %q, want %q", missed[i], want)
		}
	}
}
