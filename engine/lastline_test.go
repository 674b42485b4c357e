package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/internal/runreport"
)

// logged runs the spec with a log, and returns its lines.
func (w *world) logged(ctx context.Context, change func(*engine.Config)) (engine.Ending, []string) {
	w.t.Helper()
	var log bytes.Buffer
	config := w.config(0)
	config.Logger = slog.New(slog.NewTextHandler(&log, nil))
	if change != nil {
		change(&config)
	}
	ending := engine.Generate(ctx, config)
	return ending, strings.Split(strings.TrimSpace(log.String()), "\n")
}

func TestTheLastLineSaysHowTheRunHasEnded(t *testing.T) {
	for name, test := range map[string]struct {
		answer func(prompt string, before int) (int, string)
		spec   func(string) string
		want   []string
	}{
		"complete": {echo, nil, []string{"level=INFO", "outcome=Complete", "records=25", "dropped=0", "model.writer.requests=25"}},
		"early shutdown": {func(string, int) (int, string) { return http.StatusOK, "" },
			func(spec string) string { return strings.ReplaceAll(spec, "numRecords: 25", "numRecords: 100") },
			[]string{"level=ERROR", "outcome=Failed", "reason=EarlyShutdown"}},
		"partial": {func(prompt string, before int) (int, string) {
			if strings.Contains(prompt, "Alien") {
				return http.StatusBadRequest, ""
			}
			return echo(prompt, before)
		}, nil, []string{"level=WARN", "outcome=Partial", "reason=RowsDropped"}},
		"invalid": {echo, func(spec string) string { return strings.ReplaceAll(spec, "about {{ title }}", "about {{ nothing }}") },
			[]string{"level=ERROR", "outcome=Failed", "reason=ConfigInvalid"}},
	} {
		t.Run(name, func(t *testing.T) {
			spec := basicSpec
			if test.spec != nil {
				spec = test.spec(spec)
			}
			w := newWorld(t, spec, newEndpoint(t, test.answer).URL)
			ending, lines := w.logged(t.Context(), nil)
			last := lines[len(lines)-1]
			for _, part := range append(test.want, `msg="the run has ended"`, fmt.Sprintf("exitCode=%d", ending.ExitCode)) {
				if !strings.Contains(last, part) {
					t.Errorf("the last line lacks %s: %s", part, last)
				}
			}
			if count := strings.Count(strings.Join(lines, "\n"), "the run has ended"); count != 1 {
				t.Errorf("the end is told %d times", count)
			}
		})
	}
}

func TestFailingCellsAreToldTogether(t *testing.T) {
	spec := strings.ReplaceAll(basicSpec, "run: {", "run: {earlyShutdown: {policy: Disabled}, ")
	w := newWorld(t, strings.ReplaceAll(spec, "numRecords: 25", "numRecords: 500"),
		newEndpoint(t, func(string, int) (int, string) { return http.StatusOK, "" }).URL)
	_, lines := w.logged(t.Context(), nil)
	told := 0
	for _, line := range lines {
		if strings.Contains(line, "cells fail") {
			told++
		}
	}
	if told == 0 || told > 6 {
		t.Errorf("1000 failing cells are told in %d lines", told)
	}
}

func TestTheProgressIsThatOfTheOutputAndOfThisProcess(t *testing.T) {
	server := newEndpoint(t, echo)
	w := newWorld(t, basicSpec, server.URL)
	w.generate(t.Context(), 0)
	w.spec.NumRecords = 45
	w.attempt = 2
	var tracker *progress.Tracker
	ended := false
	ending, lines := w.logged(t.Context(), func(config *engine.Config) {
		config.Observe = func(observed *progress.Tracker) func() {
			tracker = observed
			return func() { ended = true }
		}
	})
	snapshot := ending.Progress
	if !ended || snapshot.Initial != 25 || snapshot.Records.Actual != 45 || snapshot.Percent() != 100 || snapshot.InFlight != 0 ||
		snapshot.Deferred != 0 {
		t.Errorf("ended %v; got %+v", ended, snapshot)
	}
	for _, column := range snapshot.Columns {
		if column.Completed != 45 || column.Total != 45 || column.Open != 0 || column.Initial != 25 || column.InFlight != 0 {
			t.Errorf("column %+v", column)
		}
	}
	if last := tracker.Snapshot(); last.Phase != runreport.PhaseFinalizing {
		t.Errorf("the phase is %s", last.Phase)
	}
	if text := strings.Join(lines, "\n"); strings.Contains(text, "msg=progress") {
		t.Errorf("the progress is logged beside who shows it:\n%s", text)
	}
	w.spec.NumRecords, w.attempt = 50, 3
	if _, lines := w.logged(t.Context(), nil); !strings.Contains(strings.Join(lines, "\n"), "fromEarlier=45") {
		t.Errorf("no line tells what was there before:\n%s", strings.Join(lines, "\n"))
	}
	if ending.Result.Outcome != runreport.OutcomeComplete {
		t.Errorf("the run is %s", ending.Result.Outcome)
	}
}

func TestTheCellsOfASyncRunAddUp(t *testing.T) {
	w := newWorld(t, resizeSpec, newEndpoint(t, echo).URL)
	ending, _ := w.logged(t.Context(), nil)
	snapshot := ending.Progress
	for _, column := range snapshot.Columns {
		if column.Completed != column.Total || column.Open != 0 || column.Total != snapshot.Records.Actual+snapshot.Records.Dropped {
			t.Errorf("column %+v of records %+v", column, snapshot.Records)
		}
	}
}
