package datasetgeneration

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// peopleVolumes adds what the files of persons are read from that columns draw from. A claim that is a volume of the Pod already is mounted
// from that: one claim can't be two of them.
func peopleVolumes(
	spec *v1alpha1.DatasetGenerationSpec, volumes []corev1.Volume, mounts []corev1.VolumeMount,
) ([]corev1.Volume, []corev1.VolumeMount) {
	for i := range spec.Columns {
		dataset := spec.Columns[i].PersonDataset()
		if dataset == nil {
			continue
		}
		name := fmt.Sprintf("people-%d", i)
		switch {
		case dataset.ConfigMap != nil:
			volumes = append(volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
				ConfigMap: &corev1.ConfigMapVolumeSource{
					LocalObjectReference: corev1.LocalObjectReference{Name: dataset.ConfigMap.Name},
					Items:                []corev1.KeyToPath{{Key: dataset.ConfigMap.Key, Path: dataset.ConfigMap.Key}},
				},
			}})
		case dataset.PersistentVolumeClaim != nil:
			claim := &corev1.PersistentVolumeClaimVolumeSource{ClaimName: dataset.PersistentVolumeClaim.ClaimName, ReadOnly: true}
			if mounted := volumeOfClaim(volumes, claim); mounted != "" {
				name = mounted
				break
			}
			volumes = append(volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: claim}})
		default:
			continue
		}
		mounts = append(mounts, corev1.VolumeMount{Name: name, MountPath: runreport.PeopleOf(spec.Columns[i].Name), ReadOnly: true})
	}
	return volumes, mounts
}

// isInput says whether something is mounted for a run to read, which its deletion does not need.
func isInput(mount *corev1.VolumeMount) bool {
	return mount.MountPath == runreport.SeedDirectory || strings.HasPrefix(mount.MountPath, runreport.PeopleDirectory+"/")
}
