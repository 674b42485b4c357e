package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
)

var _ = Describe("The dashboard", func() {
	It("has something to show in each of its panels while a run goes on", func(ctx SpecContext) {
		program, err := exec.LookPath("prometheus")
		if err != nil {
			Skip("there is no prometheus on this machine (Debian's package has it): the dashboard's questions are asked of nobody")
		}
		w := newWorld(ctx, "")
		createMetricsReader(ctx, w.namespace)

		// One run that has ended, one that goes on for as long as this lasts, some of whose answers can't be used, and one that ends meanwhile.
		w.apply(ctx, stories, named("ended"), records(10))
		w.waitFor(ctx, "ended", v1alpha1.ConditionComplete)
		w.simulator.configure(ctx, map[string]any{
			"defaults": map[string]any{"latency": map[string]any{"value": "2s"}},
			"faults":   []any{map[string]any{"kind": "Invalid", "every": 4}},
		})
		w.apply(ctx, stories, records(600))
		engine := w.runningPod(ctx, "stories")
		prometheus := startPrometheus(ctx, program, w.scrapes(ctx, engine))
		// What has happened before the first answer is no change.
		Eventually(ctx, func() (int, error) { return prometheus.series(ctx, "up == 1") }).WithTimeout(time.Minute).
			Should(BeNumerically(">=", 3), "both managers and the engine are scraped")
		w.apply(ctx, stories, named("ends"), records(4))

		questions := panelsOf(w.namespace)
		Expect(len(questions)).To(BeNumerically(">", 15))
		for _, question := range questions {
			Eventually(ctx, func() (int, error) { return prometheus.series(ctx, question.expression) }).WithTimeout(time.Minute).
				Should(BeNumerically(">", 0), "panel %q asks %s", question.panel, question.expression)
		}
	}, SpecTimeout(5*time.Minute))
})

// question is what a panel asks Prometheus.
type question struct{ panel, expression string }

// panelsOf are the questions of the dashboard about a namespace.
func panelsOf(namespace string) (questions []question) {
	GinkgoHelper()
	data, err := os.ReadFile(filepath.Join(repositoryRoot, "config", "monitoring", "dashboard.json"))
	Expect(err).NotTo(HaveOccurred())
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	Expect(json.Unmarshal(data, &dashboard)).To(Succeed())
	variables := strings.NewReplacer("$namespace", namespace, "$dataset", ".*")
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			questions = append(questions, question{panel.Title, variables.Replace(target.Expr)})
		}
	}
	return questions
}

// scrapes is a configuration of Prometheus that does by addresses what the ServiceMonitor and the PodMonitor of config/monitoring do.
func (w *world) scrapes(ctx context.Context, engine corev1.Pod) map[string]any {
	GinkgoHelper()
	var managers corev1.PodList
	Expect(apiClient.List(ctx, &managers, client.InNamespace(operatorNamespace), client.MatchingLabels(operatorLabels))).To(Succeed())
	var addresses []string
	for _, pod := range managers.Items {
		addresses = append(addresses, net.JoinHostPort(pod.Status.PodIP, "8443"))
	}
	return map[string]any{
		"global": map[string]any{"scrape_interval": "2s", "scrape_timeout": "2s"},
		"scrape_configs": []any{
			map[string]any{
				"job_name": "seedloom-manager-metrics", "scheme": "https", "tls_config": map[string]any{"insecure_skip_verify": true},
				"authorization":  map[string]any{"credentials": tokenOf(ctx, w.namespace, metricsReader)},
				"static_configs": []any{map[string]any{"targets": addresses}},
			},
			map[string]any{
				"job_name": "seedloom-engines", "static_configs": []any{map[string]any{
					"targets": []string{net.JoinHostPort(engine.Status.PodIP, "8080")},
					"labels":  map[string]any{"namespace": w.namespace, "pod": engine.Name, "dataset": engine.Labels[v1alpha1.LabelDataset]},
				}},
			},
		},
	}
}

// prometheus is one that runs for a test.
type prometheus struct{ address string }

// startPrometheus runs it until the test has ended.
func startPrometheus(ctx context.Context, program string, configuration map[string]any) *prometheus {
	GinkgoHelper()
	folder := GinkgoT().TempDir()
	// JSON is YAML.
	data, err := json.Marshal(configuration)
	Expect(err).NotTo(HaveOccurred())
	Expect(os.WriteFile(filepath.Join(folder, "prometheus.yml"), data, 0o600)).To(Succeed())
	free, err := net.Listen("tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	p := &prometheus{free.Addr().String()}
	Expect(free.Close()).To(Succeed())
	command := exec.Command(program, "--config.file="+filepath.Join(folder, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(folder, "data"), "--web.listen-address="+p.address, "--log.level=warn")
	command.Stdout, command.Stderr = GinkgoWriter, GinkgoWriter
	Expect(command.Start()).To(Succeed())
	DeferCleanup(func() {
		Expect(command.Process.Signal(syscall.SIGTERM)).To(Succeed())
		Expect(command.Wait()).To(Succeed())
	})
	Eventually(ctx, func() error { _, err := p.series(ctx, "up"); return err }).WithTimeout(startTimeout).Should(Succeed())
	return p
}

// series is how many series answer a question, with a number.
func (p *prometheus) series(ctx context.Context, expression string) (int, error) {
	address := "http://" + p.address + "/api/v1/query?query=" + url.QueryEscape(expression)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	var found struct {
		Error string
		Data  struct{ Result []struct{ Value []any } }
	}
	if err := json.NewDecoder(answer.Body).Decode(&found); err != nil {
		return 0, err
	}
	if found.Error != "" {
		return 0, StopTrying(fmt.Sprintf("%s: %s", expression, found.Error))
	}
	count := 0
	for _, series := range found.Data.Result {
		if len(series.Value) == 2 && series.Value[1] != "NaN" {
			count++
		}
	}
	return count, nil
}
