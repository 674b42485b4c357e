package run

import (
	"context"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/process"
	"seedloom.dev/seedloom/internal/reason"
)

// syncRun makes one batch (a row group) after the other, and in it one segment after the other.
type syncRun struct {
	executor *executor
	segments []*segment
	backlog  *backlog
}

func newSyncRun(ctx context.Context, e *executor) (*syncRun, *failure.Error) {
	waiting, err := e.openBacklog(ctx)
	if err != nil {
		return nil, err
	}
	return &syncRun{executor: e, segments: segmentsOf(e), backlog: waiting}, nil
}

func (s *syncRun) run(ctx context.Context) *failure.Error {
	for group := s.backlog.begin(); group != nil; group = s.backlog.begin() {
		fresh := &output{}
		if err := s.make(ctx, group, fresh); err != nil {
			s.salvage(ctx, group, fresh, err)
			return err
		}
		if err := s.postBatch(ctx, group.index, fresh); err != nil {
			if !err.Temporary {
				s.executor.keepUsage(group, *fresh)
			}
			return err
		}
		if err := s.executor.commitPatiently(group, *fresh); err != nil {
			return err
		}
		s.executor.ledger.batchMet(fresh, accountedOf(s.segments))
	}
	return nil
}

// make takes the rows of a group through all segments. With an error, fresh has what was made until then.
func (s *syncRun) make(ctx context.Context, group *rowGroup, fresh *output) *failure.Error {
	e := s.executor
	e.values = group.read(e.Seed, e.Plan.Schema.Len())
	for _, todo := range group.todo {
		fresh.records = append(fresh.records, e.newRecord(todo.Row, todo.Attempt))
	}
	e.values = nil
	usage, err := e.recovery.begin(group)
	if err != nil {
		return err
	}
	fresh.usage = usage
	e.ledger.spentEarlier(usage...)
	for position, part := range s.segments {
		err := part.makeColumns(ctx, group.index, fresh)
		fresh.whole = position == len(s.segments)-1 && part.driver != nil && part.resize == nil && !part.held
		if err != nil {
			return err
		}
		if part.held {
			if dropped, err := s.preBatch(ctx, group.index, fresh); err != nil || dropped {
				return err
			}
		}
		if err := part.resizeBatch(ctx, group.index, fresh); err != nil {
			return err
		}
	}
	return nil
}

// preBatch lets the processors work on the sampled rows of a batch, which they may resize. It says whether the batch was given up.
func (s *syncRun) preBatch(ctx context.Context, index int64, fresh *output) (dropped bool, err *failure.Error) {
	if len(fresh.records) == 0 {
		return false, nil
	}
	batch := &process.Batch{
		Stage: v1alpha1.ProcessorPreBatch, RowGroup: index, Records: fresh.records, Columns: sampledIndexes(s.executor.Plan), Resize: true,
	}
	var result *process.Result
	err = s.beside(ctx, nameOfStage(batch.Stage, index), len(fresh.records), func(ctx context.Context) (err *failure.Error) {
		result, err = s.executor.process(ctx, batch)
		return err
	})
	if err != nil {
		if !process.DropsRowGroup(err) {
			return false, err
		}
		fresh.giveUp(s.executor.Job, err)
		return true, nil
	}
	fresh.records = result.Records
	fresh.added += result.Added
	fresh.filtered += result.Filtered
	return false, nil
}

// postBatch lets the processors work on a batch before it is written; they may resize it.
func (s *syncRun) postBatch(ctx context.Context, index int64, fresh *output) *failure.Error {
	if !s.executor.Processors.Has(v1alpha1.ProcessorPostBatch) || len(fresh.records) == 0 {
		return nil
	}
	name := nameOfStage(v1alpha1.ProcessorPostBatch, index)
	return s.beside(ctx, name, len(fresh.records), func(ctx context.Context) *failure.Error {
		_, err := s.executor.postBatch(ctx, index, fresh, true)
		return err
	})
}

// beside does work on a batch as a driver runs its tasks: it is reported while it is under way, and ends with the run.
func (s *syncRun) beside(ctx context.Context, name string, rows int, work func(ctx context.Context) *failure.Error) *failure.Error {
	d := newDriver(s.executor, assignment{})
	var err *failure.Error
	returned := false
	d.besides.waiting = []beside{{
		name: name, rows: rows,
		work:  func(ctx context.Context) { err = work(ctx) },
		apply: func() { returned = true },
	}}
	ending := d.run(ctx, &onlyGroup{})
	if returned && (ending == nil || ending.Traits().AskedToStop) {
		return err // what is done is kept, also where the run was asked to stop meanwhile
	}
	return ending
}

// salvage commits the whole rows of the batch in which the run has ended, and notes which rows are missing. Where the run is to be started
// again, the batch is left to its journal: so the code that resizes it gets all of its rows, as it would have.
func (s *syncRun) salvage(ctx context.Context, group *rowGroup, fresh *output, ending *failure.Error) {
	if ending.Temporary || ending.Traits().Subject == reason.SubjectOwner {
		return
	}
	fresh.keepWholeRows(group)
	if len(fresh.records) == 0 && len(fresh.dropped) == 0 && len(fresh.usage) == 0 {
		return
	}
	if group.again != nil && int64(len(fresh.records)) < group.again.Rows {
		return // what is there already is more
	}
	_, err := s.executor.postBatch(ctx, group.index, fresh, true)
	if err == nil {
		err = s.executor.commit(group, *fresh)
	} else {
		s.executor.keepUsage(group, *fresh)
	}
	if err != nil {
		s.executor.Logger.Error("the whole rows of an unfinished batch could not be written", "rowGroup", group.index,
			"rows", len(fresh.records), "error", err)
		return
	}
	s.executor.ledger.batchMet(fresh, accountedOf(s.segments))
}
