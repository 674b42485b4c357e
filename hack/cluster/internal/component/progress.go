package component

import (
	"fmt"
	"io"
	"os"
	"time"
)

// step counts the long steps of one call, so that a reader knows how many are left.
type step struct{ number, total int }

func (s step) String() string { return fmt.Sprintf("[%d/%d]", s.number, s.total) }

// track runs one long step and shows that it is alive: a counting line on a terminal, a line every
// half minute elsewhere. It returns after its own goroutine has ended.
func track(output io.Writer, title string, work func() error) error {
	start := time.Now()
	elapsed := func() string { return time.Since(start).Round(time.Second).String() }
	terminal := isTerminal(output)
	interval := 30 * time.Second
	if terminal {
		interval = time.Second
		fmt.Fprintf(output, "%s ...", title)
	} else {
		fmt.Fprintf(output, "%s ...\n", title)
	}
	finished, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-finished:
				return
			case <-ticker.C:
				if terminal {
					fmt.Fprintf(output, "\r%s ... %s", title, elapsed())
				} else {
					fmt.Fprintf(output, "%s ... %s\n", title, elapsed())
				}
			}
		}
	}()
	err := work()
	close(finished)
	<-stopped
	result := "done"
	if err != nil {
		result = "failed"
	}
	if terminal {
		fmt.Fprintf(output, "\r%s ... %s (%s)\n", title, elapsed(), result)
	} else {
		fmt.Fprintf(output, "%s ... %s (%s)\n", title, elapsed(), result)
	}
	return err
}

func isTerminal(output io.Writer) bool {
	file, ok := output.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
