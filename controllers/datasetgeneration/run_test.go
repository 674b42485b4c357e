package datasetgeneration

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// TestAnotherVersionStartsNothingAnew has an operator to which the same spec is another run, as after an upgrade that draws other rows.
func TestAnotherVersionStartsNothingAnew(t *testing.T) {
	for name, test := range map[string]struct {
		verdict    string
		generation int64
		retry      bool
		// seedRows is the digest of the rows of the dataset that is the seed now; the run has read others where it is not empty.
		seedRows string
		want     lifetime
	}{
		"a complete dataset":                            {verdict: v1alpha1.ConditionComplete, generation: 3, want: lifetimeFinished},
		"a complete dataset, and nothing to try again":  {verdict: v1alpha1.ConditionComplete, generation: 3, retry: true, want: lifetimeFinished},
		"a failed run":                                  {verdict: v1alpha1.ConditionFailed, generation: 3, want: lifetimeFinished},
		"a failed run that is to be tried again":        {verdict: v1alpha1.ConditionFailed, generation: 3, retry: true, want: lifetimeActive},
		"a complete dataset whose spec has been edited": {verdict: v1alpha1.ConditionComplete, generation: 2, want: lifetimeActive},
		"a complete dataset whose seed has other rows":  {verdict: v1alpha1.ConditionComplete, generation: 3, seedRows: "b", want: lifetimeActive},
		"a run that goes on":                            {want: lifetimeActive},
	} {
		in := fixture{spec: newSpec()}.input()
		run := in.resource.Status.Run
		run.ConfigHash = "sha256:of-another-version"
		if test.verdict != "" {
			run.CompletionTime = &metav1.Time{Time: testNow}
			in.resource.Status.Conditions = []metav1.Condition{
				{Type: test.verdict, Status: metav1.ConditionTrue, Reason: "Any", ObservedGeneration: test.generation},
			}
		}
		if test.seedRows != "" {
			run.Seed, in.seedRun = &v1alpha1.SeedRunStatus{RowsDigest: "a"}, &v1alpha1.SeedRunStatus{RowsDigest: test.seedRows}
		}
		if test.retry {
			in.resource.Annotations = map[string]string{v1alpha1.AnnotationRetryRequestedAt: "now"}
		}
		got, life := decideRun(in)
		if life != test.want {
			t.Errorf("%s: the lifetime is %d, want %d", name, life, test.want)
		}
		if isNew := got.ConfigHash == in.configHash; isNew != (test.want == lifetimeActive) {
			t.Errorf("%s: it is in the run %+v", name, got)
		}
	}
}
