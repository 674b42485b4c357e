package model

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"

	"seedloom.dev/seedloom/engine/connection"
)

// errNoJSON is what is wrong with a body that can't be read.
var errNoJSON = errors.New("the body of the answer is not valid JSON")

// shortestSecret is from which length on a part of a key counts as one.
const shortestSecret = 4

// secretsOf are the values that only a server should see: the key, and the headers of the spec, each as a whole and in its words.
func secretsOf(key string, header http.Header) []string {
	secrets := []string{key}
	for name, values := range header {
		switch name {
		case "Content-Type", "Accept", "Anthropic-Version":
			continue
		}
		for _, value := range values {
			secrets = append(append(secrets, value), strings.Fields(value)...)
		}
	}
	var found []string
	for _, secret := range secrets {
		if len(secret) >= shortestSecret {
			found = append(found, strings.ToLower(secret))
		}
	}
	return found
}

// shown is the code and the parameter of an error as they stand behind a status in a message, unless they come from the request: a server
// may repeat there what it was sent, as a key.
func (c *Client) shown(problem *serverError, body []byte) string {
	text := ""
	if code := problem.code; code != "" && !c.isOfRequest(code, body) {
		text = ", " + code
	}
	if parameter := problem.parameter; parameter != "" && (isMember(parameter, body) || !c.isOfRequest(parameter, body)) {
		text += ", parameter " + parameter
	}
	return text
}

// isMember says whether a word is the name of a member of a request.
func isMember(word string, body []byte) bool {
	return bytes.Contains(body, []byte(`"`+word+`":`))
}

// isOfRequest says whether a word is a part of what was sent with a request, or has a part of its key in it.
func (c *Client) isOfRequest(word string, body []byte) bool {
	word = strings.ToLower(word)
	for _, secret := range c.secrets {
		if strings.Contains(word, secret) || len(word) >= shortestSecret && strings.Contains(secret, word) {
			return true
		}
	}
	return looksLikeKey(word) || bytes.Contains(bytes.ToLower(body), []byte(word))
}

// looksLikeKey says whether a word has the form of a key: so long, and so many digits, no code of an error is.
func looksLikeKey(word string) bool {
	digits := 0
	for _, char := range word {
		if char >= '0' && char <= '9' {
			digits++
		}
	}
	return strings.HasPrefix(word, "sk-") || len(word) >= 20 && digits >= 6
}

// plainStop is the reason for which a model has stopped, where it is one that is known: a server may write there what it was sent.
func plainStop(stopped string) string {
	switch strings.ToLower(stopped) {
	case "malformed_function_call", "pause_turn", "other":
		return stopped
	}
	if finishOf(stopped) != FinishOther || isRefusal(stopped) || isBrokenOff(stopped) {
		return stopped
	}
	return "(one that is not known)"
}

// quietError is an error whose own text may hold what a server has sent.
type quietError struct{ error }

// Error names what is known of the error.
func (e quietError) Error() string {
	return cmp.Or(connection.Problem(e.error), "what came back is not HTTP as it should be")
}

// Unwrap returns the error.
func (e quietError) Unwrap() error { return e.error }

// quietly hides the text of an error unless it is one of the system's, which holds nothing of a request or an answer.
func quietly(err error) error {
	var operation *net.OpError
	var dns *net.DNSError
	var errno syscall.Errno
	switch {
	case errors.As(err, &operation), errors.As(err, &dns), errors.As(err, &errno), connection.TLSProblem(err) != "":
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, errNoJSON),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	var own *ownError
	if errors.As(err, &own) {
		return err
	}
	return quietError{err}
}

// ownError is an error in words of ours.
type ownError struct{ text string }

// Error returns them.
func (e *ownError) Error() string { return e.text }
