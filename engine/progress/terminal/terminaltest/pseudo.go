// Package terminaltest gives tests a pseudo-terminal with a terminal emulator at its other end. It is for tests only.
package terminaltest

import (
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

// Pseudo is a pseudo-terminal.
type Pseudo struct {
	// Slave is the end that a program takes for its terminal.
	Slave  *os.File
	t      testing.TB
	master *os.File
	screen vt10x.Terminal
	read   chan struct{}

	mutex sync.Mutex
	text  strings.Builder
}

// New returns a pseudo-terminal of a size. Its test closes it.
func New(t testing.TB, width, height int) *Pseudo {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("there are no pseudo-terminals here: %v", err)
	}
	if err := pty.Setsize(master, &pty.Winsize{Cols: uint16(width), Rows: uint16(height)}); err != nil {
		t.Fatal(err)
	}
	result := &Pseudo{Slave: slave, t: t, master: master, screen: vt10x.New(vt10x.WithSize(width, height)), read: make(chan struct{})}
	go func() {
		defer close(result.read)
		_, _ = io.Copy(result, master) // ends with an error when the other end is closed
	}()
	return result
}

// Write takes what was written to the terminal.
func (p *Pseudo) Write(text []byte) (int, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.text.Write(text)
	return p.screen.Write(text)
}

// Text is all that was written so far.
func (p *Pseudo) Text() string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.text.String()
}

// Lines are the lines that stand on the screen, without empty ones.
func (p *Pseudo) Lines() []string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return LinesOf(p.screen)
}

// CursorVisible says whether the cursor is shown.
func (p *Pseudo) CursorVisible() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.screen.CursorVisible()
}

// Close closes the terminal, and returns what stands on it.
func (p *Pseudo) Close() []string {
	p.t.Helper()
	_ = p.Slave.Close()
	<-p.read
	_ = p.master.Close()
	return p.Lines()
}

// LinesOf are the lines that stand on an emulator's screen, without empty ones.
func LinesOf(screen vt10x.Terminal) []string {
	var lines []string
	for _, line := range strings.Split(screen.String(), "\n") {
		if line = strings.TrimRight(line, " "); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
