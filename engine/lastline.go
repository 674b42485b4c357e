package engine

import (
	"context"
	"log/slog"
	"math"
	"time"

	"seedloom.dev/seedloom/internal/runreport"
)

// logEnding writes the last line of a run's log, once nothing of it runs any more: how it has ended, with its counts.
func logEnding(logger *slog.Logger, ending *Ending, elapsed time.Duration) {
	result := &ending.Result
	attributes := []any{
		"outcome", result.Outcome, "target", result.Records.Target, "records", result.Records.Actual, "dropped", result.Records.Dropped,
		"missing", result.Records.Missing, "elapsed", elapsed.Round(time.Millisecond).String(), "exitCode", ending.ExitCode,
	}
	if result.Records.Filtered > 0 || result.Records.Added > 0 {
		attributes = append(attributes, "filtered", result.Records.Filtered, "added", result.Records.Added)
	}
	if result.Documents != nil {
		attributes = append(attributes, "documents", result.Documents.Count, "documentsLeftOut", result.Documents.Skipped,
			"chunks", result.Documents.Chunks)
	}
	if result.Reason != "" {
		attributes = append(attributes, "reason", result.Reason, "message", result.Message)
	}
	if records := ending.Progress.Accounted() - ending.Progress.Initial; records > 0 {
		attributes = append(attributes, "recordsPerSecond", math.Round(100*float64(records)/elapsed.Seconds())/100)
	}
	for _, model := range result.Models {
		attributes = append(attributes, slog.Group("model."+model.Alias, "requests", model.Succeeded+model.Failed, "failed", model.Failed,
			"inputTokens", model.InputTokens, "outputTokens", model.OutputTokens))
	}
	for _, column := range result.Columns {
		if lost := unusableIn(column.Usage); len(lost) > 0 {
			attributes = append(attributes, slog.Group("unusable."+column.Name, lost...))
		}
		if column.Usage.Hedged > 0 {
			attributes = append(attributes, "hedged."+column.Name, column.Usage.Hedged)
		}
		if draws := column.Draws; draws.Rejected > 0 {
			attributes = append(attributes, slog.Group("draws."+column.Name, "accepted", draws.Accepted, "rejected", draws.Rejected,
				"acceptanceRate", math.Round(1e4*draws.Rate())/1e4))
		}
		if counted := column.Usage.Corrections; counted != (runreport.Corrections{}) {
			attributes = append(attributes, slog.Group("corrections."+column.Name, "corrected", counted.Corrected, "givenUp", counted.GivenUp,
				"kept", counted.Kept))
		}
		if column.Usage.TruncatedKept > 0 {
			attributes = append(attributes, "truncatedKept."+column.Name, column.Usage.TruncatedKept)
		}
	}
	logger.Log(context.Background(), levelOf(result.Outcome), "the run has ended", attributes...)
}

// unusableIn are the answers that were paid for and could not be used, by their reasons.
func unusableIn(usage runreport.Usage) []any {
	var attributes []any
	for _, cause := range usage.Unusable.ByReason() {
		attributes = append(attributes, cause.Reason, cause.Count)
	}
	return attributes
}

func levelOf(outcome runreport.Outcome) slog.Level {
	switch outcome {
	case runreport.OutcomeComplete:
		return slog.LevelInfo
	case runreport.OutcomePartial, runreport.OutcomeInterrupted:
		return slog.LevelWarn
	}
	return slog.LevelError
}
