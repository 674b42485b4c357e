package datasetgeneration

import (
	"path"

	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/internal/runreport"
)

const volumeTLS = "tls"

// addCertificates mounts the certificates of providers, in a folder for each.
func (s *situation) addCertificates(pod *corev1.PodSpec) {
	var sources []corev1.VolumeProjection
	for i := range s.resource.Spec.Providers {
		tls := s.resource.Spec.Providers[i].TLS
		if tls == nil {
			continue
		}
		folder := s.resource.Spec.Providers[i].Name
		if reference := tls.CABundleConfigMapRef; reference != nil {
			sources = append(sources, caBundle(reference, path.Join(folder, runreport.CABundleName)))
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
	addProjected(pod, volumeTLS, runreport.TLSDirectory, sources)
}
