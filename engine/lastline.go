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
	logger.Log(context.Background(), levelOf(result.Outcome), "the run has ended", attributes...)
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
