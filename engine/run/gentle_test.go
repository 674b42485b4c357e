package run

import (
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
)

// A run begins gently where it is long and nobody has said otherwise.
func TestALongRunWithAnAdaptiveLimitBeginsGently(t *testing.T) {
	limit, none, ramp := int32(10), int32(0), int32(30)
	for name, c := range map[string]struct {
		rows      int64
		admission *v1alpha1.Admission
		want      bool
	}{
		"long":                 {320, nil, true},
		"long, with a budget":  {320, &v1alpha1.Admission{Policy: v1alpha1.AdmissionAdaptive}, true},
		"short":                {319, nil, false},
		"fixed":                {320, &v1alpha1.Admission{Policy: v1alpha1.AdmissionFixed}, false},
		"all at once, as said": {320, &v1alpha1.Admission{StartupRampSeconds: &none}, false},
		"with a ramp":          {320, &v1alpha1.Admission{StartupRampSeconds: &ramp}, false},
	} {
		spec := &v1alpha1.DatasetGenerationSpec{
			NumRecords: c.rows, Providers: []v1alpha1.Provider{{Name: "p"}},
			Models: []v1alpha1.Model{{Alias: "a", Provider: "p", Model: "m", MaxParallelRequests: &limit, Admission: c.admission}},
		}
		column := &plan.Column{Execution: plan.Remote, Lane: plan.Lane{Provider: "p", Model: "m"}, Model: &spec.Models[0], Spec: &v1alpha1.Column{}}
		made := lanesOf(spec, []*step{{columns: []*plan.Column{column}}})
		gentle := made.lanes[1].Gentle && made.lanes[1].Adaptive
		if gentle != c.want {
			t.Errorf("%s: begins gently: %t, want %t", name, gentle, c.want)
		}
	}
}
