package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// creators is how many requests to create something are under way at once.
const creators = 16

// target is how many records each run is to make.
const target = 100

// stage is a control plane with an operator and a cluster that is played. What it has started is stopped by close.
type stage struct {
	plane   *controlPlane
	program string
	manager *manager
	cluster *cluster
	// profiles is the folder for profiles of the manager, or empty.
	profiles string
	stops    []func() error
}

// newStage starts a control plane and plays a cluster on it.
func newStage(ctx context.Context, size profile) (*stage, error) {
	plane, err := startControlPlane(ctx)
	if err != nil {
		return nil, err
	}
	s := &stage{plane: plane, profiles: size.profiles, stops: []func() error{plane.stop}}
	if s.program, err = buildManager(ctx, plane.folder); err != nil {
		return nil, errors.Join(err, s.close())
	}
	played, stop, err := play(ctx, plane.kube)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.cluster, s.stops = played, append(s.stops, stop)
	return s, nil
}

func (s *stage) startManager(ctx context.Context) (err error) {
	s.manager, err = startManager(ctx, s.plane, s.program)
	return err
}

func (s *stage) stopManager() error {
	err := s.manager.stop()
	s.manager = nil
	return err
}

// close stops everything, the last first.
func (s *stage) close() error {
	var failures []error
	if s.manager != nil {
		failures = append(failures, s.stopManager())
	}
	for _, stop := range slices.Backward(s.stops) {
		failures = append(failures, stop())
	}
	return errors.Join(failures...)
}

// explain adds what the manager says to an error, and closes the stage.
func (s *stage) explain(err error) error {
	if s.manager != nil {
		err = s.manager.explain(err)
	}
	return errors.Join(err, s.close())
}

func dataset(namespace, name string) *v1alpha1.DatasetGeneration {
	return &v1alpha1.DatasetGeneration{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.DatasetGenerationSpec{
			NumRecords: target,
			Columns: []v1alpha1.Column{
				{Name: "id", Sampler: &v1alpha1.Sampler{Type: v1alpha1.SamplerUUID}},
				{Name: "label", Expression: &v1alpha1.Expression{Expr: "row {{ id }}"}},
			},
			Output: v1alpha1.Output{PersistentVolumeClaim: &v1alpha1.PersistentVolumeClaimOutput{ClaimName: "datasets"}},
		},
	}
}

// each calls a function for each number below count, some at the same time, and returns the first errors.
func each(count int, call func(int) error) error {
	numbers := make(chan int)
	var workers sync.WaitGroup
	var mutex sync.Mutex
	var failures []error
	for range creators {
		workers.Go(func() {
			for number := range numbers {
				if err := call(number); err != nil {
					mutex.Lock()
					failures = append(failures, err)
					mutex.Unlock()
				}
			}
		})
	}
	for number := range count {
		numbers <- number
	}
	close(numbers)
	workers.Wait()
	return errors.Join(failures[:min(len(failures), 4)]...)
}

// reasonOf is the reason of Ready.
func reasonOf(resource *v1alpha1.DatasetGeneration) string {
	for _, condition := range resource.Status.Conditions {
		if condition.Type == v1alpha1.ConditionReady {
			return condition.Reason
		}
	}
	return ""
}

// await waits until so many resources of a namespace have one of the reasons.
func (s *stage) await(ctx context.Context, namespace string, count int, reasons ...string) error {
	return eventually(ctx, fmt.Sprintf("%d of %s are %s", count, namespace, strings.Join(reasons, " or ")), func() (bool, error) {
		var list v1alpha1.DatasetGenerationList
		if err := s.plane.kube.List(ctx, &list, client.InNamespace(namespace)); err != nil {
			return false, err
		}
		found := 0
		for i := range list.Items {
			if slices.Contains(reasons, reasonOf(&list.Items[i])) {
				found++
			}
		}
		if found < count {
			return false, fmt.Errorf("%d of %d", found, count)
		}
		return true, nil
	})
}

// awaitEvent waits for the event of a reason: events are written after the status.
func (s *stage) awaitEvent(ctx context.Context, namespace, reason string) error {
	return eventually(ctx, "an event says "+reason, func() (bool, error) {
		var list corev1.EventList
		if err := s.plane.kube.List(ctx, &list, client.InNamespace(namespace)); err != nil {
			return false, err
		}
		return slices.ContainsFunc(list.Items, func(event corev1.Event) bool { return event.Reason == reason }), nil
	})
}

// measureRun counts what one run of one shard costs, from its creation to its end.
func measureRun(ctx context.Context, size profile) ([]figure, error) {
	s, err := newStage(ctx, size)
	if err != nil {
		return nil, err
	}
	figures, err := s.measureRun(ctx, size)
	return figures, s.explain(err)
}

func (s *stage) measureRun(ctx context.Context, size profile) ([]figure, error) {
	if err := s.plane.namespace(ctx, running); err != nil {
		return nil, err
	}
	if err := s.startManager(ctx); err != nil {
		return nil, err
	}
	resource := dataset(running, "reviews")
	if err := s.plane.kube.Create(ctx, resource); err != nil {
		return nil, fmt.Errorf("creating a resource: %w", err)
	}
	if err := s.await(ctx, running, 1, v1alpha1.ReasonRunning); err != nil {
		return nil, err
	}
	if err := s.plane.kube.Get(ctx, client.ObjectKeyFromObject(resource), resource); err != nil {
		return nil, fmt.Errorf("reading the resource: %w", err)
	}
	if err := s.awaitEvent(ctx, running, v1alpha1.ReasonRunning); err != nil {
		return nil, err
	}
	stopEngine, err := serveEngine(resource.Status.Run.ID, target)
	if err != nil {
		return nil, err
	}
	begun, err := s.plane.audit.mark()
	if err != nil {
		return nil, errors.Join(err, stopEngine())
	}
	if err := pause(ctx, time.Duration(size.RunSeconds)*time.Second); err != nil {
		return nil, errors.Join(err, stopEngine())
	}
	progress, err := s.plane.audit.since(begun)
	if err := errors.Join(err, stopEngine()); err != nil {
		return nil, err
	}
	if err := s.cluster.finish(ctx, running, resource.Status.Run.ID+"-1", target); err != nil {
		return nil, err
	}
	if err := s.await(ctx, running, 1, v1alpha1.ReasonSucceeded); err != nil {
		return nil, err
	}
	if err := s.awaitEvent(ctx, running, v1alpha1.ReasonSucceeded); err != nil {
		return nil, err
	}
	all, err := s.plane.audit.since(0)
	if err != nil {
		return nil, err
	}
	return []figure{
		{"writes for a run of one shard", float64(len(writes(all))), summary(writes(all))},
		{"progress writes for a run", float64(len(writes(progress))), fmt.Sprintf("in %d s; %s", size.RunSeconds, summary(writes(progress)))},
	}, nil
}

// measureCrowd counts what runs cost that wait, and how long a fresh one takes beside them.
func measureCrowd(ctx context.Context, size profile) ([]figure, error) {
	s, err := newStage(ctx, size)
	if err != nil {
		return nil, err
	}
	figures, err := s.measureCrowd(ctx, size)
	return figures, s.explain(err)
}

func (s *stage) measureCrowd(ctx context.Context, size profile) ([]figure, error) {
	for _, name := range []string{inQuota, unschedulable, held} {
		if err := s.plane.namespace(ctx, name); err != nil {
			return nil, err
		}
	}
	if err := s.startManager(ctx); err != nil {
		return nil, err
	}
	if err := s.createWaiting(ctx, size.Waiting); err != nil {
		return nil, err
	}
	waiting, err := s.countWaiting(ctx, size)
	if err != nil {
		return nil, err
	}
	acceptance, err := s.measureAcceptance(ctx, size)
	if err != nil {
		return nil, err
	}
	fresh, err := s.createFresh(ctx, size)
	if err != nil {
		return nil, err
	}
	bare, err := s.createBare(ctx, size)
	return slices.Concat(waiting, acceptance, fresh, bare), err
}

// createWaiting creates runs that can't start: a third each has no quota, no node, and neither its claim nor its seed.
func (s *stage) createWaiting(ctx context.Context, count int) error {
	err := each(count, func(number int) error {
		resource := dataset([]string{inQuota, unschedulable, unschedulable}[number%3], fmt.Sprintf("waits-%04d", number))
		resource.Spec.Limits = &v1alpha1.Limits{StartupTimeoutSeconds: new(int32(5))}
		if number%3 == 2 {
			resource.Spec.Output.PersistentVolumeClaim.ClaimName = fmt.Sprintf("absent-%d", number)
			resource.Spec.Seed = &v1alpha1.Seed{ConfigMap: &v1alpha1.ConfigMapSeed{Name: fmt.Sprintf("absent-%d", number), Key: "seed.csv"}}
		}
		return s.plane.kube.Create(ctx, resource)
	})
	if err != nil {
		return fmt.Errorf("creating runs that wait: %w", err)
	}
	if err := s.await(ctx, inQuota, (count+2)/3, v1alpha1.ReasonPodStartupFailed); err != nil {
		return err
	}
	return s.await(ctx, unschedulable, count-(count+2)/3, v1alpha1.ReasonPodStartupFailed)
}

// countWaiting counts requests and processor time while nothing happens.
func (s *stage) countWaiting(ctx context.Context, size profile) ([]figure, error) {
	if err := s.calm(ctx); err != nil {
		return nil, err
	}
	begun, err := s.plane.audit.mark()
	if err != nil {
		return nil, err
	}
	before, err := s.manager.processorTime()
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, time.Duration(size.WindowSeconds)*time.Second); err != nil {
		return nil, err
	}
	after, err := s.manager.processorTime()
	if err != nil {
		return nil, err
	}
	requests, err := s.plane.audit.since(begun)
	if err != nil {
		return nil, err
	}
	used, err := s.manager.memory()
	window := float64(size.WindowSeconds)
	return []figure{
		{"waiting requests per second", float64(len(requests)) / window, fmt.Sprintf("%d runs wait; in %d s: %s",
			size.Waiting, size.WindowSeconds, summary(requests))},
		{"waiting, processor (% of a core)", 100 * (after - before) / window, fmt.Sprintf("%d runs wait", size.Waiting)},
		{"waiting, memory (MiB)", used.now, fmt.Sprintf("%d runs wait", size.Waiting)},
	}, err
}

// calm waits until the operator has written all that the last changes have led to, events above all.
func (s *stage) calm(ctx context.Context) error {
	return eventually(ctx, "the operator writes no more", func() (bool, error) {
		mark, err := s.plane.audit.mark()
		if err != nil {
			return false, err
		}
		if err := pause(ctx, 5*time.Second); err != nil {
			return false, err
		}
		requests, err := s.plane.audit.since(mark)
		return err == nil && len(writes(requests)) == 0, err
	})
}

// createFresh creates runs at a steady pace, and measures how long each waits for its Job.
func (s *stage) createFresh(ctx context.Context, size profile) ([]figure, error) {
	created := make([]time.Time, size.Creations)
	begun := time.Now()
	mark, err := s.plane.audit.mark()
	if err != nil {
		return nil, err
	}
	before, err := s.processorTimes()
	if err != nil {
		return nil, err
	}
	profile := s.profileProcessor(ctx, "crowd")
	err = atPace(ctx, size, func(number int) error {
		created[number] = time.Now()
		return s.plane.kube.Create(ctx, dataset(held, freshName(number)))
	})
	if err != nil {
		return nil, fmt.Errorf("creating fresh runs: %w", err)
	}
	took := time.Since(begun)
	err = eventually(ctx, "every fresh run has a Job", func() (bool, error) { return s.cluster.seen(held) >= size.Creations, nil })
	if err != nil {
		return nil, err
	}
	after, err := s.processorTimes()
	if err := errors.Join(err, profile()); err != nil {
		return nil, err
	}
	at := s.waits(created, freshName)
	requests, err := s.plane.audit.since(mark)
	detail := fmt.Sprintf("%d created in %.1f s beside %d that wait", size.Creations, took.Seconds(), size.Waiting)
	return []figure{
		{"apply to Job, median (s)", at(0.5), detail},
		{"apply to Job, p99 (s)", at(0.99), detail},
		{"apply to Job, longest (s)", at(1), fmt.Sprintf("requests for each: %.1f", float64(len(requests))/float64(size.Creations))},
		{"apply to Job, processor (s)", after.manager - before.manager, fmt.Sprintf("of the manager; %.1f s of the API server, %.1f s of etcd",
			after.apiServer-before.apiServer, after.etcd-before.etcd)},
	}, err
}

// atPace calls a function for each creation, when it is due.
func atPace(ctx context.Context, size profile, create func(number int) error) error {
	begun, pace := time.Now(), time.Second/time.Duration(size.CreationsPerSecond)
	return each(size.Creations, func(number int) error {
		if err := pause(ctx, time.Until(begun.Add(time.Duration(number)*pace))); err != nil {
			return err
		}
		return create(number)
	})
}

// waits is how long resources that were created at some times have waited for their Jobs, in seconds, as a function of the share of them
// that has waited no longer.
func (s *stage) waits(created []time.Time, name func(int) string) func(share float64) float64 {
	var waits []time.Duration
	for number, at := range created {
		waits = append(waits, s.cluster.jobSeen(held, name(number)).Sub(at))
	}
	slices.Sort(waits)
	return func(share float64) float64 { return waits[int(share*float64(len(waits)-1))].Seconds() }
}

func freshName(number int) string { return fmt.Sprintf("fresh-%04d", number) }
