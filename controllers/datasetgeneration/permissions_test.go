package datasetgeneration

import (
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/allowlist"
	"seedloom.dev/seedloom/internal/runreport"
)

// askingSpec asks a model at an endpoint, with the key of a Secret.
func askingSpec(endpoint string) v1alpha1.DatasetGenerationSpec {
	spec := newSpec()
	spec.Providers = []v1alpha1.Provider{{
		Name: "local", Type: v1alpha1.ProviderOpenAI, Endpoint: endpoint,
		APIKeySecretRef: &v1alpha1.SecretKeyReference{Name: "key", Key: "token"},
	}}
	spec.Models = []v1alpha1.Model{{Alias: "writer", Provider: "local", Model: "test"}}
	spec.Columns = append(spec.Columns, v1alpha1.Column{Name: "text", LLMText: &v1alpha1.LLMText{
		LLMPrompt: v1alpha1.LLMPrompt{Model: "writer", Prompt: "About {{ id }}"},
	}})
	return spec
}

// strictOperator allows few endpoints, and Secrets with a label.
func strictOperator() Options {
	list, err := allowlist.ParseText("*.models.svc")
	Expect(err).NotTo(HaveOccurred())
	return Options{Endpoints: list, LabelledSecretsOnly: true}
}

var _ = Describe("What the owner of the platform allows", func() {
	It("are no endpoints near a Pod, whoever asks", func() {
		w := newWorld()
		w.create(askingSpec("http://169.254.169.254/latest"))
		Eventually(func() metav1.Condition { return w.condition(v1alpha1.ConditionAccepted) }).Should(And(
			HaveField("Reason", v1alpha1.ReasonInvalidSpec),
			HaveField("Message", ContainSubstring(
				"spec.providers[0].endpoint: 169.254.169.254 leads to 169.254.169.254, an address of the Pod itself"))))
		Expect(w.jobs()).To(BeEmpty())
	})

	It("are, where that counts, Secrets with a label; without it nothing is created", func() {
		w := newWorldOf(strictOperator())
		w.create(askingSpec("http://vllm.models.svc/v1"))
		accepted := func() metav1.Condition { return w.condition(v1alpha1.ConditionAccepted) }
		Eventually(accepted).Should(And(HaveField("Reason", v1alpha1.ReasonReferenceNotPermitted),
			HaveField("Message", ContainSubstring(`spec.providers[0].apiKeySecretRef.name: Secret "key" does not exist`))))
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "key"}, StringData: map[string]string{"token": "s3cret"}}
		Expect(kube.Create(w.ctx, secret)).To(Succeed())
		Eventually(accepted).Should(HaveField("Message", ContainSubstring(
			"kubectl label secret key --namespace "+w.namespace+" seedloom.dev/allow-in-runs=true")))
		Expect(w.jobs()).To(BeEmpty())
		Expect(w.ready()).NotTo(Equal(v1alpha1.ReasonFailed))

		patch := client.MergeFrom(secret.DeepCopy())
		secret.Labels = map[string]string{v1alpha1.LabelAllowInRuns: "true"}
		Expect(kube.Patch(w.ctx, secret, patch)).To(Succeed())
		engine := w.job(runreport.RoleGenerate, 1).Spec.Template.Spec.Containers[0]
		Eventually(accepted).Should(HaveField("Status", metav1.ConditionTrue))
		Expect(engine.Env).To(ContainElement(corev1.EnvVar{Name: runreport.AllowedEndpointsVariable, Value: "*.models.svc"}))
	})

	It("are Secrets with a label also where the dataset of another resource is the seed, and lies in a bucket", func() {
		w := newWorldOf(strictOperator())
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
			Namespace: w.namespace, Name: "bucket", Labels: map[string]string{v1alpha1.LabelAllowInRuns: "true"},
		}}
		Expect(kube.Create(w.ctx, secret)).To(Succeed())
		spec := newSpec()
		spec.Output = v1alpha1.Output{ObjectStore: &v1alpha1.ObjectStoreOutput{
			URL: "s3://datasets/team", Endpoint: "https://store.models.svc", CredentialsSecretRef: &v1alpha1.SecretReference{Name: secret.Name},
		}}
		stock := w.member("stock", spec)
		stock.complete(100, "sha256:stock")
		patch := client.MergeFrom(secret.DeepCopy())
		secret.Labels = nil
		Expect(kube.Patch(w.ctx, secret, patch)).To(Succeed())

		deliveries := w.member("deliveries", seededBy("stock"))
		Eventually(func() metav1.Condition { return deliveries.condition(v1alpha1.ConditionAccepted) }).Should(And(
			HaveField("Reason", v1alpha1.ReasonReferenceNotPermitted), HaveField("Message", ContainSubstring(
				`spec.output.objectStore of DatasetGeneration "stock", the seed.credentialsSecretRef.name: Secret "bucket" is not for runs`))))
		Expect(w.jobs()).NotTo(ContainElement(HaveField("Labels", HaveKeyWithValue(v1alpha1.LabelDataset, "deliveries"))))
	})

	It("are the endpoints that are listed", func() {
		w := newWorldOf(strictOperator())
		w.create(askingSpec("https://evil.example.com/v1"))
		Eventually(func() metav1.Condition { return w.condition(v1alpha1.ConditionAccepted) }).Should(And(
			HaveField("Reason", v1alpha1.ReasonInvalidSpec),
			HaveField("Message", ContainSubstring(
				"evil.example.com is none of the endpoints that the operator's configuration allows (*.models.svc)"))))
		Expect(w.jobs()).To(BeEmpty())
	})
})

func TestEveryEndpointOfASpecIsLookedAt(t *testing.T) {
	spec := askingSpec("http://a.example.com/v1")
	spec.Providers[0].ProxyURL = "http://b.example.com:3128"
	spec.ToolServers = []v1alpha1.ToolServer{{Name: "search", Type: v1alpha1.ToolServerSSE, Endpoint: "http://c.example.com"}, {Name: "own", Type: v1alpha1.ToolServerStdio}}
	spec.Seed = &v1alpha1.Seed{HTTP: &v1alpha1.HTTPSeed{URL: "http://d.example.com/seed.csv"}}
	list, err := allowlist.ParseText("vllm.models.svc")
	if err != nil {
		t.Fatal(err)
	}
	var fields []string
	for _, violation := range (&Options{Endpoints: list}).endpointViolations(&spec) {
		fields = append(fields, violation.Field)
	}
	want := "spec.providers[0].endpoint spec.providers[0].proxyURL spec.toolServers[0].endpoint spec.seed.http.url"
	if got := strings.Join(fields, " "); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if found := (&Options{}).endpointViolations(&spec); len(found) > 0 {
		t.Errorf("without a list: %v", found)
	}
}

func TestEverySecretOfASpecIsKnown(t *testing.T) {
	spec := askingSpec("http://a.example.com/v1")
	spec.Providers[0].TLS = &v1alpha1.ProviderTLS{ClientCertificateSecretRef: &v1alpha1.SecretReference{Name: "b"}}
	spec.ToolServers = []v1alpha1.ToolServer{
		{Name: "search", APIKeySecretRef: &v1alpha1.SecretKeyReference{Name: "c", Key: "k"}},
		{Name: "own", Stdio: &v1alpha1.StdioToolServer{Env: []v1alpha1.ToolEnvironmentVariable{
			{Name: "A", SecretKeyRef: &v1alpha1.SecretKeyReference{Name: "d", Key: "k"}},
		}}},
	}
	spec.Pod = everySetting()
	var names []string
	for _, reference := range references(&spec) {
		if reference.kind == kindSecret {
			names = append(names, reference.name)
		}
	}
	if got := strings.Join(names, " "); got != "key b c d settings settings" {
		t.Errorf("got %s", got)
	}
}
