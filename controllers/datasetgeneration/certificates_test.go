package datasetgeneration

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

func TestPodsHaveTheCertificatesOfTheirProviders(t *testing.T) {
	spec := newSpec()
	spec.Providers = []v1alpha1.Provider{
		{Name: "plain", Type: v1alpha1.ProviderOpenAI, Endpoint: "http://plain/v1"},
		{Name: "both", Type: v1alpha1.ProviderOpenAI, Endpoint: "https://both/v1", TLS: &v1alpha1.ProviderTLS{
			CABundleConfigMapRef:       &v1alpha1.ConfigMapKeyReference{Name: "authorities", Key: "all.pem"},
			ClientCertificateSecretRef: &v1alpha1.SecretReference{Name: "client"},
		}},
	}
	options := &Options{EngineImage: "engine", Environment: []corev1.EnvVar{{Name: "HTTPS_PROXY", Value: "http://proxy:3128"}}}
	f := &situation{input: &input{options: options, resource: &v1alpha1.DatasetGeneration{Spec: spec}}}
	pod := f.podTemplate(runreport.RoleGenerate).Spec
	paths := map[string]string{}
	for _, volume := range pod.Volumes {
		if volume.Projected == nil {
			continue
		}
		if *volume.Projected.DefaultMode != 0o440 {
			t.Errorf("keys have the mode %o", *volume.Projected.DefaultMode)
		}
		for _, source := range volume.Projected.Sources {
			if source.ConfigMap != nil {
				paths[source.ConfigMap.Items[0].Path] = source.ConfigMap.Name + "/" + source.ConfigMap.Items[0].Key
			}
			if source.Secret != nil {
				for _, item := range source.Secret.Items {
					paths[item.Path] = source.Secret.Name + "/" + item.Key
				}
			}
		}
	}
	if len(paths) != 3 || paths["both/ca.crt"] != "authorities/all.pem" || paths["both/tls.crt"] != "client/tls.crt" ||
		paths["both/tls.key"] != "client/tls.key" {
		t.Errorf("the files are %v", paths)
	}
	mounted := false
	for _, mount := range pod.Containers[0].VolumeMounts {
		mounted = mounted || mount.Name == "tls" && mount.MountPath == "/var/run/seedloom/tls" && mount.ReadOnly
	}
	if environment := pod.Containers[0].Env; !mounted || environment[len(environment)-1].Value != "http://proxy:3128" {
		t.Errorf("mounted %t, environment %v", mounted, environment)
	}
	for _, volume := range f.podTemplate(runreport.RoleFinalize).Spec.Volumes {
		if volume.Name == "tls" {
			t.Error("the finalizing Pod, which sends no requests, has certificates")
		}
	}
	found := false
	for _, reference := range references(&spec) {
		found = found || reference.kind == "ConfigMap" && reference.name == "authorities" &&
			reference.field == "spec.providers[1].tls.caBundleConfigMapRef.name"
	}
	if !found {
		t.Errorf("nobody looks for the ConfigMap: %v", references(&spec))
	}
}
