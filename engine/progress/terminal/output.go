// Package terminal shows the progress of a run on a terminal: a panel that is redrawn in place, with the lines of the log above it. It
// reads snapshots and writes text; it counts nothing, and never puts the terminal into a state that somebody would have to undo.
package terminal

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// maxPending is how many bytes of log lines may wait for the next frame.
const maxPending = 64 << 10

// Output is where a log writes its lines, one with each call of Write. While a display is shown they come above its panel, and otherwise
// they go straight through. All that is written to the terminal goes through its lock, so that every line stays whole.
type Output struct {
	mutex sync.Mutex
	to    io.Writer
	// shown is the display that has the terminal, or nil.
	shown *Display
	// pending are lines that wait for the next frame.
	pending bytes.Buffer
}

// NewOutput returns an output without a display.
func NewOutput(to io.Writer) *Output { return &Output{to: to} }

// Write writes a line. Control characters in it are replaced: what comes from elsewhere must not move the cursor.
func (o *Output) Write(line []byte) (int, error) {
	safe := clean(line)
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if o.shown == nil {
		if _, err := o.to.Write(safe); err != nil {
			return 0, err
		}
		return len(line), nil
	}
	o.pending.Write(safe)
	if o.pending.Len() > maxPending {
		o.shown.makeRoom()
	}
	return len(line), nil
}

// clean returns a line without control characters, and with an end.
func clean(line []byte) []byte {
	bad := func(r rune) bool { return r == utf8.RuneError || r != '\n' && r != '\t' && isControl(r) }
	if bytes.IndexFunc(line, bad) >= 0 {
		line = bytes.Map(func(r rune) rune {
			if bad(r) {
				return utf8.RuneError
			}
			return r
		}, line)
	}
	if !bytes.HasSuffix(line, []byte("\n")) {
		line = append(bytes.Clone(line), '\n')
	}
	return line
}

// isControl says whether a character does something else than to be seen. Those that turn the direction of writing are among them.
func isControl(r rune) bool {
	return unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x2028 || r == 0x2029
}

// cleanName returns a name that takes one line, without control characters.
func cleanName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || isControl(r) {
			return -1
		}
		return r
	}, name)
}

// Visible returns a text with a replacement for each control character but ends of lines and tabs.
func Visible(text string) string {
	return strings.Map(func(r rune) rune {
		if isControl(r) && r != '\n' && r != '\t' {
			return utf8.RuneError
		}
		return r
	}, text)
}

// OneLine returns a text that takes one line: each stretch of spaces and control characters in it is one space.
func OneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || r == utf8.RuneError ||
			isControl(r)
	}), " ")
}
