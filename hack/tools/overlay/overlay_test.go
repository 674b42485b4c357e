package overlay

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// build renders config/default below a kustomization that changes it.
func build(t *testing.T, kustomization string) resmap.ResMap {
	t.Helper()
	root, err := filepath.Abs("../../../config")
	if err != nil {
		t.Fatal(err)
	}
	// kustomize reads bases by relative paths only.
	folder := t.TempDir()
	if err := os.CopyFS(filepath.Join(folder, "config"), os.DirFS(root)); err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(folder, "overlay")
	if err := os.Mkdir(overlay, 0o755); err != nil {
		t.Fatal(err)
	}
	text := "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../config/default]\n" + kustomization
	if err := os.WriteFile(filepath.Join(overlay, "kustomization.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), overlay)
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// manager is the Deployment, as YAML.
func manager(t *testing.T, built resmap.ResMap) string {
	t.Helper()
	for _, resource := range built.Resources() {
		if resource.GetKind() == "Deployment" {
			return resource.MustYaml()
		}
	}
	t.Fatal("there is no Deployment")
	return ""
}

func TestAnOverlayChangesTheImageOfTheManagerAndOfEnginePods(t *testing.T) {
	got := manager(t, build(t, "images:\n- {name: seedloom.dev/seedloom, newName: registry.example.com/seedloom, newTag: v1.2.3}\n"))
	if !strings.Contains(got, "image: registry.example.com/seedloom:v1.2.3\n") {
		t.Errorf("the manager's image is not the overlay's:\n%s", got)
	}
	// What engine Pods run is the image of the manager's own Pod. Were it said anywhere, it would be the old one.
	if strings.Contains(got, "seedloom.dev/seedloom") || strings.Contains(got, "--engine-image") {
		t.Errorf("the image stands in the Deployment twice:\n%s", got)
	}
	for _, want := range []string{"name: POD_NAME\n", "fieldPath: metadata.name\n", "name: POD_NAMESPACE\n", "fieldPath: metadata.namespace\n", "name: manager\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("the manager can't find its own Pod: %q is missing:\n%s", want, got)
		}
	}
}

func TestAnOverlayMayMoveTheOperatorToAnotherNamespace(t *testing.T) {
	for _, resource := range build(t, "namespace: elsewhere\n").Resources() {
		if strings.Contains(resource.MustYaml(), "seedloom-system") {
			t.Errorf("%s %s names the old namespace:\n%s", resource.GetKind(), resource.GetName(), resource.MustYaml())
		}
	}
}
