package datasetgeneration

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// userVolumePrefix keeps the names of users' volumes apart from those of the operator.
const userVolumePrefix = "user-"

// withDefaults are the settings of a spec over those of the operator. What has a name or a key is added, and the spec's wins; tolerations
// are added; of all else the spec's takes the place of the operator's.
func withDefaults(spec, defaults *v1alpha1.PodSettings) v1alpha1.PodSettings {
	if spec == nil {
		spec = &v1alpha1.PodSettings{}
	}
	merged := *spec.DeepCopy()
	if defaults == nil {
		return merged
	}
	defaults = defaults.DeepCopy()
	merged.Resources = mergedResources(merged.Resources, defaults.Resources)
	merged.NodeSelector = mergedMap(merged.NodeSelector, defaults.NodeSelector)
	merged.Labels = mergedMap(merged.Labels, defaults.Labels)
	merged.Annotations = mergedMap(merged.Annotations, defaults.Annotations)
	merged.Tolerations = append(merged.Tolerations, defaults.Tolerations...)
	merged.ImagePullSecrets = mergedList(merged.ImagePullSecrets, defaults.ImagePullSecrets, func(s v1alpha1.SecretReference) string {
		return s.Name
	})
	merged.Env = mergedList(merged.Env, defaults.Env, func(v v1alpha1.PodEnvironmentVariable) string { return v.Name })
	merged.Volumes = mergedList(merged.Volumes, defaults.Volumes, func(v v1alpha1.PodVolume) string { return v.Name })
	if merged.Affinity == nil {
		merged.Affinity = defaults.Affinity
	}
	if len(merged.TopologySpreadConstraints) == 0 {
		merged.TopologySpreadConstraints = defaults.TopologySpreadConstraints
	}
	merged.PriorityClassName = cmp.Or(merged.PriorityClassName, defaults.PriorityClassName)
	merged.ServiceAccountName = cmp.Or(merged.ServiceAccountName, defaults.ServiceAccountName)
	merged.RuntimeClassName = cmp.Or(merged.RuntimeClassName, defaults.RuntimeClassName)
	return merged
}

func mergedMap[K comparable, V any](first, second map[K]V) map[K]V {
	merged := maps.Clone(second)
	if merged == nil {
		return first
	}
	maps.Copy(merged, first)
	return merged
}

// mergedList is the first list, and of the second what the first has no entry of that name for.
func mergedList[T any](first, second []T, name func(T) string) []T {
	for _, entry := range second {
		if !slices.ContainsFunc(first, func(known T) bool { return name(known) == name(entry) }) {
			first = append(first, entry)
		}
	}
	return first
}

// mergedResources are those of the first, and of the second what the first does not name. What comes from the second gives way where it
// contradicts: its request is at most the limit of the first, and its limit at least the request.
func mergedResources(first, second *v1alpha1.ContainerResources) *v1alpha1.ContainerResources {
	if first == nil || second == nil {
		return cmp.Or(first, second)
	}
	merged := &v1alpha1.ContainerResources{
		Requests: mergedMap(first.Requests, second.Requests), Limits: mergedMap(first.Limits, second.Limits),
	}
	for name, request := range merged.Requests {
		limit, limited := merged.Limits[name]
		if !limited || request.Cmp(limit) <= 0 {
			continue
		}
		if _, written := first.Limits[name]; written {
			merged.Requests[name] = limit
		} else {
			merged.Limits[name] = request
		}
	}
	return merged
}

// defaultResources suit a Pod that waits for models most of the time. There is no limit on CPU: throttling would only
// make time-outs of requests that have long been answered.
func defaultResources() corev1.ResourceRequirements {
	return corev1.ResourceRequirements{
		Requests: corev1.ResourceList{
			corev1.ResourceCPU:    resource.MustParse("100m"),
			corev1.ResourceMemory: resource.MustParse("128Mi"),
		},
		Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("2Gi")},
	}
}

// resourcesOf are the resources of a container, with what a run needs where nothing else is said.
func resourcesOf(settings *v1alpha1.ContainerResources, defaults corev1.ResourceRequirements) corev1.ResourceRequirements {
	merged := mergedResources(settings, &v1alpha1.ContainerResources{Requests: defaults.Requests, Limits: defaults.Limits})
	return corev1.ResourceRequirements{Requests: merged.Requests, Limits: merged.Limits}
}

// applySettings brings the settings of Pods into a template. Nothing of them touches what makes a Pod a restricted one, nor what the
// operator and the engine say to each other: that is set afterwards, or under names that settings can't have.
func (s *situation) applySettings(template *corev1.PodTemplateSpec, role string) {
	settings := withDefaults(s.resource.Spec.Pod, s.options.PodDefaults)
	template.Labels = mergedMap(template.Labels, settings.Labels)
	template.Annotations = mergedMap(template.Annotations, settings.Annotations)
	pod := &template.Spec
	pod.NodeSelector, pod.Affinity = settings.NodeSelector, settings.Affinity
	pod.PriorityClassName, pod.ServiceAccountName = settings.PriorityClassName, settings.ServiceAccountName
	if settings.RuntimeClassName != "" {
		pod.RuntimeClassName = &settings.RuntimeClassName
	}
	for _, secret := range settings.ImagePullSecrets {
		pod.ImagePullSecrets = append(pod.ImagePullSecrets, corev1.LocalObjectReference{Name: secret.Name})
	}
	for i := range settings.Tolerations {
		pod.Tolerations = append(pod.Tolerations, toleration(&settings.Tolerations[i]))
	}
	if len(settings.TopologySpreadConstraints) > 0 {
		pod.TopologySpreadConstraints = s.spread(settings.TopologySpreadConstraints, role)
	}
	engine := &pod.Containers[0]
	engine.Resources = resourcesOf(settings.Resources, defaultResources())
	// A variable that stands later wins, and those of the operator stand last.
	engine.Env = append(variables(settings.Env), engine.Env...)
	for i := range settings.Volumes {
		source, mount := userVolume(&settings.Volumes[i])
		addVolume(pod, source, mount)
	}
	if hash := s.settingsHash(); hash != "" {
		template.Annotations = mergedMap(map[string]string{v1alpha1.AnnotationPodHash: hash}, template.Annotations)
	}
}

// settingsHash identifies all settings that Pods are created with: the spec's, and those of the operator.
func (s *situation) settingsHash() string {
	if s.resource.Spec.Pod == nil && s.options.PodDefaults == nil {
		return ""
	}
	merged := withDefaults(s.resource.Spec.Pod, s.options.PodDefaults)
	return podHash(&merged)
}

func toleration(settings *v1alpha1.Toleration) corev1.Toleration {
	result := corev1.Toleration{
		Key: settings.Key, Operator: settings.Operator, Effect: settings.Effect, TolerationSeconds: settings.TolerationSeconds,
	}
	if settings.Value != nil {
		result.Value = *settings.Value
	}
	return result
}

// spread counts the Pods of the run where a constraint does not say which.
func (s *situation) spread(constraints []v1alpha1.TopologySpreadConstraint, role string) []corev1.TopologySpreadConstraint {
	result := make([]corev1.TopologySpreadConstraint, len(constraints))
	for i := range constraints {
		constraint := &constraints[i]
		result[i] = corev1.TopologySpreadConstraint{
			MaxSkew: constraint.MaxSkew, TopologyKey: constraint.TopologyKey, WhenUnsatisfiable: constraint.WhenUnsatisfiable,
			LabelSelector: constraint.LabelSelector, MinDomains: constraint.MinDomains,
		}
		if constraint.NodeAffinityPolicy != "" {
			result[i].NodeAffinityPolicy = &constraint.NodeAffinityPolicy
		}
		if constraint.NodeTaintsPolicy != "" {
			result[i].NodeTaintsPolicy = &constraint.NodeTaintsPolicy
		}
		if constraint.LabelSelector == nil {
			result[i].LabelSelector = s.podSelector(role)
		}
	}
	return result
}

// podSelector finds the Pods of the run in a role.
func (s *situation) podSelector(role string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{v1alpha1.LabelRun: s.run.ID, v1alpha1.LabelRole: role}}
}

func variables(settings []v1alpha1.PodEnvironmentVariable) []corev1.EnvVar {
	var result []corev1.EnvVar
	for i := range settings {
		switch variable := &settings[i]; {
		case variable.SecretKeyRef != nil:
			result = append(result, secretVariable(variable.Name, variable.SecretKeyRef))
		case variable.ConfigMapKeyRef != nil:
			result = append(result, corev1.EnvVar{Name: variable.Name, ValueFrom: &corev1.EnvVarSource{
				ConfigMapKeyRef: &corev1.ConfigMapKeySelector{
					LocalObjectReference: corev1.LocalObjectReference{Name: variable.ConfigMapKeyRef.Name}, Key: variable.ConfigMapKeyRef.Key,
				},
			}})
		case variable.Value != nil:
			result = append(result, corev1.EnvVar{Name: variable.Name, Value: literal(*variable.Value)})
		}
	}
	return result
}

// userVolume is a volume of a user, of one of the kinds that may be. All but empty folders are for reading only.
func userVolume(settings *v1alpha1.PodVolume) (source corev1.VolumeSource, mount corev1.VolumeMount) {
	mount = corev1.VolumeMount{Name: userVolumePrefix + settings.Name, MountPath: settings.MountPath, ReadOnly: settings.EmptyDir == nil}
	switch {
	case settings.ConfigMap != nil:
		source.ConfigMap = &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: settings.ConfigMap.Name}}
	case settings.Secret != nil:
		source.Secret = &corev1.SecretVolumeSource{SecretName: settings.Secret.Name, DefaultMode: new(certificateMode)}
	case settings.PersistentVolumeClaim != nil:
		source.PersistentVolumeClaim = &corev1.PersistentVolumeClaimVolumeSource{
			ClaimName: settings.PersistentVolumeClaim.ClaimName, ReadOnly: true,
		}
	case settings.EmptyDir != nil:
		source.EmptyDir = &corev1.EmptyDirVolumeSource{Medium: settings.EmptyDir.Medium, SizeLimit: settings.EmptyDir.SizeLimit}
	}
	return source, mount
}

// memoryLimit has the engine know how much memory its container may use, whatever has set the limit.
func memoryLimit(container string) corev1.EnvVar {
	return corev1.EnvVar{Name: runreport.MemoryLimitVariable, ValueFrom: &corev1.EnvVarSource{
		ResourceFieldRef: &corev1.ResourceFieldSelector{
			ContainerName: container, Resource: "limits.memory", Divisor: resource.MustParse("1"),
		},
	}}
}

// literal has the kubelet leave a text as it is, which would otherwise replace $(NAME) in it.
func literal(text string) string { return strings.ReplaceAll(text, "$", "$$") }

func secretVariable(name string, reference *v1alpha1.SecretKeyReference) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: reference.Name}, Key: reference.Key,
	}}}
}

// restricted is what every container may do: nothing that the restricted Pod security standard forbids, nor write to its image.
func restricted() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: new(false),
		ReadOnlyRootFilesystem:   new(true),
		RunAsNonRoot:             new(true),
		Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
}
