package progress

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"seedloom.dev/seedloom/internal/runreport"
)

// Identity says whose progress it is.
type Identity struct {
	RunID   string
	Attempt int32
	Shard   int32
}

// Handler serves the progress document and the metrics.
func (t *Tracker) Handler(identity Identity) http.Handler {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(&collector{tracker: t, shard: strconv.Itoa(int(identity.Shard))})
	mux := http.NewServeMux()
	mux.Handle("GET "+runreport.MetricsPath, promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET "+runreport.ProgressPath, func(writer http.ResponseWriter, _ *http.Request) {
		check := t.modelCheck() // before the snapshot, so that it is never newer than the sequence says
		snapshot := t.Snapshot()
		columns, models := report(&snapshot)
		writer.Header().Set("Content-Type", "application/json")
		// The reader has gone away when this fails.
		_ = json.NewEncoder(writer).Encode(runreport.Progress{
			Version: runreport.Version,
			RunID:   identity.RunID, Attempt: identity.Attempt, Shard: identity.Shard,
			Sequence: snapshot.Sequence, Phase: snapshot.Phase, Records: snapshot.Records,
			RecordsPerSecond: snapshot.RecordsPerSecond, InFlight: snapshot.InFlight, Troubles: snapshot.Troubles,
			Columns: columns, Models: models, Dropped: snapshot.Dropped, Unusable: snapshot.Unusable,
			ModelCheck: check,
		})
	})
	return mux
}

// report returns what the documents say of columns and models. They count the cells of accounted records, which add up in every column.
func report(snapshot *Snapshot) (columns []runreport.Column, models []runreport.Model) {
	for i := range snapshot.Columns {
		columns = append(columns, snapshot.Columns[i].Accounted())
	}
	for i := range snapshot.Models {
		models = append(models, snapshot.Models[i].Model)
	}
	return columns, models
}

var (
	recordsDescription = prometheus.NewDesc("seedloom_records", "Records by fate.", []string{"shard", "fate"}, nil)
	targetDescription  = prometheus.NewDesc("seedloom_records_target", "Records that were asked for.", []string{"shard"}, nil)
	cellsDescription   = prometheus.NewDesc("seedloom_cells",
		"Cells of accounted records by column and outcome.", []string{"shard", "column", "outcome"}, nil)
	flightDescription = prometheus.NewDesc("seedloom_tasks_in_flight", "Tasks that run now.", []string{"shard"}, nil)
	slowDescription   = prometheus.NewDesc("seedloom_slow_requests", "Requests of models under way for longer than the threshold.",
		[]string{"shard"}, nil)
	unusableDescription = prometheus.NewDesc("seedloom_unusable_answers_total",
		"Answers that were paid for and could not be used, by column and reason.", []string{"shard", "column", "reason"}, nil)
	oldestDescription = prometheus.NewDesc("seedloom_oldest_request_seconds",
		"For how long the oldest request of a model has been under way.", []string{"shard"}, nil)
	spansDescription = prometheus.NewDesc("seedloom_trace_spans_dropped_total",
		"Spans of the trace that were dropped so that the run is not slowed.", []string{"shard"}, nil)
	requestDescription = prometheus.NewDesc("seedloom_model_requests_total",
		"Requests by model and outcome.", []string{"shard", "model", "outcome"}, nil)
	tokenDescription = prometheus.NewDesc("seedloom_model_tokens_total",
		"Tokens by model and type.", []string{"shard", "model", "type"}, nil)
)

// collector turns a snapshot into metrics when they are asked for, so that counting costs nothing twice.
type collector struct {
	tracker *Tracker
	shard   string
}

// Describe sends the descriptions of all metrics.
func (c *collector) Describe(descriptions chan<- *prometheus.Desc) {
	for _, description := range []*prometheus.Desc{
		recordsDescription, targetDescription, cellsDescription, flightDescription, slowDescription, oldestDescription,
		spansDescription, requestDescription, tokenDescription,
		unusableDescription,
	} {
		descriptions <- description
	}
}

// Collect sends the metrics of one snapshot.
func (c *collector) Collect(metrics chan<- prometheus.Metric) {
	snapshot := c.tracker.Snapshot()
	send := func(description *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(description, kind, value, append([]string{c.shard}, labels...)...)
	}
	send(targetDescription, prometheus.GaugeValue, float64(snapshot.Records.Target))
	send(recordsDescription, prometheus.GaugeValue, float64(snapshot.Records.Actual), "written")
	send(recordsDescription, prometheus.GaugeValue, float64(snapshot.Records.Dropped), "dropped")
	send(flightDescription, prometheus.GaugeValue, float64(snapshot.InFlight))
	send(slowDescription, prometheus.GaugeValue, float64(snapshot.SlowRequests))
	send(oldestDescription, prometheus.GaugeValue, float64(snapshot.Troubles.OldestRequestSeconds))
	send(spansDescription, prometheus.CounterValue, float64(c.tracker.spansDropped()))
	for _, unusable := range snapshot.Unusable {
		send(unusableDescription, prometheus.CounterValue, float64(unusable.Count), unusable.Column, unusable.Reason)
	}
	columns, models := report(&snapshot)
	for _, column := range columns {
		send(cellsDescription, prometheus.GaugeValue, float64(column.Succeeded), column.Name, "succeeded")
		send(cellsDescription, prometheus.GaugeValue, float64(column.Failed), column.Name, "failed")
		send(cellsDescription, prometheus.GaugeValue, float64(column.Dropped), column.Name, "dropped")
		send(cellsDescription, prometheus.GaugeValue, float64(column.Skipped), column.Name, "skipped")
	}
	for _, model := range models {
		send(requestDescription, prometheus.CounterValue, float64(model.Succeeded), model.Alias, "succeeded")
		send(requestDescription, prometheus.CounterValue, float64(model.Failed), model.Alias, "failed")
		send(tokenDescription, prometheus.CounterValue, float64(model.InputTokens), model.Alias, "input")
		send(tokenDescription, prometheus.CounterValue, float64(model.OutputTokens), model.Alias, "output")
	}
}
