package run

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// maxCommitting is how many row groups may wait for the volume, which commits some of them at once, before more are opened. When the run is
// to end they are still committed, which must not take long.
const maxCommitting = 64

// writersPerCore is how many commits may be under way for each core: most of their time they wait for the volume, which takes the syncs of
// several files together.
const writersPerCore = 4

// wholeCells is about how many cells may be held by row groups that are made where they are committed, but for one row group a core.
const wholeCells = 512 << 10

// commits write row groups while others are made, in goroutines of their own, for which stop waits. They belong to the driver's goroutine;
// a nil one has nothing to do.
type commits struct {
	executor *executor
	requests chan commitRequest
	results  chan commitResult
	// underway is how many row groups are being committed, and whole how many of them are made there too, of which mostWhole may be.
	underway, whole, mostWhole int
	writers                    sync.WaitGroup
	cancel                     context.CancelFunc
}

type commitRequest struct {
	group *rowGroup
	fresh output
	// whole makes the row group before it is committed; nil for one that was made.
	whole *columnar
	// number is that of the work in the watch.
	number int64
}

// commitResult is what a commit of so many opened rows, with so many bytes of values, came to.
type commitResult struct {
	// whole is the row group where it was to be made too, drawn counts its draws, and failed says that it was not made, and has to be made
	// row by row.
	whole  *rowGroup
	failed bool
	drawn  []runreport.Column
	rows   int
	bytes  int64
	number int64
	// dropped are the rows that were given up on the way, and givenUp the records that they had.
	dropped []store.DroppedRow
	givenUp []*table.Record
	err     *failure.Error
	// unprocessed is what processors have failed on; nil where they have not.
	unprocessed *commitRequest
}

// startCommits starts the goroutines. No more row groups than most are ever under way.
func startCommits(ctx context.Context, e *executor, most int) *commits {
	// Processors that are at work when the run ends are given the time that tasks have to stop.
	processing, cancel := context.WithCancel(ctx)
	cores := runtime.GOMAXPROCS(0)
	writers := max(writersPerCore*cores, e.Store.Pace().Writers)
	c := &commits{
		executor: e, requests: make(chan commitRequest, most), results: make(chan commitResult, most), cancel: cancel,
		mostWhole: min(max(wholeCells/(int(e.Plan.RowGroupSize)*e.Plan.Schema.Len()), cores), writers),
	}
	for range writers {
		c.writers.Go(func() {
			for request := range c.requests {
				c.results <- c.commit(processing, request)
			}
		})
	}
	return c
}

func (c *commits) commit(ctx context.Context, request commitRequest) commitResult {
	fresh := request.fresh
	if request.whole != nil {
		return c.commitWhole(ctx, request)
	}
	back := commitResult{rows: len(request.group.todo), bytes: request.group.bytes, number: request.number}
	back.givenUp, back.err = c.executor.postBatch(ctx, request.group.index, &fresh, false)
	if back.err == nil {
		back.err = c.executor.commitPatiently(request.group, fresh)
	} else {
		back.unprocessed = &request
	}
	back.dropped = fresh.dropped[len(request.fresh.dropped):]
	return back
}

// commitWhole makes a row group, and commits it.
func (c *commits) commitWhole(ctx context.Context, request commitRequest) commitResult {
	back := commitResult{whole: request.group, bytes: request.group.bytes, number: request.number}
	request.fresh.columns, request.fresh.drawn = request.whole.columnsOf(ctx, request.group)
	if request.fresh.columns == nil {
		back.failed = true
		return back
	}
	back.drawn = request.fresh.drawn
	back.err = c.executor.commitPatiently(request.group, request.fresh)
	return back
}

// nameOf names the commit of a row group for people.
func (c *commits) nameOf(index int64) string {
	if c.executor.Processors.Has(v1alpha1.ProcessorPostBatch) {
		return nameOfStage(v1alpha1.ProcessorPostBatch, index)
	}
	return fmt.Sprintf("the commit of row group %d", index)
}

// begin begins a commit.
func (c *commits) begin(request commitRequest) {
	c.underway++
	if request.whole != nil {
		c.whole++
	}
	c.requests <- request
}

// returned is where commits come back.
func (c *commits) returned() <-chan commitResult {
	if c == nil {
		return nil
	}
	return c.results
}

// ended notes the end of a commit.
func (c *commits) ended(back commitResult) {
	c.underway--
	if back.whole != nil {
		c.whole--
	}
}

// full says that so many row groups wait for the volume, or to be made there, that no more are to be opened.
func (c *commits) full() bool {
	return c != nil && (c.underway >= maxCommitting || c.whole > 0 && c.whole >= c.mostWhole)
}

func (c *commits) busy() bool { return c != nil && c.underway > 0 }

// giveUp cancels the processors that are at work.
func (c *commits) giveUp() {
	if c != nil {
		c.cancel()
	}
}

// stop returns when nothing is being committed any more.
func (c *commits) stop() {
	close(c.requests)
	c.writers.Wait()
	c.cancel()
}
