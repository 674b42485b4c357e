package datasetgeneration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// TestShownProgress follows the counts of one attempt through the status.
func TestShownProgress(t *testing.T) {
	f := &situation{lifetime: lifetimeActive, input: &input{
		now: testNow, options: &Options{}, resource: &v1alpha1.DatasetGeneration{Spec: newSpec()},
	}}
	f.run = v1alpha1.RunStatus{ID: "run", Attempt: 2, Target: 100, Parallelism: 2}
	f.workload.generating = []corev1.Pod{reportingPod()}
	status := &v1alpha1.DatasetGenerationStatus{}
	steps := []struct {
		after   time.Duration
		actual  int64
		summary string
	}{
		{0, 20, "20/100"},
		{time.Second, 30, "20/100"}, // too early to write again
		{11 * time.Second, 40, "40/100"},
		{-time.Hour, 45, "45/100"}, // the clock was set back
		{-time.Hour + time.Second, 46, "45/100"},
		{25 * time.Second, 10, "45/100"}, // a Pod that starts again begins to count from what it finds
	}
	for i, step := range steps {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			f.now = testNow.Add(step.after)
			f.progress = map[types.UID]runreport.Progress{"pod": {Shard: 1, Records: runreport.Records{Actual: step.actual}, RecordsPerSecond: 2}}
			f.showProgress(status)
			if status.Records.Summary != step.summary {
				t.Errorf("shows %s, want %s", status.Records.Summary, step.summary)
			}
		})
	}
	if want := (metav1.Time{Time: testNow.Add(28*time.Second - time.Hour)}); !status.Progress.EstimatedCompletion.Equal(&want) {
		t.Errorf("estimated completion %v, want %v", status.Progress.EstimatedCompletion, want)
	}
	if status.Progress.RecordsPerSecond != "2.0" || status.Progress.Percent != 45 {
		t.Errorf("progress is %+v", *status.Progress)
	}
}

// TestShownProgressOfAResize has records that nobody asked for, and others that nobody gets.
func TestShownProgressOfAResize(t *testing.T) {
	for name, test := range map[string]struct {
		records runreport.Records
		percent int32
		left    time.Duration
	}{
		"each record becomes three": {runreport.Records{Actual: 120, Added: 80}, 40, 60 * time.Second},
		"half of them stay":         {runreport.Records{Actual: 20, Filtered: 20}, 40, 60 * time.Second},
		"none of them has stayed":   {runreport.Records{Filtered: 40}, 40, 60 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			f := &situation{lifetime: lifetimeActive, input: &input{
				now: testNow, options: &Options{}, resource: &v1alpha1.DatasetGeneration{Spec: newSpec()},
			}}
			f.run = v1alpha1.RunStatus{ID: "run", Attempt: 2, Target: 100, Parallelism: 1}
			f.workload.generating = []corev1.Pod{reportingPod()}
			f.progress = map[types.UID]runreport.Progress{"pod": {Shard: 1, Records: test.records, RecordsPerSecond: 1}}
			status := &v1alpha1.DatasetGenerationStatus{}
			f.showProgress(status)
			if status.Progress.Percent != test.percent {
				t.Errorf("%d percent, want %d", status.Progress.Percent, test.percent)
			}
			if want := (metav1.Time{Time: testNow.Add(test.left)}); !status.Progress.EstimatedCompletion.Equal(&want) {
				t.Errorf("estimated completion %v, want %v", status.Progress.EstimatedCompletion, want)
			}
		})
	}
}

// TestUnusableAnswersAreShown while no record has met its fate, at the end, and where a result had no room for all columns.
func TestUnusableAnswersAreShown(t *testing.T) {
	f := &situation{lifetime: lifetimeActive, input: &input{
		now: testNow, options: &Options{}, resource: &v1alpha1.DatasetGeneration{Spec: newSpec()},
	}}
	f.run = v1alpha1.RunStatus{ID: "run", Attempt: 1, Target: 100, Parallelism: 1}
	f.workload.generating = []corev1.Pod{reportingPod()}
	column := func(truncated, refused int64) runreport.Column {
		used := runreport.Usage{Succeeded: truncated + refused, Failed: 3, TruncatedKept: 2}
		for range truncated {
			used.Unusable.Count(v1alpha1.ReasonOutputTruncated)
		}
		for range refused {
			used.Unusable.Count(v1alpha1.ReasonContentRefused)
		}
		return runreport.Column{Name: "text", Usage: used}
	}
	shown := func(truncated, refused int64) v1alpha1.ColumnStatus {
		return v1alpha1.ColumnStatus{
			Name: "text", Requests: v1alpha1.RequestCounts{Succeeded: truncated + refused, Failed: 3}, TruncatedAnswersKept: 2,
			UnusableAnswers: []v1alpha1.UnusableAnswers{
				{Reason: v1alpha1.ReasonOutputTruncated, Count: truncated}, {Reason: v1alpha1.ReasonContentRefused, Count: refused},
			},
		}
	}
	status := &v1alpha1.DatasetGenerationStatus{}
	for _, step := range []struct{ truncated, shown int64 }{
		{20, 20}, {21, 20}, // a few more are no reason to write the status
		{40, 40}, {200, 200},
	} {
		f.progress = map[types.UID]runreport.Progress{"pod": {Columns: []runreport.Column{column(step.truncated, 1), {Name: "id"}}}}
		f.showProgress(status)
		want := []v1alpha1.ColumnStatus{shown(step.shown, 1), {Name: "id"}}
		if difference := cmp.Diff(want, status.Columns); difference != "" {
			t.Errorf("%d answers: %s", step.truncated, difference)
		}
	}
	// The end is a result that had room for one column only.
	f.workload.generating, f.progress = nil, nil
	f.observed.dataset = &runreport.Result{Truncated: true, Columns: []runreport.Column{column(300, 7)}}
	f.showResult(status)
	if difference := cmp.Diff([]v1alpha1.ColumnStatus{shown(300, 7), {Name: "id"}}, status.Columns); difference != "" {
		t.Error(difference)
	}
	f.observed.ending = &ending{}
	verdict := f.judge(v1alpha1.RecordsStatus{Target: 100, Actual: 100})
	if want := "; texts were cut off by the limit of tokens, and kept: 2 of column text"; !verdict.complete ||
		!strings.HasSuffix(verdict.message, want) {
		t.Errorf("the verdict is %+v, want %q", verdict, want)
	}
}

// reportingPod is the second of several Pods of a run, and runs.
func reportingPod() corev1.Pod {
	pod := runningPod()
	pod.UID = "pod"
	return pod
}
