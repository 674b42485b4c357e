package enginepods

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

const (
	// shareInterval is the time between two rounds in which Pods are told their shares.
	shareInterval = time.Second
	// askingPeriod is for how long a coordinator that begins only asks: until it knows of all Pods, and what they hold.
	askingPeriod = 10 * time.Second
	// sharesForgotten is after how long a Pod that no reconcile names is no longer counted.
	sharesForgotten = 2 * time.Minute
)

// ShareCoordinator divides what may be in flight to an endpoint among the Pods of a namespace that share it, and tells each Pod its share,
// again and again. It keeps nothing that it could not learn from the Pods again: whoever leads next goes on with what they hold.
//
// The goroutines belong to Start, which waits for them.
type ShareCoordinator struct {
	client   *http.Client
	address  func(pod *corev1.Pod) string
	interval time.Duration
	// askingPeriod is as the constant, shorter in tests.
	askingPeriod time.Duration
	now          func() time.Time

	mutex    sync.Mutex
	pods     map[types.UID]*sharingPod
	sequence int64
	// dividesFrom is from when on shares are sent.
	dividesFrom time.Time
}

// sharingPod is a Pod that shares endpoints. All fields are guarded by the coordinator's mutex.
type sharingPod struct {
	identity  runreport.PodIdentity
	address   string
	namespace string
	dataset   string
	resource  types.UID
	created   time.Time
	// named is when a reconcile last named the Pod, and reached when it last answered, or was first named.
	named, reached time.Time
	// limits are those of its spec by endpoint, for all Pods together, and shards is among how many the run is divided.
	limits map[string]int32
	shards int32
	// sent is the largest share that was sent to it since it last answered, by endpoint.
	sent map[string]int
	// states are those of its last answer, by endpoint; nil before the first.
	states map[string]runreport.ShareState
	// shut is since when the Pod may have no request in flight, by endpoint; those to which it may send are not in it.
	shut map[string]time.Time
	// failed says that it was logged that it can't be reached.
	failed bool
}

var (
	_ manager.Runnable               = (*ShareCoordinator)(nil)
	_ manager.LeaderElectionRunnable = (*ShareCoordinator)(nil)
)

// NewShareCoordinator returns a coordinator that tells Pods their shares once it is started.
func NewShareCoordinator(now func() time.Time) *ShareCoordinator {
	return &ShareCoordinator{
		client: podClient(), address: podAddress, interval: shareInterval, askingPeriod: askingPeriod, now: now,
		pods: map[types.UID]*sharingPod{},
	}
}

// NeedLeaderElection makes only the leader tell.
func (c *ShareCoordinator) NeedLeaderElection() bool { return true }

// Start tells the Pods their shares until the context ends.
func (c *ShareCoordinator) Start(ctx context.Context) error {
	defer c.client.CloseIdleConnections()
	c.begin()
	repeat(ctx, c.interval, c.round)
	return nil
}

func (c *ShareCoordinator) begin() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.dividesFrom = c.now().Add(c.askingPeriod)
}

// Watch keeps the Pods of a resource that run in mind, and forgets those that don't any more. It counts only Pods that make rows. It
// returns the endpoints to which Pods may send nothing now.
func (c *ShareCoordinator) Watch(resource *v1alpha1.DatasetGeneration, pods []corev1.Pod) []ShutEndpoint {
	if c == nil {
		return nil
	}
	limits := resource.Spec.SharedLimits()
	c.mutex.Lock()
	defer c.mutex.Unlock()
	running := map[types.UID]bool{}
	for i := range pods {
		pod := &pods[i]
		known := c.pods[pod.UID]
		if !isReachable(pod) || (known == nil && len(limits) == 0) {
			continue
		}
		running[pod.UID] = true
		if known == nil {
			known = newSharingPod(resource, pod, c.address(pod), c.now())
			c.pods[pod.UID] = known
		}
		known.limits, known.named = limits, c.now()
	}
	for uid, known := range c.pods {
		if known.resource == resource.UID && !running[uid] {
			delete(c.pods, uid)
		}
	}
	return c.shutFor(resource.UID)
}

// ShutEndpoint is an endpoint to which Pods of a run may send nothing, since others have all that may be in flight.
type ShutEndpoint struct {
	Endpoint string
	// Limit is what all Pods together may have in flight, and Pods is how many of the run may send nothing.
	Limit int32
	Pods  int
	Since time.Time
}

// shutFor returns the endpoints that are shut for Pods of a resource, by their names.
func (c *ShareCoordinator) shutFor(resource types.UID) []ShutEndpoint {
	found := map[string]ShutEndpoint{}
	for _, pod := range c.pods {
		if pod.resource != resource {
			continue
		}
		for endpoint := range pod.limits {
			since, isShut := pod.shut[endpoint]
			if !isShut {
				continue
			}
			known := found[endpoint]
			if known.Pods > 0 && known.Since.Before(since) {
				since = known.Since
			}
			found[endpoint] = ShutEndpoint{endpoint, pod.limits[endpoint], known.Pods + 1, since}
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b ShutEndpoint) int { return strings.Compare(a.Endpoint, b.Endpoint) })
}

func newSharingPod(resource *v1alpha1.DatasetGeneration, pod *corev1.Pod, address string, now time.Time) *sharingPod {
	// A label that is no number is of a Pod that answers to nobody.
	attempt, _ := strconv.ParseInt(pod.Labels[v1alpha1.LabelAttempt], 10, 32)
	return &sharingPod{
		identity: runreport.PodIdentity{
			UID: string(pod.UID), RunID: pod.Labels[v1alpha1.LabelRun], Attempt: int32(attempt), Shard: ShardOf(pod),
		},
		address: address, namespace: pod.Namespace, dataset: resource.Name, resource: resource.UID,
		created: pod.CreationTimestamp.Time, reached: now,
		shards: resource.Spec.EffectiveParallelism(), sent: map[string]int{}, shut: map[string]time.Time{},
	}
}

// round tells every Pod its share once, and takes the answers.
func (c *ShareCoordinator) round(ctx context.Context) {
	eachPod(ctx, c.messages(), func(sent message) {
		report, err := c.send(ctx, sent)
		c.answered(ctx, sent, report, err)
	})
}

// message is what is sent to a Pod.
type message struct {
	uid     types.UID
	address string
	shares  runreport.Shares
}

// messages divides what is shared, and returns what to tell each Pod.
func (c *ShareCoordinator) messages() []message {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	now := c.now()
	c.sequence = max(c.sequence+1, now.UnixNano())
	var pods []*sharingPod
	for uid, pod := range c.pods {
		if now.Sub(pod.named) > sharesForgotten {
			delete(c.pods, uid)
			continue
		}
		pods = append(pods, pod)
	}
	// The oldest first: where there is not enough for all, they get it.
	slices.SortFunc(pods, func(a, b *sharingPod) int {
		if order := a.created.Compare(b.created); order != 0 {
			return order
		}
		return strings.Compare(a.identity.UID, b.identity.UID)
	})
	documents := map[*sharingPod]runreport.Shares{}
	for _, pod := range pods {
		documents[pod] = runreport.Shares{
			Version: runreport.Version, Pod: pod.identity, Sequence: c.sequence, Ask: pod.states == nil || now.Before(c.dividesFrom),
		}
	}
	for _, group := range groupsOf(pods, now) {
		for i, share := range divide(group.limit, group.sharers) {
			pod := group.pods[i]
			shares := documents[pod]
			if !shares.Ask {
				pod.sent[group.endpoint] = max(pod.sent[group.endpoint], share)
				shares.Shares = append(shares.Shares, runreport.Share{Endpoint: group.endpoint, Limit: share, Alone: pod.alone(group.endpoint)})
				documents[pod] = shares
			}
		}
	}
	messages := make([]message, 0, len(pods))
	for _, pod := range pods {
		messages = append(messages, message{types.UID(pod.identity.UID), pod.address, documents[pod]})
	}
	return messages
}

// sharingGroup are the Pods of a namespace that share an endpoint, and the least of their limits.
type sharingGroup struct {
	endpoint string
	limit    int
	pods     []*sharingPod
	sharers  []sharer
}

func groupsOf(pods []*sharingPod, now time.Time) []*sharingGroup {
	type key struct{ namespace, endpoint string }
	found := map[key]*sharingGroup{}
	var groups []*sharingGroup
	for _, pod := range pods {
		for endpoint, limit := range pod.limits {
			at := key{pod.namespace, endpoint}
			group := found[at]
			if group == nil {
				group = &sharingGroup{endpoint: endpoint, limit: int(limit)}
				found[at] = group
				groups = append(groups, group)
			}
			group.limit = min(group.limit, int(limit))
			group.pods = append(group.pods, pod)
			group.sharers = append(group.sharers, pod.sharer(endpoint, now))
		}
	}
	// What is sent has an order of its own, so that it does not change from round to round.
	slices.SortStableFunc(groups, func(a, b *sharingGroup) int { return strings.Compare(a.endpoint, b.endpoint) })
	return groups
}

// sharer says what a Pod holds of an endpoint.
func (p *sharingPod) sharer(endpoint string, now time.Time) sharer {
	state := p.states[endpoint]
	held := max(p.sent[endpoint], state.Running)
	if state.Limited {
		held = max(held, state.Limit)
	}
	wanted, patience := state.Wanted, runreport.ShareValidity
	if p.states == nil {
		patience = runreport.SharePatience
	}
	lost := now.Sub(p.reached) >= patience
	if lost {
		held = max(held, p.alone(endpoint))
		wanted = held
	}
	return sharer{run: string(p.resource), wanted: wanted, held: held, lost: lost}
}

// alone is what the Pod has of an endpoint if it is told nothing for long.
func (p *sharingPod) alone(endpoint string) int {
	return runreport.ShareAlone(p.limits[endpoint], p.shards)
}

// send sends a Pod its shares, and returns its answer.
func (c *ShareCoordinator) send(ctx context.Context, sent message) (*runreport.SharesReport, error) {
	data, err := json.Marshal(sent.shares)
	if err != nil {
		return nil, fmt.Errorf("sending a Pod its shares: %w", err)
	}
	answer, err := askPod(ctx, c.client, http.MethodPost, sent.address, runreport.SharesPath, data, runreport.MaxSharesBytes)
	if err != nil {
		return nil, err
	}
	report, err := runreport.ParseSharesReport(answer)
	if err != nil {
		return nil, err
	}
	if report.Pod != sent.shares.Pod {
		return nil, fmt.Errorf("another Pod has answered")
	}
	return report, nil
}

// answered takes what a Pod has answered.
func (c *ShareCoordinator) answered(ctx context.Context, sent message, report *runreport.SharesReport, err error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	pod := c.pods[sent.uid]
	if pod == nil {
		return // it is over
	}
	if err != nil {
		if !pod.failed && c.now().Sub(pod.reached) >= runreport.ShareValidity {
			pod.failed = true
			log.FromContext(ctx).Info("a Pod can't be told its share of a provider's maxParallelRequests; it goes on with a fixed part",
				"namespace", pod.namespace, "name", pod.dataset, "run", pod.identity.RunID, "attempt", pod.identity.Attempt,
				"shard", pod.identity.Shard, "error", err.Error())
		}
		return
	}
	pod.failed, pod.reached = false, c.now()
	c.sequence = max(c.sequence, report.Sequence) // a clock that is behind catches up with what the Pod has heard
	pod.states = map[string]runreport.ShareState{}
	for _, state := range report.Endpoints {
		pod.states[state.Endpoint] = state
	}
	for endpoint := range pod.limits {
		if state := pod.states[endpoint]; !state.Limited || state.Limit > 0 {
			delete(pod.shut, endpoint)
		} else if _, known := pod.shut[endpoint]; !known {
			pod.shut[endpoint] = c.now()
		}
	}
	if sent.shares.Ask {
		return
	}
	// It has heard this, and nothing that was sent before can reach it any more.
	clear(pod.sent)
	for _, share := range sent.shares.Shares {
		pod.sent[share.Endpoint] = share.Limit
	}
}
