package datasetgeneration

import (
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// The message of a complete run says which documents of its seed were left out.
func TestTheVerdictSaysWhatHasBecomeOfDocuments(t *testing.T) {
	f := &situation{lifetime: lifetimeActive, input: &input{
		now: testNow, options: &Options{}, resource: &v1alpha1.DatasetGeneration{Spec: newSpec()},
	}}
	f.observed.ending = &ending{}
	f.observed.dataset = &runreport.Result{Documents: &runreport.Documents{
		Count: 3, Skipped: 1, Chunks: 100, FirstProblem: `"scan.pdf": it has no text`,
	}}
	verdict := f.judge(v1alpha1.RecordsStatus{Target: 100, Actual: 100})
	if !verdict.complete || !strings.Contains(verdict.message, `; 1 of 3 documents of the seed were left out`) ||
		!strings.HasSuffix(verdict.message, `"scan.pdf": it has no text`) {
		t.Errorf("the verdict is %+v", verdict)
	}
}
