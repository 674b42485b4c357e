package watch

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"time"

	"seedloom.dev/seedloom/engine/progress"
)

const (
	// Interval is how often progress is sampled for its rates, and how often a watch is to look.
	Interval = time.Second
	// heartbeatSamples is after how many samples progress is logged, whether anything has happened or not.
	heartbeatSamples = 10
)

// Heartbeat samples the progress and logs it from time to time, in a goroutine of its own: also while the executor is busy with a batch, a
// commit or nothing at all.
type Heartbeat struct {
	tracker *progress.Tracker
	logger  *slog.Logger
	// logs says whether there are lines at all.
	logs   bool
	ending chan struct{}
	ended  chan struct{}
}

// StartHeartbeat starts the goroutine; Stop ends it. With logs, it writes lines.
func StartHeartbeat(tracker *progress.Tracker, logger *slog.Logger, logs bool) *Heartbeat {
	started := &Heartbeat{tracker: tracker, logger: logger, logs: logs, ending: make(chan struct{}), ended: make(chan struct{})}
	go started.beat()
	return started
}

func (h *Heartbeat) beat() {
	defer close(h.ended)
	ticker := time.NewTicker(Interval)
	defer ticker.Stop()
	for count := 1; ; count++ {
		select {
		case <-h.ending:
			return
		case <-ticker.C:
		}
		h.tracker.Sample()
		if count%heartbeatSamples == 0 {
			h.log()
		}
	}
}

// Stop logs the progress for the last time, and returns when the goroutine has ended.
func (h *Heartbeat) Stop() {
	close(h.ending)
	<-h.ended
	h.log()
}

// log writes one line. Of the columns, those of models are in it; the others keep step with the records.
func (h *Heartbeat) log() {
	if !h.logs {
		return
	}
	snapshot := h.tracker.Snapshot()
	remaining := "unknown"
	if snapshot.Remaining.Known {
		remaining = snapshot.Remaining.Time.Round(time.Second).String()
	}
	attributes := []any{
		"phase", snapshot.Phase, "target", snapshot.Expected(), "records", snapshot.Records.Actual, "dropped", snapshot.Records.Dropped,
		"percent", int(snapshot.Percent()), "recordsPerSecond", rounded(snapshot.RecordsPerSecond),
		"averageRecordsPerSecond", rounded(snapshot.AverageRecordsPerSecond), "remaining", remaining,
		"inFlight", snapshot.InFlight, "deferred", snapshot.Deferred, "elapsed", snapshot.Elapsed.Round(time.Second).String(),
	}
	if snapshot.Initial > 0 {
		attributes = append(attributes, "fromEarlier", snapshot.Initial)
	}
	if snapshot.SlowRequests > 0 {
		attributes = append(attributes, "slowRequests", snapshot.SlowRequests)
	}
	if count, most := snapshot.UnusableAnswers(); count > 0 {
		attributes = append(attributes, "unusableAnswers", count, "mostOf",
			fmt.Sprintf("%s of column %s: %d", most.Reason, most.Column, most.Count))
	}
	if batches := linesOf(snapshot.Batches, snapshot.At, Interval); len(batches) > 0 {
		attributes = append(attributes, "atWork", batches)
	}
	if columns := columnsOf(&snapshot); len(columns) > 0 {
		attributes = append(attributes, "columns", columns)
	}
	if models := modelsOf(&snapshot); len(models) > 0 {
		attributes = append(attributes, "models", models)
	}
	h.logger.Info("progress", attributes...)
}

// rounded keeps log lines free of digits that mean nothing.
func rounded(rate float64) float64 { return math.Round(rate*100) / 100 }

// maxHeartbeatEntries bounds the columns, and the models, of a line.
const maxHeartbeatEntries = 20

// columnLines are the columns of a heartbeat. They are structured as JSON, and short as text.
type columnLines []columnLine

type columnLine struct {
	Name      string  `json:"name"`
	Completed int64   `json:"completed"`
	Total     int64   `json:"total"`
	Failed    int64   `json:"failed,omitempty"`
	Dropped   int64   `json:"dropped,omitempty"`
	Skipped   int64   `json:"skipped,omitempty"`
	InFlight  int64   `json:"inFlight,omitempty"`
	Deferred  int64   `json:"deferred,omitempty"`
	PerSecond float64 `json:"perSecond"`
}

func columnsOf(snapshot *progress.Snapshot) columnLines {
	var lines columnLines
	for i := range snapshot.Columns {
		column := &snapshot.Columns[i]
		if column.Model == "" || len(lines) == maxHeartbeatEntries {
			continue
		}
		lines = append(lines, columnLine{
			Name: column.Name, Completed: column.Completed, Total: column.Total, Failed: column.Failed, Dropped: column.Dropped,
			Skipped: column.Skipped, InFlight: column.InFlight, Deferred: column.Deferred, PerSecond: rounded(column.PerSecond),
		})
	}
	return lines
}

// MarshalJSON writes the columns as an array of objects.
func (l columnLines) MarshalJSON() ([]byte, error) { return json.Marshal([]columnLine(l)) }

// MarshalText writes the columns for people.
func (l columnLines) MarshalText() ([]byte, error) {
	var parts []string
	for _, line := range l {
		text := fmt.Sprintf("%s %d/%d (%g/s", line.Name, line.Completed, line.Total, line.PerSecond)
		for _, count := range []struct {
			name  string
			count int64
		}{
			{"in flight", line.InFlight}, {"deferred", line.Deferred}, {"failed", line.Failed}, {"dropped", line.Dropped}, {"skipped", line.Skipped},
		} {
			if count.count > 0 {
				text += fmt.Sprintf(", %d %s", count.count, count.name)
			}
		}
		parts = append(parts, text+")")
	}
	return []byte(strings.Join(parts, "; ")), nil
}

// modelLines are the models of a heartbeat.
type modelLines []modelLine

type modelLine struct {
	Alias                 string  `json:"alias"`
	RequestsPerMinute     float64 `json:"requestsPerMinute"`
	InputTokensPerSecond  float64 `json:"inputTokensPerSecond"`
	OutputTokensPerSecond float64 `json:"outputTokensPerSecond"`
	Failed                int64   `json:"failed,omitempty"`
	InFlight              int64   `json:"inFlight"`
	Limit                 int64   `json:"limit"`
}

func modelsOf(snapshot *progress.Snapshot) modelLines {
	var lines modelLines
	for i := range snapshot.Models {
		model := &snapshot.Models[i]
		if model.Limit == 0 || len(lines) == maxHeartbeatEntries {
			continue // no column uses it
		}
		lines = append(lines, modelLine{
			Alias: model.Alias, RequestsPerMinute: rounded(model.RequestsPerMinute), InputTokensPerSecond: rounded(model.InputTokensPerSecond),
			OutputTokensPerSecond: rounded(model.OutputTokensPerSecond), Failed: model.Failed, InFlight: model.InFlight, Limit: model.Limit,
		})
	}
	return lines
}

// MarshalJSON writes the models as an array of objects.
func (l modelLines) MarshalJSON() ([]byte, error) { return json.Marshal([]modelLine(l)) }

// MarshalText writes the models for people.
func (l modelLines) MarshalText() ([]byte, error) {
	var parts []string
	for _, line := range l {
		parts = append(parts, fmt.Sprintf("%s %g requests/min, %g/%g tokens/s in/out, %d of %d in flight", line.Alias, line.RequestsPerMinute,
			line.InputTokensPerSecond, line.OutputTokensPerSecond, line.InFlight, line.Limit))
	}
	return []byte(strings.Join(parts, "; ")), nil
}
