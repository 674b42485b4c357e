package run

import (
	"context"
	"log/slog"
	"time"

	"seedloom.dev/seedloom/engine/failure"
)

// failureInterval is how often failing cells of one column and reason are told at most.
const failureInterval = 10 * time.Second

// failures tells of cells that fail, and of requests that will be sent again: the first of a column and reason at once, those that follow
// together. It belongs to the driver's goroutine.
type failures struct {
	logger *slog.Logger
	kinds  map[failureKind]*failureCount
	// order are the kinds in the order in which they first came.
	order []failureKind
	told  time.Time
}

// failureKind is a kind of failure. again says that it costs time only: the request is sent again.
type failureKind struct {
	column, reason string
	again          bool
}

type failureCount struct {
	all, untold int64
	last        string
}

func newFailures(logger *slog.Logger, now time.Time) *failures {
	return &failures{logger: logger, kinds: make(map[failureKind]*failureCount), told: now}
}

// note notes the failures that a task came back with. That requests were given up when the run ended is no failure of a cell.
func (f *failures) note(step *step, back result) {
	for _, failed := range back.failures {
		f.add(step.columns[failed.Part].Name, failed.Cause)
	}
	if back.err == nil {
		return
	}
	if cause := failure.Of(back.err); cause.Consequence != failure.EndRun {
		f.add(step.columns[0].Name, cause)
	}
}

func (f *failures) add(column string, cause *failure.Error) {
	kind := failureKind{column, cause.Reason, cause.Consequence == failure.RetryLater || cause.Consequence == failure.PauseEndpoint}
	count, known := f.kinds[kind]
	if !known {
		count = &failureCount{}
		f.kinds[kind] = count
		f.order = append(f.order, kind)
	}
	count.all++
	count.untold++
	count.last = cause.Message
	if !known {
		f.tell(kind, count)
	}
}

func (f *failures) tell(kind failureKind, count *failureCount) {
	level, message := slog.LevelWarn, "cells fail"
	if kind.again {
		level, message = slog.LevelInfo, "requests fail, and are sent again"
	}
	f.logger.Log(context.Background(), level, message, "column", kind.column, "reason", kind.reason, "failures", count.untold, "inAll", count.all, "last", count.last)
	count.untold = 0
}

// look tells what has gathered since the last time, when it is time to.
func (f *failures) look(now time.Time) {
	if now.Sub(f.told) >= failureInterval {
		f.told = now
		f.flush()
	}
}

// flush tells what has gathered.
func (f *failures) flush() {
	for _, kind := range f.order {
		if count := f.kinds[kind]; count.untold > 0 {
			f.tell(kind, count)
		}
	}
}
