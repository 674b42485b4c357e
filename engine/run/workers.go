package run

import "sync"

// workers are the goroutines that tasks run in. One that is done waits for the next task: its stack has grown to what a request needs,
// which costs as much as writing the request to its connection when every task begins with a new one.
type workers struct {
	tasks   chan func()
	running sync.WaitGroup
}

func newWorkers() *workers { return &workers{tasks: make(chan func())} }

// do runs a task in a goroutine that waits for one, or in a new one.
func (w *workers) do(task func()) {
	select {
	case w.tasks <- task:
	default:
		w.running.Go(func() {
			for more := true; more; {
				task()
				task = nil // a worker that waits must not keep the row group of its last task in memory
				task, more = <-w.tasks
			}
		})
	}
}

// stop ends the goroutines, and waits for those of tasks that have come back; with abandoned, some never do.
func (w *workers) stop(abandoned bool) {
	close(w.tasks)
	if !abandoned {
		w.running.Wait()
	}
}
