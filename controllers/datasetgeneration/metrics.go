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
	}
	for _, collector := range []prometheus.Collector{metrics.finished, metrics.duration} {
		if err := registerer.Register(collector); err != nil {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
	}
	return metrics, nil
}

// observe counts an attempt whose verdict has just been written.
func (m *Metrics) observe(before, after *v1alpha1.DatasetGenerationStatus) {
	if m == nil || after.Run == nil || after.Run.CompletionTime == nil ||
		(before.Run != nil && before.Run.Attempt == after.Run.Attempt && before.Run.ID == after.Run.ID && before.Run.CompletionTime != nil) {
		return
	}
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
		reason := v1alpha1.ReasonPending
		if ready := meta.FindStatusCondition(list.Items[i].Status.Conditions, v1alpha1.ConditionReady); ready != nil {
			reason = ready.Reason
		}
		counts[reason]++
	}
	for reason, count := range counts {
		metrics <- prometheus.MustNewConstMetric(c.description, prometheus.GaugeValue, float64(count), reason)
	}
}
