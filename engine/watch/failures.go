package watch

import (
	"context"
	"log/slog"
	"time"

	"seedloom.dev/seedloom/engine/failure"
)

// failureInterval is how often failing cells of one column and reason are reported at most.
const failureInterval = 10 * time.Second

// Failures reports cells that fail, and of requests that will be sent again: the first of a column and reason at once, those that follow
// together. It belongs to the driver's goroutine.
type Failures struct {
	logger *slog.Logger
	kinds  map[failureKind]*failureCount
	// order are the kinds in the order in which they first came.
	order []failureKind
	// reported is when what had gathered was last reported.
	reported time.Time
}

// failureKind is a kind of failure. again says that it costs time only: the request is sent again.
type failureKind struct {
	column, reason string
	again          bool
}

type failureCount struct {
	all, unreported int64
	last            string
}

// NewFailures returns a report of failures of which none has come yet.
func NewFailures(logger *slog.Logger, now time.Time) *Failures {
	return &Failures{logger: logger, kinds: make(map[failureKind]*failureCount), reported: now}
}

// Task notes what the task of a column came back with; err may be nil. That requests were given up when the run ended is no failure of a
// cell.
func (f *Failures) Task(column string, err error) {
	if err == nil {
		return
	}
	if cause := failure.Of(err); cause.Consequence != failure.EndRun {
		f.Cell(column, cause)
	}
}

// Cell notes the failure of a cell.
func (f *Failures) Cell(column string, cause *failure.Error) {
	kind := failureKind{column, cause.Reason, cause.TriesAgain()}
	count, known := f.kinds[kind]
	if !known {
		count = &failureCount{}
		f.kinds[kind] = count
		f.order = append(f.order, kind)
	}
	count.all++
	count.unreported++
	count.last = cause.Message
	if !known {
		f.report(kind, count)
	}
}

func (f *Failures) report(kind failureKind, count *failureCount) {
	level, message := slog.LevelWarn, "cells fail"
	if kind.again {
		level, message = slog.LevelInfo, "requests fail, and are sent again"
	}
	f.logger.Log(context.Background(), level, message, "column", kind.column, "reason", kind.reason, "failures", count.unreported,
		"inAll", count.all, "last", count.last)
	count.unreported = 0
}

// Look reports what has gathered since the last time, when it is time to.
func (f *Failures) Look(now time.Time) {
	if now.Sub(f.reported) >= failureInterval {
		f.reported = now
		f.Flush()
	}
}

// Flush reports what has gathered.
func (f *Failures) Flush() {
	for _, kind := range f.order {
		if count := f.kinds[kind]; count.unreported > 0 {
			f.report(kind, count)
		}
	}
}
