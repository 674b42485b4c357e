package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func TestProxiesAreHandedOnWithoutPasswords(t *testing.T) {
	environment := map[string]string{"HTTP_PROXY": "http://user:secret@proxy:3128", "https_proxy": "http://proxy:3128", "NO_PROXY": ".svc"}
	got := proxyVariables(func(name string) string { return environment[name] })
	want := []corev1.EnvVar{{Name: "HTTPS_PROXY", Value: "http://proxy:3128"}, {Name: "NO_PROXY", Value: ".svc"}}
	if difference := cmp.Diff(want, got); difference != "" {
		t.Error(difference)
	}
}
