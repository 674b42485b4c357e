package run

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/reason"
	"seedloom.dev/seedloom/internal/runreport"
)

// minOpenRows is how many rows may be open at least, so that the lanes don't starve while some rows wait for a retry. Row groups are only
// opened when a lane has nothing to do, so that many are open after failures alone.
const minOpenRows = 16_384

// maxCommitting is how many row groups may wait for the volume, which commits some of them at once, before more are opened. When the run is
// to end they are still committed, which must not take long.
const maxCommitting = 64

// asyncSource feeds row groups in their order, as many as memory and the lanes want, and commits each as soon as it is finished.
type asyncSource struct {
	job     *Job
	driver  *driver
	waiting *backlog
	open    map[int64]*openGroup
	rows    int
	maxRows int
	commits chan commitRequest
	results chan commitResult
	// unprocessed are the commits that processors have failed on. The committers share it, and the driver reads it when they have ended.
	unprocessed struct {
		sync.Mutex
		requests []commitRequest
	}
	// committing is how many row groups are being committed.
	committing int
}

type commitRequest struct {
	group *openGroup
	made  made
	// number is that of the work in the watch.
	number int64
}

// commitResult is what a commit of so many opened rows came to.
type commitResult struct {
	rows   int
	number int64
	// dropped are the rows that were given up on the way, and given the records that they had.
	dropped []store.DroppedRow
	given   []*table.Record
	err     *failure.Error
}

func executeAsync(ctx context.Context, job *Job) *failure.Error {
	waiting, err := job.openGroups(ctx)
	if err != nil {
		return err
	}
	driver := newDriver(job, job.Plan.Columns, job.newRecord, job.preBatch())
	maxRows := max(minOpenRows, 4*driver.slots, 2*int(job.Plan.RowGroupSize))
	// Every open group has a row at least, so that neither channel is ever full.
	mostOpen := int(min(waiting.left, int64(maxRows)+job.Plan.RowGroupSize))
	from := &asyncSource{
		job: job, driver: driver, waiting: waiting, open: make(map[int64]*openGroup), maxRows: maxRows,
		commits: make(chan commitRequest, mostOpen), results: make(chan commitResult, mostOpen),
	}
	// Processors that are at work when the run ends are given the time that tasks have to stop.
	processing, giveUp := context.WithCancel(ctx)
	defer giveUp()
	driver.giveUp = giveUp
	var committers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		committers.Go(func() {
			for request := range from.commits {
				now := request.made
				given, err := job.postBatch(processing, request.group.index, &now, false)
				if err == nil {
					err = job.commitPatiently(request.group, now)
				} else {
					from.notProcessed(request)
				}
				from.results <- commitResult{len(request.group.todo), request.number, now.dropped[len(request.made.dropped):], given, err}
			}
		})
	}
	ending := driver.run(ctx, from)
	close(from.commits)
	committers.Wait()
	if ending != nil && ending.Traits().Subject != reason.SubjectOwner {
		from.salvage(ctx, driver, ending)
	}
	return ending
}

// salvage commits the whole rows of the groups that were in work, and notes which rows are missing. Where processors or the code of batches
// look at whole row groups, and the run is to be started again, they are left to their journals: so these get the row groups as they would
// have.
func (s *asyncSource) salvage(ctx context.Context, d *driver, ending *failure.Error) {
	if ending.Temporary && s.job.needsWholeGroups() {
		return
	}
	for _, request := range s.unprocessed.requests {
		s.job.keepUsage(request.group, request.made)
	}
	for _, group := range d.core.TakeUnfinished() {
		usage := d.takeUsage(group.Index)
		if len(group.Done) == 0 && len(group.Dropped) == 0 && len(usage) == 0 {
			continue
		}
		now := s.made(group, usage)
		now.missing = group.Unfinished()
		given, err := s.job.postBatch(ctx, group.Index, &now, false)
		s.recount(given, now.dropped[len(now.dropped)-len(given):])
		if err == nil {
			err = s.job.commit(s.open[group.Index], now)
		} else {
			s.job.keepUsage(s.open[group.Index], now)
		}
		if err != nil {
			s.job.Logger.Error("the whole rows of an unfinished row group could not be written", "rowGroup", group.Index, "rows", len(group.Done), "error", err)
		}
	}
}

// notProcessed keeps a commit that processors have failed on. Any committer calls it.
func (s *asyncSource) notProcessed(request commitRequest) {
	s.unprocessed.Lock()
	defer s.unprocessed.Unlock()
	s.unprocessed.requests = append(s.unprocessed.requests, request)
}

func (s *asyncSource) refill(core *schedule.Core) *failure.Error {
	core.Ahead(int(s.waiting.left * s.job.Plan.RowGroupSize))
	for s.waiting.more() && s.committing < maxCommitting && core.NeedsRows() {
		group := s.waiting.first()
		if s.rows > 0 && s.rows+len(group.todo) > s.maxRows {
			break
		}
		usage, err := s.job.recovery.begin(group)
		if err != nil {
			return err
		}
		s.job.recovery.resume(group)
		if len(usage) > 0 {
			s.driver.recovered(group.index, usage...)
		}
		s.waiting.take()
		s.open[group.index] = group
		s.rows += len(group.todo)
		core.Add(group.index, group.todo)
	}
	return nil
}

func (s *asyncSource) more() bool { return s.waiting.more() }

func (s *asyncSource) made(group *schedule.Group, usage []runreport.Column) made {
	return made{records: group.Done, dropped: s.dropped(group.Dropped), usage: usage}
}

func (s *asyncSource) finished(group *schedule.Group, usage []runreport.Column) {
	opened := s.open[group.Index]
	delete(s.open, group.Index)
	s.committing++
	name := fmt.Sprintf("the commit of row group %d", group.Index)
	if s.job.Processors.Has(v1alpha1.ProcessorPostBatch) {
		name = nameOfStage(v1alpha1.ProcessorPostBatch, group.Index)
	}
	s.commits <- commitRequest{opened, s.made(group, usage), s.driver.watch.BeginBatch(name, len(group.Done), time.Now())}
}

func (s *asyncSource) fates(fates schedule.Fates) {
	counts := tally(s.job.Plan, fates.Done, s.job.countSkipped(fates.Skipped), s.dropped(fates.Dropped))
	counts.Work = s.driver.settled()
	s.job.Progress.Add(counts)
}

func (s *asyncSource) dropped(rows []schedule.Dropped) []store.DroppedRow {
	var dropped []store.DroppedRow
	for _, row := range rows {
		if row.Column < 0 {
			dropped = append(dropped, s.job.droppedBy(row.Row, row.Attempts, row.Failure))
			continue
		}
		dropped = append(dropped, s.job.droppedRow(row.Row, s.driver.column(row).Name, row.Attempts, row.Failure))
	}
	return dropped
}

func (s *asyncSource) settled() <-chan commitResult { return s.results }

func (s *asyncSource) busy() bool { return s.committing > 0 }

func (s *asyncSource) committed(result commitResult) {
	s.committing--
	s.driver.watch.Ended(result.number)
	s.rows -= result.rows
	s.recount(result.given, result.dropped)
}

// recount counts records as dropped that processors have given up: they were counted as whole before the processors had seen them.
func (s *asyncSource) recount(given []*table.Record, dropped []store.DroppedRow) {
	if len(given) == 0 {
		return
	}
	counts := tally(s.job.Plan, 0, nil, dropped)
	whole := tally(s.job.Plan, int64(len(given)), s.job.countSkipped(given), nil)
	counts.Records.Actual -= whole.Records.Actual
	for i := range counts.Columns {
		counts.Columns[i].Succeeded -= whole.Columns[i].Succeeded
		counts.Columns[i].Skipped -= whole.Columns[i].Skipped
	}
	s.job.Progress.Add(counts)
}
