package connection

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// Headers are those that a spec has for the requests to one server. Some of their values are secrets.
type Headers struct {
	values http.Header
	// secrets are the values, and the parts of them, that no message may show, the longest first.
	secrets []string
}

// NewHeaders returns the headers with their values. secret returns that of the header with an index which comes from a Secret; it may be
// nil where none does.
func NewHeaders(specified []v1alpha1.RequestHeader, secret func(index int) string) (*Headers, error) {
	result := &Headers{values: http.Header{}}
	for i := range specified {
		header := &specified[i]
		value := header.Value
		if reference := header.SecretKeyRef; reference != nil {
			if secret != nil {
				value = strings.TrimSpace(secret(i))
			}
			if value == "" {
				return nil, fmt.Errorf("the header %s has no value: the key %q of Secret %q is empty", header.Name, reference.Key, reference.Name)
			}
			result.secrets = append(result.secrets, secretsIn(value)...)
		}
		if !httpguts.ValidHeaderFieldValue(value) {
			return nil, fmt.Errorf("the value of the header %s holds a character that no header may have, such as a line break", header.Name)
		}
		result.values.Set(header.Name, value)
	}
	// One may begin with another, of which the rest must not be left.
	slices.SortStableFunc(result.secrets, func(a, b string) int { return len(b) - len(a) })
	return result, nil
}

// Any says whether there are any.
func (h *Headers) Any() bool { return len(h.values) > 0 }

// HaveSecrets says whether some of their values are secrets.
func (h *Headers) HaveSecrets() bool { return len(h.secrets) > 0 }

// AddTo sets the headers of a request.
func (h *Headers) AddTo(request http.Header) {
	for name, values := range h.values {
		request[name] = values
	}
}

// RemoveFrom takes them from a request that goes elsewhere.
func (h *Headers) RemoveFrom(request http.Header) {
	for name := range h.values {
		request.Del(name)
	}
}

// shortestSecret is from which length on a part of a header is looked for in texts: shorter ones are words such as "key".
const shortestSecret = 4

// secretsIn are a value and its words, without the scheme that it begins with, such as "Bearer" or "Token".
func secretsIn(value string) []string {
	secrets := []string{value}
	words := strings.Fields(value)
	if len(words) > 1 && isScheme(words[0]) {
		words = words[1:]
	}
	for _, word := range words {
		if len(word) >= shortestSecret && word != value {
			secrets = append(secrets, word)
		}
	}
	return secrets
}

// isScheme says whether a word has nothing but letters and hyphens.
func isScheme(word string) bool {
	return !strings.ContainsFunc(word, func(r rune) bool { return r != '-' && (r|0x20 < 'a' || r|0x20 > 'z') })
}

// Hide takes the values of headers out of a text that comes from a server, which may repeat what it was sent.
func (h *Headers) Hide(text string) string {
	for _, secret := range h.secrets {
		if len(secret) >= shortestSecret {
			text = strings.ReplaceAll(text, secret, "[hidden]")
		}
	}
	return text
}
