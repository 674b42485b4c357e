package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
)

const (
	// refusals is how many specs are refused, one after another.
	refusals = 40
	// acceptancePoll is how often it is asked for the answer, and so how exactly it is measured.
	acceptancePoll = 10 * time.Millisecond
)

// measureAcceptance measures how long it takes until Accepted says what is wrong with a spec, where no webhook does.
func (s *stage) measureAcceptance(ctx context.Context, size profile) ([]figure, error) {
	waits := make([]time.Duration, 0, refusals)
	for number := range refusals {
		resource := dataset(held, fmt.Sprintf("wrong-%02d", number))
		resource.Spec.Columns[1].Expression.Expr = "{{ nothing }}"
		begun := time.Now()
		if err := s.plane.kube.Create(ctx, resource); err != nil {
			return nil, fmt.Errorf("creating a resource with a wrong spec: %w", err)
		}
		if err := s.awaitRefusal(ctx, resource); err != nil {
			return nil, err
		}
		waits = append(waits, time.Since(begun))
	}
	slices.Sort(waits)
	detail := fmt.Sprintf("%d one after another, beside %d that wait; no webhook", refusals, size.Waiting)
	return []figure{
		{"apply to Accepted, median (s)", waits[len(waits)/2].Seconds(), detail},
		{"apply to Accepted, longest (s)", waits[len(waits)-1].Seconds(), detail},
	}, nil
}

func (s *stage) awaitRefusal(ctx context.Context, resource *v1alpha1.DatasetGeneration) error {
	for {
		if err := s.plane.kube.Get(ctx, client.ObjectKeyFromObject(resource), resource); err != nil {
			return fmt.Errorf("reading a resource: %w", err)
		}
		if meta.IsStatusConditionFalse(resource.Status.Conditions, v1alpha1.ConditionAccepted) {
			return nil
		}
		if err := pause(ctx, acceptancePoll); err != nil {
			return err
		}
	}
}
