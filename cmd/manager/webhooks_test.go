package main

import (
	"strings"
	"testing"
)

func TestWebhookFlags(t *testing.T) {
	inPod := map[string]string{podNamespaceVariable: "seedloom-system"}
	for name, test := range map[string]struct {
		flags       settings
		environment map[string]string
		// served and own: there is a server, and the manager makes its certificate. problem is in the error.
		served, own bool
		problem     string
	}{
		"none":                          {flags: settings{webhookAddress: "0"}},
		"a certificate of its own":      {flags: settings{webhookAddress: ":9443"}, environment: inPod, served: true, own: true},
		"a certificate of others":       {flags: settings{webhookAddress: ":9443", webhookCertificates: "/certificates"}, served: true},
		"no namespace for its own":      {flags: settings{webhookAddress: ":9443"}, problem: podNamespaceVariable},
		"no port":                       {flags: settings{webhookAddress: "9443"}, environment: inPod, problem: "--webhook-bind-address"},
		"a port that is none":           {flags: settings{webhookAddress: ":webhook"}, environment: inPod, problem: "is no port"},
		"a port that is chosen for one": {flags: settings{webhookAddress: ":0"}, environment: inPod, problem: "is no port"},
	} {
		t.Run(name, func(t *testing.T) {
			built, err := newWebhooks(test.flags, func(name string) string { return test.environment[name] })
			if (err != nil) != (test.problem != "") || err != nil && !strings.Contains(err.Error(), test.problem) {
				t.Fatalf("error %v", err)
			}
			if (built != nil) != test.served || built != nil && (built.certificate != nil) != test.own {
				t.Errorf("got %+v", built)
			}
			if built != nil && built.certificate != nil {
				want := "seedloom-webhook.seedloom-system.svc"
				if built.certificate.Hosts[0] != want || built.certificate.Secret.String() != "seedloom-system/seedloom-webhook" {
					t.Errorf("the certificate is for %q in %s", built.certificate.Hosts, built.certificate.Secret)
				}
			}
		})
	}
}
