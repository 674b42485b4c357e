package datasetgeneration

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// peopleColumn is a column that draws from a file of persons.
func peopleColumn(name string, dataset *v1alpha1.PersonDataset) v1alpha1.Column {
	return v1alpha1.Column{Name: name, Sampler: &v1alpha1.Sampler{
		Type: v1alpha1.SamplerPerson, Person: &v1alpha1.PersonSampler{Dataset: dataset},
	}}
}

func TestFilesOfPersonsAreMountedAndChecked(t *testing.T) {
	spec := &v1alpha1.DatasetGenerationSpec{Columns: []v1alpha1.Column{
		{Name: "id", Sampler: &v1alpha1.Sampler{Type: v1alpha1.SamplerUUID}},
		peopleColumn("made_up", nil),
		peopleColumn("buyer", &v1alpha1.PersonDataset{ConfigMap: &v1alpha1.ConfigMapSeed{Name: "people", Key: "people.csv"}}),
		peopleColumn("agent", &v1alpha1.PersonDataset{
			PersistentVolumeClaim: &v1alpha1.PersistentVolumeClaimFile{ClaimName: "assets", Path: "datasets/en_US.parquet"},
		}),
		peopleColumn("boss", &v1alpha1.PersonDataset{
			PersistentVolumeClaim: &v1alpha1.PersistentVolumeClaimFile{ClaimName: "assets", Path: "datasets/de_DE.parquet"},
		}),
		peopleColumn("clerk", &v1alpha1.PersonDataset{
			PersistentVolumeClaim: &v1alpha1.PersistentVolumeClaimFile{ClaimName: "datasets", Path: "clerks.csv"},
		}),
		peopleColumn("guest", &v1alpha1.PersonDataset{HTTP: &v1alpha1.HTTPFile{URL: "https://data.test/guests.csv"}}),
	}}
	output := corev1.Volume{Name: volumeOutput, VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "datasets"},
	}}
	pod := &corev1.PodSpec{Volumes: []corev1.Volume{output}, Containers: make([]corev1.Container, 1)}
	addPeople(pod, spec)
	volumes, mounts := pod.Volumes, pod.Containers[0].VolumeMounts
	var claims, mounted []string
	for _, volume := range volumes {
		if volume.PersistentVolumeClaim != nil {
			claims = append(claims, volume.PersistentVolumeClaim.ClaimName)
		}
	}
	for i := range mounts {
		mounted = append(mounted, mounts[i].Name+" "+mounts[i].MountPath)
		if !mounts[i].ReadOnly || !isInput(&mounts[i]) {
			t.Errorf("the mount %v can be written to, or is kept for a deletion", mounts[i])
		}
	}
	if !slices.Equal(claims, []string{"datasets", "assets"}) {
		t.Errorf("the claims of the Pod are %v", claims)
	}
	const folder = "/var/run/seedloom/people/"
	want := []string{
		"people-2 " + folder + "buyer", "people-3 " + folder + "agent", "people-3 " + folder + "boss", "output " + folder + "clerk",
	}
	if !slices.Equal(mounted, want) {
		t.Errorf("the mounts are %q, not %q", mounted, want)
	}
	var named []string
	for _, reference := range references(spec) {
		named = append(named, reference.field+" "+reference.kind+" "+reference.name)
	}
	if want := []string{
		"spec.columns[2].sampler.person.dataset.configMap.name ConfigMap people",
		"spec.columns[3].sampler.person.dataset.persistentVolumeClaim.claimName PersistentVolumeClaim assets",
		"spec.columns[4].sampler.person.dataset.persistentVolumeClaim.claimName PersistentVolumeClaim assets",
		"spec.columns[5].sampler.person.dataset.persistentVolumeClaim.claimName PersistentVolumeClaim datasets",
	}; !slices.Equal(named, want) {
		t.Errorf("the references are %q, not %q", named, want)
	}
	if found := endpoints(spec); len(found) != 1 || found[0].field != "spec.columns[6].sampler.person.dataset.http.url" {
		t.Errorf("the endpoints are %v", found)
	}
}
