package llmsim

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	defaultTrickleInterval = 100 * time.Millisecond
	defaultTrickleBytes    = 1
)

// run answers one counted request, in the goroutine of its connection.
func (c *call) run(ctx context.Context, w http.ResponseWriter) {
	if !c.wait(ctx) || !pause(ctx, c.delay()) {
		c.end(OutcomeCancelled, 0, 0)
		return
	}
	if c.fault != nil {
		switch c.fault.Kind {
		case FaultStatus:
			c.sendStatus(w)
			return
		case FaultResetBeforeHeaders:
			c.end(string(c.fault.Kind), 0, 0)
			reset(w, nil)
			return
		case FaultCloseBeforeHeaders:
			c.end(string(c.fault.Kind), 0, 0)
			_ = hijack(w).Close()
			return
		case FaultHang:
			<-ctx.Done()
			c.end(OutcomeCancelled, 0, 0)
			return
		}
	}
	if !pause(ctx, c.latency) {
		c.end(OutcomeCancelled, 0, 0)
		return
	}
	var built *answer
	c.request.behaviour = &c.behaviour
	switch {
	case c.images:
		built = imagesAnswer(c.request, c.fault)
	case c.embeddings:
		built = embeddingsAnswer(c.request, c.fault)
	case c.messages:
		built = messagesAnswer(c.request, c.fault)
	default:
		built = chatAnswer(c.request, c.fault)
	}
	c.sendAnswer(ctx, w, built)
}

func (c *call) delay() time.Duration {
	if c.fault == nil {
		return 0
	}
	return time.Duration(c.fault.Delay)
}

// intended is what a request counts as whose answer goes out as intended.
func (c *call) intended() string {
	if c.fault == nil {
		return OutcomeSucceeded
	}
	return string(c.fault.Kind)
}

func (c *call) sendAnswer(ctx context.Context, w http.ResponseWriter, built *answer) {
	perToken := time.Duration(c.behaviour.Latency.PerToken)
	kind := FaultKind("")
	if c.fault != nil {
		kind = c.fault.Kind
	}
	if replaced := c.replacement(kind, built); replaced != nil {
		built = replaced
	}
	whole := time.Duration(built.tokens) * perToken
	switch kind {
	case FaultResetMidBody, FaultTruncatedBody, FaultBadChunk:
		if !pause(ctx, whole) {
			c.end(OutcomeCancelled, 0, 0)
			return
		}
		c.end(string(kind), http.StatusOK, built.tokens)
		broken(w, built, kind)
		return
	case FaultTrickle:
		interval, size := time.Duration(c.fault.Interval), c.fault.Bytes
		if interval == 0 {
			interval = defaultTrickleInterval
		}
		if size == 0 {
			size = defaultTrickleBytes
		}
		built.ends = nil
		for end := size; end < len(built.body); end += size {
			built.ends = append(built.ends, end)
		}
		built.ends = append(built.ends, len(built.body))
		c.sendPieces(ctx, w, built, interval)
		return
	}
	if built.ends != nil {
		c.sendPieces(ctx, w, built, whole/time.Duration(len(built.ends)))
		return
	}
	if !pause(ctx, whole) {
		c.end(OutcomeCancelled, 0, 0)
		return
	}
	c.end(c.intended(), http.StatusOK, built.tokens)
	if writeBody(w, http.StatusOK, built.contentType, built.body) != nil {
		c.end(OutcomeCancelled, http.StatusOK, 0)
	}
}

// replacement is what a fault sends with the status 200 instead of the answer; nil where it sends the answer.
func (c *call) replacement(kind FaultKind, built *answer) *answer {
	body := []byte(c.faultBody())
	switch {
	case kind == FaultHTML:
		return &answer{contentType: "text/html; charset=utf-8", body: []byte("<!DOCTYPE html><title>Just a moment</title>"), tokens: built.tokens}
	case kind == FaultErrorObject && len(body) == 0:
		body = c.errorBody(http.StatusInternalServerError, "simulated failure", "server_error", "simulated")
	case kind == FaultWrongJSON && len(body) == 0:
		body = built.body[:len(built.body)/2]
	case kind != FaultErrorObject && kind != FaultWrongJSON:
		return nil
	}
	return &answer{contentType: "application/json", body: body, tokens: built.tokens}
}

func (c *call) faultBody() string {
	if c.fault == nil {
		return ""
	}
	return c.fault.Body
}

// sendPieces sends the answer up to each of its ends, with a pause before each piece but the first.
func (c *call) sendPieces(ctx context.Context, w http.ResponseWriter, built *answer, interval time.Duration) {
	header := w.Header()
	header["Content-Type"] = []string{built.contentType}
	if built.contentType == "application/json" {
		header["Content-Length"] = []string{strconv.Itoa(len(built.body))}
	}
	flusher := http.NewResponseController(w)
	start := 0
	for index, end := range built.ends {
		if index > 0 && !pause(ctx, interval) || ctx.Err() != nil {
			c.end(OutcomeCancelled, http.StatusOK, 0)
			return
		}
		if index == len(built.ends)-1 {
			c.end(c.intended(), http.StatusOK, built.tokens)
		}
		_, err := w.Write(built.body[start:end])
		if err == nil && (interval > 0 || index == len(built.ends)-1) {
			err = flusher.Flush()
		}
		if err != nil {
			c.end(OutcomeCancelled, http.StatusOK, 0)
			return
		}
		start = end
	}
}

func (c *call) sendStatus(w http.ResponseWriter) {
	status := c.fault.Status
	if status == 0 {
		status = http.StatusInternalServerError
	}
	if c.fault.RetryAfter > 0 {
		w.Header()["Retry-After"] = []string{wholeSeconds(time.Duration(c.fault.RetryAfter))}
	}
	for name, value := range c.fault.Headers {
		w.Header().Set(name, value)
	}
	c.end(string(FaultStatus), status, 0)
	body := []byte(c.fault.Body)
	if len(body) == 0 {
		body = c.errorBody(status, fmt.Sprintf("simulated failure: %d %s", status, http.StatusText(status)), "simulated_failure", "simulated")
	}
	_ = writeBody(w, status, "application/json", body)
}

// refuse ends a request that no fault was decided for.
func (c *call) refuse(w http.ResponseWriter, reason string, problem error) {
	status, kind, message := http.StatusBadRequest, "invalid_request_error", ""
	switch reason {
	case FailedUnauthorized:
		status, kind, message = http.StatusUnauthorized, "invalid_api_key", "the API key is missing or not one of those configured"
	case FailedRateLimited:
		status, kind, message = http.StatusTooManyRequests, "rate_limit_exceeded", fmt.Sprintf(
			"model %s serves %d requests at once; try again later", c.model, c.behaviour.MaxConcurrent)
		after := time.Duration(c.behaviour.RetryAfter)
		if c.behaviour.Refusal != "" {
			message = c.behaviour.Refusal
		} else if after == 0 {
			after = time.Second
		}
		if after > 0 {
			w.Header()["Retry-After"] = []string{wholeSeconds(after)}
		}
	default:
		message = problem.Error()
	}
	c.end(reason, status, 0)
	_ = writeBody(w, status, "application/json", c.errorBody(status, message, kind, kind))
}

// errorBody is an error in the form of the protocol by which the request came.
func (c *call) errorBody(status int, message, kind, code string) []byte {
	if c.messages {
		return messagesError(status, message)
	}
	return errorBody(message, kind, code)
}

func wholeSeconds(duration time.Duration) string {
	return strconv.Itoa(int(math.Ceil(duration.Seconds())))
}

func errorBody(message, kind, code string) []byte {
	body := append([]byte(nil), `{"error":{"message":`...)
	body = appendJSONString(body, message)
	body = append(body, `,"type":`...)
	body = appendJSONString(body, kind)
	body = append(body, `,"param":null,"code":`...)
	body = appendJSONString(body, code)
	return append(body, `}}`...)
}

func writeBody(w http.ResponseWriter, status int, contentType string, body []byte) error {
	header := w.Header()
	header["Content-Type"] = []string{contentType}
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, err := w.Write(body)
	return err
}

// broken sends the first half of the answer. A plain answer announces its whole length; a streamed one lacks the last chunk, or has a bad
// one.
func broken(w http.ResponseWriter, built *answer, kind FaultKind) {
	half := built.body[:len(built.body)/2]
	var message []byte
	if built.ends == nil && kind != FaultBadChunk {
		message = fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", built.contentType, len(built.body),
			half)
	} else {
		message = fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", built.contentType,
			len(half), half)
	}
	if kind == FaultBadChunk {
		message = append(message, "no size\r\n"...)
	}
	if kind == FaultResetMidBody {
		reset(w, message)
		return
	}
	connection := hijack(w)
	_, _ = connection.Write(message)
	_ = connection.Close()
}

// reset sends the bytes and makes the kernel send a TCP RST instead of an orderly end.
func reset(w http.ResponseWriter, message []byte) {
	connection := hijack(w)
	if len(message) > 0 {
		_, _ = connection.Write(message)
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = connection.Close()
}

// hijack takes over the connection; where the protocol does not allow it, the request is aborted as net/http does.
func hijack(w http.ResponseWriter) net.Conn {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return connection
}

// pause waits; false when the client went away first.
func pause(ctx context.Context, duration time.Duration) bool {
	if duration <= 0 {
		return true
	}
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
