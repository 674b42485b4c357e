// Package model talks to the endpoints of models: one request, one answer, and a classified failure. It holds no queue, no limit and no
// retry: the scheduler decides when a request is sent, and whether it is sent again.
package model

import (
	"bytes"
	"net"
	"net/http"
	"strings"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
)

// connectTimeout bounds how long a connection may take, so that an address that swallows packets is found out early.
const connectTimeout = 10 * time.Second

// Set holds a client for each model that the plan's columns use.
type Set struct {
	clients    map[string]*Client
	transports []*http.Transport
}

// NewSet returns clients for the plan's models. apiKey returns the API key of the provider with an index in the spec, and an empty
// string when it has none. The caller closes the set.
func NewSet(p *plan.Plan, apiKey func(provider int) string) *Set {
	set := &Set{clients: make(map[string]*Client)}
	for i := range p.Spec.Providers {
		provider := &p.Spec.Providers[i]
		transport := newTransport(connections(p.Spec, provider.Name))
		set.transports = append(set.transports, transport)
		// A redirect could carry prompts and keys to another host.
		httpClient := &http.Client{Transport: followed{transport}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		for j := range p.Spec.Models {
			model := &p.Spec.Models[j]
			if model.Provider == provider.Name {
				set.clients[model.Alias] = newClient(httpClient, provider, model, apiKey(i))
			}
		}
	}
	return set
}

// Client returns the client of a model of the plan.
func (s *Set) Client(alias string) *Client { return s.clients[alias] }

// Close closes the connections that no request uses.
func (s *Set) Close() {
	for _, transport := range s.transports {
		transport.CloseIdleConnections()
	}
}

// connections is how many requests may be under way to a provider.
func connections(spec *v1alpha1.DatasetGenerationSpec, provider string) int {
	total := 0
	for i := range spec.Models {
		if spec.Models[i].Provider == provider {
			total += spec.Models[i].EffectiveMaxParallelRequests()
		}
	}
	return total
}

func newTransport(connections int) *http.Transport {
	dialer := &net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		TLSHandshakeTimeout:   connectTimeout,
		MaxIdleConns:          connections,
		MaxIdleConnsPerHost:   connections,
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

func newClient(httpClient *http.Client, provider *v1alpha1.Provider, model *v1alpha1.Model, apiKey string) *Client {
	client := &Client{
		http: httpClient, alias: model.Alias, model: model.Model, provider: provider.Name,
		wire: wireOf(provider.Type), headers: provider.ExtraHeaders, parameters: &v1alpha1.ModelParameters{},
		// Keys that were put into a file before the Secret end with a line break.
		apiKey:  strings.TrimSpace(apiKey),
		hasKey:  provider.APIKeySecretRef != nil,
		timeout: time.Duration(model.EffectiveTimeoutSeconds()) * time.Second,
	}
	client.url = client.wire.url(provider.Endpoint)
	if model.Parameters != nil {
		client.parameters = model.Parameters
	}
	if extra := plan.ExtraBody(provider, model); len(extra) > 0 {
		// It was read from JSON, so it can be written as JSON.
		if document, err := encode(extra); err == nil {
			client.extra = bytes.TrimSpace(document)
			client.extra = client.extra[1 : len(client.extra)-1]
		}
	}
	return client
}
