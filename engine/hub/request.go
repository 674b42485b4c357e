package hub

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/internal/clip"
)

const (
	// maxTries is how often a request is sent that may be sent again.
	maxTries = 6
	// maxWait is the longest time that the hub may ask to wait and is waited for here; longer ones end the publication, which goes on later.
	maxWait = 2 * time.Minute
	// requestTimeout bounds a request without its body, and slowestBytes is how many bytes a second of a body are to get through at least.
	requestTimeout = time.Minute
	slowestBytes   = 64 << 10
	// maxAnswer bounds an answer of the hub, maxText what of it is shown.
	maxAnswer = 16 << 20
	maxText   = 300
	// maxRedirects is how often the hub may lead from one address of its own to another, as for a repository that has another name by now.
	maxRedirects = 5
)

// request is one request to the hub.
type request struct {
	method, address string
	kind            string
	body            []byte
	header          map[string]string
	// anonymous says that it goes without the token.
	anonymous bool
	// once says that it can't be sent again before it is known what became of it.
	once bool
	// doing says, in an error, what the request is for.
	doing string
}

// answer is what has come back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// statusError is an answer that is no success.
type statusError struct {
	status int
	// code is what the hub calls the problem, text what it says of it, and advice what to do; all may be empty.
	code, text, advice string
}

// Error has the status, what the hub says, and what to do.
func (e *statusError) Error() string {
	text := fmt.Sprintf("%d %s", e.status, http.StatusText(e.status))
	if e.text != "" {
		text += ": " + e.text
	}
	return text + e.advice
}

// send sends a request, again where that may help, and returns the answer, which is a success. Its errors are failure.Error; those of
// answers wrap a statusError.
func (c *client) send(ctx context.Context, wanted *request) (*answer, error) {
	for try := 1; ; try++ {
		got, err := c.sendOnce(ctx, wanted)
		if err == nil {
			return got, nil
		}
		if wanted.once || try == maxTries {
			return nil, err
		}
		if err := c.waitAfter(ctx, err, try); err != nil {
			return nil, err
		}
	}
}

// waitAfter waits before another try, or returns the error of the last one where another does not help, or not soon.
func (c *client) waitAfter(ctx context.Context, err error, tries int) error {
	problem := failure.Of(err)
	if ctx.Err() != nil || !problem.Temporary || problem.RetryAfter > maxWait {
		return err
	}
	return c.pause(ctx, max(problem.RetryAfter, backoff(tries)))
}

// sendOnce sends a request once.
func (c *client) sendOnce(ctx context.Context, wanted *request) (*answer, error) {
	if ctx.Err() != nil {
		return nil, failure.Of(context.Cause(ctx))
	}
	timed, cancel := context.WithTimeout(ctx, requestTimeout+time.Duration(len(wanted.body)/slowestBytes)*time.Second)
	defer cancel()
	message, err := http.NewRequestWithContext(timed, wanted.method, wanted.address, bytes.NewReader(wanted.body))
	if err != nil {
		return nil, failed("%s: the hub has named an address that is none", wanted.doing)
	}
	if message.Header.Set("User-Agent", c.UserAgent); wanted.kind != "" {
		message.Header.Set("Content-Type", wanted.kind)
	}
	for name, value := range wanted.header {
		message.Header.Set(name, value)
	}
	if !wanted.anonymous {
		c.authorize(message)
	}
	response, err := c.http.Do(message)
	if err != nil {
		return nil, c.connectionFailure(ctx, wanted, err)
	}
	defer response.Body.Close()
	got := &answer{status: response.StatusCode, header: response.Header}
	if got.body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer+1)); err != nil {
		return nil, c.connectionFailure(ctx, wanted, err)
	}
	if len(got.body) > maxAnswer {
		return nil, failed("%s: the answer of %s has more than %d bytes", wanted.doing, hostOf(wanted.address), maxAnswer)
	}
	if got.status >= 200 && got.status < 300 {
		return got, nil
	}
	return nil, c.statusFailure(wanted, got)
}

// authorize has a request carry the token, where there is one.
func (c *client) authorize(message *http.Request) {
	if c.target.Token != "" {
		message.Header.Set("Authorization", "Bearer "+c.target.Token)
	}
}

// checkRedirect lets the hub lead to another address of its own, and to none elsewhere: the token goes along.
func (c *client) checkRedirect(next *http.Request, before []*http.Request) error {
	if !c.isHub(next.URL) || len(before) > maxRedirects || before[0].Header.Get("Authorization") == "" {
		return http.ErrUseLastResponse
	}
	return nil
}

// isHub says whether an address is one of the hub itself.
func (c *client) isHub(address *url.URL) bool {
	return address.Scheme == c.endpoint.Scheme && strings.EqualFold(address.Host, c.endpoint.Host)
}

// connectionFailure classifies what a request without an answer has ended with. Addresses are not shown: they may be signed.
func (c *client) connectionFailure(ctx context.Context, wanted *request, err error) error {
	if ctx.Err() != nil {
		return failure.Of(context.Cause(ctx))
	}
	host := hostOf(wanted.address)
	notAllowed := func(refusal error) error {
		return failure.New(v1alpha1.ReasonEndpointNotAllowed, failure.EndRun, "%s: %s: %s", wanted.doing, host, refusal.Error())
	}
	if refused := (*connection.EndpointRefusal)(nil); errors.As(err, &refused) {
		return notAllowed(refused)
	}
	if refused := (*connection.AddressRefusal)(nil); errors.As(err, &refused) {
		return notAllowed(refused)
	}
	problem := failed("%s: %s: %s", wanted.doing, host, cmp.Or(connection.Problem(err), connection.Failed))
	problem.Temporary = connection.TLSProblem(err) == ""
	return problem
}

// statusFailure classifies an answer that is no success.
func (c *client) statusFailure(wanted *request, got *answer) error {
	said := &statusError{status: got.status, code: got.header.Get("X-Error-Code"), text: c.errorText(got)}
	reason, temporary := v1alpha1.ReasonPublicationRefused, false
	if !wanted.anonymous {
		said.advice = c.advice(got)
	}
	switch {
	case got.status >= 300 && got.status < 400:
		said.text = "it leads to " + hostOf(got.header.Get("Location")) + ", which is not asked: the token is for " + c.endpoint.Host
	case got.status == http.StatusTooManyRequests, got.status == http.StatusRequestTimeout, got.status >= 500, wanted.anonymous,
		got.status == http.StatusPreconditionFailed:
		reason, temporary = v1alpha1.ReasonPublicationFailed, true
	}
	problem := failure.Wrap(said, reason, failure.EndRun, "%s: %s answers", wanted.doing, hostOf(wanted.address))
	problem.Temporary, problem.RetryAfter = temporary, connection.RetryAfter(got.header, time.Now())
	return problem
}

// errorText is what the hub says of a failure.
func (c *client) errorText(got *answer) string {
	said := got.header.Get("X-Error-Message")
	var document struct {
		Error any `json:"error"`
	}
	if said == "" && json.Unmarshal(got.body, &document) == nil {
		said, _ = document.Error.(string)
	}
	return c.clean(said)
}

// clean makes a text of the hub fit for a message: it is short, has no control characters, and not the token.
func (c *client) clean(said string) string {
	if c.target.Token != "" {
		said = strings.ReplaceAll(said, c.target.Token, "[token]")
	}
	said = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(said, "?"))
	return clip.Text(strings.TrimSpace(said), maxText)
}

// document reads the answer of a request, which is a JSON document.
func (c *client) document(ctx context.Context, wanted *request, into any) (*answer, error) {
	got, err := c.send(ctx, wanted)
	if err != nil {
		return nil, err
	}
	if json.Unmarshal(got.body, into) != nil {
		return nil, failed("%s: what %s answers is not what a hub says", wanted.doing, c.endpoint.Host)
	}
	return got, nil
}

// statusOf is the status of an answer that was no success; 0 of another error.
func statusOf(err error) int {
	var said *statusError
	if errors.As(err, &said) {
		return said.status
	}
	return 0
}

func hostOf(address string) string {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" {
		return "an address that is none"
	}
	return parsed.Host
}

// backoff is for how long to wait after a number of tries: about a second, and twice as long each time.
func backoff(tries int) time.Duration {
	longest := time.Second << min(tries-1, 5)
	return longest/2 + rand.N(longest/2)
}

// encoded is a document of ours as JSON.
func encoded(document any) []byte {
	data, err := json.Marshal(document)
	if err != nil {
		panic(err) // it has nothing but texts and numbers
	}
	return data
}
