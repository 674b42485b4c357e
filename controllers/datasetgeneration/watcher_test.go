package datasetgeneration

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// statusWatcher sees every status that the resources of a namespace ever have, and what must hold of all of them.
// Its goroutine belongs to watchStatuses, whose cleanup waits for it.
type statusWatcher struct {
	mutex sync.Mutex
	// test is the name of the test that watches.
	test string
	// last is the latest status, and attempts are all that were seen, by their resource, run and number.
	last     map[string]*v1alpha1.DatasetGeneration
	attempts map[string]*seenAttempt
	// progressed is when the counts of a running attempt were last written, by attempt.
	progressed map[string]time.Time
	faults     []string
}

// seenAttempt is what was seen of one attempt.
type seenAttempt struct {
	failed, stalled, complete bool
	// counted: its last counts were written, when all its Pods had ended, whenever counts had been written before.
	counted bool
}

// watchStatuses begins to watch a namespace, and has the test fail at its end when anything was wrong.
func watchStatuses(ctx context.Context, namespace string) *statusWatcher {
	GinkgoHelper()
	w := &statusWatcher{
		test: CurrentSpecReport().FullText(),
		last: map[string]*v1alpha1.DatasetGeneration{}, attempts: map[string]*seenAttempt{}, progressed: map[string]time.Time{},
	}
	watching, err := client.NewWithWatch(apiServer, client.Options{Scheme: testScheme})
	Expect(err).NotTo(HaveOccurred())
	events, err := watching.Watch(ctx, &v1alpha1.DatasetGenerationList{}, client.InNamespace(namespace))
	Expect(err).NotTo(HaveOccurred())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for event := range events.ResultChan() {
			if resource, is := event.Object.(*v1alpha1.DatasetGeneration); is && event.Type != watch.Deleted {
				w.see(resource)
			}
		}
	}()
	DeferCleanup(func() {
		Eventually(func() bool { return w.hasSeenAll(ctx, namespace) }).Should(BeTrue(), "the watcher sees what the test has seen")
		events.Stop()
		Eventually(ended).Should(BeClosed())
		observed.seeEvents(ctx, w.test, namespace)
		w.mutex.Lock()
		defer w.mutex.Unlock()
		for name, attempt := range w.attempts {
			if attempt.complete && (attempt.failed || attempt.stalled) {
				w.faults = append(w.faults, fmt.Sprintf("attempt %s was shown as failed or stalled, and has ended well", name))
			}
		}
		Expect(w.faults).To(BeEmpty(), "of all statuses")
	})
	return w
}

// hasSeenAll says whether the resources are still as the watcher has seen them. What a test has asked for last may not have reached it yet.
func (w *statusWatcher) hasSeenAll(ctx context.Context, namespace string) bool {
	GinkgoHelper()
	var list v1alpha1.DatasetGenerationList
	Expect(kube.List(ctx, &list, client.InNamespace(namespace))).To(Succeed())
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return !slices.ContainsFunc(list.Items, func(resource v1alpha1.DatasetGeneration) bool {
		seen := w.last[resource.Namespace+"/"+resource.Name]
		return seen == nil || seen.ResourceVersion != resource.ResourceVersion
	})
}

// see checks one status against what must hold of every one, and against the one before.
func (w *statusWatcher) see(resource *v1alpha1.DatasetGeneration) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	name := resource.Namespace + "/" + resource.Name
	fault := func(format string, arguments ...any) {
		w.faults = append(w.faults, fmt.Sprintf("%s at %s: ", name, resource.ResourceVersion)+fmt.Sprintf(format, arguments...))
	}
	is := func(conditionType string) bool {
		return meta.IsStatusConditionTrue(resource.Status.Conditions, conditionType)
	}
	if is(v1alpha1.ConditionComplete) && is(v1alpha1.ConditionFailed) {
		fault("it is complete and failed")
	}
	if is(v1alpha1.ConditionReconciling) && (is(v1alpha1.ConditionStalled) || is(v1alpha1.ConditionReady)) {
		fault("it is reconciling, and stalled or ready")
	}
	if ready := meta.FindStatusCondition(resource.Status.Conditions, v1alpha1.ConditionReady); ready != nil && ready.Message == "" {
		fault("Ready says nothing")
	}
	if run := resource.Status.Run; run != nil {
		key := attemptKey(resource)
		seen := w.attempts[key]
		if seen == nil {
			seen = &seenAttempt{}
			w.attempts[key] = seen
		}
		seen.failed = seen.failed || is(v1alpha1.ConditionFailed)
		// A resource that is being deleted may stall at that, and a spec may become wrong after the attempt has ended.
		seen.stalled = seen.stalled || is(v1alpha1.ConditionStalled) && resource.DeletionTimestamp == nil &&
			readyReason(&resource.Status) != v1alpha1.ReasonInvalidSpec
		// The verdict of the run before stands until that of the attempt does.
		seen.complete = seen.complete || is(v1alpha1.ConditionComplete) && run.CompletionTime != nil
	}
	before := w.last[name]
	w.last[name] = resource.DeepCopy()
	observed.see(w.test, before, resource)
	if before == nil || before.UID != resource.UID {
		return
	}
	w.compare(before, resource, fault)
}

// attemptKey names the attempt that a resource is in. Another resource may have had the same name before.
func attemptKey(resource *v1alpha1.DatasetGeneration) string {
	run := resource.Status.Run
	if run == nil {
		return ""
	}
	return fmt.Sprintf("%s/%s %s %s-%d", resource.Namespace, resource.Name, resource.UID, run.ID, run.Attempt)
}

// compare checks a status against the one before.
func (w *statusWatcher) compare(before, after *v1alpha1.DatasetGeneration, fault func(string, ...any)) {
	then, now := before.Status.Run, after.Status.Run
	if then != nil && now != nil && then.ConfigHash == now.ConfigHash && before.Status.Records != nil && after.Status.Records != nil {
		if after.Status.Records.Actual < before.Status.Records.Actual {
			fault("records fall from %d to %d", before.Status.Records.Actual, after.Status.Records.Actual)
		}
		if then.Attempt == now.Attempt && after.Status.Records.Dropped < before.Status.Records.Dropped {
			fault("dropped records fall from %d to %d", before.Status.Records.Dropped, after.Status.Records.Dropped)
		}
	}
	if before.Generation == after.Generation && before.DeletionTimestamp.Equal(after.DeletionTimestamp) &&
		equality.Semantic.DeepEqual(before.Finalizers, after.Finalizers) &&
		equality.Semantic.DeepEqual(before.Annotations, after.Annotations) && equality.Semantic.DeepEqual(before.Labels, after.Labels) &&
		equality.Semantic.DeepEqual(essence(before.Status), essence(after.Status)) {
		fault("it was written without a change: %+v", after.Status)
	}
	w.checkPace(before, after, fault)
}

// paceTolerance is for the way from the clock of the controller to that of the test.
const paceTolerance = time.Second

// checkPace checks that nothing but counts is written at most once in progressWriteInterval.
func (w *statusWatcher) checkPace(before, after *v1alpha1.DatasetGeneration, fault func(string, ...any)) {
	if before.Status.Records == nil || equality.Semantic.DeepEqual(before.Status.Records, after.Status.Records) &&
		equality.Semantic.DeepEqual(before.Status.Progress, after.Status.Progress) {
		return
	}
	// The first counts of an attempt need not wait for the time of the former one to pass.
	key, now := attemptKey(after), time.Now()
	if attemptKey(before) != key {
		return
	}
	since := now.Sub(w.progressed[key])
	w.progressed[key] = now
	if since >= progressWriteInterval-paceTolerance ||
		!equality.Semantic.DeepEqual(withoutCounts(before.Status), withoutCounts(after.Status)) {
		return
	}
	if attempt := w.attempts[key]; attempt != nil && !attempt.counted {
		attempt.counted = true
		return
	}
	fault("nothing but counts was written, %s after the last time: %s", since, cmp.Diff(before.Status, after.Status))
}

// withoutCounts is a status without what is written for progress alone.
func withoutCounts(status v1alpha1.DatasetGenerationStatus) v1alpha1.DatasetGenerationStatus {
	kept := essence(status)
	kept.Records, kept.Progress, kept.Columns, kept.Models, kept.Usage, kept.DroppedReasons = nil, nil, nil, nil, nil, nil
	return kept
}

// essence is a status without what may not be a change by itself.
func essence(status v1alpha1.DatasetGenerationStatus) v1alpha1.DatasetGenerationStatus {
	kept := *status.DeepCopy()
	for i := range kept.Conditions {
		kept.Conditions[i].LastTransitionTime = metav1.Time{}
	}
	if kept.Progress != nil {
		kept.Progress.EstimatedCompletion, kept.Progress.LastProgressTime = nil, nil
	}
	return kept
}
