package model

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"time"
)

// drainTime is how long the end of a connection's answer may take after the end of the stream in it: without that end, the connection
// can't be used again.
const drainTime = time.Second

// assembly puts a streamed answer together.
type assembly interface {
	// event takes the data of the next event.
	event(data []byte) error
	// begun says that something of the answer has come, ended that its mark of the end has.
	begun() bool
	ended() bool
	// answer is the whole. complete says that nothing of it is missing, though the mark of the end may be.
	answer(request *Request) (whole answer, complete bool, err error)
}

// stream sends a request and puts the pieces of its answer together. Only a whole answer is one: the pieces before a break are forgotten.
func (c *Client) stream(ctx context.Context, asked *Request, body []byte) (answer, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	started := time.Now()
	request := sent{c.chatURL, body}
	response, err := c.open(ctx, request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	if !strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		// The server does not stream, or it has sent a page of somebody else's.
		received, err := c.readAll(ctx, request, response)
		if err != nil {
			return answer{}, err
		}
		defer received.release()
		return c.read(received, asked)
	}
	pieces := c.wire.assembly()
	held := c.answers.open()
	defer held.release()
	reader := events{reader: bufio.NewReader(io.LimitReader(response.Body, maxAnswerBytes)), room: func(bytes int) error {
		// What has been read is in the assembly, whose memory grows by copies.
		return held.grow(ctx, 2*int64(bytes))
	}}
	first, err := c.receive(ctx, &reader, pieces, started)
	if err != nil {
		return answer{}, err
	}
	if pieces.ended() {
		timer := time.AfterFunc(drainTime, cancel)
		// The answer is whole: it does not matter how the connection ends.
		_, _ = io.Copy(io.Discard, response.Body)
		timer.Stop()
	}
	whole, complete, err := pieces.answer(asked)
	switch {
	case err != nil:
		return answer{}, c.incomplete(&ownError{"a piece of the answer is not what the protocol says"})
	case whole.problem != nil:
		return answer{}, c.problemFailure(request, http.StatusOK, response.Header, whole.problem)
	case reader.read >= maxAnswerBytes && !complete:
		return answer{}, c.tooLarge()
	case !complete:
		return answer{}, c.incomplete(&ownError{"the stream has no end"})
	}
	whole.FirstToken = first
	c.believeSized(&whole.usage, len(body), reader.read)
	return whole, nil
}

// receive reads pieces up to the mark of the end, or the end of the stream. first is how long after started the first piece came.
func (c *Client) receive(ctx context.Context, reader *events, pieces assembly, started time.Time) (first time.Duration, err error) {
	for {
		data, err := reader.next()
		if err == io.EOF {
			return first, nil
		}
		if err != nil {
			return 0, c.incomplete(err)
		}
		if pieces.event(data) != nil {
			return 0, c.incomplete(&ownError{"a piece of the answer is not valid JSON"})
		}
		if first == 0 && pieces.begun() {
			first = max(1, time.Since(started))
			if progress, follows := ctx.Value(progressKey{}).(*Progress); follows {
				stamp(&progress.Current().firstToken)
			}
		}
		if pieces.ended() {
			return first, nil
		}
	}
}

// events reads server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html. Only their data matters here.
type events struct {
	reader *bufio.Reader
	data   []byte
	line   []byte
	read   int
	// room waits for the memory that is needed for so many bytes.
	room func(bytes int) error
}

// next returns the data of the next event that has some; it is valid until the next call. The error is io.EOF at the end of the body, where
// an event that was not ended is none.
func (e *events) next() ([]byte, error) {
	e.data = e.data[:0]
	for {
		line, err := e.readLine()
		if err != nil {
			return nil, err
		}
		if len(line) == 0 {
			if len(e.data) > 0 {
				return bytes.TrimSuffix(e.data, []byte{'\n'}), nil
			}
			continue
		}
		if value, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			e.data = append(append(e.data, bytes.TrimPrefix(value, []byte{' '})...), '\n')
		}
	}
}

// readLine reads a line of any length, without its end.
func (e *events) readLine() ([]byte, error) {
	e.line = e.line[:0]
	for {
		piece, err := e.reader.ReadSlice('\n')
		e.read += len(piece)
		if problem := e.room(e.read); problem != nil {
			return nil, problem
		}
		if err == nil && len(e.line) == 0 {
			return bytes.TrimRight(piece, "\r\n"), nil
		}
		e.line = append(e.line, piece...)
		if err == nil {
			return bytes.TrimRight(e.line, "\r\n"), nil
		}
		if err != bufio.ErrBufferFull {
			return nil, err
		}
	}
}
