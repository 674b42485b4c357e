package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/table"
)

// Error tells which processor has failed, and where.
type Error struct {
	Processor string
	Stage     v1alpha1.ProcessorStage
	// Policy is what the spec wants the failure to lead to.
	Policy   v1alpha1.ProcessorFailurePolicy
	RowGroup int64
	// First and Last are the first and the last row that it was given.
	First, Last table.RowIndex
	// Cause is what the processor did wrong.
	Cause error
}

// Error says what went wrong; the failure around it says where.
func (e *Error) Error() string { return e.Cause.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// DropsRowGroup says whether a failure is that of a processor that leads to the loss of its row group alone.
func DropsRowGroup(err *failure.Error) bool {
	var failed *Error
	return errors.As(err, &failed) && failed.Policy == v1alpha1.ProcessorFailRowGroup
}

// resizedError says that a processor changed the rows where it may not.
type resizedError struct {
	expected, returned int
	// detail tells, where the counts are the same, how the rows differ.
	detail string
}

func (e *resizedError) Error() string {
	text := fmt.Sprintf("it was given %d rows and returned %d", e.expected, e.returned)
	if e.detail != "" {
		text += ", but " + e.detail
	}
	return text + "; before and after a row group is made, a processor returns every row exactly once: use the stage AfterGeneration to add " +
		"rows or to leave some out, or a custom column with allowResize"
}

// fail wraps what a processor did wrong.
func fail(failed *entry, batch *Batch, cause error) *failure.Error {
	policy := failed.policy
	if policy == "" {
		policy = v1alpha1.ProcessorFailRun
	}
	reason := v1alpha1.ReasonProcessorFailed
	var changed *resizedError
	if errors.As(cause, &changed) {
		// No other row group would fare better: it is the code that is wrong.
		reason, policy = v1alpha1.ReasonProcessorResized, v1alpha1.ProcessorFailRun
	}
	first, last := batch.Records[0].Row, batch.Records[0].Row
	for _, record := range batch.Records {
		first, last = min(first, record.Row), max(last, record.Row)
	}
	return failure.Wrap(&Error{
		Processor: failed.name, Stage: batch.Stage, Policy: policy, RowGroup: batch.RowGroup, First: first, Last: last, Cause: cause,
	}, reason, failure.EndRun, "the processor %q failed in the stage %s of row group %d (rows %d to %d)", failed.name, batch.Stage,
		batch.RowGroup, first, last)
}

// call runs a processor with a limit on its time. A panic of it is an error like others.
func (s *Set) call(ctx context.Context, logger *slog.Logger, next *entry, batch *Batch) (records []*table.Record, form *Form, err error) {
	limited, cancel := context.WithTimeoutCause(ctx, s.timeout, fmt.Errorf("it took longer than %s", s.timeout))
	defer cancel()
	defer func() {
		if cause := recover(); cause != nil {
			logger.Error("a processor panicked", "processor", next.name, "stage", batch.Stage, "rowGroup", batch.RowGroup, "stack",
				string(debug.Stack()))
			records, form, err = nil, nil, fmt.Errorf("it panicked: %v", cause)
		}
	}()
	records, form, err = next.process(limited, batch)
	if err != nil && limited.Err() != nil {
		err = context.Cause(limited)
	}
	return records, form, err
}

// check says in what the returned records differ from those of the batch, where they may not, and brings those into the batch's order.
func check(batch *Batch, returned []*table.Record) error {
	if batch.Resize {
		return nil
	}
	if len(returned) != len(batch.Records) {
		return &resizedError{expected: len(batch.Records), returned: len(returned)}
	}
	given := batch.Records // in this order already
	slices.SortStableFunc(returned, byIdentity)
	for i, record := range returned {
		order := byIdentity(record, given[i])
		if order == 0 {
			continue
		}
		detail := fmt.Sprintf("not row %d", given[i].Row)
		if order < 0 {
			detail = fmt.Sprintf("row %d more than once", record.Row)
		}
		return &resizedError{expected: len(given), returned: len(returned), detail: detail}
	}
	return nil
}

func byIdentity(a, b *table.Record) int {
	return cmp.Or(cmp.Compare(a.Row, b.Row), cmp.Compare(a.Ordinal, b.Ordinal))
}

// resized counts how many records were added and taken away.
func resized(given, returned []*table.Record) (added, filtered int64) {
	if len(given) == len(returned) && slices.EqualFunc(given, returned, func(a, b *table.Record) bool { return a.Row == b.Row }) {
		return 0, 0
	}
	counts := map[table.RowIndex]int64{}
	for _, record := range given {
		counts[record.Row]--
	}
	for _, record := range returned {
		counts[record.Row]++
	}
	for _, count := range counts {
		if count > 0 {
			added += count
		} else {
			filtered -= count
		}
	}
	return added, filtered
}
