package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"seedloom.dev/seedloom/engine/progress/terminal"
)

// Streams is all that commands read from and write to: results go to Out, everything else to the log.
type Streams struct {
	In  io.Reader
	Out io.Writer
	// Log is where lines for people go, and Screen the terminal behind it; nil when there is none.
	Log    *terminal.Output
	Screen *os.File
	// Width is the width of the terminal that Out is; nil, or 0, when it is none.
	Width func() int
	// Environment returns the value of an environment variable.
	Environment func(name string) (value string, set bool)
	// Interrupts delivers what a user sends to stop the program, until stop is called.
	Interrupts func() (signals <-chan os.Signal, stop func())
	// Exit ends the program at once.
	Exit func(code int)
}

// systemStreams are those of the process.
func systemStreams() *Streams {
	return &Streams{
		In: os.Stdin, Out: os.Stdout, Log: terminal.NewOutput(os.Stderr), Screen: os.Stderr, Environment: os.LookupEnv, Exit: os.Exit,
		Width: func() int {
			width, _, err := term.GetSize(int(os.Stdout.Fd()))
			if err != nil {
				return 0
			}
			return width
		},
		Interrupts: func() (<-chan os.Signal, func()) {
			signals := make(chan os.Signal, 2)
			signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
			return signals, func() { signal.Stop(signals) }
		},
	}
}

// Errorf writes a line for people.
func (s *Streams) Errorf(format string, arguments ...any) {
	fmt.Fprintf(s.Log, format+"\n", arguments...)
}

// width is the width of the terminal that results go to; 0 when they go elsewhere.
func (s *Streams) width() int {
	if s.Width == nil {
		return 0
	}
	return s.Width()
}
