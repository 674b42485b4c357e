package enginepods

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

const (
	// progressInterval is the time between two requests to one Pod.
	progressInterval = 2 * time.Second
	// progressForgotten is after how long a Pod that no reconcile asks for is asked no more.
	progressForgotten = 30 * time.Second
)

// ProgressPoller asks running Pods how far they are. What it gets is data from Pods that handle untrusted text: it is bounded,
// parsed strictly, checked against the Pod's labels, and never goes back. No progress never fails a run.
//
// The goroutines belong to Start, which waits for them.
type ProgressPoller struct {
	client *http.Client
	// address is host and port of a Pod.
	address  func(pod *corev1.Pod) string
	interval time.Duration
	now      func() time.Time

	mutex   sync.Mutex
	targets map[types.UID]*progressTarget
}

// progressTarget is one Pod. All fields are guarded by the poller's mutex.
type progressTarget struct {
	address        string
	runID, attempt string
	shard          int32
	wanted         time.Time
	latest         *runreport.Progress
}

var (
	_ manager.Runnable               = (*ProgressPoller)(nil)
	_ manager.LeaderElectionRunnable = (*ProgressPoller)(nil)
)

// NewProgressPoller returns a poller that asks Pods at their IP addresses once it is started.
func NewProgressPoller(now func() time.Time) *ProgressPoller {
	return &ProgressPoller{
		client: podClient(), address: podAddress, interval: progressInterval, now: now, targets: map[types.UID]*progressTarget{},
	}
}

// NeedLeaderElection makes only the leader poll.
func (p *ProgressPoller) NeedLeaderElection() bool { return true }

// Start polls until the context ends.
func (p *ProgressPoller) Start(ctx context.Context) error {
	defer p.client.CloseIdleConnections()
	repeat(ctx, p.interval, p.poll)
	return nil
}

// poll asks every Pod once, and waits for the answers.
func (p *ProgressPoller) poll(ctx context.Context) {
	eachPod(ctx, p.due(), func(pod duePod) {
		if progress, err := p.ask(ctx, pod.address); err == nil {
			p.accept(pod.uid, progress)
		}
	})
}

// duePod is a Pod that is to be asked.
type duePod struct {
	uid     types.UID
	address string
}

// due lists the Pods to ask, and forgets those that nobody wants to know about any more.
func (p *ProgressPoller) due() []duePod {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	var due []duePod
	for uid, target := range p.targets {
		if p.now().Sub(target.wanted) > progressForgotten {
			delete(p.targets, uid)
			continue
		}
		due = append(due, duePod{uid, target.address})
	}
	return due
}

func (p *ProgressPoller) ask(ctx context.Context, address string) (*runreport.Progress, error) {
	data, err := askPod(ctx, p.client, http.MethodGet, address, runreport.ProgressPath, nil, runreport.MaxProgressBytes)
	if err != nil {
		return nil, err
	}
	return runreport.ParseProgress(data)
}

// accept keeps a document that is about the right shard and newer than what is known.
func (p *ProgressPoller) accept(uid types.UID, progress *runreport.Progress) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	target, found := p.targets[uid]
	if !found || progress.RunID != target.runID || strconv.Itoa(int(progress.Attempt)) != target.attempt || progress.Shard != target.shard {
		return
	}
	if target.latest == nil || progress.Sequence > target.latest.Sequence {
		target.latest = progress
	}
}

// Of returns what is known of the Pods, and keeps asking those that run.
func (p *ProgressPoller) Of(pods []corev1.Pod) map[types.UID]runreport.Progress {
	known := map[types.UID]runreport.Progress{}
	if p == nil {
		return known
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for i := range pods {
		pod := &pods[i]
		if !isReachable(pod) {
			continue
		}
		target, found := p.targets[pod.UID]
		if !found {
			target = &progressTarget{
				address: p.address(pod),
				runID:   pod.Labels[v1alpha1.LabelRun],
				attempt: pod.Labels[v1alpha1.LabelAttempt],
				shard:   ShardOf(pod),
			}
			p.targets[pod.UID] = target
		}
		target.wanted = p.now()
		if target.latest != nil {
			known[pod.UID] = *target.latest
		}
	}
	return known
}
