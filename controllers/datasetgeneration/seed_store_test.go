package datasetgeneration

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// seedInBucket is a run whose output is in a bucket, and whose seed is in another one.
func seedInBucket(t *testing.T) *situation {
	t.Helper()
	s := inBucket(t)
	s.resource.Spec.Seed = &v1alpha1.Seed{ObjectStore: &v1alpha1.ObjectStoreSeed{
		URL: "s3://sales/orders/*.csv", Endpoint: "https://seeds.example.com", CredentialsSecretRef: &v1alpha1.SecretReference{Name: "sales"},
		CABundleConfigMapRef: &v1alpha1.ConfigMapKeyReference{Name: "others", Key: "ca.pem"},
	}}
	return s
}

// The Pods that read the seed have its credentials as files, apart from those of the output; no other Pod has them.
func TestPodsHaveTheCredentialsOfTheSeedsBucket(t *testing.T) {
	s := seedInBucket(t)
	want := "sales/AWS_ACCESS_KEY_ID=AWS_ACCESS_KEY_ID sales/AWS_SECRET_ACCESS_KEY=AWS_SECRET_ACCESS_KEY " +
		"sales/AWS_SESSION_TOKEN=AWS_SESSION_TOKEN? others/ca.pem=ca.crt"
	generate, finalize := s.podTemplate(runreport.RoleGenerate).Spec, s.podTemplate(runreport.RoleFinalize).Spec
	job, err := s.deletionJob()
	if err != nil {
		t.Fatal(err)
	}
	deletion := job.Spec.Template.Spec
	if got := strings.Join(projectedFiles(&generate, volumeSeedStore), " "); got != want {
		t.Errorf("the files are %s", got)
	}
	isMount := func(mount corev1.VolumeMount) bool {
		return mount.MountPath == runreport.SeedStoreDirectory && mount.ReadOnly
	}
	if !slices.ContainsFunc(generate.Containers[0].VolumeMounts, isMount) {
		t.Errorf("the mounts are %+v", generate.Containers[0].VolumeMounts)
	}
	for role, pod := range map[string]corev1.PodSpec{"finalize": finalize, "delete": deletion} {
		if slices.ContainsFunc(pod.Volumes, func(volume corev1.Volume) bool { return volume.Name == volumeSeedStore }) {
			t.Errorf("the Pod that is to %s has the credentials of the seed", role)
		}
	}
}

// The allow list holds for the endpoint, the store of Amazon has none, and what the requests need is looked up.
func TestTheBucketOfASeedIsHeldToTheAllowList(t *testing.T) {
	s := seedInBucket(t)
	violations := s.options.endpointViolations(&s.resource.Spec)
	if len(violations) != 1 || violations[0].Field != "spec.seed.objectStore.endpoint" {
		t.Errorf("the violations are %v", violations)
	}
	named := fmt.Sprint(references(&s.resource.Spec))
	for _, want := range []string{
		"{spec.seed.objectStore.credentialsSecretRef.name Secret sales}", "{spec.seed.objectStore.caBundleConfigMapRef.name ConfigMap others}",
		"{spec.output.objectStore.credentialsSecretRef.name Secret bucket}",
	} {
		if !strings.Contains(named, want) {
			t.Errorf("%s lack %s", named, want)
		}
	}
}
