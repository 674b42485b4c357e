package enginepods

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

const sharedEndpoint = "http://vllm:8000/v1"

// sharers are Pods that send requests to an endpoint, and a coordinator that divides it, round by round.
type sharers struct {
	t           *testing.T
	coordinator *ShareCoordinator
	clock       time.Time
	resources   map[string]*v1alpha1.DatasetGeneration
	pods        map[string]*fakeEngine
}

// fakeEngine is a Pod whose requests never end by themselves: it has as many in flight as it may, and gives back all that it may not have.
type fakeEngine struct {
	pod    corev1.Pod
	server *httptest.Server

	mutex   sync.Mutex
	wanted  int
	limit   int
	limited bool
	alone   int
	running int
	asked   int
	told    int
	// keeps says that its requests don't end, answers what it says instead of the truth.
	keeps   bool
	answers string
}

func newSharers(t *testing.T) *sharers {
	t.Helper()
	s := &sharers{
		t: t, clock: time.Unix(1_000_000, 0), resources: map[string]*v1alpha1.DatasetGeneration{}, pods: map[string]*fakeEngine{},
	}
	s.restart()
	return s
}

// restart begins with a coordinator that knows nothing and divides at once.
func (s *sharers) restart() {
	if s.coordinator != nil {
		s.coordinator.client.CloseIdleConnections()
	}
	s.coordinator = NewShareCoordinator(func() time.Time { return s.clock })
	s.coordinator.address = func(pod *corev1.Pod) string { return strings.TrimPrefix(s.pods[string(pod.UID)].server.URL, "http://") }
	s.coordinator.askingPeriod = 0
	s.coordinator.begin()
	s.t.Cleanup(s.coordinator.client.CloseIdleConnections)
}

// run adds a resource of a namespace that shares the endpoint, with so many Pods that each could have so many requests in flight.
func (s *sharers) run(namespace, name string, limit int32, pods, wanted int) *v1alpha1.DatasetGeneration {
	resource := &v1alpha1.DatasetGeneration{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(namespace + name)}}
	resource.Spec.Parallelism = new(int32(pods))
	resource.Spec.Providers = []v1alpha1.Provider{{Name: "local", Endpoint: sharedEndpoint, MaxParallelRequests: &limit}}
	s.resources[name] = resource
	for i := range pods {
		made := &fakeEngine{wanted: wanted, limited: true, pod: runningPod()}
		made.pod.Namespace, made.pod.UID, made.pod.Status.PodIP = namespace, types.UID(fmt.Sprint(name, "-", i)), "192.0.2.1"
		made.pod.CreationTimestamp = metav1.NewTime(s.clock.Add(time.Duration(len(s.pods)) * time.Second))
		made.pod.Labels = map[string]string{
			v1alpha1.LabelDataset: name, v1alpha1.LabelRole: runreport.RoleGenerate, v1alpha1.LabelRun: name, v1alpha1.LabelAttempt: "1", ShardLabel: fmt.Sprint(i),
		}
		made.server = httptest.NewServer(made)
		s.t.Cleanup(made.server.Close)
		s.pods[string(made.pod.UID)] = made
	}
	return resource
}

func (e *fakeEngine) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	data, _ := io.ReadAll(request.Body)
	message, err := runreport.ParseShares(data)
	if err != nil || message.Pod.UID != string(e.pod.UID) {
		http.Error(writer, "not for me", http.StatusForbidden)
		return
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if message.Ask {
		e.asked++
	} else {
		e.told++
		e.limited = len(message.Shares) > 0
		if e.limited {
			e.limit, e.alone = message.Shares[0].Limit, message.Shares[0].Alone
		}
	}
	e.work()
	if e.answers != "" {
		_, _ = io.WriteString(writer, e.answers)
		return
	}
	_ = json.NewEncoder(writer).Encode(runreport.SharesReport{Version: runreport.Version, Pod: message.Pod, Sequence: message.Sequence, Endpoints: []runreport.ShareState{
		{Endpoint: sharedEndpoint, Limit: e.limit, Limited: e.limited, Running: e.running, Wanted: e.wanted},
	}})
}

// work starts what may be started, and gives back what was too much.
func (e *fakeEngine) work() {
	may := e.wanted
	if e.limited {
		may = min(may, e.limit)
	}
	if !e.keeps || may > e.running {
		e.running = may
	}
}

// rounds lets some rounds pass, and looks after each that no more is in flight than may be.
func (s *sharers) rounds(count, limit int) {
	s.t.Helper()
	for range count {
		s.clock = s.clock.Add(shareInterval)
		for _, resource := range s.resources {
			s.coordinator.Watch(resource, s.podsOf(resource))
		}
		s.coordinator.round(s.t.Context())
		together := 0
		for _, pod := range s.pods {
			together += pod.running
		}
		if together > limit {
			s.t.Fatalf("%d requests are in flight, and %d may be", together, limit)
		}
	}
}

func (s *sharers) podsOf(resource *v1alpha1.DatasetGeneration) []corev1.Pod {
	var pods []corev1.Pod
	for _, pod := range s.pods {
		if pod.pod.Namespace == resource.Namespace && pod.pod.Labels[v1alpha1.LabelDataset] == resource.Name {
			pods = append(pods, pod.pod)
		}
	}
	return pods
}

// expect says how many requests the Pods have in flight.
func (s *sharers) expect(when string, want map[string]int) {
	s.t.Helper()
	for uid, count := range want {
		if got := s.pods[uid].running; got != count {
			s.t.Errorf("%s: Pod %s has %d requests in flight, want %d", when, uid, got, count)
		}
	}
}

func TestPodsOfSeveralRunsShareALimit(t *testing.T) {
	s := newSharers(t)
	s.run("ns", "a", 16, 1, 64)
	s.rounds(3, 16)
	s.expect("alone", map[string]int{"a-0": 16})
	s.run("ns", "b", 16, 3, 64)
	s.rounds(8, 16)
	s.expect("with another run of three Pods", map[string]int{"a-0": 8, "b-0": 3, "b-1": 3, "b-2": 2})
	s.pods["b-0"].wanted, s.pods["b-1"].wanted = 0, 1
	s.rounds(8, 16)
	s.expect("when two Pods have little to do", map[string]int{"a-0": 8, "b-0": 0, "b-1": 1, "b-2": 6})
	for _, uid := range []string{"b-0", "b-1", "b-2"} {
		delete(s.pods, uid)
	}
	s.rounds(4, 16)
	s.expect("when the other run is over", map[string]int{"a-0": 16})
}

func TestRequestsThatDoNotEndAreNotGivenTwice(t *testing.T) {
	s := newSharers(t)
	s.run("ns", "a", 16, 1, 64)
	s.rounds(3, 16)
	s.pods["a-0"].keeps = true
	s.run("ns", "b", 16, 1, 64)
	s.rounds(10, 16)
	s.expect("while the first keeps its requests", map[string]int{"a-0": 16, "b-0": 0})
	s.pods["a-0"].running = 11
	s.rounds(4, 16)
	s.expect("when five have ended", map[string]int{"a-0": 11, "b-0": 5})
}

func TestNamespacesShareNothing(t *testing.T) {
	s := newSharers(t)
	s.run("one", "a", 16, 1, 64)
	s.run("two", "b", 4, 1, 64)
	s.rounds(4, 20)
	s.expect("at the end", map[string]int{"a-0": 16, "b-0": 4})
}

func TestTheLeastLimitHolds(t *testing.T) {
	s := newSharers(t)
	s.run("ns", "a", 16, 1, 64)
	s.rounds(4, 16)
	b := s.run("ns", "b", 6, 1, 64)
	s.rounds(1, 16)
	s.rounds(6, 16)
	s.expect("with a run that allows six", map[string]int{"a-0": 3, "b-0": 3})
	b.Spec.Providers[0].MaxParallelRequests = new(int32(10))
	s.rounds(6, 10)
	s.expect("when that is edited", map[string]int{"a-0": 5, "b-0": 5})
	b.Spec.Providers[0].MaxParallelRequests = nil
	s.rounds(6, 80)
	s.expect("when it shares nothing any more", map[string]int{"a-0": 16, "b-0": 64})
}

func TestWithMorePodsThanRequestsTheNewestWait(t *testing.T) {
	s := newSharers(t)
	s.run("ns", "a", 2, 2, 64)
	s.run("ns", "b", 2, 1, 64)
	s.rounds(6, 2)
	s.expect("two requests and three Pods", map[string]int{"a-0": 1, "a-1": 0, "b-0": 1})
	// It has had nothing since it answered for the first time.
	shut := s.coordinator.Watch(s.resources["a"], s.podsOf(s.resources["a"]))
	if want := []ShutEndpoint{{sharedEndpoint, 2, 1, time.Unix(1_000_001, 0)}}; !slices.Equal(shut, want) {
		t.Errorf("%v are shut for the first run, want %v", shut, want)
	}
	if shut := s.coordinator.Watch(s.resources["b"], s.podsOf(s.resources["b"])); len(shut) > 0 {
		t.Errorf("%v are shut for the second run", shut)
	}
}

func TestANewLeaderGivesNothingTwice(t *testing.T) {
	s := newSharers(t)
	s.run("ns", "a", 16, 1, 4)
	s.run("ns", "b", 16, 1, 64)
	s.rounds(6, 16)
	s.expect("before", map[string]int{"a-0": 4, "b-0": 12})
	s.pods["a-0"].wanted, s.pods["b-0"].keeps = 64, true
	s.restart()
	s.rounds(6, 16)
	s.expect("while the requests of the old days are in flight", map[string]int{"a-0": 4, "b-0": 12})
	s.pods["b-0"].keeps = false
	s.rounds(6, 16)
	s.expect("afterwards", map[string]int{"a-0": 8, "b-0": 8})
}

func TestACoordinatorThatBeginsOnlyAsks(t *testing.T) {
	s := newSharers(t)
	s.run("ns", "a", 16, 1, 64)
	s.coordinator.askingPeriod = 5 * time.Second
	s.coordinator.begin()
	s.rounds(4, 0)
	if pod := s.pods["a-0"]; pod.asked != 4 || pod.told != 0 {
		t.Errorf("the Pod was asked %d times and told %d times, want 4 and 0", pod.asked, pod.told)
	}
	s.rounds(3, 16)
	s.expect("afterwards", map[string]int{"a-0": 16})
}

func TestALostPodKeepsNobodyWaiting(t *testing.T) {
	s := newSharers(t)
	s.run("ns", "a", 16, 1, 64)
	s.rounds(3, 16)
	lost := s.pods["a-0"]
	lost.server.CloseClientConnections()
	lost.server.Config.SetKeepAlivesEnabled(false)
	lost.server.Listener.Close()
	s.run("ns", "b", 16, 1, 64)
	s.rounds(int(runreport.ShareValidity/shareInterval)-1, 16)
	s.expect("while the first may still have all", map[string]int{"a-0": 16, "b-0": 0})
	s.rounds(4, 24)
	s.expect("when it has not been heard of for long", map[string]int{"b-0": 8})
}

func TestAPodThatAnswersNonsenseGetsNoMore(t *testing.T) {
	for name, answer := range map[string]string{
		"not JSON":       "<html>",
		"another Pod":    `{"version":1,"pod":{"uid":"other","runID":"a","attempt":1,"shard":0},"sequence":1}`,
		"below nothing":  `{"version":1,"pod":{"uid":"a-0","runID":"a","attempt":1,"shard":0},"sequence":1,"endpoints":[{"endpoint":"x","limit":-9,"limited":true,"running":0,"wanted":0}]}`,
		"too much":       `{"version":1,"pod":{"uid":"a-0","runID":"a","attempt":1,"shard":0},"sequence":1,"endpoints":[{"endpoint":"x","limit":1,"limited":true,"running":0,"wanted":9223372036854775807}]}`,
		"without an end": `{"version":1,"pod":{"uid":"` + strings.Repeat("x", runreport.MaxSharesBytes),
		"a new version":  `{"version":2,"pod":{"uid":"a-0","runID":"a","attempt":1,"shard":0},"sequence":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newSharers(t)
			s.run("ns", "a", 16, 1, 64)
			s.pods["a-0"].answers = answer
			s.rounds(4, 16)
			if pod := s.pods["a-0"]; pod.told != 0 || pod.running != 0 {
				t.Errorf("it was told a share %d times, and has %d requests in flight", pod.told, pod.running)
			}
		})
	}
}

// TestTheCoordinatorLeavesNothing starts a coordinator as the manager does, until it has told a share, and stops it.
func TestTheCoordinatorLeavesNothing(t *testing.T) {
	ignored := goleak.IgnoreCurrent()
	t.Run("run", func(t *testing.T) {
		s := newSharers(t)
		resource := s.run("ns", "a", 16, 1, 64)
		s.coordinator.now, s.coordinator.interval = time.Now, 5*time.Millisecond
		s.coordinator.Watch(resource, s.podsOf(resource))
		ended := make(chan error, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		go func() { ended <- s.coordinator.Start(ctx) }()
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		pod := s.pods["a-0"]
		for told := 0; told == 0; {
			select {
			case <-ctx.Done():
				t.Fatal("no share was told within 20 s")
			case <-ticker.C:
			}
			pod.mutex.Lock()
			told = pod.told
			pod.mutex.Unlock()
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	goleak.VerifyNone(t, ignored)
}
