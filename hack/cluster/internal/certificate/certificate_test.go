package certificate_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"testing"

	"seedloom.dev/seedloom/hack/cluster/internal/certificate"
)

var server = certificate.Leaf{Name: "server", CommonName: "server", DNSNames: []string{"kubernetes.default.svc"}, Addresses: []net.IP{net.ParseIP("127.0.0.1")}}

func open(t *testing.T, folder string) *certificate.Authority {
	t.Helper()
	authority, err := certificate.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

func issue(t *testing.T, authority *certificate.Authority, leaf certificate.Leaf) []byte {
	t.Helper()
	if err := authority.Issue(leaf); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(authority.CertificateFile(leaf.Name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestIssuedCertificateIsTrustedForItsNames(t *testing.T) {
	authority := open(t, t.TempDir())
	issue(t, authority, server)
	pair, err := tls.LoadX509KeyPair(authority.CertificateFile("server"), authority.KeyFile("server"))
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.ReadFile(authority.CertificateFile("ca"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(root)
	for name, trusted := range map[string]bool{"127.0.0.1": true, "kubernetes.default.svc": true, "example.com": false} {
		_, err := pair.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots})
		if (err == nil) != trusted {
			t.Errorf("verify for %s: %v, want trusted %t", name, err, trusted)
		}
	}
}

func TestSecondStartKeepsGoodCertificatesAndReplacesBadOnes(t *testing.T) {
	wider := server
	wider.Addresses = append([]net.IP{net.ParseIP("10.10.10.10")}, server.Addresses...)
	cases := map[string]struct {
		spoil func(t *testing.T, folder string)
		leaf  certificate.Leaf
		kept  bool
	}{
		"nothing changed":       {func(*testing.T, string) {}, server, true},
		"another address":       {func(*testing.T, string) {}, wider, false},
		"the key was truncated": {func(t *testing.T, f string) { overwrite(t, filepath.Join(f, "server.key")) }, server, false},
		"the authority is new":  {func(t *testing.T, f string) { overwrite(t, filepath.Join(f, "ca.key")) }, server, false},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			before := issue(t, open(t, folder), server)
			test.spoil(t, folder)
			after := issue(t, open(t, folder), test.leaf)
			if kept := bytes.Equal(before, after); kept != test.kept {
				t.Errorf("certificate kept: %t, want %t", kept, test.kept)
			}
		})
	}
}

func TestPrivateKeysAreReadableByTheirOwnerOnly(t *testing.T) {
	authority := open(t, t.TempDir())
	issue(t, authority, server)
	if err := authority.SigningKey("tokens"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ca", "server", "tokens"} {
		info, err := os.Stat(authority.KeyFile(name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o, want 600", authority.KeyFile(name), info.Mode().Perm())
		}
	}
}

func overwrite(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}
