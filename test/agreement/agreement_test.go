// Package agreement holds that the command line, and an API server with the controller behind it, accept and refuse the same manifests.
package agreement

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	ctrlwebhook "sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/datasetgeneration"
	"seedloom.dev/seedloom/controllers/webhook"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/internal/allowlist"
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

// admitted is a namespace whose resources the webhook is asked about. In the default one they are stored without it, and the controller
// looks at them.
const admitted = "admitted"

// operator is what the operator is configured with: it allows the endpoints of the corpus, which are on the machine itself. The command
// line, without a cluster, knows no owner of a platform who allows or forbids any.
func operator(t *testing.T) *datasetgeneration.Options {
	t.Helper()
	list, err := allowlist.Parse([]string{"*", "127.0.0.0/8", "::1/128"})
	if err != nil {
		t.Fatal(err)
	}
	return &datasetgeneration.Options{Endpoints: list}
}

// startServer starts an API server with the definition and the webhook, and returns a client that keeps what it is warned of.
func startServer(t *testing.T) (client.Client, *warnings) {
	t.Helper()
	configuration := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	text, err := os.ReadFile("../../config/webhook/configuration.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, configuration); err != nil {
		t.Fatal(err)
	}
	configuration.Webhooks[0].NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: admitted}}
	environment := &envtest.Environment{
		CRDDirectoryPaths: []string{"../../config/crd/bases"}, ErrorIfCRDPathMissing: true,
		WebhookInstallOptions: envtest.WebhookInstallOptions{
			ValidatingWebhooks: []*admissionregistrationv1.ValidatingWebhookConfiguration{configuration},
		},
	}
	config, err := environment.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Error(err)
		}
	})
	serveWebhook(t, config, environment.WebhookInstallOptions)
	heard := &warnings{}
	config = rest.CopyConfig(config)
	config.WarningHandler = heard
	server, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: admitted}}); err != nil {
		t.Fatal(err)
	}
	return server, heard
}

// serveWebhook answers the API server until the test ends.
func serveWebhook(t *testing.T, config *rest.Config, installed envtest.WebhookInstallOptions) {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	server := ctrlwebhook.NewServer(ctrlwebhook.Options{
		Host: installed.LocalServingHost, Port: installed.LocalServingPort, CertDir: installed.LocalServingCertDir,
	})
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"}, WebhookServer: server, Logger: logr.Discard(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := (&webhook.Validator{Violations: operator(t).Violations}).SetupWithManager(manager); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	deadline := time.Now().Add(time.Minute)
	for server.StartedChecker()(nil) != nil {
		if time.Now().After(deadline) {
			t.Fatal("the webhook does not start")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// warnings are those of the API server's answers. Requests follow each other.
type warnings struct{ heard []string }

// HandleWarningHeader implements rest.WarningHandler.
func (w *warnings) HandleWarningHeader(code int, _, text string) {
	if code == 299 {
		w.heard = append(w.heard, text)
	}
}

// take returns what was heard since the last time.
func (w *warnings) take() []string {
	heard := w.heard
	w.heard = nil
	return heard
}

func TestTheCommandLineAndTheAPIServerAgree(t *testing.T) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Skip("KUBEBUILDER_ASSETS is not set; make test-controllers sets it")
	}
	all := manifests(t)
	server, heard := startServer(t)
	create := func(one manifest, namespace string) (*unstructured.Unstructured, error) {
		object := &unstructured.Unstructured{Object: one.object(t)}
		object.SetNamespace(namespace)
		return object, server.Create(t.Context(), object, client.DryRunAll, client.FieldValidation("Strict"))
	}
	valid, said := byCommandLine(t, all)
	broken, warned := 0, 0
	for number, one := range all {
		object, err := create(one, "default")
		if err == nil {
			err = byController(object, operator(t))
		}
		heard.take()
		_, refused := create(one, admitted)
		if (err == nil) != valid[number] || (refused == nil) != valid[number] {
			t.Errorf("%s\nvalid on the command line: %v\n%s\nin the cluster: %v\nwith the webhook: %v",
				one.name, valid[number], said[number], err, refused)
		}
		if warnings := heard.take(); valid[number] {
			want := warningsOf(t, said[number])
			warned += len(want)
			if !slices.Equal(warnings, want) {
				t.Errorf("%s\nthe webhook warns of %q\nthe command line of %q", one.name, warnings, want)
			}
		}
		if one.broken {
			broken++
			if err == nil {
				t.Errorf("%s: is not refused", one.name)
			}
		}
	}
	if broken < brokenManifests || warned == 0 {
		t.Errorf("the corpus has %d broken manifests, want %d, and %d warnings", broken, brokenManifests, warned)
	}
}

// warningsOf are the warnings in what seedloom validate has said.
func warningsOf(t *testing.T, said string) []string {
	t.Helper()
	var report struct {
		Problems []struct{ Severity, Field, Message string }
	}
	if err := json.Unmarshal([]byte(said), &report); err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, problem := range report.Problems {
		if problem.Severity == "warning" {
			found = append(found, problem.Field+": "+problem.Message)
		}
	}
	return found
}

// byController is what the controller finds wrong with what the API server has let through.
func byController(object *unstructured.Unstructured, options *datasetgeneration.Options) error {
	var resource v1alpha1.DatasetGeneration
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &resource); err != nil {
		return err
	}
	if violations := options.Violations(&resource.Spec); len(violations) > 0 {
		return &plan.InvalidError{Violations: violations}
	}
	return nil
}
