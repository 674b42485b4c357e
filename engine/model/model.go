// Package model talks to the endpoints of models: one request, one answer, and a classified failure. It holds no queue, no limit and no
// retry: the scheduler decides when a request is sent, and whether it is sent again.
package model

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/connection"
)

// Set holds a client for each model of a spec.
type Set struct {
	clients    map[string]*Client
	transports []*http.Transport
	// downloads has what the clients of each provider download images with.
	downloads []*http.Transport
	guards    []*connection.Guard
	providers []v1alpha1.Provider
	warnings  *warnings
}

// NewSet returns clients for the models of a spec. apiKey returns the API key of the provider with an index in the spec, and an empty
// string when it has none. The caller closes the set.
func NewSet(spec *v1alpha1.DatasetGenerationSpec, apiKey func(provider int) string) *Set {
	set := &Set{clients: make(map[string]*Client), providers: spec.Providers, warnings: &warnings{}}
	shared := newAnswers(answersBytes)
	for i := range spec.Providers {
		provider := &spec.Providers[i]
		transport := newTransport(provider, connections(spec, provider.Name))
		guard := &connection.Guard{Own: parsed(provider.Endpoint)}
		downloads := newDownloads(provider, connections(spec, provider.Name), guard)
		set.guards = append(set.guards, guard)
		set.transports, set.downloads = append(set.transports, transport), append(set.downloads, downloads)
		for j := range spec.Models {
			model := &spec.Models[j]
			if model.Provider == provider.Name {
				client := newClient(followed{transport}, provider, model, apiKey(i))
				client.downloads, client.answers, client.warnings = downloads, shared, set.warnings
				set.clients[model.Alias] = client
			}
		}
	}
	return set
}

// Through sends all requests through a transport instead of the network. It is called before the first request.
func (s *Set) Through(transport http.RoundTripper) {
	for _, client := range s.clients {
		client.transport, client.downloads = followed{transport}, transport
	}
}

// Allow adds networks inside that images of answers may come from. It is called before the first request.
func (s *Set) Allow(networks []netip.Prefix) {
	for _, guard := range s.guards {
		guard.Allowed = append(guard.Allowed, networks...)
	}
}

// Restrict says where requests may be sent. It is called before the first request.
func (s *Set) Restrict(endpoints *connection.Endpoints) {
	for i, transport := range s.transports {
		transport.DialContext, transport.Proxy = endpoints.Dial(newDialer()), endpoints.Proxy(transport.Proxy)
		downloads := s.downloads[i]
		downloads.DialContext, downloads.Proxy = endpoints.Dial(s.guards[i].Dialer(connectTimeout)), endpoints.Proxy(downloads.Proxy)
	}
}

// LogTo says where it is told what is wrong with a model's answers as a whole. It is called before the first request.
func (s *Set) LogTo(logger *slog.Logger) { s.warnings.logger = logger }

// Client returns the client of a model of the spec.
func (s *Set) Client(alias string) *Client { return s.clients[alias] }

// Close closes the connections that no request uses.
func (s *Set) Close() {
	for i := range s.transports {
		s.transports[i].CloseIdleConnections()
		s.downloads[i].CloseIdleConnections()
	}
}

func newClient(transport http.RoundTripper, provider *v1alpha1.Provider, model *v1alpha1.Model, apiKey string) *Client {
	// Keys that were put into a file before the Secret end with a line break.
	apiKey = strings.TrimSpace(apiKey)
	client := &Client{
		transport: transport, alias: model.Alias, provider: provider.Name, wire: wireOf(provider.Type), settings: newSettings(model),
		hasKey:  provider.APIKeySecretRef != nil,
		badKey:  strings.ContainsFunc(apiKey, func(char rune) bool { return char < ' ' || char >= 0x7f }),
		timeout: time.Duration(model.EffectiveTimeoutSeconds()) * time.Second,
		header:  http.Header{}, lessLoad: "it is sent again, and fewer at once",
	}
	if model.Admission != nil && model.Admission.Policy == v1alpha1.AdmissionFixed {
		client.lessLoad = "lower maxParallelRequests, or set admission.policy to Adaptive"
	}
	for name, value := range provider.ExtraHeaders {
		client.header.Set(name, value)
	}
	client.header.Set("Content-Type", "application/json")
	client.header.Set("Accept", "application/json")
	if client.settings.stream {
		client.header.Set("Accept", "application/json, text/event-stream")
	}
	client.wire.authorize(client.header, apiKey)
	client.secrets = secretsOf(apiKey, client.header)
	chat, embeddings, images := client.wire.urls(provider.Endpoint)
	client.chatURL, client.embeddingsURL, client.imagesURL = parsed(chat), parsed(embeddings), parsed(images)
	if extra := provider.ExtraBodyOf(model); len(extra) > 0 {
		client.extraNames = make(map[string]bool, len(extra))
		for name := range extra {
			client.extraNames[name] = true
		}
		client.extra = membersOf(extra)
	}
	return client
}

// parsed returns nil for no address. The plan has been validated: without a URL the first request tells.
func parsed(address string) *url.URL {
	if result, err := url.Parse(address); address != "" && err == nil {
		return result
	}
	return nil
}

// membersOf writes the members of an object without its braces.
func membersOf(object map[string]any) []byte {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(object) != nil {
		// It was read from JSON, so it can be written as JSON.
		return nil
	}
	document := bytes.TrimSpace(buffer.Bytes())
	return document[1 : len(document)-1]
}
