package s3test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Fate is what a request meets on its way. The zero value is nothing.
type Fate struct {
	// Before ends the request before it comes to the store, After when it has been done, so that its answer is lost.
	Before, After error
	// Status and Code are answered in the store's place.
	Status int
	Code   string
	// Delay is how long the request takes; Hangs says that it never ends.
	Delay time.Duration
	Hangs bool
	// Cut says that only the first half of the answer comes.
	Cut bool
}

// Reset is the error of a connection that was broken.
var Reset error = &resetError{syscall.ECONNRESET}

type resetError struct{ error }

// Timeout implements net.Error.
func (*resetError) Timeout() bool { return false }

// Temporary implements net.Error.
func (*resetError) Temporary() bool { return true }

// Unwrap implements errors.
func (r *resetError) Unwrap() error { return r.error }

// ErrKilled is the error of all requests after a kill.
var ErrKilled = errors.New("the process was killed")

// Way leads to a store. Its methods may be called from any goroutine.
type Way struct {
	// Handler is the store. Meets, where it is set, says what a request meets; number counts all requests from 1.
	Handler http.Handler
	Meets   func(number int, request *http.Request) Fate

	mutex  sync.Mutex
	number int
}

// Number is how many requests were sent.
func (w *Way) Number() int {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.number
}

// RoundTrip implements http.RoundTripper.
func (w *Way) RoundTrip(request *http.Request) (*http.Response, error) {
	w.mutex.Lock()
	w.number++
	number := w.number
	w.mutex.Unlock()
	var fate Fate
	if w.Meets != nil {
		fate = w.Meets(number, request)
	}
	if err := wait(request, fate); err != nil {
		return nil, err
	}
	switch {
	case fate.Before != nil:
		return nil, fate.Before
	case fate.Status != 0:
		return &http.Response{
			StatusCode: fate.Status, Header: http.Header{"Content-Type": {"application/xml"}}, Request: request,
			Body: io.NopCloser(strings.NewReader("<Error><Code>" + fate.Code + "</Code></Error>")),
		}, nil
	}
	recorder := httptest.NewRecorder()
	served := request.Clone(request.Context())
	if served.Body == nil {
		served.Body = http.NoBody
	}
	w.Handler.ServeHTTP(recorder, served)
	if fate.After != nil {
		return nil, fate.After
	}
	response := recorder.Result()
	response.Request = request
	if fate.Cut {
		half := recorder.Body.Bytes()[:recorder.Body.Len()/2]
		response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(half), broken{}))
	}
	return response, nil
}

// broken is a body of which no more comes.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// wait takes as long as the way does.
func wait(request *http.Request, fate Fate) error {
	if fate.Delay == 0 && !fate.Hangs {
		return request.Context().Err()
	}
	var over <-chan time.Time
	if !fate.Hangs {
		timer := time.NewTimer(fate.Delay)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-request.Context().Done():
		return request.Context().Err()
	case <-over:
		return nil
	}
}
