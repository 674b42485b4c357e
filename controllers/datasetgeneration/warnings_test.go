package datasetgeneration

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// TestWarningsAreReadAgain follows what is known of a run that waits.
func TestWarningsAreReadAgain(t *testing.T) {
	var warnings knownWarnings
	key := types.NamespacedName{Name: "reviews"}
	first := []types.UID{"job"}
	warnings.keep(key, knownWarning{first, "quota", testNow})
	for name, test := range map[string]struct {
		objects []types.UID
		after   time.Duration
		known   bool
	}{
		"at once":           {first, 0, true},
		"in time":           {first, 59 * time.Second, true},
		"when it is old":    {first, time.Minute, false},
		"of another object": {[]types.UID{"pod", "job"}, 0, false},
	} {
		if text, known := warnings.of(key, test.objects, testNow.Add(test.after), time.Minute); known != test.known || known && text != "quota" {
			t.Errorf("%s: known %t (%q), want %t", name, known, text, test.known)
		}
	}
	warnings.forget(key)
	if _, known := warnings.of(key, first, testNow, time.Minute); known {
		t.Error("it is known of a resource that is gone")
	}
	for age, want := range map[time.Duration]time.Duration{time.Second: 0, 4 * time.Minute: 30 * time.Second, 24 * time.Hour: maxWarningAge} {
		if got := (fixture{spec: newSpec(), age: age}).input().warningAge(); got != want {
			t.Errorf("after %s of waiting, a warning may be %s old, want %s", age, got, want)
		}
	}
}
