package datasetgeneration

import (
	"path"

	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/internal/runreport"
)

const (
	volumeTLS = "tls"
	// certificateMode lets the engine read its keys by its group, and nobody else.
	certificateMode int32 = 0o440
)

// addCertificates mounts the certificates of providers, in a folder for each. The kubelet reads the Secrets, the controller cannot.
func (s *situation) addCertificates(pod *corev1.PodSpec) {
	var sources []corev1.VolumeProjection
	for i := range s.resource.Spec.Providers {
		tls := s.resource.Spec.Providers[i].TLS
		if tls == nil {
			continue
		}
		folder := s.resource.Spec.Providers[i].Name
		if reference := tls.CABundleConfigMapRef; reference != nil {
			sources = append(sources, corev1.VolumeProjection{ConfigMap: &corev1.ConfigMapProjection{
				LocalObjectReference: corev1.LocalObjectReference{Name: reference.Name},
				Items:                []corev1.KeyToPath{{Key: reference.Key, Path: path.Join(folder, runreport.CABundleName)}},
			}})
		}
		if reference := tls.ClientCertificateSecretRef; reference != nil {
			sources = append(sources, corev1.VolumeProjection{Secret: &corev1.SecretProjection{
				LocalObjectReference: corev1.LocalObjectReference{Name: reference.Name},
				Items: []corev1.KeyToPath{
					{Key: corev1.TLSCertKey, Path: path.Join(folder, runreport.ClientCertificateName)},
					{Key: corev1.TLSPrivateKeyKey, Path: path.Join(folder, runreport.ClientKeyName)},
				},
			}})
		}
	}
	if len(sources) == 0 {
		return
	}
	pod.Volumes = append(pod.Volumes, corev1.Volume{Name: volumeTLS, VolumeSource: corev1.VolumeSource{
		Projected: &corev1.ProjectedVolumeSource{Sources: sources, DefaultMode: new(certificateMode)},
	}})
	engine := &pod.Containers[0]
	engine.VolumeMounts = append(engine.VolumeMounts, corev1.VolumeMount{Name: volumeTLS, MountPath: runreport.TLSDirectory, ReadOnly: true})
}
