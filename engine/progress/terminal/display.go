package terminal

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"seedloom.dev/seedloom/engine/progress"
)

const (
	// frameInterval is the shortest time between two redraws.
	frameInterval = 100 * time.Millisecond
	// refreshFrames is after how many of them the numbers are read anew: faster than that nobody reads them.
	refreshFrames = 3
	// sizeAge is how long the terminal's size is taken for granted without a signal.
	sizeAge = time.Second
	// minWidth and minHeight are the smallest terminal with a panel.
	minWidth, minHeight = 30, 8
)

// Screen is a terminal.
type Screen interface {
	io.Writer
	// Size returns the columns and lines.
	Size() (width, height int, err error)
	// Resizes delivers a signal when the size may have changed, until stop is called.
	Resizes() (signals <-chan os.Signal, stop func())
}

// Display is a panel on a terminal. One goroutine draws it.
type Display struct {
	output *Output
	screen Screen
	title  string
	source func() progress.Snapshot

	ending  chan struct{}
	ended   chan struct{}
	closing sync.Once

	// What follows is guarded by the output's lock.

	width, height int
	asked         time.Time
	resized       bool
	// drawn are the widths of the lines of the panel that stand on the screen, above the cursor.
	drawn []int
	// panel is what was read last.
	panel progress.Snapshot
	frame string
}

// Show shows the progress from source on a screen, with the lines of output above it. Where there is nothing to show (no column of a
// model), where the screen is too small, or where output has a display already, it returns nil, and writes nothing: then the log tells the
// progress. The caller closes the display.
func Show(output *Output, screen Screen, title string, source func() progress.Snapshot) *Display {
	first := source()
	if len(shownColumns(&first)) == 0 {
		return nil
	}
	width, height, err := screen.Size()
	if err != nil || width < minWidth || height < minHeight {
		return nil
	}
	display := &Display{
		output: output, screen: screen, title: title, source: source, ending: make(chan struct{}), ended: make(chan struct{}),
		width: width, height: height, asked: time.Now(), panel: first,
	}
	output.mutex.Lock()
	defer output.mutex.Unlock()
	if output.shown != nil {
		return nil
	}
	output.shown = display
	go display.draw()
	return display
}

// Close draws the last frame, which stays on the screen, and gives the terminal back. When it returns, the display writes nothing any more,
// and lines go straight through. It may be called more than once, and for a display that is not shown.
func (d *Display) Close() {
	if d == nil {
		return
	}
	d.closing.Do(func() { close(d.ending) })
	<-d.ended
}

func (d *Display) draw() {
	defer close(d.ended)
	resizes, stop := d.screen.Resizes()
	defer stop()
	ticker := time.NewTicker(frameInterval)
	defer ticker.Stop()
	for count := 0; ; count++ {
		if count%refreshFrames == 0 {
			d.refresh(false)
		} else {
			d.redraw()
		}
		select {
		case <-ticker.C:
		case <-resizes:
			d.output.mutex.Lock()
			d.resized = true
			d.output.mutex.Unlock()
			<-ticker.C
		case <-d.ending:
			d.refresh(true)
			return
		}
	}
}

// refresh reads the numbers anew and draws them.
func (d *Display) refresh(last bool) {
	snapshot := d.source()
	d.output.mutex.Lock()
	defer d.output.mutex.Unlock()
	d.panel = snapshot
	d.render()
	if last {
		d.output.shown = nil
	}
}

// redraw draws what was read last, when lines have come in the meantime.
func (d *Display) redraw() {
	d.output.mutex.Lock()
	defer d.output.mutex.Unlock()
	if d.output.pending.Len() > 0 || d.resized {
		d.render()
	}
}

// render writes the pending lines, and the panel below them. A frame that would change nothing is not written.
func (d *Display) render() {
	d.measure()
	lines := layout(&d.panel, d.title, d.width, d.height)
	frame := strings.Join(lines, "\n")
	if frame == d.frame && d.output.pending.Len() == 0 && len(d.drawn) == len(lines) {
		return
	}
	var text strings.Builder
	d.erase(&text)
	text.Write(d.output.pending.Bytes())
	d.output.pending.Reset()
	for _, line := range lines {
		text.WriteString(line)
		text.WriteByte('\n')
		d.drawn = append(d.drawn, Width(line))
	}
	d.frame = frame
	// A terminal that is gone is nobody's error to handle.
	_, _ = io.WriteString(d.screen, text.String())
}

// makeRoom writes the pending lines in place of the panel, which the next frame draws again.
func (d *Display) makeRoom() {
	var text strings.Builder
	d.erase(&text)
	text.Write(d.output.pending.Bytes())
	d.output.pending.Reset()
	_, _ = io.WriteString(d.screen, text.String())
}

// measure learns the size of the terminal when what is known of it may be wrong.
func (d *Display) measure() {
	now := time.Now()
	if !d.resized && now.Sub(d.asked) < sizeAge {
		return
	}
	d.resized, d.asked = false, now
	if width, height, err := d.screen.Size(); err == nil {
		d.width, d.height = width, height
	}
}

// erase writes what takes the panel off the screen. On a terminal that has become narrower, its lines may have been broken into several.
func (d *Display) erase(text *strings.Builder) {
	if len(d.drawn) == 0 {
		return
	}
	up := 0
	for _, width := range d.drawn {
		up += max(1, (width+d.width-1)/max(1, d.width))
	}
	fmt.Fprintf(text, "\x1b[%dA\r\x1b[J", max(1, min(up, d.height-1)))
	d.drawn = d.drawn[:0]
}
