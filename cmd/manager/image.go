package main

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// podNameVariable and podNamespaceVariable say which Pod the manager runs in; the Deployment sets them from the Pod's fields.
	podNameVariable      = "POD_NAME"
	podNamespaceVariable = "POD_NAMESPACE"
	// ownContainer is the name of the manager's container.
	ownContainer = "manager"
)

// errNoImage is how the manager ends that knows no image for engine Pods.
var errNoImage = errors.New("--engine-image is not set, and neither are " + podNameVariable + " and " + podNamespaceVariable +
	", by which the manager finds its own image: name the image of engine Pods")

// ownImage is the image of the manager's own container. It is asked for at the API server, which knows it whatever has changed the
// Deployment.
func ownImage(ctx context.Context, reader client.Reader, lookup func(string) string) (string, error) {
	key := client.ObjectKey{Namespace: lookup(podNamespaceVariable), Name: lookup(podNameVariable)}
	if key.Namespace == "" || key.Name == "" {
		return "", errNoImage
	}
	var pod corev1.Pod
	if err := reader.Get(ctx, key, &pod); err != nil {
		return "", fmt.Errorf("finding the manager's own image, for engine Pods (--engine-image names another): %w", err)
	}
	for _, container := range pod.Spec.Containers {
		if container.Name == ownContainer {
			return container.Image, nil
		}
	}
	return "", fmt.Errorf("the Pod %s has no container %q, whose image engine Pods would run: set --engine-image", key, ownContainer)
}
