package datasetgeneration

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

func TestConsequences(t *testing.T) {
	tests := map[string]struct {
		end  podEnd
		want consequence
	}{
		"done":                     {podEnd{exitCode: runreport.ExitOK}, consequenceDone},
		"invalid input":            {podEnd{exitCode: runreport.ExitInvalid}, consequenceGiveUp},
		"failed for good":          {podEnd{exitCode: runreport.ExitFailed}, consequenceGiveUp},
		"storage":                  {podEnd{exitCode: runreport.ExitStorage}, consequenceRetry},
		"may pass":                 {podEnd{exitCode: runreport.ExitRetry}, consequenceRetry},
		"killed":                   {podEnd{exitCode: 137}, consequenceRetry},
		"killed on a drained node": {podEnd{exitCode: 137, disrupted: true}, consequenceRetryFree},
		"asked to stop":            {podEnd{exitCode: runreport.ExitInterrupted}, consequenceRetryFree},
		"without exit code":        {podEnd{exitCode: unknownExitCode}, consequenceRetry},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := consequenceOf(test.end); got != test.want {
				t.Errorf("consequence %d, want %d", got, test.want)
			}
		})
	}
}

// TestSecretsByReferenceOnly holds for everything that the controller creates.
func TestSecretsByReferenceOnly(t *testing.T) {
	spec := newSpec()
	spec.Providers = []v1alpha1.Provider{
		{Name: "open", Endpoint: "http://open"},
		{Name: "closed", Endpoint: "http://closed", APIKeySecretRef: &v1alpha1.SecretKeyReference{Name: "vllm", Key: "token"}},
	}
	spec.Seed = &v1alpha1.Seed{HTTP: &v1alpha1.HTTPSeed{URL: "https://data.test/a.csv", Headers: []v1alpha1.RequestHeader{
		{Name: "Accept", Value: "text/csv"},
		{Name: "Authorization", SecretKeyRef: &v1alpha1.SecretKeyReference{Name: "data", Key: "bearer"}},
	}}}
	spec.Columns = append(spec.Columns, v1alpha1.Column{Name: "check", Validation: &v1alpha1.Validation{Remote: &v1alpha1.RemoteValidator{
		Endpoint: "https://checker", Headers: []v1alpha1.RequestHeader{
			{Name: "X-Rules", Value: "strict"},
			{Name: "Authorization", SecretKeyRef: &v1alpha1.SecretKeyReference{Name: "checker", Key: "bearer"}},
		},
	}}})
	f := &situation{input: &input{options: &Options{EngineImage: "engine"}, resource: &v1alpha1.DatasetGeneration{Spec: spec}}}
	if !slices.Contains(references(&spec), reference{"spec.seed.http.headers[1].secretKeyRef.name", kindSecret, "data"}) {
		t.Error("the Secret of the seed's header is not among what the spec refers to")
	}
	field := fmt.Sprintf("spec.columns[%d].validation.remote.headers[1].secretKeyRef.name", len(spec.Columns)-1)
	if !slices.Contains(references(&spec), reference{field, kindSecret, "checker"}) {
		t.Error("the Secret of the validator's header is not among what the spec refers to")
	}
	// Beside the keys, the engine is told how much memory it has, and which Pod it is.
	want := []corev1.EnvVar{{Name: "SEEDLOOM_MEMORY_LIMIT", ValueFrom: &corev1.EnvVarSource{
		ResourceFieldRef: &corev1.ResourceFieldSelector{ContainerName: "engine", Resource: "limits.memory", Divisor: resource.MustParse("1")},
	}}, {Name: "SEEDLOOM_POD_UID", ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.uid"},
	}}, {Name: "SEEDLOOM_API_KEY_1", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: "vllm"}, Key: "token"}}},
		{Name: "SEEDLOOM_SEED_HEADER_1", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: "data"}, Key: "bearer"}}},
		{Name: "SEEDLOOM_VALIDATOR_HEADER_1_check", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: "checker"}, Key: "bearer"}}}}
	if got := f.podTemplate(runreport.RoleGenerate).Spec.Containers[0].Env; !reflect.DeepEqual(got, want) {
		t.Errorf("environment %v, want %v", got, want)
	}
	for _, variable := range f.podTemplate(runreport.RoleFinalize).Spec.Containers[0].Env {
		if variable.ValueFrom != nil && variable.ValueFrom.ResourceFieldRef == nil {
			t.Errorf("the finalizing Pod gets %s, which it does not need", variable.Name)
		}
	}
}

// TestTheControllerMayReadNoSecret looks at the role that is installed.
func TestTheControllerMayReadNoSecret(t *testing.T) {
	data, err := os.ReadFile("../../config/rbac/role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var role rbacv1.ClusterRole
	if err := yaml.UnmarshalStrict(data, &role); err != nil {
		t.Fatal(err)
	}
	if len(role.Rules) == 0 {
		t.Fatal("the role has no rules")
	}
	for _, rule := range role.Rules {
		for _, resource := range rule.Resources {
			if strings.HasPrefix(resource, "secrets") || resource == "*" {
				t.Errorf("the controller may %v %s", rule.Verbs, resource)
			}
		}
	}
}

// TestNamesFit takes the longest name that the API accepts: the host names of Pods and the values of labels must still fit.
func TestNamesFit(t *testing.T) {
	name := strings.Repeat("n", 52)
	run := v1alpha1.RunStatus{ID: runID(name, "sha256:0123456789abcdef"), Attempt: 99}
	resource := &v1alpha1.DatasetGeneration{}
	resource.UID = "d8f6b6f3-1c53-4f6c-9d0c-7c6c7a3f2e11"
	deletion := (&situation{run: run, input: &input{resource: resource}}).deletionName()
	names := []string{run.ID, attemptName(run) + "-999", finalizeName(run), syncPodName(run, 100), publicationName(run, "0123456789abcdef"), deletion}
	for _, made := range names {
		if problems := validation.IsDNS1123Label(made); len(problems) > 0 {
			t.Errorf("%s: %v", made, problems)
		}
	}
	if other := runID(name[:51]+"m", "sha256:0123456789abcdef"); other == run.ID {
		t.Errorf("two resources share the run %s", other)
	}
}

// TestAFailedProcessorFailsTheRun whatever the completion policy asks for: what it has not seen is not what was asked for.
func TestAFailedProcessorFailsTheRun(t *testing.T) {
	spec := newSpec()
	records := v1alpha1.RecordsStatus{Target: spec.NumRecords, Actual: spec.NumRecords}
	for reason, complete := range map[string]bool{
		v1alpha1.ReasonProcessorFailed: false, v1alpha1.ReasonProcessorResized: false, v1alpha1.ReasonEarlyShutdown: true,
	} {
		s := &situation{input: &input{resource: &v1alpha1.DatasetGeneration{Spec: spec}}, observed: observation{
			ending: &ending{reason: reason, message: "it is so"}, dataset: &runreport.Result{Outcome: runreport.OutcomeFailed, Reason: reason},
		}}
		got := s.judge(records)
		if got.complete != complete || (!complete && got.reason != reason) {
			t.Errorf("%s: got %+v", reason, got)
		}
	}
}
