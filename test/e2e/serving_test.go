package e2e

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var _ = Describe("What the managers serve", func() {
	It("are metrics for those who may read them, and that they are ready", func(ctx SpecContext) {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "e2e-"}}
		create(ctx, namespace)
		DeferCleanup(func(ctx context.Context) { deleteAndWait(ctx, namespace, endGracePeriod) }, NodeTimeout(2*endGracePeriod))
		createMetricsReader(ctx, namespace.Name)
		create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace.Name, Name: "stranger"}})

		var pods corev1.PodList
		Expect(apiClient.List(ctx, &pods, client.InNamespace(operatorNamespace), client.MatchingLabels(operatorLabels))).To(Succeed())
		Expect(pods.Items).NotTo(BeEmpty())
		for _, pod := range pods.Items {
			metrics := "https://" + net.JoinHostPort(pod.Status.PodIP, "8443") + "/metrics"
			status, _ := ask(ctx, metrics, "")
			Expect(status).To(Equal(http.StatusUnauthorized), "without a token")
			status, _ = ask(ctx, metrics, tokenOf(ctx, namespace.Name, "stranger"))
			Expect(status).To(Equal(http.StatusForbidden), "with the token of somebody without the role")
			status, text := ask(ctx, metrics, tokenOf(ctx, namespace.Name, metricsReader))
			Expect(status).To(Equal(http.StatusOK), "with the role seedloom-metrics-reader")
			Expect(text).To(ContainSubstring("rest_client_requests_total"))
			status, _ = ask(ctx, "http://"+net.JoinHostPort(pod.Status.PodIP, "8081")+"/readyz", "")
			Expect(status).To(Equal(http.StatusOK), "the cache of %s is filled", pod.Name)
		}
	}, SpecTimeout(2*time.Minute))
})

// metricsReader is the name of a service account that may read the metrics of the managers.
const metricsReader = "prometheus"

// createMetricsReader creates it, with its role until the test has ended.
func createMetricsReader(ctx context.Context, namespace string) {
	GinkgoHelper()
	create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: metricsReader}})
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: namespace + "-metrics"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "seedloom-metrics-reader"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: metricsReader}},
	}
	create(ctx, binding)
	DeferCleanup(func(ctx context.Context) { deleteAndWait(ctx, binding, endGracePeriod) }, NodeTimeout(2*endGracePeriod))
}

// tokenOf is a token of a service account.
func tokenOf(ctx context.Context, namespace, name string) string {
	GinkgoHelper()
	request := &authenticationv1.TokenRequest{}
	answer, err := clientset.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, name, request, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	return answer.Status.Token
}

// ask asks a Pod, whose certificate it has made itself.
func ask(ctx context.Context, url, token string) (status int, text string) {
	GinkgoHelper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	Expect(err).NotTo(HaveOccurred())
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	connection := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // nobody can know it
	}}
	answer, err := connection.Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(answer.Body)
	Expect(err).NotTo(HaveOccurred())
	return answer.StatusCode, string(data)
}
