package datasetgeneration

import (
	"path"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/bridge"
	"seedloom.dev/seedloom/internal/runreport"
)

const (
	bridgeContainer = "install-bridge"
	volumeBridge    = "bridge"
	// homeDirectory is the only place of a sidecar's own to which its program can write.
	homeDirectory = "/tmp"
)

// addTools gives the Pod what its engine needs to call tools: the API keys of servers by reference, and for each server of type Stdio
// that a column uses a sidecar with the user's image. The sidecars are init containers that go on running, so that they end with the
// engine and not the other way round. Their command is the bridge, which an init container puts in place, since their images know nothing
// of us.
func (s *situation) addTools(pod *corev1.PodSpec) {
	spec := &s.resource.Spec
	engine := &pod.Containers[0]
	for _, index := range spec.ToolServersInUse() {
		server := &spec.ToolServers[index]
		if reference := server.APIKeySecretRef; reference != nil {
			engine.Env = append(engine.Env, secretVariable(runreport.ToolKeyVariablePrefix+strconv.Itoa(index), reference))
		}
		if server.Stdio == nil {
			continue
		}
		if len(pod.InitContainers) == 0 {
			pod.Volumes = append(pod.Volumes, scratch(volumeBridge))
			pod.InitContainers = append(pod.InitContainers, corev1.Container{
				Name:            bridgeContainer,
				Image:           s.options.EngineImage,
				ImagePullPolicy: corev1.PullIfNotPresent,
				Command:         []string{runreport.BridgePath, "install", runreport.BridgeDirectory},
				Resources:       resourcesOf(server.Stdio.Resources, sidecarResources()),
				VolumeMounts:    []corev1.VolumeMount{{Name: volumeBridge, MountPath: runreport.BridgeDirectory}},
				SecurityContext: restricted(),
			})
		}
		name := runreport.ToolContainerPrefix + server.Name
		// A folder each: no server reaches the socket of another.
		socket := corev1.VolumeMount{Name: name, MountPath: path.Join(runreport.ToolDirectory, server.Name)}
		pod.Volumes = append(pod.Volumes, scratch(name), scratch(name+"-tmp"))
		engine.VolumeMounts = append(engine.VolumeMounts, socket)
		pod.InitContainers = append(pod.InitContainers, sidecar(name, server, socket))
	}
}

func sidecar(name string, server *v1alpha1.ToolServer, socket corev1.VolumeMount) corev1.Container {
	command := []string{bridge.Path(runreport.BridgeDirectory), "serve", path.Join(socket.MountPath, runreport.ToolSocketName)}
	// A program of its own has its home there, unless the user says otherwise.
	variables := []corev1.EnvVar{{Name: "HOME", Value: homeDirectory}}
	for _, variable := range server.Stdio.Env {
		if variable.Name == "HOME" {
			variables = variables[1:]
		}
		if variable.SecretKeyRef != nil {
			variables = append(variables, secretVariable(variable.Name, variable.SecretKeyRef))
		} else if variable.Value != nil {
			variables = append(variables, corev1.EnvVar{Name: variable.Name, Value: literal(*variable.Value)})
		}
	}
	return corev1.Container{
		Name:            name,
		Image:           server.Stdio.Image,
		ImagePullPolicy: corev1.PullIfNotPresent,
		RestartPolicy:   new(corev1.ContainerRestartPolicyAlways),
		Command:         append(command, literals(server.Stdio.Command)...),
		Env:             variables,
		Resources:       resourcesOf(server.Stdio.Resources, sidecarResources()),
		VolumeMounts: []corev1.VolumeMount{
			{Name: volumeBridge, MountPath: runreport.BridgeDirectory, ReadOnly: true}, socket, {Name: name + "-tmp", MountPath: homeDirectory},
		},
		SecurityContext: restricted(),
	}
}

func literals(texts []string) []string {
	result := make([]string, len(texts))
	for i, text := range texts {
		result[i] = literal(text)
	}
	return result
}

func scratch(name string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}
}

// sidecarResources suit a program that mostly waits.
func sidecarResources() corev1.ResourceRequirements {
	return corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("20m"), corev1.ResourceMemory: resource.MustParse("64Mi")},
		Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("512Mi")},
	}
}
