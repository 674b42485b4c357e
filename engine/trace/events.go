package trace

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// events writes spans in the trace event format, which chrome://tracing and Perfetto open: a process for each lane, a thread for each of
// its slots, in it the tasks, and in these their requests. The array needs no end, so that the trace of a killed process opens too.
type events struct {
	writer *bufio.Writer
	lanes  map[string]int
	slots  map[slot]bool
	bytes  int64
	some   bool
}

type slot struct{ lane, slot int }

// event is one entry of the format. Times are in microseconds.
type event struct {
	Phase     string         `json:"ph"`
	Name      string         `json:"name"`
	Category  string         `json:"cat,omitempty"`
	Process   int            `json:"pid"`
	Thread    int            `json:"tid"`
	Time      float64        `json:"ts"`
	Duration  float64        `json:"dur,omitempty"`
	Arguments map[string]any `json:"args,omitempty"`
}

func newEvents(writer io.Writer) *events {
	return &events{writer: bufio.NewWriterSize(writer, 64<<10), lanes: make(map[string]int), slots: make(map[slot]bool)}
}

func (e *events) begin() error { return e.text("[") }

func (e *events) end() error { return e.text("\n]\n") }

func (e *events) flush() error { return e.writer.Flush() }

func (e *events) text(text string) error {
	count, err := e.writer.WriteString(text)
	e.bytes += int64(count)
	return err
}

// add writes the tries and the requests of a task.
func (e *events) add(span *Span) error {
	lane, known := e.lanes[span.Lane]
	if !known {
		lane = len(e.lanes) + 1
		e.lanes[span.Lane] = lane
		if err := e.write(event{Phase: "M", Name: "process_name", Process: lane, Arguments: map[string]any{"name": span.Lane}}); err != nil {
			return err
		}
	}
	ready := span.ReadyAt
	for i := range span.Tries {
		try := &span.Tries[i]
		if place := (slot{lane, try.Slot}); !e.slots[place] {
			e.slots[place] = true
			name := map[string]any{"name": fmt.Sprintf("slot %d", try.Slot)}
			if err := e.write(event{Phase: "M", Name: "thread_name", Process: lane, Thread: try.Slot, Arguments: name}); err != nil {
				return err
			}
		}
		arguments := map[string]any{
			"task": span.Task, "try": i + 1, "row": span.Row, "rows": span.Rows, "rowGroup": span.RowGroup, "attempt": span.Attempt,
			"status": try.Status, "waitedMilliseconds": try.AdmittedAt.Sub(ready).Milliseconds(),
		}
		if try.Reason != "" {
			arguments["reason"] = try.Reason
		}
		task := event{Phase: "X", Name: span.Column, Category: string(span.Kind), Process: lane, Thread: try.Slot,
			Time: microseconds(try.AdmittedAt), Duration: between(try.AdmittedAt, try.FinishedAt), Arguments: arguments}
		if err := e.write(task); err != nil {
			return err
		}
		for j := range try.Requests {
			if err := e.request(&try.Requests[j], lane, try.Slot); err != nil {
				return err
			}
		}
		ready = try.FinishedAt
	}
	return nil
}

func (e *events) request(request *Request, lane, slot int) error {
	arguments := map[string]any{"status": request.Status, "bytes": request.Bytes}
	if request.HTTPStatus != 0 {
		arguments["httpStatus"] = request.HTTPStatus
	}
	if !request.AnsweredAt.IsZero() {
		arguments["answeredAfterMilliseconds"] = request.AnsweredAt.Sub(request.StartedAt).Milliseconds()
	}
	if !request.FirstTokenAt.IsZero() {
		arguments["firstTokenAfterMilliseconds"] = request.FirstTokenAt.Sub(request.StartedAt).Milliseconds()
	}
	return e.write(event{Phase: "X", Name: "request", Category: "request", Process: lane, Thread: slot,
		Time: microseconds(request.StartedAt), Duration: between(request.StartedAt, request.FinishedAt), Arguments: arguments})
}

func (e *events) write(written event) error {
	data, err := json.Marshal(written)
	if err != nil {
		return err
	}
	separator := ",\n"
	if !e.some {
		e.some, separator = true, "\n"
	}
	if err := e.text(separator); err != nil {
		return err
	}
	count, err := e.writer.Write(data)
	e.bytes += int64(count)
	return err
}

func microseconds(moment time.Time) float64 { return float64(moment.UnixNano()) / 1e3 }

func between(start, end time.Time) float64 { return float64(end.Sub(start).Nanoseconds()) / 1e3 }
