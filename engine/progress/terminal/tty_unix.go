//go:build unix

package terminal

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

// TTY is the terminal that a file is connected to. Of all processes and displays, one at a time has it.
type TTY struct{ file *os.File }

// OpenTTY takes the terminal of a file. The caller closes it.
func OpenTTY(file *os.File) (*TTY, error) {
	if !term.IsTerminal(int(file.Fd())) {
		return nil, ErrNoTerminal
	}
	// Opened anew: the lock belongs to what was opened, and the file itself may be shared with other processes.
	opened, err := os.OpenFile(fmt.Sprintf("/dev/fd/%d", file.Fd()), os.O_WRONLY|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(opened.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = opened.Close()
		return nil, ErrTaken
	}
	return &TTY{file: opened}, nil
}

// Write writes to the terminal.
func (t *TTY) Write(text []byte) (int, error) { return t.file.Write(text) }

// Size asks the terminal for its size.
func (t *TTY) Size() (width, height int, err error) { return term.GetSize(int(t.file.Fd())) }

// Resizes delivers SIGWINCH.
func (t *TTY) Resizes() (<-chan os.Signal, func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGWINCH)
	return signals, func() { signal.Stop(signals) }
}

// Close gives the terminal back.
func (t *TTY) Close() error { return t.file.Close() }
