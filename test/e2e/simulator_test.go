package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// simulator is the simulated model server of a namespace, in whose counters the tests read what was asked of it. It is reached through
// the API server's proxy, so that it need not be reachable from this machine.
type simulator struct{ namespace string }

// startSimulator deploys the simulator from config/llmsim and waits until it answers. It answers at once, and well.
func startSimulator(ctx context.Context, namespace string) *simulator {
	GinkgoHelper()
	s := &simulator{namespace: namespace}
	folder, err := filepath.Abs(filepath.Join(repositoryRoot, "config", "llmsim"))
	Expect(err).NotTo(HaveOccurred())
	runCluster(ctx, "kubectl", "--", "--namespace", namespace, "apply", "--kustomize", folder)
	Eventually(ctx, func() error {
		_, err := s.request(ctx, http.MethodGet, "healthz", nil)
		return err
	}).WithTimeout(startTimeout).Should(Succeed(), "the simulator of %s answers", namespace)
	s.configure(ctx, map[string]any{})
	return s
}

// answerAfter makes every answer take so long.
func (s *simulator) answerAfter(ctx context.Context, latency string) {
	GinkgoHelper()
	s.configure(ctx, map[string]any{"defaults": map[string]any{"latency": map[string]any{"value": latency}}})
}

// refuseKeys makes the simulator accept a key that no test has.
func (s *simulator) refuseKeys(ctx context.Context) {
	GinkgoHelper()
	s.configure(ctx, map[string]any{"apiKeys": []string{"another-key"}})
}

// answerNothing makes every answer an empty text, which no model column can use.
func (s *simulator) answerNothing(ctx context.Context) {
	GinkgoHelper()
	s.configure(ctx, map[string]any{"defaults": map[string]any{"always": map[string]any{"kind": "Invalid"}}})
}

// prompts says how often each prompt has come.
func (s *simulator) prompts(ctx context.Context) map[string]int {
	GinkgoHelper()
	var answer struct {
		Prompts []struct {
			Text  string
			Count int
		}
	}
	s.read(ctx, "_sim/prompts", &answer)
	counts := map[string]int{}
	for _, prompt := range answer.Prompts {
		counts[prompt.Text] += prompt.Count
	}
	return counts
}

// requests is how many requests have come.
func (s *simulator) requests(ctx context.Context) int {
	GinkgoHelper()
	var answer struct{ Requests int }
	s.read(ctx, "_sim/counters", &answer)
	return answer.Requests
}

func (s *simulator) configure(ctx context.Context, configuration map[string]any) {
	GinkgoHelper()
	body, err := json.Marshal(configuration)
	Expect(err).NotTo(HaveOccurred())
	_, err = s.request(ctx, http.MethodPut, "_sim/config", body)
	Expect(err).NotTo(HaveOccurred())
}

func (s *simulator) read(ctx context.Context, path string, into any) {
	GinkgoHelper()
	answer, err := s.request(ctx, http.MethodGet, path, nil)
	Expect(err).NotTo(HaveOccurred())
	Expect(json.Unmarshal(answer, into)).To(Succeed(), "%s answered:\n%s", path, answer)
}

func (s *simulator) request(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	return clientset.CoreV1().RESTClient().Verb(method).
		Namespace(s.namespace).Resource("services").Name("llmsim:8000").SubResource("proxy").Suffix(path).
		Body(body).Do(ctx).Raw()
}
