package datasetgeneration

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

const (
	volumeRun    = "run"
	volumeOutput = "output"
	volumeSeed   = "seed"
	volumeTmp    = "tmp"
	// certificateMode lets the engine read its keys by its group, and nobody else.
	certificateMode int32 = 0o440
)

// addVolumes mounts what the engine reads and writes in every run.
func (s *situation) addVolumes(pod *corev1.PodSpec) {
	spec := &s.resource.Spec
	addVolume(pod, corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: attemptName(s.run)},
	}}, corev1.VolumeMount{Name: volumeRun, MountPath: runreport.SpecDirectory, ReadOnly: true})
	addVolume(pod, corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}, corev1.VolumeMount{Name: volumeTmp, MountPath: "/tmp"})
	if claim := spec.Output.PersistentVolumeClaim; claim != nil {
		addVolume(pod, corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim.ClaimName}},
			corev1.VolumeMount{Name: volumeOutput, MountPath: runreport.OutputDirectory})
	}
	if seed := spec.Seed; seed != nil {
		addInput(pod, volumeSeed, runreport.SeedDirectory, seed.ConfigMap, s.seedClaim())
	}
	addPeople(pod, spec)
}

// seedClaim is the claim that the seed lies on; nil where it lies on none.
func (s *situation) seedClaim() *v1alpha1.PersistentVolumeClaimSeed {
	if claim := s.resource.Spec.Seed.PersistentVolumeClaim; claim != nil {
		return claim
	}
	if name, _ := seedPlace(s.run.Seed); name != "" {
		return &v1alpha1.PersistentVolumeClaimSeed{ClaimName: name}
	}
	return nil
}

// addPeople mounts the files of persons that columns draw from.
func addPeople(pod *corev1.PodSpec, spec *v1alpha1.DatasetGenerationSpec) {
	for i := range spec.Columns {
		if dataset := spec.Columns[i].PersonDataset(); dataset != nil {
			file := dataset.AsSeed()
			addInput(pod, fmt.Sprintf("people-%d", i), runreport.PeopleOf(spec.Columns[i].Name), file.ConfigMap, file.PersistentVolumeClaim)
		}
	}
}

// addInput mounts what a file lies on that the run reads: a key of a ConfigMap, or a claim. One that is downloaded lies on neither.
func addInput(
	pod *corev1.PodSpec, name, path string, configMap *v1alpha1.ConfigMapSeed, claim *v1alpha1.PersistentVolumeClaimSeed,
) {
	mount := corev1.VolumeMount{Name: name, MountPath: path, ReadOnly: true}
	switch {
	case configMap != nil:
		addVolume(pod, corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: configMap.Name},
			Items:                []corev1.KeyToPath{{Key: configMap.Key, Path: configMap.Key}},
		}}, mount)
	case claim != nil:
		addVolume(pod, corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{
			ClaimName: claim.ClaimName, ReadOnly: true,
		}}, mount)
	}
}

// isInput says whether something is mounted for a run to read, which its deletion does not need.
func isInput(mount *corev1.VolumeMount) bool {
	return mount.MountPath == runreport.SeedDirectory || mount.MountPath == runreport.SeedStoreDirectory ||
		strings.HasPrefix(mount.MountPath, runreport.PeopleDirectory+"/")
}

// addProjected mounts files from Secrets and ConfigMaps. The kubelet reads the Secrets, the controller cannot.
func addProjected(pod *corev1.PodSpec, name, path string, sources []corev1.VolumeProjection) {
	if len(sources) == 0 {
		return
	}
	addVolume(pod, corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: sources, DefaultMode: new(certificateMode)}},
		corev1.VolumeMount{Name: name, MountPath: path, ReadOnly: true})
}

// caBundle is the file with certificates of authorities.
func caBundle(reference *v1alpha1.ConfigMapKeyReference, path string) corev1.VolumeProjection {
	return corev1.VolumeProjection{ConfigMap: &corev1.ConfigMapProjection{
		LocalObjectReference: corev1.LocalObjectReference{Name: reference.Name},
		Items:                []corev1.KeyToPath{{Key: reference.Key, Path: path}},
	}}
}

// addVolume gives a Pod a volume, which has the name of its mount, and mounts it into the engine. A claim that the Pod has already is
// mounted from there: one claim can't be two volumes, of which one may be read-only and the other writable.
func addVolume(pod *corev1.PodSpec, source corev1.VolumeSource, mount corev1.VolumeMount) {
	if known := volumeOfClaim(pod.Volumes, source.PersistentVolumeClaim); known != "" {
		mount.Name = known
	} else {
		pod.Volumes = append(pod.Volumes, corev1.Volume{Name: mount.Name, VolumeSource: source})
	}
	engine := &pod.Containers[0]
	engine.VolumeMounts = append(engine.VolumeMounts, mount)
}

// volumeOfClaim names the volume that is a claim already; it is empty where none is.
func volumeOfClaim(volumes []corev1.Volume, claim *corev1.PersistentVolumeClaimVolumeSource) string {
	for i := range volumes {
		if known := volumes[i].PersistentVolumeClaim; claim != nil && known != nil && known.ClaimName == claim.ClaimName {
			return volumes[i].Name
		}
	}
	return ""
}
