package datasetgeneration

import (
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/internal/runreport"
)

const (
	// engineUser is the user and group of the engine in its image.
	engineUser int64 = 65532
	// gracePeriodSeconds is how long a Pod that is asked to stop may take to write a checkpoint.
	gracePeriodSeconds int64 = runreport.GracePeriodSeconds
)

// podTemplate is the same for Jobs and for the Pod of a sync run.
func (s *situation) podTemplate(role string) corev1.PodTemplateSpec {
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: s.labels(role)},
		Spec: corev1.PodSpec{
			RestartPolicy:                 corev1.RestartPolicyNever,
			AutomountServiceAccountToken:  new(false),
			EnableServiceLinks:            new(false),
			TerminationGracePeriodSeconds: new(gracePeriodSeconds),
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot:        new(true),
				RunAsUser:           new(engineUser),
				RunAsGroup:          new(engineUser),
				FSGroup:             new(engineUser),
				FSGroupChangePolicy: new(corev1.FSGroupChangeOnRootMismatch),
				SeccompProfile:      &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			TopologySpreadConstraints: []corev1.TopologySpreadConstraint{{
				MaxSkew: 1, TopologyKey: corev1.LabelHostname, WhenUnsatisfiable: corev1.ScheduleAnyway, LabelSelector: s.podSelector(role),
			}},
			Containers: []corev1.Container{{
				Name:                   enginepods.Container,
				Image:                  s.options.EngineImage,
				ImagePullPolicy:        corev1.PullIfNotPresent,
				Command:                []string{runreport.EnginePath, role},
				Env:                    s.environment(role),
				Ports:                  []corev1.ContainerPort{{Name: "http", ContainerPort: runreport.Port}},
				TerminationMessagePath: runreport.TerminationMessagePath,
				// Of an engine that ends without a result, the kubelet puts the end of its log there.
				TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
				SecurityContext:          restricted(),
			}},
		},
	}
	s.addVolumes(&template.Spec)
	addObjectStore(&template.Spec, volumeObjectStore, runreport.ObjectStoreDirectory, s.resource.Spec.Output.ObjectStore)
	s.applySettings(&template, role)
	if role == runreport.RoleGenerate {
		addObjectStore(&template.Spec, volumeSeedStore, runreport.SeedStoreDirectory, s.seedStore())
		s.addTools(&template.Spec)
		s.addCertificates(&template.Spec)
	}
	return template
}

// environment has the API keys by reference only: the kubelet reads the Secrets, the controller cannot.
func (s *situation) environment(role string) []corev1.EnvVar {
	variables := []corev1.EnvVar{memoryLimit(enginepods.Container)}
	if role == runreport.RoleGenerate {
		variables = append(variables, corev1.EnvVar{Name: runreport.PodUIDVariable, ValueFrom: &corev1.EnvVarSource{
			FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.uid"},
		}})
		for i := range s.resource.Spec.Providers {
			reference := s.resource.Spec.Providers[i].APIKeySecretRef
			if reference == nil {
				continue
			}
			variables = append(variables, secretVariable(runreport.APIKeyVariablePrefix+strconv.Itoa(i), reference))
		}
		variables = append(variables, headerVariables(&s.resource.Spec)...)
		if repository := s.resource.Spec.SeedRepository(); repository != nil && repository.TokenSecretRef != nil {
			variables = append(variables, secretVariable(runreport.SeedTokenVariable, repository.TokenSecretRef))
		}
	}
	if role == runreport.RoleFinalize || s.resource.Spec.ExecutionMode() == v1alpha1.ExecutionSync {
		// The Job controller sets the variable in Indexed Jobs only.
		variables = append(variables, corev1.EnvVar{Name: runreport.ShardVariable, Value: "0"})
	}
	return append(variables, s.operatorVariables()...)
}

// headerVariables have the values of headers that come from Secrets, by reference.
func headerVariables(spec *v1alpha1.DatasetGenerationSpec) []corev1.EnvVar {
	var variables []corev1.EnvVar
	for i, header := range spec.SeedHeaders() {
		if header.SecretKeyRef != nil {
			variables = append(variables, secretVariable(runreport.SeedHeaderVariablePrefix+strconv.Itoa(i), header.SecretKeyRef))
		}
	}
	for i := range spec.Columns {
		column := &spec.Columns[i]
		for index, header := range column.ValidatorHeaders() {
			if header.SecretKeyRef != nil {
				variables = append(variables, secretVariable(runreport.ValidatorHeaderVariable(column.Name, index), header.SecretKeyRef))
			}
		}
	}
	return variables
}

// operatorVariables are what whoever runs the operator has set for the Pods of all runs.
func (s *situation) operatorVariables() []corev1.EnvVar {
	variables := slices.Clone(s.options.Environment)
	if list := s.options.Endpoints; list != nil && !list.Empty() {
		variables = append(variables, corev1.EnvVar{Name: runreport.AllowedEndpointsVariable, Value: literal(list.String())})
	}
	return variables
}
