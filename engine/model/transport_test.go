package model_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/internal/allowlist"
)

// authority signs certificates for one test.
type authority struct {
	t           *testing.T
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	made := &authority{t: t}
	made.certificate, made.key, made.pem, _ = made.sign("authority", nil)
	return made
}

// sign returns a certificate and its key, also in PEM.
func (a *authority) sign(name string, issuer *authority) (
	certificate *x509.Certificate, key *ecdsa.PrivateKey, certificatePEM, keyPEM []byte,
) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"models.example"}, IsCA: issuer == nil, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.certificate, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	certificate, err = x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return certificate, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})
}

// serve starts a server with a certificate of the authority; with demands, one that wants to see a certificate of the authority.
func (a *authority) serve(demands bool, handler http.HandlerFunc) *httptest.Server {
	a.t.Helper()
	_, _, certificate, key := a.sign("server", a)
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		a.t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	if demands {
		server.TLS.ClientAuth, server.TLS.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		server.TLS.ClientCAs.AddCert(a.certificate)
	}
	server.StartTLS()
	a.t.Cleanup(server.Close)
	return server
}

// files writes the files of the provider.
func files(t *testing.T, contents map[string][]byte) string {
	t.Helper()
	directory := t.TempDir()
	if err := os.Mkdir(filepath.Join(directory, "remote"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range contents {
		if err := os.WriteFile(filepath.Join(directory, "remote", name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

func setOf(t *testing.T, provider v1alpha1.Provider, parallel int32) *model.Set {
	t.Helper()
	provider.Name, provider.Type = "remote", v1alpha1.ProviderOpenAI
	set := model.NewSet(&v1alpha1.DatasetGenerationSpec{Providers: []v1alpha1.Provider{provider},
		Models: []v1alpha1.Model{{Alias: "writer", Model: "m", Provider: "remote", MaxParallelRequests: &parallel}}}, func(int) string { return secret })
	t.Cleanup(set.Close)
	return set
}

func hello(writer http.ResponseWriter, request *http.Request) {
	read(request)
	fmt.Fprint(writer, helloAnswer)
}

var bundle = &v1alpha1.ConfigMapKeyReference{Name: "authorities", Key: "ca.pem"}

func TestCertificatesOfProviders(t *testing.T) {
	own, other := newAuthority(t), newAuthority(t)
	_, _, certificate, key := own.sign("client", own)
	_, _, foreign, foreignKey := other.sign("client", other)
	open, closed := own.serve(false, hello), own.serve(true, hello)
	both := &v1alpha1.ProviderTLS{CABundleConfigMapRef: bundle, ClientCertificateSecretRef: &v1alpha1.SecretReference{Name: "client"}}
	for name, test := range map[string]struct {
		server *httptest.Server
		tls    *v1alpha1.ProviderTLS
		files  map[string][]byte
		// want is part of the message of the request's failure, or empty where it succeeds.
		want string
	}{
		"an authority of one's own":          {open, &v1alpha1.ProviderTLS{CABundleConfigMapRef: bundle}, map[string][]byte{"ca.crt": append(bytes.Clone(other.pem), own.pem...)}, ""},
		"another authority":                  {open, &v1alpha1.ProviderTLS{CABundleConfigMapRef: bundle}, map[string][]byte{"ca.crt": other.pem}, "TLS certificate can't be verified"},
		"no authority":                       {open, nil, nil, "TLS certificate can't be verified"},
		"a client's certificate":             {closed, both, map[string][]byte{"ca.crt": own.pem, "tls.crt": certificate, "tls.key": key}, ""},
		"a client's certificate of somebody": {closed, both, map[string][]byte{"ca.crt": own.pem, "tls.crt": foreign, "tls.key": foreignKey}, "refused the TLS connection"},
		"no client's certificate":            {closed, &v1alpha1.ProviderTLS{CABundleConfigMapRef: bundle}, map[string][]byte{"ca.crt": own.pem}, "refused the TLS connection"},
	} {
		t.Run(name, func(t *testing.T) {
			set := setOf(t, v1alpha1.Provider{Endpoint: test.server.URL, TLS: test.tls}, 1)
			if err := set.LoadCertificates(files(t, test.files)); err != nil {
				t.Fatal(err)
			}
			text, err := ask(t.Context(), set.Client("writer"))
			if test.want == "" {
				if err != nil || text != "hello" {
					t.Errorf("got %q, %v", text, err)
				}
				return
			}
			if failed := failure.Of(err); failed == nil || failed.Reason != v1alpha1.ReasonProviderUnavailable ||
				failed.Consequence != failure.PauseEndpoint || !strings.Contains(failed.Message, test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestCertificatesThatAreNoneEndTheRun(t *testing.T) {
	own := newAuthority(t)
	_, _, certificate, _ := own.sign("client", own)
	_, _, _, another := own.sign("client", own)
	withKey := &v1alpha1.ProviderTLS{ClientCertificateSecretRef: &v1alpha1.SecretReference{Name: "client"}}
	for name, test := range map[string]struct {
		tls   *v1alpha1.ProviderTLS
		files map[string][]byte
	}{
		"no bundle":        {&v1alpha1.ProviderTLS{CABundleConfigMapRef: bundle}, nil},
		"an empty bundle":  {&v1alpha1.ProviderTLS{CABundleConfigMapRef: bundle}, map[string][]byte{"ca.crt": []byte("nothing")}},
		"no certificate":   {withKey, nil},
		"a key of another": {withKey, map[string][]byte{"tls.crt": certificate, "tls.key": another}},
	} {
		t.Run(name, func(t *testing.T) {
			err := setOf(t, v1alpha1.Provider{Endpoint: "https://127.0.0.1:9", TLS: test.tls}, 1).LoadCertificates(files(t, test.files))
			if failed := failure.Of(err); failed == nil || failed.Reason != v1alpha1.ReasonConfigInvalid || failed.Consequence != failure.EndRun ||
				!strings.Contains(err.Error(), `"remote"`) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestCertificatesAreNotForgotten(t *testing.T) {
	err := setOf(t, v1alpha1.Provider{Endpoint: "https://127.0.0.1:9", TLS: &v1alpha1.ProviderTLS{CABundleConfigMapRef: bundle}}, 1).LoadCertificates("")
	if failed := failure.Of(err); failed == nil || failed.Reason != v1alpha1.ReasonConfigInvalid ||
		!strings.Contains(err.Error(), `"remote"`) {
		t.Errorf("got %v", err)
	}
}

// A certificate that was renewed while the run goes on is shown from the next connection on.
func TestARenewedCertificateIsShown(t *testing.T) {
	own := newAuthority(t)
	var names sync.Map
	server := own.serve(true, func(writer http.ResponseWriter, request *http.Request) {
		names.Store(request.TLS.PeerCertificates[0].Subject.CommonName, true)
		writer.Header().Set("Connection", "close")
		hello(writer, request)
	})
	_, _, certificate, key := own.sign("first", own)
	directory := files(t, map[string][]byte{"ca.crt": own.pem, "tls.crt": certificate, "tls.key": key})
	set := setOf(t, v1alpha1.Provider{Endpoint: server.URL, TLS: &v1alpha1.ProviderTLS{CABundleConfigMapRef: bundle, ClientCertificateSecretRef: &v1alpha1.SecretReference{Name: "client"}}}, 1)
	if err := set.LoadCertificates(directory); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"first", "second"} {
		_, _, certificate, key := own.sign(name, own)
		for file, content := range map[string][]byte{"tls.crt": certificate, "tls.key": key} {
			if err := os.WriteFile(filepath.Join(directory, "remote", file), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := ask(t.Context(), set.Client("writer")); err != nil {
			t.Fatal(err)
		}
		if _, shown := names.Load(name); !shown {
			t.Errorf("the certificate %q was not shown", name)
		}
	}
}

// proxy is an HTTP proxy that notes the hosts it was asked for, and sends everybody to the same address.
func proxy(t *testing.T, target string, refusal int) (address string, asked *sync.Map) {
	t.Helper()
	asked = &sync.Map{}
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		asked.Store(request.Method+" "+request.Host, true)
		if refusal != 0 {
			writer.WriteHeader(refusal)
			return
		}
		if request.Method != http.MethodConnect {
			hello(writer, request)
			return
		}
		upstream, err := net.Dial("tcp", target)
		if err != nil {
			t.Error(err)
			return
		}
		defer upstream.Close()
		client, _, err := http.NewResponseController(writer).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer client.Close()
		_, _ = io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n")
		done := make(chan struct{})
		go func() { defer close(done); _, _ = io.Copy(upstream, client); _ = upstream.(*net.TCPConn).CloseWrite() }()
		_, _ = io.Copy(client, upstream)
		_ = client.Close()
		<-done
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

func TestProxiesOfProviders(t *testing.T) {
	own := newAuthority(t)
	target := own.serve(false, hello)
	host, err := url.Parse(target.URL)
	if err != nil {
		t.Fatal(err)
	}
	certificates := files(t, map[string][]byte{"ca.crt": own.pem})
	for name, test := range map[string]struct {
		endpoint string
		refusal  int
		asked    string
		reason   string
		want     string
	}{
		"a tunnel":          {"https://models.example/v1", 0, "CONNECT models.example:443", "", ""},
		"without TLS":       {"http://models.example/v1", 0, "POST models.example", "", ""},
		"a tunnel refused":  {"https://models.example/v1", 403, "CONNECT models.example:443", v1alpha1.ReasonProviderUnavailable, "HTTP 403"},
		"a password":        {"https://models.example/v1", 407, "CONNECT models.example:443", v1alpha1.ReasonProviderUnavailable, "password"},
		"a password at all": {"http://models.example/v1", 407, "POST models.example", v1alpha1.ReasonConfigInvalid, "password"},
	} {
		t.Run(name, func(t *testing.T) {
			address, asked := proxy(t, host.Host, test.refusal)
			provider := v1alpha1.Provider{Endpoint: test.endpoint, ProxyURL: address}
			if strings.HasPrefix(test.endpoint, "https") {
				provider.TLS = &v1alpha1.ProviderTLS{CABundleConfigMapRef: bundle}
			}
			set := setOf(t, provider, 1)
			if err := set.LoadCertificates(certificates); err != nil {
				t.Fatal(err)
			}
			text, err := ask(t.Context(), set.Client("writer"))
			set.Close()
			if _, found := asked.Load(test.asked); !found {
				t.Errorf("the proxy was not asked for %s", test.asked)
			}
			failed := failure.Of(err)
			switch {
			case test.reason == "":
				if err != nil || text != "hello" {
					t.Errorf("got %q, %v", text, err)
				}
			case failed == nil || failed.Reason != test.reason || !strings.Contains(failed.Message, test.want):
				t.Errorf("got %v", err)
			}
		})
	}
}

// A thousand requests at once, ten thousand in all: each connection is used again.
func TestThousandRequestsShareTheirConnections(t *testing.T) {
	const parallel, rounds = 1000, 10
	var opened, arrived atomic.Int32
	all := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		read(request)
		// The first thousand wait for each other, so that they are under way at once.
		if arrived.Add(1) == parallel {
			close(all)
		}
		<-all
		fmt.Fprint(writer, helloAnswer)
	}))
	countConnections(server, &opened)
	server.Start()
	defer server.Close()
	asked := setOf(t, v1alpha1.Provider{Endpoint: server.URL}, parallel).Client("writer")
	var group sync.WaitGroup
	for range parallel {
		group.Go(func() {
			for range rounds {
				if text, err := ask(t.Context(), asked); err != nil || text != "hello" {
					t.Errorf("got %q, %v", text, err)
					return
				}
			}
		})
	}
	group.Wait()
	// On a machine that is busy, a connection may be closed because its writer was not awake in time to say that it is done.
	if count := opened.Load(); count > parallel+parallel/10 || arrived.Load() != parallel*rounds {
		t.Errorf("%d connections were opened for %d requests, %d at once", count, arrived.Load(), parallel)
	}
}

func TestAProviderThatIsNotAllowedEndsTheRun(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		asked++
		hello(writer, request)
	}))
	defer server.Close()
	for entries, allowed := range map[string]bool{"": false, "*.models.svc": false, "127.0.0.1": true} {
		list, err := allowlist.ParseText(entries)
		if err != nil {
			t.Fatal(err)
		}
		set := setOf(t, v1alpha1.Provider{Endpoint: server.URL}, 1)
		set.Restrict(connection.NewEndpoints(list, func(string) string { return "" }))
		before := asked
		_, _, err = set.Client("writer").Chat(t.Context(), model.Request{Messages: []model.Message{{Role: model.RoleUser, Content: "hello"}}})
		failed := failure.Of(err)
		switch {
		case allowed && (err != nil || asked == before):
			t.Errorf("%q: %v", entries, err)
		case !allowed && (failed == nil || failed.Reason != v1alpha1.ReasonEndpointNotAllowed || failed.Consequence != failure.EndRun ||
			asked != before || !strings.Contains(err.Error(), "endpoints.allowed in its configuration")):
			t.Errorf("%q: %v", entries, err)
		}
	}
}
