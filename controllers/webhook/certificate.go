package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	certutil "k8s.io/client-go/util/cert"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

const (
	// Name is that of the Secret with the certificate, of the Service and of the ValidatingWebhookConfiguration.
	Name = "seedloom-webhook"

	// certificateAge is how long a certificate holds, and renewBefore how long before its end there is another one.
	certificateAge = 365 * 24 * time.Hour
	renewBefore    = certificateAge / 3
	// checkInterval is how often a manager looks whether there is another certificate, or whether somebody has changed what the API server
	// trusts. A new certificate is served one interval after it is trusted at the earliest.
	checkInterval = 10 * time.Minute
	// retryInterval is the same while there is no certificate, or the last look has failed.
	retryInterval = 2 * time.Second

	// authorityKey is where the Secret has the authorities to trust: that of the certificate, and those before it that still hold.
	authorityKey = "ca.crt"
)

// errNoCertificate is why a server that has just been started can't answer.
var errNoCertificate = errors.New("the webhook has no certificate yet")

// Certificate is that of the webhook's server. All managers share the one in a Secret; whoever finds none there, or one that ends soon,
// makes it, and has the API server trust it. Nobody but the managers need know of it.
type Certificate struct {
	// Client writes, and Reader reads past the cache: the right to get one Secret, and not to list them, is enough.
	Client client.Client
	Reader client.Reader
	// Secret exists already, possibly without data; Configuration is the name of the ValidatingWebhookConfiguration.
	Secret        types.NamespacedName
	Configuration string
	// Hosts are the names, or addresses, by which the API server reaches the webhook. There is at least one.
	Hosts []string
	// Now is the clock.
	Now func() time.Time

	served atomic.Pointer[tls.Certificate]
	// next is what the last look has found in the Secret, when it was not to be served at once. It belongs to Start.
	next *x509.Certificate
}

var (
	_ manager.Runnable               = (*Certificate)(nil)
	_ manager.LeaderElectionRunnable = (*Certificate)(nil)
)

// ServiceHosts are the names of the webhook's Service in a namespace.
func ServiceHosts(namespace string) []string {
	return []string{Name + "." + namespace + ".svc", Name + "." + namespace + ".svc.cluster.local"}
}

// NeedLeaderElection says that it does not: every manager answers the API server.
func (c *Certificate) NeedLeaderElection() bool { return false }

// Get is for tls.Config.
func (c *Certificate) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if certificate := c.served.Load(); certificate != nil {
		return certificate, nil
	}
	return nil, errNoCertificate
}

// Start keeps the certificate good until the context ends.
func (c *Certificate) Start(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		wait := checkInterval
		if err := c.check(ctx); err != nil {
			// Of two managers that make one at the same time, the second takes that of the first.
			if !apierrors.IsConflict(err) && ctx.Err() == nil {
				log.FromContext(ctx).Error(err, "The certificate of the webhook can't be kept", "secret", c.Secret.String())
			}
			wait = retryInterval
		}
		timer.Reset(wait)
	}
}

// check has a good certificate in the Secret, has the API server trust it, and serves it.
func (c *Certificate) check(ctx context.Context) error {
	secret := &corev1.Secret{}
	if err := c.Reader.Get(ctx, c.Secret, secret); err != nil {
		return fmt.Errorf("reading the Secret (apply the manifests of the webhook again if it is gone): %w", err)
	}
	certificate, err := c.read(secret)
	if err != nil {
		log.FromContext(ctx).Info("The webhook gets another certificate", "why", err.Error())
		if certificate, err = c.renew(ctx, secret); err != nil {
			return err
		}
	}
	authorities := secret.Data[authorityKey]
	if err := c.trust(ctx, authorities); err != nil {
		return err
	}
	if served := c.served.Load(); served != nil && !c.next.Equal(certificate.Leaf) && c.isGood(served.Leaf, authorities) == nil {
		// The API server takes a moment to trust what is new.
		c.next = certificate.Leaf
		return nil
	}
	c.served.Store(certificate)
	return nil
}

// read is the certificate in the Secret, or why it is no good.
func (c *Certificate) read(secret *corev1.Secret) (*tls.Certificate, error) {
	if len(secret.Data[corev1.TLSCertKey]) == 0 {
		return nil, errors.New("there is none")
	}
	certificate, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		return nil, fmt.Errorf("that in the Secret can't be used: %w", err)
	}
	if end := certificate.Leaf.NotAfter; !c.Now().Add(renewBefore).Before(end) {
		return nil, fmt.Errorf("it ends on %s", end.Format(time.DateOnly))
	}
	if err := c.isGood(certificate.Leaf, secret.Data[authorityKey]); err != nil {
		return nil, err
	}
	return &certificate, nil
}

// isGood says why those who trust some authorities would not take a certificate.
func (c *Certificate) isGood(certificate *x509.Certificate, authorities []byte) error {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authorities)
	for _, host := range c.Hosts {
		if _, err := certificate.Verify(x509.VerifyOptions{Roots: roots, DNSName: host, CurrentTime: c.Now()}); err != nil {
			return fmt.Errorf("it is not good for %s: %w", host, err)
		}
	}
	return nil
}

// renew makes a certificate and writes it into the Secret, unless another manager has been faster.
func (c *Certificate) renew(ctx context.Context, secret *corev1.Secret) (*tls.Certificate, error) {
	chain, key, err := certutil.GenerateSelfSignedCertKeyWithOptions(certutil.SelfSignedCertKeyOptions{
		Host: c.Hosts[0], AlternateDNS: c.Hosts[1:], MaxAge: certificateAge,
	})
	if err != nil {
		return nil, fmt.Errorf("making a certificate: %w", err)
	}
	// The key of its authority is forgotten: the next certificate has another one.
	leaf, authority := splitChain(chain)
	before := secret.DeepCopy()
	secret.Data = map[string][]byte{
		corev1.TLSCertKey: leaf, corev1.TLSPrivateKeyKey: key, authorityKey: append(authority, c.stillValid(secret.Data[authorityKey])...),
	}
	if err := c.Client.Patch(ctx, secret, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return nil, fmt.Errorf("writing the Secret: %w", err)
	}
	certificate, err := tls.X509KeyPair(leaf, key)
	if err != nil {
		return nil, fmt.Errorf("using a certificate that was just made: %w", err)
	}
	return &certificate, nil
}

// splitChain divides a certificate from that of its authority, which follows it.
func splitChain(chain []byte) (leaf, authority []byte) {
	block, rest := pem.Decode(chain)
	return pem.EncodeToMemory(block), rest
}

// stillValid are the authorities that have not ended: other managers serve certificates of theirs for a while.
func (c *Certificate) stillValid(authorities []byte) []byte {
	var kept []byte
	for block, rest := pem.Decode(authorities); block != nil; block, rest = pem.Decode(rest) {
		if parsed, err := x509.ParseCertificate(block.Bytes); err == nil && c.Now().Before(parsed.NotAfter) {
			kept = append(kept, pem.EncodeToMemory(block)...)
		}
	}
	return kept
}

// trust has the API server trust the authorities.
func (c *Certificate) trust(ctx context.Context, authorities []byte) error {
	configuration := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	if err := c.Reader.Get(ctx, types.NamespacedName{Name: c.Configuration}, configuration); err != nil {
		return fmt.Errorf("reading the ValidatingWebhookConfiguration: %w", err)
	}
	before := configuration.DeepCopy()
	for i := range configuration.Webhooks {
		configuration.Webhooks[i].ClientConfig.CABundle = slices.Clone(authorities)
	}
	if !slices.ContainsFunc(before.Webhooks, func(webhook admissionregistrationv1.ValidatingWebhook) bool {
		return !bytes.Equal(webhook.ClientConfig.CABundle, authorities)
	}) {
		return nil
	}
	// A strategic patch names the one field, and leaves all others to who has applied them.
	if err := c.Client.Patch(ctx, configuration, client.StrategicMergeFrom(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("changing the ValidatingWebhookConfiguration: %w", err)
	}
	return nil
}
