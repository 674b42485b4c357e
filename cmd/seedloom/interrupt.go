package main

import (
	"context"
	"log/slog"
)

// interruptible returns a context that ends when the user interrupts the program; a second time, the program ends at once. The caller calls
// stop.
func interruptible(parent context.Context, streams *Streams, logger *slog.Logger) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	signals, ignore := streams.Interrupts()
	ending, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for count := 1; ; count++ {
			select {
			case <-ending:
				return
			case <-signals:
			}
			if count > 1 {
				streams.Exit(exitInterrupted)
				return
			}
			logger.Warn("stopping: no request is sent any more, those under way may finish, and what is made is kept; "+
				"interrupt again to end at once", "atMost", drainTime)
			cancel()
		}
	}()
	return ctx, func() {
		ignore()
		close(ending)
		<-ended
		cancel()
	}
}
