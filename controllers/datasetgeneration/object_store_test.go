package datasetgeneration

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/allowlist"
	"seedloom.dev/seedloom/internal/runreport"
)

// inBucket is a run whose output is in a bucket.
func inBucket(t *testing.T) *situation {
	t.Helper()
	spec := newSpec()
	spec.Output = v1alpha1.Output{RetentionPolicy: v1alpha1.RetentionDelete, ObjectStore: &v1alpha1.ObjectStoreOutput{
		URL: "s3://datasets/team/", Endpoint: "https://store.example.com", CredentialsSecretRef: &v1alpha1.SecretReference{Name: "bucket"},
		CABundleConfigMapRef: &v1alpha1.ConfigMapKeyReference{Name: "authorities", Key: "all.pem"},
	}}
	list, err := allowlist.ParseText("store.example.com:443")
	if err != nil {
		t.Fatal(err)
	}
	options := &Options{
		EngineImage: "engine", Endpoints: list, Environment: []corev1.EnvVar{{Name: "HTTPS_PROXY", Value: "http://proxy:3128"}},
	}
	resource := &v1alpha1.DatasetGeneration{Spec: spec}
	resource.Namespace, resource.Name, resource.UID = "team", "reviews", "0123456789"
	return &situation{input: &input{options: options, resource: resource}}
}

// projectedFiles are the files of a projected volume, with where they come from.
func projectedFiles(pod *corev1.PodSpec, name string) (files []string) {
	for _, volume := range pod.Volumes {
		if volume.Name != name || volume.Projected == nil {
			continue
		}
		for _, source := range volume.Projected.Sources {
			if secret := source.Secret; secret != nil {
				for _, item := range secret.Items {
					optional := ""
					if secret.Optional != nil && *secret.Optional {
						optional = "?"
					}
					files = append(files, secret.Name+"/"+item.Key+"="+item.Path+optional)
				}
			}
			if source.ConfigMap != nil {
				files = append(files, source.ConfigMap.Name+"/"+source.ConfigMap.Items[0].Key+"="+source.ConfigMap.Items[0].Path)
			}
		}
	}
	return files
}

// TestPodsOfABucketHaveNoVolumeAndTheirCredentialsAsFiles is so for each role, the one that deletes too.
func TestPodsOfABucketHaveNoVolumeAndTheirCredentialsAsFiles(t *testing.T) {
	s := inBucket(t)
	want := "bucket/AWS_ACCESS_KEY_ID=AWS_ACCESS_KEY_ID bucket/AWS_SECRET_ACCESS_KEY=AWS_SECRET_ACCESS_KEY " +
		"bucket/AWS_SESSION_TOKEN=AWS_SESSION_TOKEN? authorities/all.pem=ca.crt"
	job, err := s.deletionJob()
	if err != nil {
		t.Fatal(err)
	}
	deletion := job.Spec.Template.Spec
	generate, finalize := s.podTemplate(runreport.RoleGenerate).Spec, s.podTemplate(runreport.RoleFinalize).Spec
	for role, pod := range map[string]*corev1.PodSpec{"generate": &generate, "finalize": &finalize, "delete": &deletion} {
		if got := strings.Join(projectedFiles(pod, volumeObjectStore), " "); got != want {
			t.Errorf("%s: the files are %s", role, got)
		}
		mounted := slices.ContainsFunc(pod.Containers[0].VolumeMounts, func(mount corev1.VolumeMount) bool {
			return mount.Name == volumeObjectStore && mount.MountPath == runreport.ObjectStoreDirectory && mount.ReadOnly
		})
		if !mounted {
			t.Errorf("%s: they are not mounted", role)
		}
		for _, volume := range pod.Volumes {
			if volume.Name == volumeOutput || volume.PersistentVolumeClaim != nil {
				t.Errorf("%s: it has a volume for its output", role)
			}
		}
	}
	environment := map[string]string{}
	for _, variable := range deletion.Containers[0].Env {
		environment[variable.Name] = variable.Value
	}
	if !strings.Contains(environment[runreport.ObjectStoreVariable], `"url":"s3://datasets/team/"`) || environment["HTTPS_PROXY"] == "" ||
		environment[runreport.AllowedEndpointsVariable] == "" {
		t.Errorf("the Pod that deletes has %v", environment)
	}
}

func TestABucketsReferencesAndEndpointAreLookedAt(t *testing.T) {
	s := inBucket(t)
	spec := &s.resource.Spec
	found := map[string]string{}
	for _, reference := range references(spec) {
		found[reference.field] = reference.kind + "/" + reference.name
	}
	if found["spec.output.objectStore.credentialsSecretRef.name"] != "Secret/bucket" ||
		found["spec.output.objectStore.caBundleConfigMapRef.name"] != "ConfigMap/authorities" {
		t.Errorf("the references are %v", found)
	}
	if violations := s.options.endpointViolations(spec); len(violations) > 0 {
		t.Errorf("the listed endpoint: %v", violations)
	}
	spec.Output.ObjectStore.Endpoint = "http://169.254.169.254"
	violations := s.options.endpointViolations(spec)
	if len(violations) != 1 || violations[0].Field != "spec.output.objectStore.endpoint" {
		t.Errorf("the metadata of the machine: %v", violations)
	}
	if place := placeOf(&spec.Output); place != "s3://datasets/team" {
		t.Errorf("the status says %s", place)
	}
}
