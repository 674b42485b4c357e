package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/types"
	ctrlmanager "sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlwebhook "sigs.k8s.io/controller-runtime/pkg/webhook"

	"seedloom.dev/seedloom/controllers/datasetgeneration"
	"seedloom.dev/seedloom/controllers/webhook"
)

// webhooks is the server that the API server asks before it stores a resource. A nil one is turned off.
type webhooks struct {
	server ctrlwebhook.Server
	// certificate is nil where somebody else makes it.
	certificate *webhook.Certificate
}

// newWebhooks returns nil when the flags ask for none.
func newWebhooks(flags settings, lookup func(string) string) (*webhooks, error) {
	if flags.webhookAddress == "0" {
		return nil, nil
	}
	host, port, err := net.SplitHostPort(flags.webhookAddress)
	if err != nil {
		return nil, fmt.Errorf("--webhook-bind-address: %w", err)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 {
		return nil, fmt.Errorf("--webhook-bind-address: %q is no port", port)
	}
	options := ctrlwebhook.Options{Host: host, Port: int(number), CertDir: flags.webhookCertificates}
	options.TLSOpts = []func(*tls.Config){withoutHTTP2}
	built := &webhooks{}
	if flags.webhookCertificates == "" {
		namespace := lookup(podNamespaceVariable)
		if namespace == "" {
			return nil, errors.New(podNamespaceVariable + " is not set, by which the manager finds the Secret with the certificate of the " +
				"webhook: set it, or --webhook-cert-path")
		}
		built.certificate = &webhook.Certificate{
			Secret: types.NamespacedName{Namespace: namespace, Name: webhook.Name}, Configuration: webhook.Name,
			Hosts: webhook.ServiceHosts(namespace), Now: time.Now,
		}
		options.TLSOpts = append(options.TLSOpts, func(config *tls.Config) { config.GetCertificate = built.certificate.Get })
	}
	built.server = ctrlwebhook.NewServer(options)
	return built, nil
}

// addTo has a manager serve them.
func (w *webhooks) addTo(manager ctrlmanager.Manager, options *datasetgeneration.Options) error {
	if w == nil {
		return nil
	}
	if w.certificate != nil {
		w.certificate.Client, w.certificate.Reader = manager.GetClient(), manager.GetAPIReader()
		if err := manager.Add(w.certificate); err != nil {
			return fmt.Errorf("adding what keeps the certificate of the webhook: %w", err)
		}
	}
	validator := &webhook.Validator{Violations: options.Violations}
	if err := validator.SetupWithManager(manager); err != nil {
		return fmt.Errorf("setting up the webhook: %w", err)
	}
	if err := manager.AddReadyzCheck("webhook", w.server.StartedChecker()); err != nil {
		return fmt.Errorf("adding the readiness check of the webhook: %w", err)
	}
	return nil
}
