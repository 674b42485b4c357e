// Package agreement holds that the command line, and an API server with the controller behind it, accept and refuse the same manifests.
package agreement

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
)

// brokenManifests is how many the corpus has at least.
const brokenManifests = 80

// manifest is a document of a file, with the comment before it.
type manifest struct {
	name string
	text []byte
	// broken says that it must be refused.
	broken bool
}

func (m *manifest) object(t *testing.T) map[string]any {
	t.Helper()
	data, err := yaml.YAMLToJSON(m.text)
	if err != nil {
		t.Fatalf("%s: %v", m.name, err)
	}
	var object map[string]any
	if err := utiljson.Unmarshal(data, &object); err != nil {
		t.Fatalf("%s: %v", m.name, err)
	}
	return object
}

// manifests are those of the corpus and of the samples.
func manifests(t *testing.T) []manifest {
	t.Helper()
	paths := []string{"testdata/broken.yaml", "testdata/edges.yaml"}
	for _, pattern := range []string{"../../config/samples/*.yaml", "../../config/samples/*/*.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	var all []manifest
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for number, document := range bytes.Split(text, []byte("\n---\n")) {
			if !bytes.Contains(document, []byte("DatasetGeneration")) {
				continue
			}
			first, _, _ := strings.Cut(string(document), "\n")
			all = append(all, manifest{fmt.Sprintf("%s, document %d: %s", path, number, first), document, strings.HasSuffix(path, "broken.yaml")})
		}
	}
	return slices.DeleteFunc(all, func(one manifest) bool { return one.object(t)["kind"] != "DatasetGeneration" })
}

// byCommandLine says of each manifest whether seedloom validate accepts it, and what it says.
func byCommandLine(t *testing.T, all []manifest) (valid []bool, said []string) {
	t.Helper()
	folder := t.TempDir()
	program := filepath.Join(folder, "seedloom")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../../cmd/seedloom")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, output)
	}
	for number, one := range all {
		file := filepath.Join(folder, fmt.Sprintf("%d.yaml", number))
		if err := os.WriteFile(file, one.text, 0o600); err != nil {
			t.Fatal(err)
		}
		output, err := exec.CommandContext(t.Context(), program, "validate", "-o", "json", file).Output()
		var report struct {
			Valid    bool
			Problems []struct{ Severity, Field, Message string }
		}
		if json.Unmarshal(output, &report) != nil || report.Valid != (err == nil) {
			t.Fatalf("%s: seedloom validate: %v: %s", one.name, err, output)
		}
		valid, said = append(valid, report.Valid), append(said, string(output))
	}
	return valid, said
}

func TestTheCommandLineAndTheAPIServerAgree(t *testing.T) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Skip("KUBEBUILDER_ASSETS is not set; make test-controllers sets it")
	}
	all := manifests(t)
	environment := &envtest.Environment{CRDDirectoryPaths: []string{"../../config/crd/bases"}, ErrorIfCRDPathMissing: true}
	config, err := environment.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := environment.Stop(); err != nil {
			t.Error(err)
		}
	}()
	server, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	valid, said := byCommandLine(t, all)
	broken := 0
	for number, one := range all {
		object := &unstructured.Unstructured{Object: one.object(t)}
		if object.GetNamespace() == "" {
			object.SetNamespace("default")
		}
		err := server.Create(t.Context(), object, client.DryRunAll, client.FieldValidation("Strict"))
		if err == nil {
			err = byController(object)
		}
		if (err == nil) != valid[number] {
			t.Errorf("%s\nvalid on the command line: %v\n%s\nin the cluster: %v", one.name, valid[number], said[number], err)
		}
		if one.broken {
			broken++
			if err == nil {
				t.Errorf("%s: is not refused", one.name)
			}
		}
	}
	if broken < brokenManifests {
		t.Errorf("the corpus has %d broken manifests, want %d", broken, brokenManifests)
	}
}

// byController is what the controller finds wrong with what the API server has let through.
func byController(object *unstructured.Unstructured) error {
	var resource v1alpha1.DatasetGeneration
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &resource); err != nil {
		return err
	}
	if violations := plan.Validate(&resource.Spec); len(violations) > 0 {
		return &plan.InvalidError{Violations: violations}
	}
	return nil
}
