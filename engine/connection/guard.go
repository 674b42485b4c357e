package connection

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"seedloom.dev/seedloom/internal/allowlist"
	"seedloom.dev/seedloom/internal/runreport"
)

// AddressRefusal says that an address is one that data of others may not lead to.
type AddressRefusal struct{ Address netip.Addr }

// Error says why, and what allows it.
func (e *AddressRefusal) Error() string {
	return fmt.Sprintf("leads to %s, an address that only machines near this one reach; %s allows such addresses", e.Address,
		runreport.AllowedAddressesVariable)
}

// Guard refuses connections to addresses inside: of the machine itself, of its network, and of what describes it to its programs. It is for
// addresses that come from others, such as those in an answer. It looks at the address that is dialled, whatever names and redirects lead
// there.
type Guard struct {
	// Own, where it is set, is an address that is allowed with its port, wherever it is.
	Own *url.URL
	// Allowed are networks that are allowed too.
	Allowed []netip.Prefix
	// Endpoints, where it is set, says besides where requests of the run may be sent.
	Endpoints *Endpoints
}

// Dialer returns a dialer that refuses such connections with an AddressRefusal.
func (g *Guard) Dialer(timeout time.Duration) *net.Dialer {
	return &net.Dialer{Timeout: timeout, KeepAlive: 30 * time.Second, ControlContext: func(ctx context.Context, _, address string,
		_ syscall.RawConn) error {
		dialled, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return g.check(ctx, dialled)
	}}
}

// Client returns a client of HTTP that refuses such addresses.
func (g *Guard) Client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy: g.Endpoints.Proxy(func(request *http.Request) (*url.URL, error) {
			if err := g.CheckWritten(request.URL); err != nil {
				return nil, err
			}
			return http.ProxyFromEnvironment(request)
		}),
		DialContext: g.Endpoints.Dial(g.Dialer(10 * time.Second)), TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: 90 * time.Second,
	}}
}

// CheckWritten refuses an address that is written out in a URL.
func (g *Guard) CheckWritten(address *url.URL) error {
	parsed, err := netip.ParseAddr(address.Hostname())
	if err != nil {
		return nil // it is a name, and what it leads to is looked at when it is dialled
	}
	return g.check(context.Background(), netip.AddrPortFrom(parsed, allowlist.PortOf(address)))
}

func (g *Guard) check(ctx context.Context, dialled netip.AddrPort) error {
	address := dialled.Addr().Unmap().WithZone("")
	if !isInside(address) {
		return nil
	}
	for _, network := range g.Allowed {
		if network.Contains(address) {
			return nil
		}
	}
	if g.isOwn(ctx, netip.AddrPortFrom(address, dialled.Port())) {
		return nil
	}
	return &AddressRefusal{Address: address}
}

// isOwn says whether it is the address that is allowed, by its name or written out.
func (g *Guard) isOwn(ctx context.Context, dialled netip.AddrPort) bool {
	if g.Own == nil || allowlist.PortOf(g.Own) != dialled.Port() {
		return false
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", g.Own.Hostname())
	if err != nil {
		return false
	}
	for _, address := range found {
		if address.Unmap().WithZone("") == dialled.Addr() {
			return true
		}
	}
	return false
}

// inside are the networks that are no part of the public internet, beside those that package netip knows by their kind.
var inside = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("fec0::/10"),
}

// LocalNetworks are the networks of a machine and of the house that it stands in, without those of what describes the machine to its
// programs.
func LocalNetworks() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("10.0.0.0/8"),
		netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("fc00::/7"),
	}
}

func isInside(address netip.Addr) bool {
	if address.IsLoopback() || address.IsPrivate() || address.IsLinkLocalUnicast() || address.IsMulticast() || address.IsUnspecified() {
		return true
	}
	for _, network := range inside {
		if network.Contains(address) {
			return true
		}
	}
	inner, embeds := allowlist.Embedded(address)
	return embeds && isInside(inner)
}

// ParseAllowed reads a list of networks and addresses with commas between them (see runreport.AllowedAddressesVariable).
func ParseAllowed(list string) ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		network, err := netip.ParsePrefix(entry)
		if address, problem := netip.ParseAddr(entry); problem == nil {
			network, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil {
			return nil, errors.New("no network such as 10.1.0.0/16, and no address: " + entry)
		}
		networks = append(networks, network.Masked())
	}
	return networks, nil
}
