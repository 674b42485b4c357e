package run

import (
	"context"
	"time"

	"seedloom.dev/seedloom/engine/watch"
)

// beside is work on a whole row group that the scheduler does not know of: that of processors.
type beside struct {
	name string
	rows int
	// work is done in a goroutine and a context of its own; apply takes what came of it, in the driver's goroutine.
	work  func(ctx context.Context)
	apply func()
}

// besides is the work beside the tasks of a driver. It belongs to the driver's goroutine.
type besides struct {
	watch   *watch.Watch
	waiting []beside
	running int
	// returned yields what is to be called in the driver's goroutine when work has come back.
	returned chan func()
}

func newBesides(watch *watch.Watch) *besides {
	return &besides{watch: watch, returned: make(chan func())}
}

// start starts what waits. The goroutines belong to the driver, which takes what they return.
func (b *besides) start(ctx context.Context) {
	for _, next := range b.waiting {
		b.running++
		number := b.watch.BeginBatch(next.name, next.rows, time.Now())
		go func() {
			own, cancel := context.WithCancel(ctx)
			defer cancel()
			next.work(own)
			b.returned <- func() {
				b.running--
				b.watch.Ended(number)
				next.apply()
			}
		}()
	}
	b.waiting = nil
}
