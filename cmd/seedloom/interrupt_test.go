package main

import (
	"log/slog"
	"os"
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/progress/terminal"
)

func TestASecondInterruptEndsAtOnce(t *testing.T) {
	var log strings.Builder
	signals, exits := make(chan os.Signal), make(chan int, 1)
	ignored := false
	streams := &Streams{
		Log:        terminal.NewOutput(&log),
		Interrupts: func() (<-chan os.Signal, func()) { return signals, func() { ignored = true } },
		Exit:       func(code int) { exits <- code },
	}
	ctx, stop := interruptible(t.Context(), streams, slog.New(slog.NewTextHandler(streams.Log, nil)))
	signals <- os.Interrupt
	<-ctx.Done()
	select {
	case code := <-exits:
		t.Fatalf("the first interrupt has ended the program with %d", code)
	default:
	}
	signals <- os.Interrupt
	if code := <-exits; code != exitInterrupted {
		t.Errorf("the exit code is %d", code)
	}
	stop()
	if !ignored || strings.Count(log.String(), "stopping: ") != 1 {
		t.Errorf("ignored: %v; log: %s", ignored, log.String())
	}
}
