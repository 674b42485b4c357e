package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// No other test runs at the same time: the operator is replaced by one with the webhook, and back.
var _ = Describe("The webhook", Serial, func() {
	It("refuses through its Service, with the certificate that the managers have made", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		overlay := func(name string) string {
			path, err := filepath.Abs(filepath.Join(repositoryRoot, "config", name))
			Expect(err).NotTo(HaveOccurred())
			return path
		}
		deploy := func(ctx context.Context, name string) {
			w.kubectl(ctx, "apply", "--server-side", "--force-conflicts", "--namespace", operatorNamespace, "--kustomize", overlay(name))
			w.kubectl(ctx, "rollout", "status", "deployment", "--namespace", operatorNamespace, "--timeout=120s")
		}
		DeferCleanup(func(ctx context.Context) {
			w.kubectl(ctx, "delete", "validatingwebhookconfiguration,clusterrole,clusterrolebinding", "seedloom-webhook")
			w.kubectl(ctx, "delete", "--namespace", operatorNamespace, "service,secret,role,rolebinding", "seedloom-webhook")
			deploy(ctx, "default")
		}, NodeTimeout(3*time.Minute))
		deploy(ctx, "webhook")

		path := filepath.Join(GinkgoT().TempDir(), "stories.yaml")
		write := func(manifest string) { Expect(os.WriteFile(path, []byte(manifest), 0o600)).To(Succeed()) }
		write(strings.Replace(stories, "{{ mood | title }}", "{{ nowhere }}", 1))
		apply := func(arguments ...string) string {
			output, _ := exec.CommandContext(ctx, clusterCommand, append([]string{"kubectl", "--", "--namespace", w.namespace,
				"apply", "--server-side", "--filename", path}, arguments...)...).CombinedOutput()
			return string(output)
		}
		Eventually(ctx, func() string { return apply("--dry-run=server") }).WithTimeout(startTimeout).Should(And(
			ContainSubstring(`The DatasetGeneration "stories" is invalid`), ContainSubstring("spec.columns[3].expression.expr: ")))
		Expect(apply()).To(ContainSubstring("is invalid"), "it is not stored either")
		write(stories)
		Expect(apply("--dry-run=server")).To(ContainSubstring("serverside-applied (server dry run)"))
	})
})
