package seed

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/connection"
)

// maxRedirects is how often a server may lead elsewhere.
const maxRedirects = 10

// request says how a file is asked for.
type request struct {
	*connection.Headers
	address string
	origin  *url.URL
}

// newRequest returns the request for a file, with the values that its headers have.
func newRequest(source *v1alpha1.HTTPSeed, secret func(index int) string) (*request, error) {
	origin, err := url.Parse(source.URL)
	if err != nil {
		return nil, errors.New("its URL is not valid")
	}
	headers, err := connection.NewHeaders(source.Headers, secret)
	if err != nil {
		return nil, err
	}
	return &request{Headers: headers, address: source.URL, origin: origin}, nil
}

// through returns a client that takes the headers nowhere but to the origin.
func (r *request) through(client *http.Client) *http.Client {
	following := *client
	following.CheckRedirect = func(next *http.Request, before []*http.Request) error {
		if len(before) >= maxRedirects {
			return fmt.Errorf("stopped after %d redirects", maxRedirects)
		}
		next.Header.Del("Referer") // the address may hold a key
		if !r.isOrigin(next.URL) {
			r.RemoveFrom(next.Header)
		}
		return nil
	}
	return &following
}

func (r *request) isOrigin(address *url.URL) bool {
	return address.Scheme == r.origin.Scheme && strings.EqualFold(address.Host, r.origin.Host)
}

// refused says of an answer with another status than 200 what may be the cause.
func (r *request) refused(response *http.Response) error {
	err := error(statusError(response.StatusCode))
	if response.StatusCode != http.StatusUnauthorized && response.StatusCode != http.StatusForbidden {
		return err
	}
	if last := response.Request; r.Any() && last != nil && !r.isOrigin(last.URL) {
		return fmt.Errorf("%w, where its URL leads to another host, which gets no headers: take the address there as the URL", err)
	}
	return fmt.Errorf("%w; see spec.seed.http.headers, and the Secrets that they name", err)
}

// hiding is an error whose text may repeat a header.
type hiding struct {
	error
	request *request
}

// Error is its text without the values of headers.
func (h hiding) Error() string { return h.request.Hide(h.error.Error()) }

// Unwrap returns the error.
func (h hiding) Unwrap() error { return h.error }
