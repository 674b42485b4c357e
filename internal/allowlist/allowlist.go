// Package allowlist says which endpoints runs may send requests to, as the owner of a platform has decided: names of hosts, and networks.
// The operator asks it about names in a spec, and engines about the names and addresses that they dial. It connects to nothing.
package allowlist

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// List is what is allowed. Its zero value has no entries, and allows every endpoint but those near a Pod (see IsNear).
type List struct {
	entries  []string
	hosts    []host
	networks []netip.Prefix
}

// host is a name, or with suffix all names below it; port 0 is any.
type host struct {
	name   string
	suffix bool
	port   uint16
}

// Parse reads entries: names such as vllm.models.svc, *.example.com for all below it, or * for all; each with a port or for any;
// addresses, and networks such as 10.1.0.0/16. All entries that are none of these are in the error.
func Parse(entries []string) (*List, error) {
	list := &List{}
	var failures []error
	for _, entry := range entries {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		if err := list.add(entry); err != nil {
			failures = append(failures, err)
		}
	}
	return list, errors.Join(failures...)
}

// ParseText reads entries with commas between them.
func ParseText(text string) (*List, error) { return Parse(strings.Split(text, ",")) }

func (l *List) add(entry string) error {
	l.entries = append(l.entries, entry)
	if network, err := netip.ParsePrefix(entry); err == nil {
		l.networks = append(l.networks, network.Masked())
		return nil
	}
	if address, err := netip.ParseAddr(entry); err == nil {
		l.networks = append(l.networks, netip.PrefixFrom(address, address.BitLen()))
		return nil
	}
	name, port := normal(entry), uint16(0)
	if at := strings.LastIndexByte(name, ':'); at >= 0 {
		number, err := strconv.ParseUint(name[at+1:], 10, 16)
		if err != nil || number == 0 {
			return notAnEntry(entry)
		}
		name, port = normal(name[:at]), uint16(number)
	}
	suffix := false
	if name == "*" {
		name, suffix = "", true
	} else if rest, cut := strings.CutPrefix(name, "*."); cut {
		name, suffix = "."+rest, true
	}
	if !suffix && name == "" || strings.ContainsAny(name, "*/:@ ") || name == "." {
		return notAnEntry(entry)
	}
	l.hosts = append(l.hosts, host{name, suffix, port})
	return nil
}

func notAnEntry(entry string) error {
	return fmt.Errorf("%q is no host such as vllm.models.svc, *.example.com or api.example.com:443, and no network such as 10.1.0.0/16", entry)
}

// normal is a name as it is compared.
func normal(name string) string { return strings.TrimSuffix(strings.ToLower(name), ".") }

// Empty says that nothing is listed.
func (l *List) Empty() bool { return len(l.entries) == 0 }

// String has the entries as ParseText reads them.
func (l *List) String() string { return strings.Join(l.entries, ",") }

// Networks are the networks and addresses of the list.
func (l *List) Networks() []netip.Prefix { return slices.Clone(l.networks) }

// AllowsName says whether a name is listed.
func (l *List) AllowsName(name string, port uint16) bool {
	name = normal(name)
	return slices.ContainsFunc(l.hosts, func(entry host) bool {
		if entry.port != 0 && entry.port != port {
			return false
		}
		if entry.suffix {
			return strings.HasSuffix(name, entry.name)
		}
		return name == entry.name
	})
}

// AllowsAddress says whether an address is listed.
func (l *List) AllowsAddress(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	return slices.ContainsFunc(l.networks, func(network netip.Prefix) bool { return network.Contains(address) })
}

// Refuses says why a connection to a host may not be made, by its name and the address that the name has led to; it is empty where it may.
func (l *List) Refuses(name string, dialled netip.AddrPort) string {
	address := dialled.Addr().Unmap().WithZone("")
	switch {
	case l.AllowsAddress(address):
		return ""
	case IsNear(address):
		return fmt.Sprintf("%s leads to %s, an address of the Pod itself, of its node, or of what describes the node", name, address)
	case l.Empty() || l.AllowsName(name, dialled.Port()):
		return ""
	}
	return fmt.Sprintf("%s (%s) is none of the endpoints that the operator's configuration allows (%s)", name, address, l)
}

// RefusesURL says why a URL in a spec can't be allowed, whatever its name leads to; it is empty where that is not known before it is
// dialled.
func (l *List) RefusesURL(address *url.URL) string {
	name, port := address.Hostname(), PortOf(address)
	if written, err := netip.ParseAddr(name); err == nil {
		return l.Refuses(name, netip.AddrPortFrom(written, port))
	}
	switch {
	case normal(name) == "localhost" && !slices.ContainsFunc(l.networks, func(n netip.Prefix) bool { return n.Addr().IsLoopback() }):
		return name + " is the Pod itself"
	case l.Empty() || len(l.networks) > 0 || l.AllowsName(name, port):
		return ""
	}
	return fmt.Sprintf("%s is none of the endpoints that the operator's configuration allows (%s)", name, l)
}

// PortOf is the port of a URL, written out or by its scheme.
func PortOf(address *url.URL) uint16 {
	if port, err := strconv.ParseUint(address.Port(), 10, 16); err == nil {
		return uint16(port)
	}
	if address.Scheme == "https" {
		return 443
	}
	return 80
}

// metadata are addresses, beside those of the link, at which clouds describe a machine to its programs, with its credentials.
var metadata = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("fd20:ce::254"), netip.MustParseAddr("100.100.100.200"),
	netip.MustParseAddr("168.63.129.16"), netip.MustParseAddr("192.0.0.192"),
}

// IsNear says whether an address is of the machine itself, of its link, or of what describes it: nothing that serves models to others is
// there.
func IsNear(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	if address.IsLoopback() || address.IsLinkLocalUnicast() || address.IsMulticast() || address.IsUnspecified() ||
		slices.Contains(metadata, address) {
		return true
	}
	if !address.Is6() {
		return address == netip.AddrFrom4([4]byte{255, 255, 255, 255}) || address.As4()[0] == 0
	}
	inner, embeds := Embedded(address)
	return embeds && IsNear(inner)
}

// Embedded is the address of IPv4 that an address of IPv6 leads to, where it does.
func Embedded(address netip.Addr) (inner netip.Addr, embeds bool) {
	for _, mapped := range embedding {
		if mapped.network.Contains(address) {
			bytes := address.As16()
			return netip.AddrFrom4([4]byte(bytes[mapped.at : mapped.at+4])), true
		}
	}
	return netip.Addr{}, false
}

// embedding are the networks of IPv6 that lead to an address of IPv4, with the byte at which that stands.
var embedding = []struct {
	network netip.Prefix
	at      int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, {netip.MustParsePrefix("2002::/16"), 2}, {netip.MustParsePrefix("::/96"), 12},
}
