package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// onePod is an API server that has one Pod.
type onePod struct {
	client.Reader
	pod corev1.Pod
}

func (o *onePod) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	if key != client.ObjectKeyFromObject(&o.pod) {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "pods"}, key.Name)
	}
	o.pod.DeepCopyInto(into.(*corev1.Pod))
	return nil
}

func TestEnginePodsRunTheManagersOwnImage(t *testing.T) {
	server := &onePod{}
	server.pod.Namespace, server.pod.Name = "seedloom-system", "manager-1"
	server.pod.Spec.Containers = []corev1.Container{{Name: "mesh", Image: "mesh:2"}, {Name: "manager", Image: "registry.example.com/seedloom@sha256:1"}}
	environment := map[string]string{podNamespaceVariable: "seedloom-system", podNameVariable: "manager-1"}
	lookup := func(name string) string { return environment[name] }
	if image, err := ownImage(t.Context(), server, lookup); err != nil || image != "registry.example.com/seedloom@sha256:1" {
		t.Errorf("image %q, error %v", image, err)
	}
	environment[podNameVariable] = "manager-2"
	if _, err := ownImage(t.Context(), server, lookup); !apierrors.IsNotFound(err) || !strings.Contains(err.Error(), "--engine-image") {
		t.Errorf("error %v", err)
	}
	environment[podNameVariable] = ""
	if _, err := ownImage(t.Context(), server, lookup); !errors.Is(err, errNoImage) {
		t.Errorf("error %v", err)
	}
}

func TestProxiesAreHandedOnWithoutPasswords(t *testing.T) {
	environment := map[string]string{"HTTP_PROXY": "http://user:secret@proxy:3128", "https_proxy": "http://proxy:3128", "NO_PROXY": ".svc"}
	got := engineVariables(func(name string) string { return environment[name] })
	want := []corev1.EnvVar{{Name: "HTTPS_PROXY", Value: "http://proxy:3128"}, {Name: "NO_PROXY", Value: ".svc"}}
	if difference := cmp.Diff(want, got); difference != "" {
		t.Error(difference)
	}
}
