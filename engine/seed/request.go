package seed

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// maxRedirects is how often a server may lead elsewhere.
const maxRedirects = 10

// request says how a file is asked for.
type request struct {
	address string
	origin  *url.URL
	header  http.Header
	// secrets are the values of headers that no message may show.
	secrets []string
}

// newRequest returns the request for a file, with the values that its headers have.
func newRequest(source *v1alpha1.HTTPSeed, secret func(index int) string) (*request, error) {
	origin, err := url.Parse(source.URL)
	if err != nil {
		return nil, errors.New("its URL is not valid")
	}
	result := &request{address: source.URL, origin: origin, header: http.Header{}}
	for i := range source.Headers {
		header := &source.Headers[i]
		value := header.Value
		if reference := header.SecretKeyRef; reference != nil {
			if secret != nil {
				value = strings.TrimSpace(secret(i))
			}
			if value == "" {
				return nil, fmt.Errorf("the header %s has no value: the key %q of Secret %q is empty", header.Name, reference.Key, reference.Name)
			}
			result.secrets = append(append(result.secrets, value), strings.Fields(value)...)
		}
		if !httpguts.ValidHeaderFieldValue(value) {
			return nil, fmt.Errorf("the value of the header %s holds a character that no header may have, such as a line break", header.Name)
		}
		result.header.Set(header.Name, value)
	}
	return result, nil
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
			for name := range r.header {
				next.Header.Del(name)
			}
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
	if last := response.Request; len(r.header) > 0 && last != nil && !r.isOrigin(last.URL) {
		return fmt.Errorf("%w, where its URL leads to another host, which gets no headers: take the address there as the URL", err)
	}
	return fmt.Errorf("%w; see spec.seed.http.headers, and the Secrets that they name", err)
}

// shortestSecret is from which length on a part of a header is looked for in messages: shorter ones are words such as "key".
const shortestSecret = 4

// hide takes the values of headers out of a text that comes from a server, which may repeat what it was sent.
func (r *request) hide(text string) string {
	for _, secret := range r.secrets {
		if len(secret) >= shortestSecret && !strings.EqualFold(secret, "Bearer") && !strings.EqualFold(secret, "Basic") {
			text = strings.ReplaceAll(text, secret, "[hidden]")
		}
	}
	return text
}

// hiding is an error whose text may repeat a header.
type hiding struct {
	error
	request *request
}

// Error is its text without the values of headers.
func (h hiding) Error() string { return h.request.hide(h.error.Error()) }

// Unwrap returns the error.
func (h hiding) Unwrap() error { return h.error }
