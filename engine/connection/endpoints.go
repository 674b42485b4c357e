package connection

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"

	"seedloom.dev/seedloom/internal/allowlist"
)

// EndpointRefusal says that a run may not send requests to an endpoint.
type EndpointRefusal struct{ Why string }

// Error says why, and who can allow it.
func (e *EndpointRefusal) Error() string {
	return e.Why + "; whoever runs the operator can allow it (endpoints.allowed in its configuration)"
}

// Endpoints says where requests of a run may be sent, and is asked about the address that is dialled, whatever names and redirects lead
// there. A nil one says nothing, as on the machine of the spec's author.
type Endpoints struct {
	list *allowlist.List
	// proxies are those of the environment, which whoever runs the operator has set.
	proxies map[string]bool
}

// NewEndpoints returns what a list allows, and the proxies of an environment.
func NewEndpoints(list *allowlist.List, environment func(string) string) *Endpoints {
	endpoints := &Endpoints{list: list, proxies: map[string]bool{}}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		if proxy, err := url.Parse(environment(name)); err == nil && proxy.Hostname() != "" {
			endpoints.proxies[proxy.Hostname()] = true
		}
	}
	return endpoints
}

// Networks are the networks that are listed.
func (e *Endpoints) Networks() []netip.Prefix {
	if e == nil {
		return nil
	}
	return e.list.Networks()
}

// Dial returns what connects as a dialer does, where that is allowed. What is not ends in an EndpointRefusal.
func (e *Endpoints) Dial(dialer *net.Dialer) func(ctx context.Context, network, address string) (net.Conn, error) {
	if e == nil {
		return dialer.DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		name, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		asking := *dialer
		asking.ControlContext = func(ctx context.Context, network, dialled string, connection syscall.RawConn) error {
			at, err := netip.ParseAddrPort(dialled)
			if err != nil {
				return err
			}
			if why := e.list.Refuses(name, at); why != "" && !e.proxies[name] {
				return &EndpointRefusal{Why: why}
			}
			if dialer.ControlContext != nil {
				return dialer.ControlContext(ctx, network, dialled, connection)
			}
			return nil
		}
		return asking.DialContext(ctx, network, address)
	}
}

// Proxy chooses a proxy as another function does. Behind a proxy nobody sees which address is dialled: the host must be listed by its name.
func (e *Endpoints) Proxy(choose func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	if e == nil {
		return choose
	}
	return func(request *http.Request) (*url.URL, error) {
		proxy, err := choose(request)
		if err != nil || proxy == nil {
			return proxy, err
		}
		host := request.URL.Hostname()
		why := e.list.RefusesURL(request.URL)
		if why == "" && !e.list.Empty() && !e.list.AllowsName(host, allowlist.PortOf(request.URL)) && !e.isListed(host) {
			why = host + " is behind a proxy, and is not listed by its name among the endpoints that the operator's configuration allows"
		}
		if why != "" {
			return nil, &EndpointRefusal{Why: why}
		}
		return proxy, nil
	}
}

// isListed says whether a host is an address that is listed.
func (e *Endpoints) isListed(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && e.list.AllowsAddress(address)
}
