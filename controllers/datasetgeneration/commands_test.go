package datasetgeneration

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/documented"
	"seedloom.dev/seedloom/internal/runreport"
)

var _ = Describe("The commands of the documentation", func() {
	var folder, kubeconfig string

	BeforeEach(func() {
		folder = GinkgoT().TempDir()
		kubeconfig = filepath.Join(folder, "kubeconfig")
		user, err := environment.AddUser(envtest.User{Name: "platform", Groups: []string{"system:masters"}}, nil)
		Expect(err).NotTo(HaveOccurred())
		access, err := user.KubeConfig()
		Expect(err).NotTo(HaveOccurred())
		Expect(os.WriteFile(kubeconfig, access, 0o600)).To(Succeed())
	})

	// kubectl runs a command of the documentation in a world, with a folder in which the manifest of its resource lies.
	kubectl := func(w *world, command string) (string, error) {
		command = regexp.MustCompile(`\bteam\b`).ReplaceAllString(command, w.namespace)
		command = strings.ReplaceAll(command, "--filename reviews.yaml", "--filename "+filepath.Join(folder, "reviews.yaml"))
		shell := exec.CommandContext(w.ctx, "bash", "-c", command)
		shell.Dir = filepath.Join("..", "..")
		shell.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig,
			"PATH="+os.Getenv("KUBEBUILDER_ASSETS")+string(os.PathListSeparator)+os.Getenv("PATH"))
		output, err := shell.CombinedOutput()
		return string(output), err
	}
	apply := func(w *world, manager string, resource *v1alpha1.DatasetGeneration) (string, error) {
		manifest, err := yaml.Marshal(map[string]any{
			"apiVersion": v1alpha1.SchemeGroupVersion.String(), "kind": "DatasetGeneration",
			"metadata": map[string]any{"name": "reviews", "namespace": w.namespace}, "spec": resource.Spec,
		})
		Expect(err).NotTo(HaveOccurred())
		Expect(os.WriteFile(filepath.Join(folder, "reviews.yaml"), manifest, 0o600)).To(Succeed())
		return kubectl(w, "kubectl apply --server-side --field-manager "+manager+" --filename reviews.yaml")
	}
	completes := func(w *world) {
		job := w.job(runreport.RoleGenerate, 1)
		w.end(w.startPod(job, 0), runreport.ExitOK, complete(100))
		w.finish(job, "")
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonSucceeded))
	}

	// dryRun are the commands that would take away what the other tests work with.
	dryRun := regexp.MustCompile(`^kubectl delete crd `)
	// placeholders are the words of the documentation for what is a user's own.
	placeholders := strings.NewReplacer(" NAME ", " reviews ", " NAMESPACE ", " team ")

	DescribeTable("are run, as they stand there", func(page string) {
		w := newWorld()
		output, err := apply(w, "repository", &v1alpha1.DatasetGeneration{Spec: newSpec()})
		Expect(err).NotTo(HaveOccurred(), output)
		completes(w)
		output, err = kubectl(w, "kubectl apply --server-side --force-conflicts -k config/default")
		Expect(err).NotTo(HaveOccurred(), output)
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "vllm"}}
		if page != "security.md" { // which has the command that creates it
			Expect(kube.Create(w.ctx, secret)).To(Succeed())
		}
		DeferCleanup(func() {
			webhook := &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: "seedloom-webhook"}}
			Expect(client.IgnoreNotFound(kube.Delete(context.Background(), webhook))).To(Succeed(), "nobody answers here")
		})
		commands, err := documented.Commands(filepath.Join("..", ".."), page)
		Expect(err).NotTo(HaveOccurred())
		for _, command := range commands {
			if command.Runner != documented.APIServer {
				continue
			}
			text := placeholders.Replace(command.Text)
			if dryRun.MatchString(text) {
				text += " --dry-run=server"
			}
			output, err := kubectl(w, text)
			if strings.HasPrefix(text, "kubectl auth can-i get secrets") {
				// The answer no is what kubectl ends with an error for.
				Expect(output).To(HavePrefix("no"), text)
				continue
			}
			Expect(err).NotTo(HaveOccurred(), "%s\n%s", text, output)
		}
	}, func() (pages []TableEntry) {
		for _, page := range documented.Pages {
			commands, err := documented.Commands(filepath.Join("..", ".."), page)
			isRunHere := func(command documented.Command) bool { return command.Runner == documented.APIServer }
			if err != nil || slices.ContainsFunc(commands, isRunHere) {
				pages = append(pages, Entry("in "+page, page))
			}
		}
		return pages
	}())

	It("show no drift, and let two managers share a resource", func() {
		w := newWorld()
		resource := &v1alpha1.DatasetGeneration{Spec: newSpec()}
		output, err := apply(w, "repository", resource)
		Expect(err).NotTo(HaveOccurred(), output)
		diff := "kubectl --namespace team diff --server-side --field-manager repository --filename reviews.yaml"
		output, err = kubectl(w, diff)
		Expect(err).NotTo(HaveOccurred(), "before it runs: %s", output)
		w.job(runreport.RoleGenerate, 1)
		output, err = kubectl(w, diff)
		Expect(err).NotTo(HaveOccurred(), "while it runs: %s", output)

		By("a person who suspends what the repository knows nothing of")
		output, err = kubectl(w, `kubectl --namespace team patch dsgen reviews --type merge --patch '{"spec":{"suspend":true}}'`)
		Expect(err).NotTo(HaveOccurred(), output)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonSuspended))
		output, err = apply(w, "repository", resource)
		Expect(err).NotTo(HaveOccurred(), output)
		Expect(w.get().Spec.IsSuspended()).To(BeTrue(), "the repository does not take back what is not its own")
		output, err = kubectl(w, diff)
		Expect(err).NotTo(HaveOccurred(), "while it is suspended: %s", output)

		By("another manager that wants what the repository owns")
		other := resource.DeepCopy()
		other.Spec.NumRecords = 5
		output, err = apply(w, "another", other)
		Expect(err).To(HaveOccurred())
		Expect(output).To(ContainSubstring(`conflict with "repository"`))
	})

	It("prune a resource with its children, and not the claim", func() {
		w := newWorld()
		rest := filepath.Join(folder, "rest.yaml")
		manifest := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: rest, namespace: " + w.namespace + "}\n"
		Expect(os.WriteFile(rest, []byte(manifest), 0o600)).To(Succeed())
		set := "KUBECTL_APPLYSET=true kubectl apply --server-side --namespace team --prune --applyset configmaps/set --filename " + rest
		output, err := apply(w, "repository", &v1alpha1.DatasetGeneration{Spec: newSpec()})
		Expect(err).NotTo(HaveOccurred(), output)
		output, err = kubectl(w, set+" --filename reviews.yaml --force-conflicts")
		Expect(err).NotTo(HaveOccurred(), output)
		Expect(w.job(runreport.RoleGenerate, 1).OwnerReferences).To(HaveLen(1))
		output, err = kubectl(w, set)
		Expect(err).NotTo(HaveOccurred(), output)
		Eventually(func() bool {
			return w.gone(&v1alpha1.DatasetGeneration{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "reviews"}})
		}).Should(BeTrue(), output)
		Expect(kube.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: "datasets"}, claim(w.namespace, "datasets"))).To(Succeed())
	})
})
