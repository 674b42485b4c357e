package datasetgeneration

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// seedFromHub is a seed in a repository that asks for a token.
func seedFromHub(endpoint string) *v1alpha1.Seed {
	return &v1alpha1.Seed{HuggingFace: &v1alpha1.HuggingFaceSeed{
		Repository: "team/orders", Endpoint: endpoint, TokenSecretRef: &v1alpha1.SecretKeyReference{Name: "hub", Key: "token"},
	}}
}

// The Pods that read the seed have its token, by reference; no other Pod has it.
func TestPodsHaveTheTokenOfTheSeedsHub(t *testing.T) {
	s := inBucket(t)
	s.resource.Spec.Seed = seedFromHub("")
	wanted := secretVariable(runreport.SeedTokenVariable, &v1alpha1.SecretKeyReference{Name: "hub", Key: "token"})
	isWanted := func(variable corev1.EnvVar) bool {
		return variable.Name == wanted.Name && variable.Value == "" && variable.ValueFrom.SecretKeyRef.Name == "hub" &&
			variable.ValueFrom.SecretKeyRef.Key == "token"
	}
	if pod := s.podTemplate(runreport.RoleGenerate).Spec; !slices.ContainsFunc(pod.Containers[0].Env, isWanted) {
		t.Errorf("the variables are %+v", pod.Containers[0].Env)
	}
	deletion, err := s.deletionJob()
	if err != nil {
		t.Fatal(err)
	}
	for role, pod := range map[string]corev1.PodSpec{
		"finalize": s.podTemplate(runreport.RoleFinalize).Spec, "publish": s.podTemplate(runreport.RolePublish).Spec,
		"delete": deletion.Spec.Template.Spec,
	} {
		if strings.Contains(fmt.Sprintf("%+v", pod), runreport.SeedTokenVariable) {
			t.Errorf("the Pod that is to %s has the token of the seed", role)
		}
	}
}

// The allow list holds for the hub, also for the one that is not written out.
func TestTheHubOfASeedIsHeldToTheAllowList(t *testing.T) {
	s := inBucket(t)
	for endpoint, host := range map[string]string{"": "huggingface.co", "https://hub.example.com": "hub.example.com"} {
		s.resource.Spec.Seed = seedFromHub(endpoint)
		violations := s.options.endpointViolations(&s.resource.Spec)
		if len(violations) != 1 || violations[0].Field != "spec.seed.huggingFace.endpoint" || !strings.Contains(violations[0].Message, host) {
			t.Errorf("the violations are %v", violations)
		}
	}
	s.resource.Spec.Seed = seedFromHub("http://169.254.169.254")
	violations := s.options.endpointViolations(&s.resource.Spec)
	if len(violations) != 1 || violations[0].Field != "spec.seed.huggingFace.endpoint" {
		t.Errorf("the violations are %v", violations)
	}
}

var _ = Describe("The hub of a seed", func() {
	It("gets no token from a Secret that is not for runs, and no request that is not allowed", func() {
		w := newWorldOf(strictOperator())
		spec := newSpec()
		spec.Seed = seedFromHub("https://hub.models.svc")
		w.create(spec)
		accepted := func() metav1.Condition { return w.condition(v1alpha1.ConditionAccepted) }
		Eventually(accepted).Should(And(HaveField("Reason", v1alpha1.ReasonReferenceNotPermitted),
			HaveField("Message", ContainSubstring(`spec.seed.huggingFace.tokenSecretRef.name: Secret "hub" does not exist`))))
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "hub"}, StringData: map[string]string{"token": "s3cret"}}
		Expect(kube.Create(w.ctx, secret)).To(Succeed())
		Eventually(accepted).Should(HaveField("Message", ContainSubstring(`Secret "hub" is not for runs`)))
		Expect(w.jobs()).To(BeEmpty())

		spec.Seed = seedFromHub("")
		other := w.member("other", spec)
		Eventually(func() metav1.Condition { return other.condition(v1alpha1.ConditionAccepted) }).Should(And(
			HaveField("Reason", v1alpha1.ReasonInvalidSpec),
			HaveField("Message", ContainSubstring("spec.seed.huggingFace.endpoint: huggingface.co"))))
	})
})
