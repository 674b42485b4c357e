package datasetgeneration

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/internal/clip"
)

// The kinds of objects that a spec names.
const (
	kindConfigMap = "ConfigMap"
	kindClaim     = "PersistentVolumeClaim"
	kindSecret    = "Secret"
)

// reference is an object that a spec names.
type reference struct{ field, kind, name string }

// references lists all objects that a spec names.
func references(spec *v1alpha1.DatasetGenerationSpec) []reference {
	var found []reference
	if seed := spec.Seed; seed != nil {
		found = append(found, inputReferences("spec.seed", seed.ConfigMap, seed.PersistentVolumeClaim)...)
	}
	for i := range spec.Columns {
		if dataset := spec.Columns[i].PersonDataset(); dataset != nil {
			field := fmt.Sprintf("spec.columns[%d].sampler.person.dataset", i)
			found = append(found, inputReferences(field, dataset.ConfigMap, dataset.AsSeed().PersistentVolumeClaim)...)
		}
		field := fmt.Sprintf("spec.columns[%d].validation.remote.headers", i)
		found = append(found, headerReferences(field, spec.Columns[i].ValidatorHeaders())...)
	}
	found = append(found, headerReferences("spec.seed.http.headers", spec.SeedHeaders())...)
	if store := spec.SeedStore(); store != nil {
		found = append(found, storeReferences("spec.seed.objectStore", store.Store())...)
	}
	if repository := spec.SeedRepository(); repository != nil && repository.TokenSecretRef != nil {
		found = append(found, reference{"spec.seed.huggingFace.tokenSecretRef.name", kindSecret, repository.TokenSecretRef.Name})
	}
	for i := range spec.Providers {
		found = append(found, providerReferences(&spec.Providers[i], fmt.Sprintf("spec.providers[%d]", i))...)
	}
	for i := range spec.ToolServers {
		found = append(found, toolReferences(&spec.ToolServers[i], fmt.Sprintf("spec.toolServers[%d]", i))...)
	}
	if claim := spec.Output.PersistentVolumeClaim; claim != nil {
		found = append(found, reference{"spec.output.persistentVolumeClaim.claimName", kindClaim, claim.ClaimName})
	}
	if place := spec.Output.ObjectStore; place != nil {
		found = append(found, storeReferences("spec.output.objectStore", place)...)
	}
	if repository := spec.HubRepository(); repository != nil {
		found = append(found, reference{"spec.publish.huggingFace.tokenSecretRef.name", kindSecret, repository.TokenSecretRef.Name})
	}
	return append(found, podReferences(spec.Pod)...)
}

// referencesOfRun are the objects that a spec names, and those by which its run reads a dataset in a bucket that is its seed.
func referencesOfRun(resource *v1alpha1.DatasetGeneration) []reference {
	found := references(&resource.Spec)
	if run := resource.Status.Run; run != nil && run.Seed != nil && run.Seed.ObjectStore != nil {
		field := fmt.Sprintf("spec.output.objectStore of DatasetGeneration %q, the seed", run.Seed.Name)
		found = append(found, storeReferences(field, run.Seed.ObjectStore)...)
	}
	return found
}

// inputReferences are what a file lies on that the run reads.
func inputReferences(field string, configMap *v1alpha1.ConfigMapSeed, claim *v1alpha1.PersistentVolumeClaimSeed) []reference {
	switch {
	case configMap != nil:
		return []reference{{field + ".configMap.name", kindConfigMap, configMap.Name}}
	case claim != nil:
		return []reference{{field + ".persistentVolumeClaim.claimName", kindClaim, claim.ClaimName}}
	}
	return nil
}

// headerReferences are the Secrets that the values of headers come from.
func headerReferences(field string, headers []v1alpha1.RequestHeader) []reference {
	var found []reference
	for i := range headers {
		if secret := headers[i].SecretKeyRef; secret != nil {
			found = append(found, reference{fmt.Sprintf("%s[%d].secretKeyRef.name", field, i), kindSecret, secret.Name})
		}
	}
	return found
}

// storeReferences are what requests to an object store need.
func storeReferences(field string, place *v1alpha1.ObjectStoreOutput) (found []reference) {
	if secret := place.CredentialsSecretRef; secret != nil {
		found = append(found, reference{field + ".credentialsSecretRef.name", kindSecret, secret.Name})
	}
	if bundle := place.CABundleConfigMapRef; bundle != nil {
		found = append(found, reference{field + ".caBundleConfigMapRef.name", kindConfigMap, bundle.Name})
	}
	return found
}

func podReferences(settings *v1alpha1.PodSettings) []reference {
	if settings == nil {
		return nil
	}
	var found []reference
	for i, variable := range settings.Env {
		field := fmt.Sprintf("spec.pod.env[%d]", i)
		if secret := variable.SecretKeyRef; secret != nil {
			found = append(found, reference{field + ".secretKeyRef.name", kindSecret, secret.Name})
		}
		if configMap := variable.ConfigMapKeyRef; configMap != nil {
			found = append(found, reference{field + ".configMapKeyRef.name", kindConfigMap, configMap.Name})
		}
	}
	for i := range settings.Volumes {
		field, volume := fmt.Sprintf("spec.pod.volumes[%d]", i), &settings.Volumes[i]
		switch {
		case volume.Secret != nil:
			found = append(found, reference{field + ".secret.name", kindSecret, volume.Secret.Name})
		case volume.ConfigMap != nil:
			found = append(found, reference{field + ".configMap.name", kindConfigMap, volume.ConfigMap.Name})
		case volume.PersistentVolumeClaim != nil:
			found = append(found, reference{field + ".persistentVolumeClaim.claimName", kindClaim, volume.PersistentVolumeClaim.ClaimName})
		}
	}
	return found
}

func providerReferences(provider *v1alpha1.Provider, field string) []reference {
	var found []reference
	if secret := provider.APIKeySecretRef; secret != nil {
		found = append(found, reference{field + ".apiKeySecretRef.name", kindSecret, secret.Name})
	}
	if provider.TLS == nil {
		return found
	}
	if bundle := provider.TLS.CABundleConfigMapRef; bundle != nil {
		found = append(found, reference{field + ".tls.caBundleConfigMapRef.name", kindConfigMap, bundle.Name})
	}
	if certificate := provider.TLS.ClientCertificateSecretRef; certificate != nil {
		found = append(found, reference{field + ".tls.clientCertificateSecretRef.name", kindSecret, certificate.Name})
	}
	return found
}

func toolReferences(server *v1alpha1.ToolServer, field string) []reference {
	var found []reference
	if secret := server.APIKeySecretRef; secret != nil {
		found = append(found, reference{field + ".apiKeySecretRef.name", kindSecret, secret.Name})
	}
	if server.Stdio == nil {
		return found
	}
	for i, variable := range server.Stdio.Env {
		if secret := variable.SecretKeyRef; secret != nil {
			found = append(found, reference{fmt.Sprintf("%s.stdio.env[%d].secretKeyRef.name", field, i), kindSecret, secret.Name})
		}
	}
	return found
}

// invalidReferences says which references are no names of objects. A name goes into the path of a look-up, where slashes and dots
// would lead elsewhere; the API refuses such names too, but not those of resources that were stored before it did.
func invalidReferences(spec *v1alpha1.DatasetGenerationSpec) []plan.Violation {
	var found []plan.Violation
	for _, reference := range references(spec) {
		if problems := validation.IsDNS1123Subdomain(reference.name); len(problems) > 0 {
			found = append(found, plan.Violation{Field: reference.field, Message: fmt.Sprintf("%q is no name of a %s: %s",
				clip.Text(reference.name, maxMessage/2), reference.kind, problems[0])})
		}
	}
	return found
}
