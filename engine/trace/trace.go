// Package trace holds what is recorded of a run's tasks, one span for each with its requests; the tracer that follows the tasks of a
// scheduler; and the sinks that keep spans: a ring in memory and files. It starts no task, and a span holds no prompt, no answer and no
// secret.
package trace

import (
	"sync"
	"time"
)

// Kind says what a task was for.
type Kind string

// The kinds of tasks.
const (
	// KindCell is one cell of one row.
	KindCell Kind = "cell"
	// KindChunk are the cells of several rows that are computed in the process.
	KindChunk Kind = "chunk"
	// KindBatch is a column for all rows of a row group.
	KindBatch Kind = "batch"
)

// Status says how a task or a request has ended.
type Status string

// The ends of tasks and requests.
const (
	StatusOK    Status = "ok"
	StatusError Status = "error"
	// StatusCancelled: it was given up with its row or its run, and not for a failure of its own.
	StatusCancelled Status = "cancelled"
)

// Span is one task, from when all its inputs were there until its end. ReadyAt ≤ AdmittedAt ≤ StartedAt ≤ FinishedAt.
type Span struct {
	// Task is the task's number in its process, from 1.
	Task int64 `json:"task"`
	Kind Kind  `json:"kind"`
	// Column names the column, or the columns of a chunk, which are made one after the other, with commas between them.
	Column   string `json:"column"`
	RowGroup int64  `json:"rowGroup"`
	// Row is the first row, Rows is how many there are.
	Row  int64 `json:"row"`
	Rows int   `json:"rows"`
	// Attempt is the attempt of the row, from 0.
	Attempt int32 `json:"attempt"`
	// Lane is what the task waits in: the alias of a model, or local.
	Lane string `json:"lane"`
	// ReadyAt is when the inputs of all its rows were there.
	ReadyAt time.Time `json:"readyAt"`
	// AdmittedAt is when it got a slot of its lane, StartedAt when it began to run; for the first time, where there are several tries.
	AdmittedAt time.Time `json:"admittedAt"`
	StartedAt  time.Time `json:"startedAt"`
	FinishedAt time.Time `json:"finishedAt"`
	Status     Status    `json:"status"`
	// Reason is that of the (last) failure.
	Reason string `json:"reason,omitempty"`
	// FailedRows is how many of the rows have failed.
	FailedRows int `json:"failedRows,omitempty"`
	// Tries are the times that it ran: several where it was put off and tried again.
	Tries []Try `json:"tries"`
}

// Try is one time that a task ran.
type Try struct {
	// Slot is which of the lane's slots it had, from 0: no two tasks of a lane have the same one at the same time.
	Slot       int       `json:"slot"`
	AdmittedAt time.Time `json:"admittedAt"`
	StartedAt  time.Time `json:"startedAt"`
	FinishedAt time.Time `json:"finishedAt"`
	Status     Status    `json:"status"`
	Reason     string    `json:"reason,omitempty"`
	// Requests are those that it sent, one after the other.
	Requests []Request `json:"requests,omitempty"`
}

// Request is one request to a model. Times of what has not happened are zero.
type Request struct {
	StartedAt   time.Time `json:"startedAt"`
	ConnectedAt time.Time `json:"connectedAt,omitzero"`
	SentAt      time.Time `json:"sentAt,omitzero"`
	// AnsweredAt is when the headers of the answer were there.
	AnsweredAt time.Time `json:"answeredAt,omitzero"`
	// FirstTokenAt is when the first piece of a streamed answer was there.
	FirstTokenAt time.Time `json:"firstTokenAt,omitzero"`
	FinishedAt   time.Time `json:"finishedAt"`
	Status       Status    `json:"status"`
	// HTTPStatus is the status code of the answer; 0 without one.
	HTTPStatus int `json:"httpStatus,omitempty"`
	// Bytes is how much of the answer has come.
	Bytes int64 `json:"bytes"`
}

// Sink takes spans. A sink never slows a run: what it has no room for it drops and counts.
type Sink interface {
	// Add takes a span that has ended, which is not changed any more. It returns at once. One goroutine at a time calls it.
	Add(span *Span)
	// Dropped is how many spans were dropped. It may be called from any goroutine.
	Dropped() int64
}

// Ring keeps the latest spans in memory. Its methods may be called from any goroutine.
type Ring struct {
	mutex sync.Mutex
	spans []*Span
	size  int
	// next is where the next span goes once the ring is full.
	next    int
	dropped int64
}

// NewRing returns a ring for at most so many spans. When it is full, each new one takes the place of the oldest.
func NewRing(size int) *Ring { return &Ring{size: max(1, size)} }

// Add keeps a span.
func (r *Ring) Add(span *Span) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if len(r.spans) < r.size {
		r.spans = append(r.spans, span)
		return
	}
	r.spans[r.next] = span
	r.next = (r.next + 1) % r.size
	r.dropped++
}

// Dropped is how many spans had to make room.
func (r *Ring) Dropped() int64 {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.dropped
}

// Spans returns the spans that are kept, in the order in which they ended.
func (r *Ring) Spans() []Span {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	spans := make([]Span, 0, len(r.spans))
	for i := range r.spans {
		spans = append(spans, *r.spans[(r.next+i)%len(r.spans)])
	}
	return spans
}
