package datasetgeneration

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	ctrlwebhook "sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/webhook"
)

// admits is a label of namespaces in which the webhook is asked: the other specs store what it would refuse.
const admits = "test/webhook"

// startWebhook installs the webhook of config/webhook, and serves it with the rights of its roles and the certificate that it makes for
// itself, until the function that it returns is called.
func startWebhook(w *world) (stop func()) {
	GinkgoHelper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	address := listener.Addr().(*net.TCPAddr)
	Expect(listener.Close()).To(Succeed())
	objects := kustomized("webhook")
	for _, object := range ofKinds(objects, "ValidatingWebhookConfiguration") {
		hooks, _, err := unstructured.NestedSlice(object.Object, "webhooks")
		Expect(err).NotTo(HaveOccurred())
		Expect(hooks).To(HaveLen(1))
		hook := hooks[0].(map[string]any)
		// The API server of a test reaches no Service.
		path, _, _ := unstructured.NestedString(hook, "clientConfig", "service", "path")
		hook["clientConfig"] = map[string]any{"url": fmt.Sprintf("https://%s%s", address, path)}
		hook["namespaceSelector"] = map[string]any{"matchLabels": map[string]any{admits: w.namespace}}
		Expect(unstructured.SetNestedSlice(object.Object, hooks, "webhooks")).To(Succeed())
	}
	install(w, ofKinds(objects, "Namespace", "ServiceAccount", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "Secret",
		"ValidatingWebhookConfiguration"))
	configuration := &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: webhook.Name}}
	DeferCleanup(func() { Expect(client.IgnoreNotFound(kube.Delete(context.Background(), configuration))).To(Succeed()) })

	certificate := &webhook.Certificate{
		Secret: types.NamespacedName{Namespace: "seedloom-system", Name: webhook.Name}, Configuration: webhook.Name,
		Hosts: []string{"127.0.0.1"}, Now: time.Now,
	}
	server := ctrlwebhook.NewServer(ctrlwebhook.Options{Host: "127.0.0.1", Port: address.Port,
		TLSOpts: []func(*tls.Config){func(config *tls.Config) { config.GetCertificate = certificate.Get }}})
	manager, err := ctrl.NewManager(asManager("seedloom-system"),
		ctrl.Options{Scheme: testScheme, Metrics: metricsserver.Options{BindAddress: "0"}, WebhookServer: server})
	Expect(err).NotTo(HaveOccurred())
	certificate.Client, certificate.Reader = manager.GetClient(), manager.GetAPIReader()
	Expect(manager.Add(certificate)).To(Succeed())
	Expect((&webhook.Validator{Violations: (&Options{}).Violations}).SetupWithManager(manager)).To(Succeed())
	ctx, cancel := context.WithCancel(w.ctx)
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		Eventually(ended).Should(Receive(BeNil()))
	})
	Eventually(func() error { return server.StartedChecker()(nil) }).Should(Succeed())
	return stop
}

// setAdmission has the webhook asked in the namespace of a world, or not.
func (w *world) setAdmission(asked bool) {
	GinkgoHelper()
	namespace := &corev1.Namespace{}
	Expect(kube.Get(w.ctx, client.ObjectKey{Name: w.namespace}, namespace)).To(Succeed())
	delete(namespace.Labels, admits)
	if asked {
		namespace.Labels[admits] = w.namespace
	}
	Expect(kube.Update(w.ctx, namespace)).To(Succeed())
}

// waitForWebhook waits until the API server has heard of the webhook and trusts its certificate.
func (w *world) waitForWebhook() {
	GinkgoHelper()
	probe := &v1alpha1.DatasetGeneration{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "probe"}, Spec: invalidSpec()}
	Eventually(func() error { return kube.Create(w.ctx, probe.DeepCopy(), client.DryRunAll) }).
		Should(MatchError(apierrors.IsInvalid, "IsInvalid"))
}

// invalidSpec has two violations that the definition can't see.
func invalidSpec() v1alpha1.DatasetGenerationSpec {
	spec := newSpec()
	spec.Columns[1].Expression.Expr = "{{ nothing }}"
	spec.Columns = append(spec.Columns, v1alpha1.Column{Name: "loop", Expression: &v1alpha1.Expression{Expr: "{{ loop }}"}})
	return spec
}

var _ = Describe("The webhook", func() {
	var w *world
	var stop func()
	BeforeEach(func() {
		w = newWorld()
		stop = startWebhook(w)
		DeferCleanup(stop)
	})

	causes := func(err error) []metav1.StatusCause {
		GinkgoHelper()
		var refused *apierrors.StatusError
		Expect(errors.As(err, &refused)).To(BeTrue(), "%v", err)
		Expect(refused.ErrStatus.Reason).To(Equal(metav1.StatusReasonInvalid))
		return refused.ErrStatus.Details.Causes
	}

	It("refuses what Accepted would show, before it is stored, and blocks nothing while it is away", func() {
		w.setAdmission(true)
		w.waitForWebhook()
		resource := &v1alpha1.DatasetGeneration{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "reviews"}, Spec: invalidSpec()}
		found := causes(kube.Create(w.ctx, resource.DeepCopy()))
		fields := func(causes []metav1.StatusCause) (fields []string) {
			for _, cause := range causes {
				fields = append(fields, cause.Field)
			}
			return fields
		}
		Expect(fields(found)).To(ConsistOf("spec.columns[1].expression.expr", "spec.columns[2]"))
		Expect(fields(causes(kube.Create(w.ctx, resource.DeepCopy(), client.DryRunAll)))).To(Equal(fields(found)), "a dry run says the same")
		Expect(w.gone(resource)).To(BeTrue())

		stop()
		Eventually(func() error { return kube.Create(w.ctx, resource.DeepCopy()) }).Should(Succeed())
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonInvalidSpec))
		for _, cause := range found {
			_, message, _ := strings.Cut(cause.Message, "Invalid value: ")
			Expect(w.condition(v1alpha1.ConditionAccepted).Message).To(ContainSubstring(cause.Field + ": " + message))
		}
	})

	It("looks at changes of the spec alone, and refuses only what a change makes wrong", func() {
		w.create(invalidSpec())
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonInvalidSpec))
		w.setAdmission(true)
		w.waitForWebhook()
		w.edit(func(resource *v1alpha1.DatasetGeneration) {
			resource.Annotations = map[string]string{"team": "data"}
			resource.Finalizers = []string{"example.com/keep"}
		})
		w.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.Suspend = new(true) })
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonInvalidSpec), "the status is written all the same")
		resource := w.get()
		resource.Spec.Columns[0].Name = "other"
		resource.Spec.Columns[1].Expression.Expr = "{{ nobody }}"
		Expect(causes(kube.Update(w.ctx, resource))).To(ConsistOf(HaveField("Field", "spec.columns[1].expression.expr")))

		By("the end of the resource, with a webhook that must be asked and can't be")
		stop()
		configuration := &admissionregistrationv1.ValidatingWebhookConfiguration{}
		Expect(kube.Get(w.ctx, client.ObjectKey{Name: webhook.Name}, configuration)).To(Succeed())
		configuration.Webhooks[0].FailurePolicy = new(admissionregistrationv1.Fail)
		Expect(kube.Update(w.ctx, configuration)).To(Succeed())
		valid := &v1alpha1.DatasetGeneration{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "valid"}, Spec: newSpec()}
		Eventually(func() error { return kube.Create(w.ctx, valid.DeepCopy(), client.DryRunAll) }).
			Should(MatchError(ContainSubstring("failed calling webhook")))
		w.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Labels = map[string]string{"team": "data"} })
		Expect(kube.Delete(w.ctx, w.get())).To(Succeed())
		w.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Finalizers = nil })
		Expect(w.gone(resource)).To(BeTrue())
	})

	It("speaks as kubectl does", func() {
		w.setAdmission(true)
		w.waitForWebhook()
		odd := newSpec()
		odd.NumRecords = 10
		odd.CompletionPolicy = &v1alpha1.CompletionPolicy{MinRecords: new(intstr.FromInt32(11))}
		output, err := dryRun(w, odd)
		Expect(err).NotTo(HaveOccurred(), output)
		Expect(output).To(And(HavePrefix("Warning: spec.completionPolicy.minRecords: "), ContainSubstring("serverside-applied (server dry run)")))
		output, err = dryRun(w, invalidSpec())
		Expect(err).To(HaveOccurred())
		Expect(output).To(And(HavePrefix(`The DatasetGeneration "reviews" is invalid: `),
			ContainSubstring("\n* spec.columns[1].expression.expr: Invalid value: "), ContainSubstring("\n* spec.columns[2]: Invalid value: ")))
	})

	It("warns of a change that leaves records behind", func() {
		w.create(newSpec())
		Eventually(w.ready).ShouldNot(BeEmpty())
		resource := w.get()
		resource.Status.Records = &v1alpha1.RecordsStatus{Target: 100, Actual: 40, Summary: "40/100"}
		before, after := resource, resource.DeepCopy()
		after.Spec.NumRecords = 200
		var validator admission.Validator[*v1alpha1.DatasetGeneration] = &webhook.Validator{Violations: (&Options{}).Violations}
		said, err := validator.ValidateUpdate(w.ctx, before, after)
		Expect(err).NotTo(HaveOccurred())
		Expect(said).To(BeEmpty(), "a raise goes on")
		after.Spec.RandomSeed = 7
		said, err = validator.ValidateUpdate(w.ctx, before, after)
		Expect(err).NotTo(HaveOccurred())
		Expect(said).To(ConsistOf(And(HavePrefix("spec: "), ContainSubstring("the 40 records"))))
	})
})

// dryRun has kubectl ask the API server about a resource that is not stored.
func dryRun(w *world, spec v1alpha1.DatasetGenerationSpec) (string, error) {
	GinkgoHelper()
	folder := GinkgoT().TempDir()
	user, err := environment.AddUser(envtest.User{Name: "platform", Groups: []string{"system:masters"}}, nil)
	Expect(err).NotTo(HaveOccurred())
	access, err := user.KubeConfig()
	Expect(err).NotTo(HaveOccurred())
	manifest, err := yaml.Marshal(map[string]any{
		"apiVersion": v1alpha1.SchemeGroupVersion.String(), "kind": "DatasetGeneration",
		"metadata": map[string]any{"name": "reviews", "namespace": w.namespace}, "spec": spec,
	})
	Expect(err).NotTo(HaveOccurred())
	kubeconfig, file := filepath.Join(folder, "kubeconfig"), filepath.Join(folder, "reviews.yaml")
	Expect(os.WriteFile(kubeconfig, access, 0o600)).To(Succeed())
	Expect(os.WriteFile(file, manifest, 0o600)).To(Succeed())
	kubectl := exec.CommandContext(w.ctx, filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"),
		"apply", "--server-side", "--dry-run=server", "--filename", file)
	kubectl.Env = slices.Concat(os.Environ(), []string{"KUBECONFIG=" + kubeconfig})
	output, err := kubectl.CombinedOutput()
	return string(output), err
}
