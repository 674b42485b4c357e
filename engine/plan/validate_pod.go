package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	names "k8s.io/apimachinery/pkg/util/validation"

	"seedloom.dev/seedloom/api/v1alpha1"
)

var (
	// reservedLabels and reservedAnnotations are the beginnings of keys whose meaning is taken: the operator, the Job controller or the
	// kubelet act on them.
	reservedLabels = []string{
		"seedloom.dev/", "batch.kubernetes.io/", "job-name", "controller-uid", "app.kubernetes.io/name", "app.kubernetes.io/instance",
		"app.kubernetes.io/component", "app.kubernetes.io/managed-by",
	}
	reservedAnnotations = []string{
		"seedloom.dev/", "batch.kubernetes.io/", "container.apparmor.security.beta.kubernetes.io/",
		"container.seccomp.security.alpha.kubernetes.io/", "seccomp.security.alpha.kubernetes.io/",
	}
	// reservedVariables are what the operator sets in the engine's container, and reservedPrefix begins most of them.
	reservedVariables = []string{
		"JOB_COMPLETION_INDEX", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
	}
	// reservedFolders are those of the engine and of the system in its container.
	reservedFolders = []string{
		"/etc/seedloom", "/var/run/seedloom", "/run/seedloom", "/var/run/secrets", "/run/secrets", "/tmp", "/dev", "/proc", "/sys", "/engine",
		"/bridge", "/manager",
	}
)

const (
	reservedPrefix = "SEEDLOOM_"
	logLevel       = "SEEDLOOM_LOG_LEVEL"
	// maxAnnotations bounds, in bytes, the annotations of a Pod; the API takes 256 KiB, of which others need some.
	maxAnnotations = 128 << 10
)

// ValidatePod returns what is wrong with the settings of Pods that stand at a field.
func ValidatePod(field string, settings *v1alpha1.PodSettings) []Violation {
	if settings == nil {
		return nil
	}
	p := &podValidation{field: field}
	p.resources(".resources", settings.Resources)
	p.keys(".nodeSelector", settings.NodeSelector, nil, true)
	p.spread(settings.TopologySpreadConstraints)
	p.keys(".labels", settings.Labels, reservedLabels, true)
	p.keys(".annotations", settings.Annotations, reservedAnnotations, false)
	p.env(settings.Env)
	p.volumes(settings.Volumes)
	return p.violations
}

type podValidation struct {
	field      string
	violations []Violation
}

func (p *podValidation) add(field, format string, arguments ...any) {
	p.violations = append(p.violations, Violation{
		Field: p.field + field, Reason: ReasonInvalidValue, Message: fmt.Sprintf(format, arguments...),
	})
}

// resources holds that no request is larger than its limit.
func (p *podValidation) resources(field string, resources *v1alpha1.ContainerResources) {
	if resources == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(resources.Requests)) {
		request := resources.Requests[name]
		if request.Sign() < 0 {
			p.add(fmt.Sprintf("%s.requests[%s]", field, name), "must not be below 0, but is %s", request.String())
		}
		if limit, limited := resources.Limits[name]; limited && request.Cmp(limit) > 0 {
			p.add(fmt.Sprintf("%s.requests[%s]", field, name), "is %s, which is more than the limit of %s", request.String(), limit.String())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(resources.Limits)) {
		if limit := resources.Limits[name]; limit.Sign() <= 0 {
			p.add(fmt.Sprintf("%s.limits[%s]", field, name), "must be above 0, but is %s", limit.String())
		}
	}
}

// keys checks labels, or with areLabels false annotations, whose values are free.
func (p *podValidation) keys(field string, values map[string]string, reserved []string, areLabels bool) {
	size := 0
	for _, key := range slices.Sorted(maps.Keys(values)) {
		at := fmt.Sprintf("%s[%s]", field, key)
		if problems := names.IsQualifiedName(strings.ToLower(key)); len(problems) > 0 {
			p.add(at, "is no key: %s", problems[0])
			continue
		}
		for _, taken := range reserved {
			if key == taken || strings.HasSuffix(taken, "/") && strings.HasPrefix(key, taken) {
				p.add(at, "is not for users: keys that are %s, or begin so, are set by the cluster", taken)
			}
		}
		if problems := names.IsValidLabelValue(values[key]); areLabels && len(problems) > 0 {
			p.add(at, "has no value for a label: %s", problems[0])
		}
		size += len(key) + len(values[key])
	}
	if !areLabels && size > maxAnnotations {
		p.add(field, "have %d bytes in all, and a Pod takes at most %d", size, maxAnnotations)
	}
}

// spread holds that two constraints do not speak of the same.
func (p *podValidation) spread(constraints []v1alpha1.TopologySpreadConstraint) {
	seen := map[string]bool{}
	for i := range constraints {
		constraint := &constraints[i]
		field := fmt.Sprintf(".topologySpreadConstraints[%d]", i)
		key := constraint.TopologyKey + " " + string(constraint.WhenUnsatisfiable)
		if seen[key] {
			p.add(field, "another constraint has the same topologyKey and whenUnsatisfiable")
		}
		seen[key] = true
		if constraint.MinDomains != nil && constraint.WhenUnsatisfiable != "DoNotSchedule" {
			p.add(field+".minDomains", "is for whenUnsatisfiable: DoNotSchedule only")
		}
	}
}

func (p *podValidation) env(variables []v1alpha1.PodEnvironmentVariable) {
	for i := range variables {
		if name := variables[i].Name; name != logLevel && strings.HasPrefix(name, reservedPrefix) || slices.Contains(reservedVariables, name) {
			p.add(fmt.Sprintf(".env[%d].name", i), "%s is a variable that the operator sets; for a proxy, set proxyURL of the provider", name)
		}
	}
}

func (p *podValidation) volumes(volumes []v1alpha1.PodVolume) {
	for i := range volumes {
		field, folder := fmt.Sprintf(".volumes[%d].mountPath", i), volumes[i].MountPath
		for _, taken := range reservedFolders {
			if isWithin(folder, taken) || isWithin(taken, folder) {
				p.add(field, "%s is taken: the container has %s of its own", folder, taken)
			}
		}
		for j := range volumes[:i] {
			if other := volumes[j].MountPath; isWithin(folder, other) || isWithin(other, folder) {
				p.add(field, "%s and %s of the volume %s cover each other", folder, other, volumes[j].Name)
			}
		}
	}
}

// isWithin says whether a folder is another, or lies in it.
func isWithin(folder, other string) bool {
	return folder == other || strings.HasPrefix(folder, other+"/")
}

// validateSidecars returns what is wrong with the resources of the sidecars of tool servers.
func validateSidecars(servers []v1alpha1.ToolServer) []Violation {
	var violations []Violation
	for i := range servers {
		if stdio := servers[i].Stdio; stdio != nil {
			p := &podValidation{field: fmt.Sprintf("spec.toolServers[%d].stdio", i)}
			p.resources(".resources", stdio.Resources)
			violations = append(violations, p.violations...)
		}
	}
	return violations
}
