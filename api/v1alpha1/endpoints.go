package v1alpha1

import (
	"net/url"
	"slices"
	"strings"
)

// EndpointIdentity is what equal endpoints have in common, however they are written: without the default port of the scheme, a slash at
// the end, and capitals in the host.
func (p *Provider) EndpointIdentity() string {
	parsed, err := url.Parse(p.Endpoint)
	if err != nil {
		return p.Endpoint
	}
	scheme, host := strings.ToLower(parsed.Scheme), strings.ToLower(parsed.Host)
	switch scheme {
	case "http":
		host = strings.TrimSuffix(host, ":80")
	case "https":
		host = strings.TrimSuffix(host, ":443")
	}
	return scheme + "://" + host + strings.TrimRight(parsed.Path, "/")
}

// Endpoints are the identities of the providers' endpoints, each once, in the order of the providers.
func (s *DatasetGenerationSpec) Endpoints() []string {
	var endpoints []string
	for i := range s.Providers {
		if identity := s.Providers[i].EndpointIdentity(); !slices.Contains(endpoints, identity) {
			endpoints = append(endpoints, identity)
		}
	}
	return endpoints
}

// SharedLimits are the limits that all Pods keep to together, by the identity of the endpoint: the least of those of its providers.
// Endpoints without one are not in it.
func (s *DatasetGenerationSpec) SharedLimits() map[string]int32 {
	limits := map[string]int32{}
	for i := range s.Providers {
		set := s.Providers[i].MaxParallelRequests
		if set == nil {
			continue
		}
		identity := s.Providers[i].EndpointIdentity()
		if known, found := limits[identity]; !found || *set < known {
			limits[identity] = *set
		}
	}
	return limits
}
