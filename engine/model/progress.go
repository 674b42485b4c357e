package model

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// Phase says how far a request has come.
type Phase string

// The phases of a request, in their order.
const (
	// PhasePreparing: no request is under way; its prompt is rendered, or the one before it is looked at.
	PhasePreparing Phase = "preparing"
	// PhaseQueued: the request waits for a connection.
	PhaseQueued Phase = "queued"
	// PhaseConnecting: a connection is made for it.
	PhaseConnecting Phase = "connecting"
	// PhaseAwaiting: it is sent, or being sent, and no byte of the answer has come.
	PhaseAwaiting Phase = "awaiting headers"
	// PhaseReading: the answer is being read.
	PhaseReading Phase = "reading body"
)

// Progress is how far the requests have come that are sent with a context (see WithProgress). The requests are sent one after the other;
// Current may be called from any goroutine meanwhile.
type Progress struct {
	current atomic.Pointer[Exchange]
	// keep says that all exchanges are kept, and not only the current one.
	keep      bool
	exchanges []*Exchange
}

type progressKey struct{}

// WithProgress returns a context whose requests to models tell how far they are. keep says that Exchanges is wanted afterwards.
func WithProgress(ctx context.Context, keep bool) (context.Context, *Progress) {
	progress := &Progress{keep: keep}
	return context.WithValue(ctx, progressKey{}, progress), progress
}

// Current is the request that is under way, or the last one; nil before the first.
func (p *Progress) Current() *Exchange { return p.current.Load() }

// Phase says how far the request has come that is under way.
func (p *Progress) Phase() Phase {
	if exchange := p.Current(); exchange != nil {
		return exchange.Phase()
	}
	return PhasePreparing
}

// Exchanges are all requests. It is for the caller that has waited for the one that sends them.
func (p *Progress) Exchanges() []*Exchange { return p.exchanges }

// Exchange is one request and its answer. The times are nanoseconds since 1970, and 0 for what has not happened.
type Exchange struct {
	started                                                int64
	connecting, connected, sent, answered, lastByte, ended atomic.Int64
	firstToken                                             atomic.Int64
	bytes                                                  atomic.Int64
	status                                                 atomic.Int64
	whole                                                  atomic.Bool
}

// Phase says how far the request has come.
func (e *Exchange) Phase() Phase {
	switch {
	case e.ended.Load() != 0:
		return PhasePreparing
	case e.answered.Load() != 0:
		return PhaseReading
	case e.connected.Load() != 0:
		return PhaseAwaiting
	case e.connecting.Load() != 0:
		return PhaseConnecting
	}
	return PhaseQueued
}

// Started is when the request began.
func (e *Exchange) Started() time.Time { return time.Unix(0, e.started) }

// Connected is when the request had a connection. It and the others are the zero time for what has not happened.
func (e *Exchange) Connected() time.Time { return moment(&e.connected) }

// Sent is when it was sent as a whole.
func (e *Exchange) Sent() time.Time { return moment(&e.sent) }

// Answered is when the headers of its answer were there.
func (e *Exchange) Answered() time.Time { return moment(&e.answered) }

// LastByte is when the latest bytes of the answer's body came.
func (e *Exchange) LastByte() time.Time { return moment(&e.lastByte) }

// Ended is when it was over.
func (e *Exchange) Ended() time.Time { return moment(&e.ended) }

// Bytes is how much of the answer's body has come.
func (e *Exchange) Bytes() int64 { return e.bytes.Load() }

// FirstToken is when the first piece of a streamed answer was there; the zero time of one that came as a whole.
func (e *Exchange) FirstToken() time.Time { return moment(&e.firstToken) }

// Whole says whether a whole answer with the status 200 has come.
func (e *Exchange) Whole() bool { return e.whole.Load() && e.Status() == http.StatusOK }

// Status is the status code of the answer; 0 without one.
func (e *Exchange) Status() int { return int(e.status.Load()) }

func moment(value *atomic.Int64) time.Time {
	if nanoseconds := value.Load(); nanoseconds != 0 {
		return time.Unix(0, nanoseconds)
	}
	return time.Time{}
}

func stamp(value *atomic.Int64) { value.Store(time.Now().UnixNano()) }

// followed is a transport that tells the progress in a request's context how far the request is.
type followed struct{ transport http.RoundTripper }

// RoundTrip sends a request.
func (f followed) RoundTrip(request *http.Request) (*http.Response, error) {
	progress, follows := request.Context().Value(progressKey{}).(*Progress)
	if !follows {
		return f.transport.RoundTrip(request)
	}
	exchange := &Exchange{started: time.Now().UnixNano()}
	if progress.keep {
		progress.exchanges = append(progress.exchanges, exchange)
	}
	progress.current.Store(exchange)
	// A connection that is no longer wanted may still be made after the end of the request: so these only touch the exchange, by atomics.
	trace := &httptrace.ClientTrace{
		ConnectStart: func(string, string) { stamp(&exchange.connecting) },
		DNSStart:     func(httptrace.DNSStartInfo) { stamp(&exchange.connecting) },
		GotConn:      func(httptrace.GotConnInfo) { stamp(&exchange.connected) },
		WroteRequest: func(httptrace.WroteRequestInfo) { stamp(&exchange.sent) },
	}
	response, err := f.transport.RoundTrip(request.WithContext(httptrace.WithClientTrace(request.Context(), trace)))
	if err != nil {
		stamp(&exchange.ended)
		return nil, err
	}
	stamp(&exchange.answered)
	exchange.status.Store(int64(response.StatusCode))
	response.Body = &followedBody{ReadCloser: response.Body, exchange: exchange}
	return response, nil
}

// followedBody counts the bytes of an answer.
type followedBody struct {
	io.ReadCloser
	exchange *Exchange
}

// Read reads on.
func (b *followedBody) Read(into []byte) (int, error) {
	count, err := b.ReadCloser.Read(into)
	if count > 0 {
		b.exchange.bytes.Add(int64(count))
		stamp(&b.exchange.lastByte)
	}
	if err == io.EOF {
		b.exchange.whole.Store(true)
	}
	return count, err
}

// Close notes the end.
func (b *followedBody) Close() error {
	stamp(&b.exchange.ended)
	return b.ReadCloser.Close()
}
