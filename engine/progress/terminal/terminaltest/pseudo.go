// Package terminaltest gives tests a pseudo-terminal with a terminal emulator at its other end. It is for tests only.
package terminaltest

import (
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

const (
	// endMark is a title, which changes nothing on the screen. Close writes it after all else, since some systems drop what has not been read
	// of a terminal when its last writer closes it.
	endMark = "\x1b]0;end\x07"
	// endPatience is how long the mark is waited for.
	endPatience = 30 * time.Second
)

// Pseudo is a pseudo-terminal.
type Pseudo struct {
	// Slave is the end that a program takes for its terminal.
	Slave  *os.File
	t      testing.TB
	master *os.File
	screen vt10x.Terminal
	// marked is closed when endMark has been read, and read when nothing more can be.
	marked, read chan struct{}

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
	result := &Pseudo{
		Slave: slave, t: t, master: master, screen: vt10x.New(vt10x.WithSize(width, height)),
		marked: make(chan struct{}), read: make(chan struct{}),
	}
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
	if strings.HasSuffix(p.text.String(), endMark) {
		close(p.marked)
	}
	return p.screen.Write(text)
}

// Text is all that was written so far.
func (p *Pseudo) Text() string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return strings.TrimSuffix(p.text.String(), endMark)
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
	if _, err := io.WriteString(p.Slave, endMark); err == nil {
		select {
		case <-p.marked:
		case <-time.After(endPatience):
			p.t.Errorf("the end of what was written to the terminal can't be read after %s", endPatience)
		}
	}
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
