package datasetgeneration

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// A run whose dataset is there is started once more when its exports have changed: it generates nothing, and writes them.
func TestChangedExportsStartAnotherAttempt(t *testing.T) {
	exports := []v1alpha1.Export{{Name: "lines", Format: v1alpha1.ExportJSONL}}
	for name, test := range map[string]struct {
		condition, reason string
		before, now       []v1alpha1.Export
		starts            bool
	}{
		"complete, as before":        {v1alpha1.ConditionComplete, "AllRecords", exports, exports, false},
		"complete, added":            {v1alpha1.ConditionComplete, "AllRecords", nil, exports, true},
		"complete, removed":          {v1alpha1.ConditionComplete, "AllRecords", exports, nil, true},
		"failed to export, mended":   {v1alpha1.ConditionFailed, v1alpha1.ReasonExportFailed, nil, exports, true},
		"failed to export, as it is": {v1alpha1.ConditionFailed, v1alpha1.ReasonExportFailed, exports, exports, false},
		"failed otherwise":           {v1alpha1.ConditionFailed, v1alpha1.ReasonProviderUnavailable, nil, exports, false},
	} {
		resource := &v1alpha1.DatasetGeneration{}
		resource.Spec.NumRecords, resource.Spec.Output.Exports = 10, test.now
		resource.Status.Conditions = []metav1.Condition{{Type: test.condition, Status: metav1.ConditionTrue, Reason: test.reason}}
		resource.Status.Run = &v1alpha1.RunStatus{
			ConfigHash: "sha256:0", Attempt: 1, Target: 10, ExportsHash: exportsHash(test.before),
			CompletionTime: &metav1.Time{Time: time.Unix(1, 0)},
		}
		next, lifetime := decideRun(&input{resource: resource, configHash: "sha256:0"})
		starts := lifetime == lifetimeActive && next.Attempt == 2
		if starts != test.starts || starts && next.ExportsHash != exportsHash(test.now) {
			t.Errorf("%s: attempt %d, lifetime %d; want another attempt %v", name, next.Attempt, lifetime, test.starts)
		}
	}
}
