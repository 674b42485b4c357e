package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// pollInterval is how often the status is looked at.
const pollInterval = 250 * time.Millisecond

// watch prints one line for each change of the status, until the dataset is Complete or cannot become so.
func (d *demo) watch(ctx context.Context) error {
	begun := time.Now()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	shown := ""
	for {
		dataset, err := d.dataset(ctx)
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("reading the status: %w", err)
		}
		if err == nil {
			if line := progressLine(dataset, time.Now()); line != shown {
				fmt.Printf("      %5.1f s  %s\n", time.Since(begun).Seconds(), line)
				shown = line
			}
			switch {
			case isTrue(dataset, v1alpha1.ConditionComplete):
				return nil
			case isTrue(dataset, v1alpha1.ConditionFailed), isTrue(dataset, v1alpha1.ConditionStalled):
				return d.explain(dataset)
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			if dataset != nil {
				return fmt.Errorf("%w in time (--timeout): %w", errEnded, d.explain(dataset))
			}
			return ctx.Err()
		}
	}
}

// explain prints the conditions, and returns the one that says why, with hints.
func (d *demo) explain(dataset *v1alpha1.DatasetGeneration) error {
	printConditions(dataset)
	fmt.Printf(`
Hints
  export KUBECONFIG=%s
  kubectl describe dsgen %s --namespace %s
  kubectl get events --namespace %s --sort-by .lastTimestamp
  kubectl logs --namespace %s --selector %s=%s --prefix
  kubectl logs --namespace seedloom-system deployment/seedloom-manager
`, d.kubeconfig, datasetName, namespace, namespace, namespace, v1alpha1.LabelDataset, datasetName)
	for _, conditionType := range []string{v1alpha1.ConditionFailed, v1alpha1.ConditionStalled, v1alpha1.ConditionReady} {
		condition := meta.FindStatusCondition(dataset.Status.Conditions, conditionType)
		if condition != nil && (conditionType == v1alpha1.ConditionReady || isTrue(dataset, conditionType)) {
			return fmt.Errorf("%w: %s, %s: %s", errEnded, conditionType, condition.Reason, condition.Message)
		}
	}
	return fmt.Errorf("%w: the operator has not looked at it", errEnded)
}

func (d *demo) dataset(ctx context.Context) (*v1alpha1.DatasetGeneration, error) {
	dataset := &v1alpha1.DatasetGeneration{}
	if err := d.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: datasetName}, dataset); err != nil {
		return nil, err
	}
	return dataset, nil
}

func isTrue(dataset *v1alpha1.DatasetGeneration, conditionType string) bool {
	condition := meta.FindStatusCondition(dataset.Status.Conditions, conditionType)
	return condition != nil && condition.Status == "True" && condition.ObservedGeneration == dataset.Generation
}

// progressLine is what the status says of the progress, in one line.
func progressLine(dataset *v1alpha1.DatasetGeneration, now time.Time) string {
	ready := meta.FindStatusCondition(dataset.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return "created"
	}
	parts := []string{fmt.Sprintf("%-10s", ready.Reason)}
	if records := dataset.Status.Records; records != nil {
		parts = append(parts, fmt.Sprintf("%d/%d records", records.Actual, records.Target))
		if records.Dropped > 0 {
			parts = append(parts, fmt.Sprintf("%d dropped", records.Dropped))
		}
	}
	if progress := dataset.Status.Progress; progress != nil {
		parts = append(parts, fmt.Sprintf("%d %%", progress.Percent))
		if progress.RecordsPerSecond != "" {
			parts = append(parts, progress.RecordsPerSecond+" records/s")
		}
		if eta := progress.EstimatedCompletion; eta != nil && eta.After(now) {
			parts = append(parts, "done at about "+eta.Local().Format(time.TimeOnly))
		}
	}
	return strings.Join(parts, "  ")
}

func printConditions(dataset *v1alpha1.DatasetGeneration) {
	fmt.Printf("\nConditions of %s\n", dataset.Name)
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  TYPE\tSTATUS\tREASON\tMESSAGE")
	for _, condition := range dataset.Status.Conditions {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", condition.Type, condition.Status, condition.Reason, condition.Message)
	}
	table.Flush() //nolint:errcheck // to the terminal
}
