package datasetgeneration

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// The outcomes of runs, as values of the label "outcome".
const (
	outcomeComplete = "Complete"
	outcomePartial  = "Partial"
	outcomeFailed   = "Failed"
)

// Metrics are the controller's own metrics. No label names a resource: their number must not grow with the cluster.
type Metrics struct {
	finished *prometheus.CounterVec
	duration *prometheus.HistogramVec
	start    prometheus.Histogram
}

// NewMetrics registers the metrics.
func NewMetrics(registerer prometheus.Registerer) (*Metrics, error) {
	metrics := &Metrics{
		finished: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "seedloom_runs_finished_total",
			Help: "Attempts of runs that have ended, by outcome (Complete, Partial, Failed).",
		}, []string{"outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "seedloom_run_duration_seconds",
			Help:    "Time from the start of an attempt to its end, by outcome.",
			Buckets: prometheus.ExponentialBuckets(5, 2.5, 12),
		}, []string{"outcome"}),
		start: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "seedloom_run_start_seconds",
			Help:    "Time from the start of an attempt until the first of its engines runs.",
			Buckets: prometheus.ExponentialBuckets(0.5, 2, 14),
		}),
	}
	for _, collector := range []prometheus.Collector{metrics.finished, metrics.duration, metrics.start} {
		if err := registerer.Register(collector); err != nil {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
	}
	return metrics, nil
}

// observe counts what a status says that has just been written.
func (m *Metrics) observe(before, after *v1alpha1.DatasetGenerationStatus, now time.Time) {
	if m == nil || after.Run == nil {
		return
	}
	same := before.Run != nil && before.Run.Attempt == after.Run.Attempt && before.Run.ID == after.Run.ID
	if same && isWaiting(before) && readyReason(after) == v1alpha1.ReasonRunning && after.Run.StartTime != nil {
		m.start.Observe(now.Sub(after.Run.StartTime.Time).Seconds())
	}
	if after.Run.CompletionTime != nil && (!same || before.Run.CompletionTime == nil) {
		m.observeEnd(after)
	}
}

// isWaiting says whether no engine of the attempt has run yet.
func isWaiting(status *v1alpha1.DatasetGenerationStatus) bool {
	reason := readyReason(status)
	return reason == v1alpha1.ReasonPending || reason == v1alpha1.ReasonPodStartupFailed
}

// readyReason is the reason of Ready, or that of a resource that nobody has looked at.
func readyReason(status *v1alpha1.DatasetGenerationStatus) string {
	if ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady); ready != nil {
		return ready.Reason
	}
	return v1alpha1.ReasonPending
}

// observeEnd counts an attempt that has ended.
func (m *Metrics) observeEnd(after *v1alpha1.DatasetGenerationStatus) {
	outcome := ""
	switch {
	case meta.IsStatusConditionTrue(after.Conditions, v1alpha1.ConditionFailed):
		outcome = outcomeFailed
	case meta.IsStatusConditionTrue(after.Conditions, v1alpha1.ConditionPartial):
		outcome = outcomePartial
	case meta.IsStatusConditionTrue(after.Conditions, v1alpha1.ConditionComplete):
		outcome = outcomeComplete
	default:
		// Ended by a suspension.
		return
	}
	m.finished.WithLabelValues(outcome).Inc()
	if after.Run.StartTime != nil {
		m.duration.WithLabelValues(outcome).Observe(after.Run.CompletionTime.Sub(after.Run.StartTime.Time).Seconds())
	}
}

// resourcesCollector counts resources by the reason of Ready when it is scraped, so that no series outlives what it counts.
type resourcesCollector struct {
	reader      client.Reader
	description *prometheus.Desc
}

// NewResourcesCollector returns a collector that reads the resources from a cache.
func NewResourcesCollector(reader client.Reader) prometheus.Collector {
	return &resourcesCollector{reader: reader, description: prometheus.NewDesc(
		"seedloom_resources", "DatasetGeneration resources, by the reason of their Ready condition.", []string{"reason"}, nil)}
}

// Describe implements prometheus.Collector.
func (c *resourcesCollector) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- c.description
}

// Collect implements prometheus.Collector. A cache that is not ready yields nothing.
func (c *resourcesCollector) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var list v1alpha1.DatasetGenerationList
	if err := c.reader.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return
	}
	counts := map[string]int{}
	for i := range list.Items {
		counts[readyReason(&list.Items[i].Status)]++
	}
	for reason, count := range counts {
		metrics <- prometheus.MustNewConstMetric(c.description, prometheus.GaugeValue, float64(count), reason)
	}
}
