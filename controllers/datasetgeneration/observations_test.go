package datasetgeneration

import (
	"context"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// arrow is a way from one reason of Ready, which is the STATUS of a resource, to another; before the first look it is empty.
type arrow struct{ from, to string }

// observations are what the tests against the API server have seen, each with the tests in which it was.
type observations struct {
	mutex   sync.Mutex
	reasons map[string][]string
	arrows  map[arrow][]string
}

// observed is filled by the watchers of all tests, and read when the last of them has ended.
var observed = &observations{reasons: map[string][]string{}, arrows: map[arrow][]string{}}

// see notes what a resource shows in a test, and by which way it came there.
func (o *observations) see(test string, before, after *v1alpha1.DatasetGeneration) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	for _, condition := range after.Status.Conditions {
		o.reasons[condition.Reason] = appendNew(o.reasons[condition.Reason], test)
	}
	from := ""
	if before != nil && before.UID == after.UID {
		from = stateOf(before)
	}
	if step := (arrow{from, stateOf(after)}); step.from != step.to {
		o.arrows[step] = appendNew(o.arrows[step], test)
	}
}

// stateOf is the reason of Ready, or empty where nobody has looked at the resource.
func stateOf(resource *v1alpha1.DatasetGeneration) string {
	if ready := meta.FindStatusCondition(resource.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		return ready.Reason
	}
	return ""
}

// seeEvents notes the reasons of a namespace's events: some of them no condition has.
func (o *observations) seeEvents(ctx context.Context, test, namespace string) {
	GinkgoHelper()
	var list eventsv1.EventList
	Expect(kube.List(ctx, &list, client.InNamespace(namespace))).To(Succeed())
	o.mutex.Lock()
	defer o.mutex.Unlock()
	for _, event := range list.Items {
		if event.Regarding.Kind == "DatasetGeneration" {
			o.reasons[event.Reason] = appendNew(o.reasons[event.Reason], test)
		}
	}
}

func appendNew(list []string, one string) []string {
	if slices.Contains(list, one) {
		return list
	}
	return append(list, one)
}

// isWhole says whether all tests were run: only then something may be missed.
func isWhole(report Report) bool {
	return report.SuiteSucceeded && !slices.ContainsFunc(report.SpecReports, func(spec SpecReport) bool {
		return spec.LeafNodeType == types.NodeTypeIt && spec.State != types.SpecStatePassed
	})
}

// Every reason and every arrow is seen by the test that is said to show it, and no arrow is gone that is in no list.
var _ = ReportAfterSuite("Every reason and every way of a resource was seen", func(report Report) {
	observed.mutex.Lock()
	defer observed.mutex.Unlock()
	for step, tests := range observed.arrows {
		Expect(lifecycle).To(Or(HaveKey(step), Satisfy(func(any) bool { return isShortcut(step) || isOfChain(step) })),
			"%q goes from %q to %q, which is no way of the lifecycle", tests, step.from, step.to)
	}
	if !isWhole(report) {
		return
	}
	var missed []string
	note := func(what, test string, seen []string) {
		if !slices.ContainsFunc(seen, func(name string) bool { return strings.Contains(name, test) }) {
			missed = append(missed, what+" is to be seen in a test with "+strings.TrimSpace(test)+", and was in "+strings.Join(seen, ", "))
		}
	}
	for step, test := range lifecycle {
		note("the way from "+step.from+" to "+step.to, test, observed.arrows[step])
	}
	for reason, test := range shownBy() {
		note("the reason "+reason, test, observed.reasons[reason])
	}
	slices.Sort(missed)
	Expect(missed).To(BeEmpty())
})

// shownBy is which test shows each reason: those of engines all in one.
func shownBy() map[string]string {
	tests := maps.Clone(reasonsShown)
	_, engine, err := apiReasons()
	Expect(err).NotTo(HaveOccurred())
	for _, reason := range engine {
		if shownElsewhere[reason][0] == "" {
			tests[reason] = testOfEngineEnds
		}
	}
	return tests
}

// TestEveryReasonHasATestThatShowsIt holds the lists to the API: none of its reasons may be missing.
func TestEveryReasonHasATestThatShowsIt(t *testing.T) {
	controller, engine := reasonsOf(t)
	tests := maps.Clone(reasonsShown)
	for name, reason := range controller {
		if tests[reason] == "" {
			t.Errorf("no test is said to show %s (%q): name one in reasonsShown", name, reason)
		}
		delete(tests, reason)
	}
	for reason, test := range tests {
		t.Errorf("%q is to be shown by %q, and is no reason of the controller", reason, test)
	}
	for reason, place := range shownElsewhere {
		text, err := os.ReadFile(place[0])
		if err != nil || !strings.Contains(string(text), "func "+place[1]+"(") || engine["Reason"+reason] != reason {
			t.Errorf("%s is to be shown by %q, which is not there (%v)", reason, place, err)
		}
	}
}

// TestShortcutsAreNoNewStates holds that what may be passed over unseen leads where a resource could come step by step.
func TestShortcutsAreNoNewStates(t *testing.T) {
	for _, refused := range []arrow{
		{"", v1alpha1.ReasonSucceeded}, {v1alpha1.ReasonSucceeded, v1alpha1.ReasonFailed}, {v1alpha1.ReasonFailed, v1alpha1.ReasonSucceeded},
		{v1alpha1.ReasonInvalidSpec, v1alpha1.ReasonRunning}, {v1alpha1.ReasonSuspended, v1alpha1.ReasonFailed},
		{v1alpha1.ReasonWaitingForDataset, v1alpha1.ReasonSucceeded}, {v1alpha1.ReasonDatasetFailed, v1alpha1.ReasonRunning},
	} {
		if lifecycle[refused] != "" || isShortcut(refused) || isOfChain(refused) {
			t.Errorf("a resource may go from %q to %q", refused.from, refused.to)
		}
	}
}
