package trace

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"sync/atomic"
	"time"
)

const (
	// buffered is how many spans wait for being written at most.
	buffered = 8192
	// flushInterval is how old a span becomes at most before it is in the files.
	flushInterval = time.Second
	// maxBytes bounds both files together, so that a trace never takes the space of the dataset.
	maxBytes = 2 << 30
)

// Output is where a trace is written: the spans as JSON lines, and as events for a viewer.
type Output interface {
	// Lines and Events take what is written.
	Lines() io.Writer
	Events() io.Writer
	// Close closes both. Discard does too, and gives their space back.
	Close() error
	Discard() error
}

// Files writes spans to files, in a goroutine of its own. Whatever happens to them, the run goes on: a failure is reported once, and what
// comes after it is dropped.
type Files struct {
	output  Output
	logger  *slog.Logger
	spans   chan *Span
	done    chan struct{}
	dropped atomic.Int64
	limit   int64
}

// NewFiles returns a sink that writes to an output, which it closes. The caller closes the sink.
func NewFiles(output Output, logger *slog.Logger) *Files { return newFiles(output, logger, maxBytes) }

func newFiles(output Output, logger *slog.Logger, limit int64) *Files {
	files := &Files{output: output, logger: logger, spans: make(chan *Span, buffered), done: make(chan struct{}), limit: limit}
	go files.write()
	return files
}

// Add takes a span, or drops it where the files can't keep up.
func (f *Files) Add(span *Span) {
	select {
	case f.spans <- span:
	default:
		f.dropped.Add(1)
	}
}

// Dropped is how many spans are not in the files.
func (f *Files) Dropped() int64 { return f.dropped.Load() }

// Close writes what it has, closes the files and waits for that. Add must not be called any more.
func (f *Files) Close() {
	close(f.spans)
	<-f.done
	if dropped := f.Dropped(); dropped > 0 {
		f.logger.Warn("the trace is not whole: spans were dropped so that the run is not slowed", "spans", dropped)
	}
}

// errFull ends a trace that has become too large.
var errFull = errors.New("it has reached its largest size")

// write writes until the sink is closed.
func (f *Files) write() {
	defer close(f.done)
	sheets := newSheets(f.output)
	switch err := f.writeSpans(sheets); {
	case err == nil:
		if err := f.output.Close(); err != nil {
			f.logger.Warn("the trace may not be whole", "error", err)
		}
	case errors.Is(err, errFull):
		f.logger.Warn("tracing has ended; the run goes on", "error", err, "bytes", sheets.events.bytes)
		if err := errors.Join(sheets.end(), f.output.Close()); err != nil {
			f.logger.Warn("the trace may not be whole", "error", err)
		}
		f.drain()
	default:
		f.fail(err)
		f.drain()
	}
}

// writeSpans writes the spans that come, until none does any more.
func (f *Files) writeSpans(sheets *sheets) error {
	ticker := time.NewTicker(flushInterval)
	defer ticker.Stop()
	if err := sheets.events.begin(); err != nil {
		return err
	}
	for {
		select {
		case span, more := <-f.spans:
			if !more {
				return sheets.end()
			}
			if err := sheets.add(span); err != nil {
				return err
			}
			if sheets.events.bytes > f.limit {
				return errFull
			}
		case <-ticker.C:
			if err := sheets.flush(); err != nil {
				return err
			}
		}
	}
}

// sheets are both files of a trace, with what was not flushed yet.
type sheets struct {
	lines   *bufio.Writer
	encoder *json.Encoder
	// events count the bytes of both.
	events *events
}

func newSheets(output Output) *sheets {
	s := &sheets{lines: bufio.NewWriterSize(output.Lines(), 64<<10), events: newEvents(output.Events())}
	s.encoder = json.NewEncoder(&counting{Writer: s.lines, count: &s.events.bytes})
	return s
}

func (s *sheets) add(span *Span) error {
	return errors.Join(s.encoder.Encode(span), s.events.add(span))
}

func (s *sheets) flush() error { return errors.Join(s.lines.Flush(), s.events.flush()) }

func (s *sheets) end() error { return errors.Join(s.events.end(), s.flush()) }

// fail gives the files up. Their space may be what the dataset needs.
func (f *Files) fail(cause error) {
	f.logger.Warn("the trace can't be written, and is removed; the run goes on without", "error", cause)
	if err := f.output.Discard(); err != nil {
		f.logger.Warn("the trace could not be removed", "error", err)
	}
}

// drain drops what still comes.
func (f *Files) drain() {
	for range f.spans {
		f.dropped.Add(1)
	}
}

// counting counts the bytes that are written.
type counting struct {
	io.Writer
	count *int64
}

// Write writes on.
func (c *counting) Write(data []byte) (int, error) {
	written, err := c.Writer.Write(data)
	*c.count += int64(written)
	return written, err
}
