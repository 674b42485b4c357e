package model

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/internal/runreport"
)

// connectTimeout bounds how long a connection may take, so that an address that swallows packets is found out early.
const connectTimeout = 10 * time.Second

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

// newTransport returns the connections to a provider: as many as it may have requests, all of which are kept. They speak HTTP/1.1, since
// the streams of one HTTP/2 connection would all end at the same replica of the provider.
func newTransport(provider *v1alpha1.Provider, connections int) *http.Transport {
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         newDialer().DialContext,
		TLSHandshakeTimeout: connectTimeout,
		MaxIdleConns:        connections,
		MaxIdleConnsPerHost: connections,
		// While a connection is made for a request, another may become free for it: without a limit there would be more than requests.
		MaxConnsPerHost:       connections,
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, response *http.Response) error {
			if response.StatusCode != http.StatusOK {
				return &connection.ProxyRefusal{Status: response.StatusCode}
			}
			return nil
		},
	}
	if address := parsed(provider.ProxyURL); address != nil {
		transport.Proxy = http.ProxyURL(address)
	}
	return transport
}

func newDialer() *net.Dialer {
	return &net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}
}

// newDownloads returns the connections with which images of answers are downloaded: they may lead anywhere but into the machine, its
// network and what describes it to its programs, unless that is where the provider is, or it was allowed.
func newDownloads(provider *v1alpha1.Provider, connections int, guard *connection.Guard) *http.Transport {
	transport := newTransport(provider, connections)
	transport.MaxConnsPerHost = 0
	transport.DialContext = guard.Dialer(connectTimeout).DialContext
	guarded := transport.Proxy
	transport.Proxy = func(request *http.Request) (*url.URL, error) {
		// What stands behind a proxy is its matter, but an address that is written out is known.
		if err := guard.CheckWritten(request.URL); err != nil {
			return nil, err
		}
		return guarded(request)
	}
	return transport
}

// LoadCertificates reads what the providers' tls names from a directory (see runreport.TLSDirectory). It comes before the first
// request. An error is a failure.Error.
func (s *Set) LoadCertificates(directory string) error {
	for i := range s.providers {
		settings := s.providers[i].TLS
		if settings == nil {
			continue
		}
		if directory == "" {
			return failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun,
				"provider %q has tls, but it was not said where its certificates are", s.providers[i].Name)
		}
		config, err := certificates(settings, filepath.Join(directory, s.providers[i].Name))
		if err != nil {
			return failure.Wrap(err, v1alpha1.ReasonConfigInvalid, failure.EndRun,
				"reading the certificates of provider %q", s.providers[i].Name)
		}
		s.transports[i].TLSClientConfig, s.downloads[i].TLSClientConfig = config, config
	}
	return nil
}

func certificates(settings *v1alpha1.ProviderTLS, folder string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if reference := settings.CABundleConfigMapRef; reference != nil {
		bundle, err := os.ReadFile(filepath.Join(folder, runreport.CABundleName))
		if err != nil {
			return nil, err
		}
		// Where the system has none, the bundle has to do.
		authorities, err := x509.SystemCertPool()
		if err != nil {
			authorities = x509.NewCertPool()
		}
		if !authorities.AppendCertsFromPEM(bundle) {
			return nil, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun,
				"the key %q of ConfigMap %q holds no certificate in PEM", reference.Key, reference.Name)
		}
		config.RootCAs = authorities
	}
	if reference := settings.ClientCertificateSecretRef; reference != nil {
		load := func() (*tls.Certificate, error) {
			pair := [2]string{filepath.Join(folder, runreport.ClientCertificateName), filepath.Join(folder, runreport.ClientKeyName)}
			certificate, err := tls.LoadX509KeyPair(pair[0], pair[1])
			return &certificate, err
		}
		if _, err := load(); err != nil {
			return nil, failure.Wrap(err, v1alpha1.ReasonConfigInvalid, failure.EndRun,
				"Secret %q holds no certificate with its key (%s and %s in PEM)", reference.Name, runreport.ClientCertificateName,
				runreport.ClientKeyName)
		}
		// It is read for each connection: in a long run, the kubelet puts a renewed one in its place.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return load() }
	}
	return config, nil
}
