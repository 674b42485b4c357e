package webhook

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"testing/synctest"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

const system = "seedloom-system"

// installed is an API server with what config/webhook installs.
func installed() client.Client {
	return fake.NewClientBuilder().WithScheme(clientgoscheme.Scheme).WithObjects(
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: Name}},
		&admissionregistrationv1.ValidatingWebhookConfiguration{
			ObjectMeta: metav1.ObjectMeta{Name: Name},
			Webhooks:   []admissionregistrationv1.ValidatingWebhook{{Name: "datasetgenerations.seedloom.dev"}},
		}).Build()
}

func newCertificate(server client.Client) *Certificate {
	return &Certificate{
		Client: server, Reader: server, Secret: types.NamespacedName{Namespace: system, Name: Name}, Configuration: Name,
		Hosts: ServiceHosts(system), Now: time.Now,
	}
}

// trusted are the authorities that the API server trusts.
func trusted(t *testing.T, server client.Client) []byte {
	t.Helper()
	configuration := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	if err := server.Get(t.Context(), types.NamespacedName{Name: Name}, configuration); err != nil {
		t.Fatal(err)
	}
	return configuration.Webhooks[0].ClientConfig.CABundle
}

// mustServe fails the test unless an API server that trusts some authorities would take what is served.
func mustServe(t *testing.T, c *Certificate, authorities []byte) *x509.Certificate {
	t.Helper()
	certificate, err := c.Get(nil)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authorities)
	for _, host := range c.Hosts {
		if _, err := certificate.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: host, CurrentTime: time.Now()}); err != nil {
			t.Fatalf("on %s: %v", time.Now().Format(time.DateOnly), err)
		}
	}
	return certificate.Leaf
}

func TestManagersShareACertificateAndRotateIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := installed()
		first, second := newCertificate(server), newCertificate(server)
		if _, err := first.Get(nil); err == nil {
			t.Error("there is a certificate before one was made")
		}
		for _, manager := range []*Certificate{first, second} {
			if err := manager.check(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		authorities := trusted(t, server)
		original := mustServe(t, first, authorities)
		if other := mustServe(t, second, authorities); !other.Equal(original) {
			t.Error("the managers serve different certificates")
		}
		// A day before it is renewed.
		time.Sleep(certificateAge - renewBefore - 25*time.Hour)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		for _, manager := range []*Certificate{first, second} {
			go func() { ended <- manager.Start(ctx) }()
			time.Sleep(time.Second)
		}
		rotations, last := 0, original
		for range 48 * 60 {
			time.Sleep(time.Minute)
			before := authorities
			authorities = trusted(t, server)
			served := mustServe(t, first, authorities)
			// What the API server heard of a minute ago is enough.
			mustServe(t, first, before)
			mustServe(t, second, before)
			if !served.Equal(last) {
				rotations++
			}
			last = served
		}
		if rotations != 1 {
			t.Errorf("there were %d rotations, want 1", rotations)
		}
		if blocks := count(authorities); blocks != 2 {
			t.Errorf("%d authorities are trusted, want the old and the new one", blocks)
		}
		cancel()
		for range cap(ended) {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestWhatSomebodyHasChangedIsPutRight(t *testing.T) {
	for name, change := range map[string]func(*corev1.Secret, *admissionregistrationv1.ValidatingWebhookConfiguration){
		"other authorities in the configuration": func(_ *corev1.Secret, configuration *admissionregistrationv1.ValidatingWebhookConfiguration) {
			configuration.Webhooks[0].ClientConfig.CABundle = nil
		},
		"no data in the Secret": func(secret *corev1.Secret, _ *admissionregistrationv1.ValidatingWebhookConfiguration) {
			secret.Data = nil
		},
		"no key in the Secret": func(secret *corev1.Secret, _ *admissionregistrationv1.ValidatingWebhookConfiguration) {
			delete(secret.Data, "tls.key")
		},
		"another authority": func(secret *corev1.Secret, _ *admissionregistrationv1.ValidatingWebhookConfiguration) {
			delete(secret.Data, "ca.crt")
		},
		"a certificate of words": func(secret *corev1.Secret, _ *admissionregistrationv1.ValidatingWebhookConfiguration) {
			secret.Data["tls.crt"] = []byte("words")
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := installed()
			c := newCertificate(server)
			if err := c.check(t.Context()); err != nil {
				t.Fatal(err)
			}
			secret, configuration := &corev1.Secret{}, &admissionregistrationv1.ValidatingWebhookConfiguration{}
			for key, object := range map[types.NamespacedName]client.Object{c.Secret: secret, {Name: Name}: configuration} {
				if err := server.Get(t.Context(), key, object); err != nil {
					t.Fatal(err)
				}
			}
			change(secret, configuration)
			for _, object := range []client.Object{secret, configuration} {
				if err := server.Update(t.Context(), object); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				if err := c.check(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			mustServe(t, c, trusted(t, server))
		})
	}
}

func count(authorities []byte) (blocks int) {
	for block, rest := pem.Decode(authorities); block != nil; block, rest = pem.Decode(rest) {
		blocks++
	}
	return blocks
}
