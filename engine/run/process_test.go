package run

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/process"
	"seedloom.dev/seedloom/engine/sandbox"
	"seedloom.dev/seedloom/engine/table"
)

// codeWorkers run the code of processors.
func codeWorkers(t *testing.T) *sandbox.Workers {
	t.Helper()
	workers := sandbox.NewWorkers()
	t.Cleanup(workers.Close)
	return workers
}

// processing gives a stubbed job a processor of the stage PreBatch.
func (s *stubbed) processing(t *testing.T, body string) {
	t.Helper()
	s.Plan.Spec.Processors = []v1alpha1.Processor{{Name: "look", Starlark: &v1alpha1.StarlarkProcessor{
		Stage: v1alpha1.ProcessorPreBatch, Source: "def process(rows):\n    " + body + "\n    return rows\n",
	}}}
	made, err := process.New(s.Plan.Spec, s.Plan.Schema, codeWorkers(t))
	if err != nil {
		t.Fatal(err)
	}
	s.Processors = made
}

// A row group all of whose rows are lost while they are sampled: each is counted once, and no processor is called for it.
func TestNoProcessorIsCalledForARowGroupThatIsLost(t *testing.T) {
	var asked atomic.Int64
	job := newStubbed(t, func(_ context.Context, row table.RowIndex) (any, error) {
		if row < 10 {
			return nil, failure.New(v1alpha1.ReasonTemplateError, failure.DropRow, "there is no value")
		}
		return fmt.Sprint("row ", row), nil
	}, func(_ context.Context, row table.RowIndex) (string, error) {
		asked.Add(1)
		return "text", nil
	})
	job.processing(t, `if rows[0]["_row"] < 10: fail("called")`)
	if ending := Execute(t.Context(), job.Job); ending != nil {
		t.Fatal(ending)
	}
	snapshot := job.Progress.Snapshot()
	if snapshot.Records.Actual != 30 || snapshot.Records.Dropped != 10 || job.written() != 30 || asked.Load() != 30 {
		t.Errorf("records: %+v, %d written, %d asked", snapshot.Records, job.written(), asked.Load())
	}
	for _, column := range snapshot.Columns {
		if sum := column.Succeeded + column.Failed + column.Skipped + column.Dropped; sum != 40 || column.Succeeded != 30 {
			t.Errorf("column %+v", column)
		}
	}
}

func TestTheFailureOfAProcessorSaysWhereItWas(t *testing.T) {
	job := newStubbed(t, func(_ context.Context, row table.RowIndex) (any, error) { return fmt.Sprint("row ", row), nil },
		func(ctx context.Context, row table.RowIndex) (string, error) {
			if row >= 20 && row < 30 {
				t.Errorf("row %d was asked for", row)
			}
			<-ctx.Done()
			return "", ctx.Err()
		})
	job.processing(t, `if rows[0]["_row"] == 20: fail("so sad")`)
	ending := Execute(t.Context(), job.Job)
	var failed *process.Error
	if !errors.As(ending, &failed) || failed.Processor != "look" || failed.Stage != v1alpha1.ProcessorPreBatch || failed.RowGroup != 2 ||
		failed.First != 20 || failed.Last != 29 || ending.Reason != v1alpha1.ReasonProcessorFailed {
		t.Fatalf("got %v, %+v", ending, failed)
	}
	if job.written() != 0 {
		t.Errorf("%d rows were written", job.written())
	}
}

// A run that ends early writes what is whole of a row group; what a processor gives up of it is not counted as written.
func TestWhatAProcessorGivesUpAtTheEndIsCountedAsDropped(t *testing.T) {
	job := newStubbed(t, quick, func(_ context.Context, row table.RowIndex) (string, error) {
		if row == 9 {
			return "", failure.New(v1alpha1.ReasonModelAuthentication, failure.EndRun, "the key was withdrawn")
		}
		return "text", nil
	})
	job.processing(t, `fail("so sad")`)
	job.Plan.Spec.Processors[0].FailurePolicy = v1alpha1.ProcessorFailRowGroup
	job.Plan.Spec.Processors[0].Starlark.Stage = v1alpha1.ProcessorPostBatch
	var err error
	if job.Processors, err = process.New(job.Plan.Spec, job.Plan.Schema, codeWorkers(t)); err != nil {
		t.Fatal(err)
	}
	if ending := Execute(t.Context(), job.Job); ending == nil || ending.Reason != v1alpha1.ReasonModelAuthentication {
		t.Fatal(ending)
	}
	if records := job.Progress.Snapshot().Records; records.Actual != 0 || records.Dropped < 5 || job.written() != 0 {
		t.Errorf("records: %+v, %d written", records, job.written())
	}
}

func TestWhatAProcessorMadeIsWritten(t *testing.T) {
	job := newStubbed(t, func(_ context.Context, row table.RowIndex) (any, error) { return fmt.Sprint("row ", row), nil },
		func(context.Context, table.RowIndex) (string, error) { return "text", nil })
	job.processing(t, `rows[0].update(id="first")`)
	if ending := Execute(t.Context(), job.Job); ending != nil {
		t.Fatal(ending)
	}
	for group := range int64(4) {
		manifest, _, err := job.Store.Group(group)
		if err != nil {
			t.Fatal(err)
		}
		records, err := job.Store.ReadRecords(manifest)
		if err != nil || len(records) != 10 || records[0].Cells[0] != "first" || records[1].Cells[0] != fmt.Sprint("row ", group*10+1) {
			t.Errorf("row group %d: %v, %v", group, records, err)
		}
	}
}
