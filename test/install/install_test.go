// Package install renders what installs the operator, by Helm and by kustomize, with the libraries of both, and compares the two.
package install

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const root = "../.."

// objects are manifests by kind, namespace and name.
type objects map[string]map[string]any

func parse(t *testing.T, found objects, manifests string) {
	t.Helper()
	for _, document := range regexp.MustCompile(`(?m)^---\s*$`).Split(manifests, -1) {
		var object map[string]any
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if len(object) == 0 {
			continue
		}
		metadata := object["metadata"].(map[string]any)
		key := fmt.Sprintf("%v %v/%v", object["kind"], metadata["namespace"], metadata["name"])
		if found[key] != nil {
			t.Errorf("%s is there twice", key)
		}
		found[key] = object
	}
}

// kustomized are the objects of an overlay. The ConfigMap has the name that it would have without the hash of its content.
func kustomized(t *testing.T, overlay string) objects {
	t.Helper()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(root, overlay))
	if err != nil {
		t.Fatal(err)
	}
	text, err := built.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	found := objects{}
	parse(t, found, regexp.MustCompile(`(name: seedloom-manager)-[0-9a-z]{10}\b`).ReplaceAllString(string(text), "$1"))
	return found
}

func load(t *testing.T) *chart.Chart {
	t.Helper()
	loaded, err := loader.LoadDir(filepath.Join(root, "charts", "seedloom"))
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// helmed are the objects of the chart with values.
func helmed(t *testing.T, values string) (objects, error) {
	t.Helper()
	var given map[string]any
	if err := yaml.Unmarshal([]byte(values), &given); err != nil {
		t.Fatal(err)
	}
	loaded := load(t)
	release := chartutil.ReleaseOptions{Name: "seedloom", Namespace: "seedloom-system", IsInstall: true}
	computed, err := chartutil.ToRenderValues(loaded, given, release, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	rendered, err := engine.Render(loaded, computed)
	if err != nil {
		return nil, err
	}
	found := objects{}
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		if strings.HasSuffix(name, ".yaml") {
			parse(t, found, rendered[name])
		}
	}
	return found, nil
}

// at follows names and indexes into a manifest.
func at(t *testing.T, object any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object = object.(map[string]any)[step]
		case int:
			object = object.([]any)[step]
		}
	}
	return object
}

const (
	deploymentKey = "Deployment seedloom-system/seedloom-manager"
	definitionKey = "CustomResourceDefinition <nil>/datasetgenerations.seedloom.dev"
	configKey     = "ConfigMap seedloom-system/seedloom-manager"
)

func TestHelmAndKustomizeInstallTheSame(t *testing.T) {
	for name, test := range map[string]struct{ overlay, values string }{
		"as it is": {"resources: [config/default]", ""},
		"webhook":  {"resources: [config/webhook]", "webhook: {enabled: true}"},
		"webhook with cert-manager": {
			"resources: [config/webhook-cert-manager]", "webhook: {enabled: true, certManager: true}",
		},
		"monitoring":       {"resources: [config/default, config/monitoring]", "monitoring: {enabled: true}"},
		"network policies": {"resources: [config/default, config/network-policy/manager]", "networkPolicy: {enabled: true}"},
		"labelled Secrets": {
			"resources: [config/default]\ncomponents: [config/labelled-secrets]", "config: {secrets: {policy: Labelled}}",
		},
	} {
		t.Run(name, func(t *testing.T) { mustInstallTheSame(t, test.overlay, test.values) })
	}
}

// overlayOf writes an overlay of the repository's, whose paths are those in the repository.
func overlayOf(t *testing.T, kustomization string) string {
	t.Helper()
	folder := t.TempDir()
	repository, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	up, err := filepath.Rel(folder, repository)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(kustomization, "config/", up+"/config/")
	if err := os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Rel(root, folder)
	if err != nil {
		found, err = filepath.Rel(repository, folder)
	}
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func mustInstallTheSame(t *testing.T, overlay, values string) {
	t.Helper()
	want := kustomized(t, overlayOf(t, overlay))
	got, err := helmed(t, values)
	if err != nil {
		t.Fatal(err)
	}
	// Helm makes the namespace by --create-namespace, keeps the definition, and rolls out a new configuration by a checksum.
	delete(want, "Namespace <nil>/seedloom-system")
	annotations := at(t, got[definitionKey], "metadata", "annotations").(map[string]any)
	if annotations["helm.sh/resource-policy"] != "keep" {
		t.Error("uninstalling the chart would delete every DatasetGeneration")
	}
	delete(annotations, "helm.sh/resource-policy")
	delete(at(t, got[deploymentKey], "spec", "template", "metadata", "annotations").(map[string]any), "checksum/config")
	for _, found := range []objects{want, got} {
		// What it says is only comments by default.
		var config map[string]any
		data := at(t, found[configKey], "data").(map[string]any)
		err := yaml.Unmarshal([]byte(data["config.yaml"].(string)), &config)
		if err != nil || len(config) > 0 && !strings.Contains(values, "config:") {
			t.Errorf("the configuration is %v by default (%v)", config, err)
		}
		delete(data, "config.yaml")
	}
	if difference := cmp.Diff(want, got); difference != "" {
		t.Errorf("kustomize (-) and Helm (+) install different things; is hack/chart/main.go to know of a file more?\n%s", difference)
	}
}

// TestEnginesGetANetworkPolicy compares that of a namespace with runs.
func TestEnginesGetANetworkPolicy(t *testing.T) {
	key := "NetworkPolicy team/seedloom-engines"
	want := kustomized(t, overlayOf(t, "namespace: team\nresources: [config/network-policy/engines]"))[key]
	got, err := helmed(t, "networkPolicy: {engineNamespaces: [team, other]}")
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(want, got[key]); difference != "" || want == nil || got["NetworkPolicy other/seedloom-engines"] == nil {
		t.Errorf("kustomize (-) and Helm (+) make different policies:\n%s", difference)
	}
}

func TestValues(t *testing.T) {
	got, err := helmed(t, `
image: {repository: registry.internal/mirror/seedloom, digest: "sha256:`+strings.Repeat("a", 64)+`", pullPolicy: Always}
imagePullSecrets: [{name: registry}]
replicas: 2
extraArgs: [--kube-api-qps=100]
config: {pod: {priorityClassName: batch, imagePullSecrets: [{name: registry}]}}
podLabels: {team: data}
podAnnotations: {mesh: "off"}
nodeSelector: {pool: system}
tolerations: [{key: dedicated, operator: Exists}]
topologySpreadConstraints: [{maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway}]
priorityClassName: system-cluster-critical
resources: {limits: {memory: 1Gi}}
`)
	if err != nil {
		t.Fatal(err)
	}
	pod := at(t, got[deploymentKey], "spec", "template")
	container := at(t, pod, "spec", "containers", 0)
	for name, test := range map[string]struct{ got, want any }{
		"image":       {at(t, container, "image"), "registry.internal/mirror/seedloom@sha256:" + strings.Repeat("a", 64)},
		"pull policy": {at(t, container, "imagePullPolicy"), "Always"},
		"last flag":   {at(t, container, "args").([]any)[len(at(t, container, "args").([]any))-1], "--kube-api-qps=100"},
		"memory":      {at(t, container, "resources", "limits", "memory"), "1Gi"},
		"pull secret": {at(t, pod, "spec", "imagePullSecrets", 0, "name"), "registry"},
		"node":        {at(t, pod, "spec", "nodeSelector", "pool"), "system"},
		"toleration":  {at(t, pod, "spec", "tolerations", 0, "key"), "dedicated"},
		"spread":      {at(t, pod, "spec", "topologySpreadConstraints", 0, "topologyKey"), "kubernetes.io/hostname"},
		"priority":    {at(t, pod, "spec", "priorityClassName"), "system-cluster-critical"},
		"label":       {at(t, pod, "metadata", "labels", "team"), "data"},
		"annotation":  {at(t, pod, "metadata", "annotations", "mesh"), "off"},
		"replicas":    {at(t, got[deploymentKey], "spec", "replicas"), float64(2)},
	} {
		if test.got != test.want {
			t.Errorf("%s is %v, want %v", name, test.got, test.want)
		}
	}
	if config := fmt.Sprint(at(t, got[configKey], "data", "config.yaml")); !strings.Contains(config, "priorityClassName: batch") {
		t.Errorf("the configuration is %s", config)
	}
	other, err := helmed(t, "{config: {pod: {priorityClassName: other}}, crds: {install: false}}")
	if err != nil {
		t.Fatal(err)
	}
	if before, after := checksum(t, got), checksum(t, other); before == after || after == "" {
		t.Error("another configuration rolls out no new manager")
	}
	if other[definitionKey] != nil {
		t.Error("the definition is installed although it is not wanted")
	}
}

func checksum(t *testing.T, found objects) string {
	t.Helper()
	return fmt.Sprint(at(t, found[deploymentKey], "spec", "template", "metadata", "annotations", "checksum/config"))
}

// TestOneImageIsAll holds that in a network without the internet one mirrored image is enough: none but the value's is named.
func TestOneImageIsAll(t *testing.T) {
	got, err := helmed(t, "{image: {repository: registry.internal/seedloom}}")
	if err != nil {
		t.Fatal(err)
	}
	for key, object := range got {
		data, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		for _, image := range regexp.MustCompile(`"image":"([^"]*)"`).FindAllSubmatch(data, -1) {
			if !bytes.HasPrefix(image[1], []byte("registry.internal/seedloom:")) {
				t.Errorf("%s names the image %s", key, image[1])
			}
		}
	}
}

// TestSomeNamespaces has the manager have rights in two namespaces alone.
func TestSomeNamespaces(t *testing.T) {
	got, err := helmed(t, `
namespaces: [team, other]
config: {secrets: {policy: Labelled}}
monitoring: {enabled: true, labels: {release: p}}
`)
	if err != nil {
		t.Fatal(err)
	}
	for key, object := range got {
		if object["kind"] == "ClusterRoleBinding" {
			t.Errorf("%s gives rights in the whole cluster", key)
		}
	}
	for _, namespace := range []string{"team", "other"} {
		if got["Role "+namespace+"/seedloom-manager"] == nil ||
			at(t, got["RoleBinding "+namespace+"/seedloom-manager"], "subjects", 0, "namespace") != "seedloom-system" {
			t.Errorf("the manager has no rights in %s", namespace)
		}
		if got["Role "+namespace+"/seedloom-labelled-secrets"] == nil ||
			at(t, got["RoleBinding "+namespace+"/seedloom-labelled-secrets"], "roleRef", "kind") != "Role" {
			t.Errorf("the manager can't see which Secrets of %s are for runs", namespace)
		}
	}
	arguments := fmt.Sprint(at(t, got[deploymentKey], "spec", "template", "spec", "containers", 0, "args"))
	if !strings.Contains(arguments, "--namespaces=team,other") {
		t.Errorf("the manager has the flags %s", arguments)
	}
	if got["ServiceMonitor seedloom-system/seedloom-manager"] != nil ||
		at(t, got["PodMonitor seedloom-system/seedloom-engines"], "metadata", "labels", "release") != "p" {
		t.Error("only the engines have metrics that can be reached, and a Prometheus selects them by the label")
	}
}

func TestWrongValuesAreRefused(t *testing.T) {
	for values, want := range map[string]string{
		"{replica: 2}":                       "replica",
		"{image: {digest: sha256:1}}":        "digest",
		"{image: {pullPolicy: Sometimes}}":   "pullPolicy",
		"{namespaces: [Team]}":               "namespaces",
		"{extraArgs: [kube-api-qps]}":        "extraArgs",
		"{imagePullSecrets: [registry]}":     "imagePullSecrets",
		"{crds: {install: true, keep: true}": "crds",
	} {
		if strings.Count(values, "{") > strings.Count(values, "}") {
			values += "}"
		}
		if _, err := helmed(t, values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", values, err)
		}
	}
}

// TestValuesAreDocumented holds that each value has a comment above it, and is in the schema, and the other way round.
func TestValuesAreDocumented(t *testing.T) {
	var schema struct{ Properties map[string]any }
	if err := json.Unmarshal(load(t).Schema, &schema); err != nil {
		t.Fatal(err)
	}
	delete(schema.Properties, "global")
	values := load(t).Values
	if got, want := slices.Sorted(maps.Keys(values)), slices.Sorted(maps.Keys(schema.Properties)); !slices.Equal(got, want) {
		t.Errorf("values.yaml has %q, and its schema %q", got, want)
	}
	data, err := os.ReadFile(filepath.Join(root, "charts", "seedloom", "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "installing.md"))
	if err != nil {
		t.Fatal(err)
	}
	for name := range values {
		if !regexp.MustCompile(`(?m)^`+name+`:`).Match(data) || !bytes.Contains(page, []byte("`"+name)) {
			t.Errorf("%s is not in docs/installing.md", name)
		}
	}
}

// TestOverlaysBuild has all overlays that kustomize is asked to build.
func TestOverlaysBuild(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(root, "config", "*", "kustomization.yaml"))
	if err != nil || len(paths) < 7 {
		t.Fatalf("found %q: %v", paths, err)
	}
	for _, path := range paths {
		overlay, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			t.Fatal(err)
		}
		if len(kustomized(t, overlay)) == 0 {
			t.Errorf("%s is empty", overlay)
		}
	}
}
