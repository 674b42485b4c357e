package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestManifestsThatHaveNoEndOrAreTooLargeAreRefusedAtOnce(t *testing.T) {
	const head = "apiVersion: seedloom.dev/v1alpha1\nkind: DatasetGeneration\nmetadata: {name: a}\n"
	t.Chdir(folderWith(t, map[string]string{
		"self.yaml":    head + "spec: &s\n  numRecords: 2\n  columns: *s\n",
		"list.yaml":    head + "spec: &s [*s]\n",
		"beside.yaml":  "a: &a {b: *a}\n" + head + "spec: {}\n",
		"widened.yaml": head + "a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n",
		"twice.yaml":   head + "spec: {numRecords: &n 3, randomSeed: *n}\n",
	}))
	for name, want := range map[string]string{
		"self.yaml":    "the anchor &s has an alias of itself inside",
		"list.yaml":    "the anchor &s has an alias of itself inside",
		"beside.yaml":  "the anchor &a has an alias of itself inside",
		"widened.yaml": "the document is larger than 100000 values when its aliases are written out",
	} {
		if got := inProcess(t, 0, "validate", name); got.code != 1 || !strings.Contains(got.out, want) {
			t.Errorf("%s: %+v lacks %q", name, got, want)
		}
	}
	if got := inProcess(t, 0, "validate", "twice.yaml"); strings.Contains(got.out, "anchor") {
		t.Errorf("an alias of what stands elsewhere: %+v", got)
	}
}

// Of vast lists and objects it is said that they are too large, and not what each part of them lacks.
func TestVastManifestsAreRefusedByTheirCounts(t *testing.T) {
	var columns, fields strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&columns, "  - {name: c%d, expression: {expr: \"{{ c%d }}\"}}\n", i, i+1)
		fmt.Fprintf(&fields, "  field%d: 1\n", i)
	}
	t.Chdir(folderWith(t, map[string]string{
		"columns.yaml": strings.Replace(localOnly, "  columns:\n", "  columns:\n"+columns.String(), 1), "fields.yaml": strings.TrimSpace(localOnly) + "\n" + fields.String(),
	}))
	got := inProcess(t, 0, "validate", "columns.yaml")
	if got.code != 1 || strings.Count(got.out, "\n") != 1 ||
		!strings.Contains(got.out, "spec.columns: has 3001 items, and must have at most 256") {
		t.Errorf("%d lines: %.300s", strings.Count(got.out, "\n"), got.out)
	}
	got = inProcess(t, 0, "validate", "fields.yaml")
	if got.code != 1 || strings.Count(got.out, "\n") != 101 ||
		!strings.Contains(got.out, "there are 2900 more fields that the API does not have") {
		t.Errorf("%d lines: %.300s", strings.Count(got.out, "\n"), got.out)
	}
}

func TestAStatusInAManifestIsNotLookedAt(t *testing.T) {
	t.Chdir(folderWith(t, map[string]string{"a.yaml": localOnly + "status: {conditions: 5, run: []}\n"}))
	if got := inProcess(t, 0, "preview", "a.yaml", "-n", "1", "-o", "jsonl"); got.code != 0 || strings.Count(got.out, "\n") != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestANamespaceThatCantBeIsRefused(t *testing.T) {
	t.Chdir(folderWith(t, map[string]string{"a.yaml": strings.Replace(localOnly, "metadata: {", "metadata: {namespace: ../../x, ", 1)}))
	if got := inProcess(t, 0, "validate", "a.yaml"); got.code != 1 || !strings.Contains(got.out, "metadata.namespace") {
		t.Errorf("got %+v", got)
	}
}
