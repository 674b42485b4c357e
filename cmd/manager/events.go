package main

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	eventsv1 "k8s.io/client-go/kubernetes/typed/events/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	ctrlmanager "sigs.k8s.io/controller-runtime/pkg/manager"
)

const (
	// eventsPerSecond and eventBurst bound how many events are written: of many runs that begin at once, the events wait, and not the Jobs.
	eventsPerSecond = 50
	eventBurst      = 100
)

// eventWriter writes events with a connection of its own, so that they take nothing of what the API server does for runs.
type eventWriter struct{ broadcaster events.EventBroadcaster }

var (
	_ ctrlmanager.Runnable               = (*eventWriter)(nil)
	_ ctrlmanager.LeaderElectionRunnable = (*eventWriter)(nil)
)

func newEventWriter(config *rest.Config) (*eventWriter, error) {
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = eventsPerSecond, eventBurst
	client, err := eventsv1.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("setting up the writing of events: %w", err)
	}
	return &eventWriter{broadcaster: events.NewBroadcaster(&events.EventSinkImpl{Interface: client})}, nil
}

func (w *eventWriter) recorder(scheme *runtime.Scheme) events.EventRecorder {
	return w.broadcaster.NewRecorder(scheme, "seedloom")
}

// Start writes events until the context ends. The manager ends the controllers before.
func (w *eventWriter) Start(ctx context.Context) error {
	defer w.broadcaster.Shutdown()
	if err := w.broadcaster.StartRecordingToSinkWithContext(ctrl.LoggerInto(ctx, ctrl.Log)); err != nil {
		return fmt.Errorf("writing events: %w", err)
	}
	<-ctx.Done()
	return nil
}

// NeedLeaderElection says that it does not.
func (w *eventWriter) NeedLeaderElection() bool { return false }
