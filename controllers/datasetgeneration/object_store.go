package datasetgeneration

import (
	"encoding/json"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

const (
	volumeObjectStore = "object-store"
	volumeSeedStore   = "seed-store"
	// The keys of a Secret with the credentials of an object store, which are also the names of the files.
	accessKeyKey    = "AWS_ACCESS_KEY_ID"
	secretKeyKey    = "AWS_SECRET_ACCESS_KEY"
	sessionTokenKey = "AWS_SESSION_TOKEN"
)

// addObjectStore mounts what requests to an object store need, which may be nil, as a volume with a name. Files and not variables hold
// what is in the Secret, so that credentials that are renewed reach Pods that run.
func addObjectStore(pod *corev1.PodSpec, name, path string, place *v1alpha1.ObjectStoreOutput) {
	if place == nil {
		return
	}
	var sources []corev1.VolumeProjection
	if secret := place.CredentialsSecretRef; secret != nil {
		project := func(optional bool, keys ...string) {
			projection := &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: secret.Name}}
			if optional {
				projection.Optional = new(true)
			}
			for _, key := range keys {
				projection.Items = append(projection.Items, corev1.KeyToPath{Key: key, Path: key})
			}
			sources = append(sources, corev1.VolumeProjection{Secret: projection})
		}
		project(false, accessKeyKey, secretKeyKey)
		project(true, sessionTokenKey)
	}
	if bundle := place.CABundleConfigMapRef; bundle != nil {
		sources = append(sources, caBundle(bundle, runreport.CABundleName))
	}
	addProjected(pod, name, path, sources)
}

// placeOf is the address of an output.
func placeOf(output *v1alpha1.Output) string {
	switch {
	case output.ObjectStore != nil:
		return strings.TrimSuffix(output.ObjectStore.URL, "/")
	case output.PersistentVolumeClaim != nil:
		return claimScheme + output.PersistentVolumeClaim.ClaimName
	}
	return ""
}

// objectStoreVariable tells the Pod that deletes which object store it is.
func objectStoreVariable(place *v1alpha1.ObjectStoreOutput) (corev1.EnvVar, error) {
	text, err := json.Marshal(place)
	if err != nil {
		return corev1.EnvVar{}, fmt.Errorf("encoding the object store: %w", err)
	}
	return corev1.EnvVar{Name: runreport.ObjectStoreVariable, Value: literal(string(text))}, nil
}
