// Command chart writes the templates of the Helm chart from the manifests of config/, so that there is one source for both ways to install.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"
)

const (
	chart = "charts/seedloom"
	// definition is the custom resource definition, which has braces of its own and is no template.
	definition = "config/crd/bases/seedloom.dev_datasetgenerations.yaml"
	// dashboard is that of Grafana, which has braces of its own too.
	dashboard = "config/monitoring/dashboard.json"
	// generated is the first line of each template.
	generated = "{{- /* Written by hack/chart from %s: edit that, and run `make manifests`. */}}\n"
)

// sources are the manifests that become templates.
var sources = []string{
	"config/manager/disruption_budget.yaml", "config/manager/manager.yaml", "config/manager/metrics_service.yaml",
	"config/rbac/leader_election.yaml", "config/rbac/metrics.yaml", "config/rbac/role.yaml", "config/rbac/role_binding.yaml",
	"config/rbac/service_account.yaml", "config/rbac/user_roles.yaml",
	"config/webhook/certificate.yaml", "config/webhook/configuration.yaml", "config/webhook/service.yaml",
	"config/webhook-cert-manager/issuer.yaml", "config/labelled-secrets/role.yaml",
	"config/network-policy/engines/policy.yaml", "config/network-policy/manager/policy.yaml",
	"config/monitoring/pod_monitor.yaml", "config/monitoring/rules.yaml", "config/monitoring/service_monitor.yaml",
}

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write() error {
	for _, source := range sources {
		data, err := os.ReadFile(source)
		if err != nil {
			return fmt.Errorf("reading a manifest: %w", err)
		}
		var documents []string
		for _, document := range strings.Split(string(data), "\n---\n") {
			text, err := template(document)
			if err != nil {
				return fmt.Errorf("%s: %w", source, err)
			}
			documents = append(documents, text)
		}
		text := fmt.Sprintf(generated, source) + wrapped(source, strings.Join(documents, "---\n"))
		if err := os.WriteFile(filepath.Join(chart, "templates", templateName(source)), []byte(text), 0o644); err != nil {
			return fmt.Errorf("writing a template: %w", err)
		}
	}
	if err := writeDefinition(); err != nil {
		return err
	}
	data, err := os.ReadFile(dashboard)
	if err != nil {
		return fmt.Errorf("reading the dashboard: %w", err)
	}
	if err := os.WriteFile(filepath.Join(chart, "files", "dashboard.json"), data, 0o644); err != nil {
		return fmt.Errorf("writing the dashboard: %w", err)
	}
	return nil
}

// templateName is the name of the template of a manifest: that of its file, after the folder's where that is needed to tell them apart.
func templateName(source string) string {
	for folder, prefix := range map[string]string{
		"config/webhook": "webhook_", "config/labelled-secrets/": "labelled_secrets_", "config/monitoring/": "monitoring_",
		"config/network-policy/engines/": "engines_network_", "config/network-policy/manager/": "manager_network_",
	} {
		if strings.HasPrefix(source, folder) {
			return prefix + filepath.Base(source)
		}
	}
	return filepath.Base(source)
}

// writeDefinition writes the definition with the annotation by which Helm leaves it when the chart is uninstalled: datasets outlive it.
func writeDefinition() error {
	data, err := os.ReadFile(definition)
	if err != nil {
		return fmt.Errorf("reading the definition: %w", err)
	}
	kept := strings.Replace(string(data), "  annotations:\n", "  annotations:\n    helm.sh/resource-policy: keep\n", 1)
	if kept == string(data) {
		return fmt.Errorf("%s has no annotations to add to", definition)
	}
	if err := os.WriteFile(filepath.Join(chart, "files", "crd.yaml"), []byte(kept), 0o644); err != nil {
		return fmt.Errorf("writing the definition: %w", err)
	}
	return nil
}

// template puts expressions of Helm into a manifest.
func template(document string) (string, error) {
	var object map[string]any
	if err := yaml.Unmarshal([]byte(document), &object); err != nil {
		return "", fmt.Errorf("parsing a manifest: %w", err)
	}
	switch object["kind"] {
	case "Deployment":
		if err := deployment(object); err != nil {
			return "", err
		}
	case "ValidatingWebhookConfiguration":
		if err := configuration(object); err != nil {
			return "", err
		}
	case "ServiceMonitor", "PodMonitor", "PrometheusRule":
		if err := monitor(object); err != nil {
			return "", err
		}
	}
	data, err := yaml.Marshal(object)
	if err != nil {
		return "", fmt.Errorf("writing a manifest: %w", err)
	}
	// Braces of the manifest's own, as in annotations of alerts.
	text := strings.ReplaceAll(string(data), "{{", `{{ "{{" }}`)
	text = strings.ReplaceAll(text, "namespace: seedloom-system", "namespace: {{ .Release.Namespace }}")
	text = strings.ReplaceAll(text, ".seedloom-system.svc", ".{{ .Release.Namespace }}.svc")
	return expand(text), nil
}

// deployment marks the places in the Deployment that values decide.
func deployment(object map[string]any) error {
	spec, err := child(object, "spec")
	if err != nil {
		return err
	}
	spec["replicas"] = mark("replicas")
	pod, err := child(spec, "template")
	if err != nil {
		return err
	}
	metadata, err := child(pod, "metadata")
	if err != nil {
		return err
	}
	for _, name := range []string{"annotations", "labels"} {
		values, err := child(metadata, name)
		if err != nil {
			return err
		}
		values[mark("pod-"+name)] = ""
	}
	podSpec, err := child(pod, "spec")
	if err != nil {
		return err
	}
	podSpec[mark("pod-spec")], podSpec["topologySpreadConstraints"] = "", mark("spread")
	containers, is := podSpec["containers"].([]any)
	if !is || len(containers) != 1 {
		return fmt.Errorf("the Deployment has %d containers, and one is expected", len(containers))
	}
	container, is := containers[0].(map[string]any)
	if !is {
		return fmt.Errorf("the container is a %T", containers[0])
	}
	arguments, _ := container["args"].([]any)
	ports, _ := container["ports"].([]any)
	mounts, _ := container["volumeMounts"].([]any)
	volumes, _ := podSpec["volumes"].([]any)
	container["args"], container["ports"] = append(arguments, mark("args")), append(ports, mark("ports"))
	container["volumeMounts"], podSpec["volumes"] = append(mounts, mark("mounts")), append(volumes, mark("volumes"))
	container["image"], container["imagePullPolicy"], container["resources"] = mark("image"), mark("pull-policy"), mark("resources")
	return nil
}

// configuration marks the places in the configuration of the webhook that values decide.
func configuration(object map[string]any) error {
	metadata, err := child(object, "metadata")
	if err != nil {
		return err
	}
	metadata[mark("webhook-annotations")] = ""
	webhooks, is := object["webhooks"].([]any)
	if !is || len(webhooks) != 1 {
		return fmt.Errorf("the configuration has %d webhooks, and one is expected", len(webhooks))
	}
	webhook, is := webhooks[0].(map[string]any)
	if !is {
		return fmt.Errorf("the webhook is a %T", webhooks[0])
	}
	webhook["failurePolicy"] = mark("failure-policy")
	return nil
}

// monitor marks the labels by which a Prometheus selects what it takes.
func monitor(object map[string]any) error {
	metadata, err := child(object, "metadata")
	if err != nil {
		return err
	}
	labels, err := child(metadata, "labels")
	if err != nil {
		return err
	}
	metadata["namespace"], labels[mark("monitoring-labels")] = "seedloom-system", ""
	return nil
}

func child(object map[string]any, name string) (map[string]any, error) {
	found, is := object[name].(map[string]any)
	if !is {
		return nil, fmt.Errorf("the manifest has no %s", name)
	}
	return found, nil
}

// mark is a text that no manifest has.
func mark(name string) string { return "zz-helm-" + name }

// expand puts the expressions in the places of the marks.
func expand(text string) string {
	for line, expression := range map[string]string{
		"replicas: " + mark("replicas"):                "replicas: {{ .Values.replicas }}",
		"image: " + mark("image"):                      `image: {{ include "seedloom.image" . }}`,
		"imagePullPolicy: " + mark("pull-policy"):      "imagePullPolicy: {{ .Values.image.pullPolicy }}",
		"topologySpreadConstraints: " + mark("spread"): "topologySpreadConstraints: {{- toYaml .Values.topologySpreadConstraints | nindent 8 }}",
		"resources: " + mark("resources"):              "resources: {{- toYaml .Values.resources | nindent 10 }}",
		"        - " + mark("args") + "\n":             `{{- include "seedloom.arguments" . | nindent 8 }}` + "\n",
		"        - " + mark("ports") + "\n": `        {{- if .Values.webhook.enabled }}` + "\n" +
			"        - containerPort: 9443\n          name: webhook\n        {{- end }}\n",
		"        - " + mark("mounts") + "\n": withCertManager(
			"        - mountPath: /etc/seedloom-webhook\n          name: webhook\n          readOnly: true\n"),
		"      - " + mark("volumes") + "\n": withCertManager(
			"      - name: webhook\n        secret:\n          secretName: seedloom-webhook\n"),
		"    " + mark("monitoring-labels") + `: ""` + "\n": `    {{- with .Values.monitoring.labels }}{{ toYaml . | nindent 4 }}{{ end }}` + "\n",
		"failurePolicy: " + mark("failure-policy"):         "failurePolicy: {{ .Values.webhook.failurePolicy }}",
		"  " + mark("webhook-annotations") + `: ""` + "\n": withCertManager(
			"  annotations:\n    cert-manager.io/inject-ca-from: {{ .Release.Namespace }}/seedloom-webhook\n"),
		"      " + mark("pod-spec") + `: ""` + "\n": `{{- include "seedloom.pod" . | nindent 6 }}` + "\n",
		"        " + mark("pod-annotations") + `: ""` + "\n": `        checksum/config: {{ toYaml .Values.config | sha256sum }}` + "\n" +
			`        {{- with .Values.podAnnotations }}{{ toYaml . | nindent 8 }}{{ end }}` + "\n",
		"        " + mark("pod-labels") + `: ""` + "\n": `        {{- with .Values.podLabels }}{{ toYaml . | nindent 8 }}{{ end }}` + "\n",
	} {
		text = strings.ReplaceAll(text, line, expression)
	}
	return text
}

// withCertManager is a part of a manifest that is there where cert-manager makes the certificate of the webhook.
func withCertManager(text string) string {
	return "{{- if and .Values.webhook.enabled .Values.webhook.certManager }}\n" + text + "{{- end }}\n"
}

// wrapped has rights for all namespaces, or for those that are listed: then the same rules are those of Roles.
func wrapped(source, text string) string {
	switch source {
	case "config/network-policy/manager/policy.yaml":
		return "{{- if .Values.networkPolicy.enabled }}\n" + text + "{{- end }}\n"
	case "config/network-policy/engines/policy.yaml":
		text = strings.ReplaceAll(text, "metadata.name: seedloom-system", "metadata.name: {{ $.Release.Namespace }}")
		return "{{- range .Values.networkPolicy.engineNamespaces }}\n---\n" + inNamespace(text) + "{{- end }}\n"
	case "config/labelled-secrets/role.yaml":
		roles := strings.ReplaceAll(inNamespace(text), "kind: ClusterRole", "kind: Role")
		return `{{- if eq (dig "secrets" "policy" "Any" .Values.config) "Labelled" }}` + "\n" +
			forNamespaces("---\n"+roles, text) + "{{- end }}\n"
	case "config/monitoring/pod_monitor.yaml":
		return "{{- if .Values.monitoring.enabled }}\n" + text + "{{- end }}\n"
	case "config/monitoring/rules.yaml", "config/monitoring/service_monitor.yaml":
		// Where only some namespaces are looked at, the metrics stay within the Pod: an alert would say that no manager can be scraped.
		return "{{- if and .Values.monitoring.enabled (not .Values.namespaces) }}\n" + text + "{{- end }}\n"
	case "config/webhook/certificate.yaml":
		return "{{- if and .Values.webhook.enabled (not .Values.webhook.certManager) }}\n" + text + "{{- end }}\n"
	case "config/webhook-cert-manager/issuer.yaml":
		return withCertManager(text)
	case "config/webhook/configuration.yaml", "config/webhook/service.yaml":
		return "{{- if .Values.webhook.enabled }}\n" + text + "{{- end }}\n"
	}
	switch filepath.Base(source) {
	case "role.yaml":
		_, rules, _ := strings.Cut(text, "\nrules:\n")
		return forNamespaces(namespacedRole+"rules:\n"+rules, text)
	case "metrics.yaml", "metrics_service.yaml":
		// Who asks for metrics is asked for in the whole cluster; without a right there, they stay within the Pod.
		return "{{- if not .Values.namespaces }}\n" + text + "{{- end }}\n"
	case "role_binding.yaml":
		return forNamespaces(namespacedBinding, text)
	}
	return text
}

const (
	namespacedRole = `---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: seedloom-manager
  namespace: {{ . }}
`
	namespacedBinding = `---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: seedloom-manager
  namespace: {{ . }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: seedloom-manager
subjects:
- kind: ServiceAccount
  name: seedloom-manager
  namespace: {{ $.Release.Namespace }}
`
)

// inNamespace is manifests in the namespace that a template's range has reached.
func inNamespace(text string) string {
	text = strings.ReplaceAll(text, ".Release", "$.Release")
	text = strings.ReplaceAll(text, "$$.", "$.")
	return regexp.MustCompile(`(?m)^metadata:\n((?:  .*\n)*?)(  name: .*\n)`).ReplaceAllString(text, "metadata:\n$1$2  namespace: {{ . }}\n")
}

// forNamespaces is one manifest for each namespace that is listed, or another one where none is.
func forNamespaces(each, all string) string {
	return "{{- range .Values.namespaces }}\n" + each + "{{- else }}\n" + all + "{{- end }}\n"
}
