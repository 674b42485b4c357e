package runreport_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

func TestUnusableAnswersAreCountedByReason(t *testing.T) {
	var usage runreport.Usage
	for _, reason := range []string{
		v1alpha1.ReasonOutputTruncated, v1alpha1.ReasonOutputTruncated, v1alpha1.ReasonContentRefused, "OfAnotherVersion",
	} {
		usage.Unusable.Count(reason)
	}
	usage.TruncatedKept = 3
	data, err := json.Marshal(usage)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"succeeded":0,"unusable":{"ContentRefused":1,"ModelGenerationInvalid":1,"OutputTruncated":2},"truncatedKept":3}`
	if string(data) != want {
		t.Errorf("written as %s, want %s", data, want)
	}
	var read runreport.Usage
	if err := json.Unmarshal(data, &read); err != nil || read != usage {
		t.Errorf("read as %+v, %v; want %+v", read, err, usage)
	}
	read.Add(usage)
	causes := []runreport.ReasonCount{
		{Reason: v1alpha1.ReasonOutputTruncated, Count: 4}, {Reason: v1alpha1.ReasonModelGenerationInvalid, Count: 2},
		{Reason: v1alpha1.ReasonContentRefused, Count: 2},
	}
	if difference := cmp.Diff(causes, read.Unusable.ByReason()); difference != "" || read.Unusable.Total() != 8 || read.TruncatedKept != 6 {
		t.Errorf("%d in all, %d kept: %s", read.Unusable.Total(), read.TruncatedKept, difference)
	}
	// What a version writes that knows more reasons is not lost, and nothing is written where nothing is lost.
	if err := json.Unmarshal([]byte(`{"unusable":{"Novel":2,"OutputTruncated":1}}`), &read); err != nil || read.Unusable.Total() != 3 {
		t.Errorf("read %+v, %v", read, err)
	}
	if data, _ := json.Marshal(runreport.Usage{}); string(data) != `{"succeeded":0}` {
		t.Errorf("nothing is written as %s", data)
	}
	read.Unusable.Add(runreport.Unusable{math.MaxInt64})
	read.Unusable.Add(runreport.Unusable{math.MaxInt64})
	if read.Unusable.Total() != math.MaxInt64 {
		t.Errorf("more than there are numbers is %d", read.Unusable.Total())
	}
}
