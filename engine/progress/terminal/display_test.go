package terminal

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hinshun/vt10x"
	"go.uber.org/goleak"

	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/engine/progress/terminal/terminaltest"
	"seedloom.dev/seedloom/internal/runreport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// emulated is a terminal in memory, which counts what is done to it.
type emulated struct {
	mutex         sync.Mutex
	screen        vt10x.Terminal
	width, height int
	sizes, writes int
	signals       chan os.Signal
	text          strings.Builder
}

func newEmulated(width, height int) *emulated {
	return &emulated{screen: vt10x.New(vt10x.WithSize(width, height)), width: width, height: height, signals: make(chan os.Signal, 1)}
}

func (e *emulated) Write(text []byte) (int, error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.writes++
	e.text.Write(text)
	// What the line discipline of a terminal does.
	return e.screen.Write([]byte(strings.ReplaceAll(string(text), "\n", "\r\n")))
}

func (e *emulated) Size() (int, int, error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.sizes++
	return e.width, e.height, nil
}

func (e *emulated) Resizes() (<-chan os.Signal, func()) { return e.signals, func() {} }

func (e *emulated) resize(width, height int) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.width, e.height = width, height
	e.screen.Resize(width, height)
	e.signals <- os.Interrupt // any signal
}

func (e *emulated) counts() (sizes, writes int) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return e.sizes, e.writes
}

// lines are the lines that stand on the screen.
func (e *emulated) lines() []string {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return terminaltest.LinesOf(e.screen)
}

// counting is a source of snapshots that counts one record at each look.
func counting() func() progress.Snapshot {
	var records atomic.Int64
	return func() progress.Snapshot {
		snapshot := sampleSnapshot()
		snapshot.Records = runreport.Records{Target: 1_000_000, Actual: records.Add(1)}
		return snapshot
	}
}

func panels(lines []string) (count int) {
	for _, line := range lines {
		if strings.Contains(line, " records (") {
			count++
		}
	}
	return count
}

func TestLinesComeAboveThePanel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		screen := newEmulated(80, 40)
		output := NewOutput(screen)
		logger := slog.New(slog.NewTextHandler(output, nil))
		display := Show(output, screen, "movie-reviews", counting())
		for i := range 5 {
			logger.Info("a line", "number", i)
			time.Sleep(time.Second)
		}
		display.Close()
		display.Close()
		logger.Info("after the end")
		lines := screen.lines()
		want := []string{"number=0", "number=1", "number=2", "number=3", "number=4", "movie-reviews: ", "[", "column ", "review ", "summary ", "model ", "writer ", "2 requests", "after the end"}
		if len(lines) != len(want) || panels(lines) != 1 {
			t.Fatalf("got\n%s", strings.Join(lines, "\n"))
		}
		for i, part := range want {
			if !strings.Contains(lines[i], part) {
				t.Errorf("line %d is %q, want it to have %q", i, lines[i], part)
			}
		}
	})
}

func TestRedrawsAndQuestionsForTheSizeAreRare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		screen := newEmulated(80, 24)
		output := NewOutput(screen)
		display := Show(output, screen, "movie-reviews", counting())
		for i := range 10_000 {
			if i%10 == 0 {
				time.Sleep(time.Millisecond)
			}
			fmt.Fprintf(output, "line %d\n", i)
		}
		sizes, writes := screen.counts()
		if sizes > 2 || writes > 12+10_000*10/maxPending {
			t.Errorf("10 000 lines in a second cost %d questions for the size and %d redraws", sizes, writes)
		}
		display.Close()
		for i := range 10_000 {
			if !strings.Contains(screen.text.String(), fmt.Sprintf("line %d\n", i)) {
				t.Fatalf("line %d is lost", i)
			}
		}
	})
}

func TestTheNextFrameHasTheNewSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		screen := newEmulated(100, 24)
		output := NewOutput(screen)
		display := Show(output, screen, "movie-reviews", counting())
		defer display.Close()
		time.Sleep(time.Second)
		for _, size := range [][2]int{{60, 24}, {120, 24}, {40, 12}, {100, 30}} {
			screen.resize(size[0], size[1])
			time.Sleep(2 * frameInterval)
			lines := screen.lines()
			if panels(lines) != 1 {
				t.Fatalf("after a resize to %v, got\n%s", size, strings.Join(lines, "\n"))
			}
			if bars := lines[1]; len(bars) != size[0] || !strings.HasPrefix(bars, "[") {
				t.Errorf("after a resize to %v, the bar is %q", size, bars)
			}
		}
		screen.resize(25, 24)
		time.Sleep(2 * frameInterval)
		fmt.Fprintln(output, "a line")
		time.Sleep(2 * frameInterval)
		if lines := screen.lines(); panels(lines) != 0 || len(lines) != 1 {
			t.Errorf("on a terminal that is too small, got\n%s", strings.Join(lines, "\n"))
		}
	})
}

func TestNothingToShowIsNotShown(t *testing.T) {
	screen := newEmulated(80, 24)
	output := NewOutput(screen)
	local := func() progress.Snapshot { return progress.Snapshot{Columns: []progress.Column{{Name: "stars"}}} }
	if display := Show(output, screen, "d", local); display != nil {
		t.Error("a run without a column of a model has a panel")
	}
	for _, size := range [][2]int{{29, 24}, {80, 7}} {
		if display := Show(output, newEmulated(size[0], size[1]), "d", counting()); display != nil {
			t.Errorf("a terminal of %v has a panel", size)
		}
	}
	if _, writes := screen.counts(); writes > 0 {
		t.Errorf("%q was written", screen.text.String())
	}
	first := Show(output, screen, "d", counting())
	if second := Show(output, screen, "d", counting()); second != nil {
		t.Error("two displays have one output")
	}
	first.Close()
	second := Show(output, screen, "d", counting())
	if second == nil {
		t.Error("the output is not free after Close")
	}
	second.Close()
}

func TestLinesAreMadeSafe(t *testing.T) {
	var text strings.Builder
	output := NewOutput(&text)
	for _, line := range []string{"plain\n", "no end", "\x1b[2Jcleared\r\n", "bad \xff utf-8\n", "\u202eturned\n"} {
		if count, err := output.Write([]byte(line)); err != nil || count != len(line) {
			t.Errorf("%q: got %d, %v", line, count, err)
		}
	}
	if want := "plain\nno end\n\ufffd[2Jcleared\ufffd\nbad \ufffd utf-8\n\ufffdturned\n"; text.String() != want {
		t.Errorf("got %q, want %q", text.String(), want)
	}
}

// counted counts what a display writes to its screen.
type counted struct {
	*TTY
	bytes atomic.Int64
}

func (c *counted) Write(text []byte) (int, error) {
	c.bytes.Add(int64(len(text)))
	return c.TTY.Write(text)
}

func TestNothingIsDrawnAfterTheEnd(t *testing.T) {
	const rounds, loggers, each = 300, 32, 4
	for round := range rounds {
		pseudo := terminaltest.New(t, 90, loggers*each+60)
		tty, err := OpenTTY(pseudo.Slave)
		if err != nil {
			t.Fatal(err)
		}
		screen := &counted{TTY: tty}
		output := NewOutput(pseudo.Slave)
		logger := slog.New(slog.NewTextHandler(output, &slog.HandlerOptions{ReplaceAttr: func(_ []string, attribute slog.Attr) slog.Attr {
			if attribute.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return attribute
		}}))
		display := Show(output, screen, "movie-reviews", counting())
		var logging sync.WaitGroup
		for number := range loggers {
			logging.Go(func() {
				for i := range each {
					logger.Info("a line", "of", fmt.Sprintf("%d.%d.", number, i))
				}
			})
		}
		display.Close()
		written := screen.bytes.Load()
		logging.Wait()
		if late := screen.bytes.Load() - written; late != 0 {
			t.Fatalf("round %d: the display has written %d bytes after its end", round, late)
		}
		_ = tty.Close()
		lines := pseudo.Close()
		text := strings.Join(lines, "\n")
		if panels(lines) != 1 || len(lines) != loggers*each+8 || !pseudo.CursorVisible() {
			t.Fatalf("round %d: %d panels, %d lines, cursor visible: %v\n%s", round, panels(lines), len(lines), pseudo.CursorVisible(), text)
		}
		for number := range loggers {
			for i := range each {
				if line := fmt.Sprintf("level=INFO msg=\"a line\" of=%d.%d.\n", number, i); strings.Count(text+"\n", line) != 1 {
					t.Fatalf("round %d: not once: %s in\n%s", round, line, text)
				}
			}
		}
	}
}

func TestATerminalHasOneDisplay(t *testing.T) {
	pseudo := terminaltest.New(t, 80, 24)
	first, err := OpenTTY(pseudo.Slave)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenTTY(pseudo.Slave); !errors.Is(err, ErrTaken) {
		t.Errorf("the terminal was taken twice: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := OpenTTY(pseudo.Slave)
	if err != nil {
		t.Fatalf("the terminal is not free again: %v", err)
	}
	if width, height, err := second.Size(); err != nil || width != 80 || height != 24 {
		t.Errorf("the size is %d×%d, %v", width, height, err)
	}
	_ = second.Close()
	pseudo.Close()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer writer.Close()
	if _, err := OpenTTY(writer); !errors.Is(err, ErrNoTerminal) {
		t.Errorf("a pipe is taken for a terminal: %v", err)
	}
}
