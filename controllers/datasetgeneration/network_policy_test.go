package datasetgeneration

import (
	"net/netip"
	"slices"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"seedloom.dev/seedloom/internal/runreport"
)

// party is one end of a connection: a Pod, with the labels of its namespace, or an address outside of the cluster.
type party struct {
	namespace, pod map[string]string
	address        string
}

// policed are policies with the labels of the namespaces that they are in.
type policed struct {
	networkingv1.NetworkPolicy
	namespace map[string]string
}

func selects(t testing.TB, selector *metav1.LabelSelector, found map[string]string) bool {
	t.Helper()
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Matches(labels.Set(found))
}

// isPeer says whether a policy of a namespace means somebody by one of its peers; without any it means everybody.
func isPeer(t testing.TB, peers []networkingv1.NetworkPolicyPeer, own map[string]string, other party) bool {
	t.Helper()
	return len(peers) == 0 || slices.ContainsFunc(peers, func(peer networkingv1.NetworkPolicyPeer) bool {
		if peer.IPBlock != nil {
			inside := func(block string) bool {
				return netip.MustParsePrefix(block).Contains(netip.MustParseAddr(other.address))
			}
			return other.address != "" && inside(peer.IPBlock.CIDR) && !slices.ContainsFunc(peer.IPBlock.Except, inside)
		}
		if other.pod == nil {
			return false
		}
		inNamespace := labels.Equals(own, other.namespace)
		if peer.NamespaceSelector != nil {
			inNamespace = selects(t, peer.NamespaceSelector, other.namespace)
		}
		return inNamespace && (peer.PodSelector == nil || selects(t, peer.PodSelector, other.pod))
	})
}

func isPort(ports []networkingv1.NetworkPolicyPort, protocol corev1.Protocol, port int32) bool {
	return len(ports) == 0 || slices.ContainsFunc(ports, func(allowed networkingv1.NetworkPolicyPort) bool {
		return *allowed.Protocol == protocol && (allowed.Port == nil || allowed.Port.IntVal == port)
	})
}

// passes says whether a connection passes all policies, as Kubernetes defines them: where any selects a Pod for a direction, one must
// allow it.
func passes(t testing.TB, policies []policed, from, to party, protocol corev1.Protocol, port int32) bool {
	t.Helper()
	direction := func(kind networkingv1.PolicyType, self party, allows func(policed) bool) bool {
		isSelected := func(one policed) bool {
			return self.pod != nil && slices.Contains(one.Spec.PolicyTypes, kind) && labels.Equals(one.namespace, self.namespace) &&
				selects(t, &one.Spec.PodSelector, self.pod)
		}
		return !slices.ContainsFunc(policies, isSelected) ||
			slices.ContainsFunc(policies, func(one policed) bool { return isSelected(one) && allows(one) })
	}
	egress := direction(networkingv1.PolicyTypeEgress, from, func(one policed) bool {
		return slices.ContainsFunc(one.Spec.Egress, func(rule networkingv1.NetworkPolicyEgressRule) bool {
			return isPeer(t, rule.To, one.namespace, to) && isPort(rule.Ports, protocol, port)
		})
	})
	ingress := direction(networkingv1.PolicyTypeIngress, to, func(one policed) bool {
		return slices.ContainsFunc(one.Spec.Ingress, func(rule networkingv1.NetworkPolicyIngressRule) bool {
			return isPeer(t, rule.From, one.namespace, from) && isPort(rule.Ports, protocol, port)
		})
	})
	return egress && ingress
}

// namespaceOf are the labels of a namespace, of which Kubernetes sets the first.
func namespaceOf(name string, more ...string) map[string]string {
	found := map[string]string{corev1.LabelMetadataName: name}
	for _, label := range more {
		found[label] = "true"
	}
	return found
}

// The policies are evaluated, since no cluster here enforces them, on the labels and ports of the Pods as the operator and its manifests
// make them.
var _ = Describe("The network policies", func() {
	It("let through what is needed, and nothing else", func() { checkNetworkPolicies(GinkgoTB()) })
})

func checkNetworkPolicies(t testing.TB) {
	t.Helper()
	system, team, other := namespaceOf("seedloom-system"), namespaceOf("team"), namespaceOf("other")
	var policies []policed
	for folder, namespace := range map[string]map[string]string{"network-policy/manager": system, "network-policy/engines": team} {
		for _, object := range kustomized(folder) {
			var one policed
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &one.NetworkPolicy); err != nil {
				t.Fatal(err)
			}
			one.namespace = namespace
			policies = append(policies, one)
		}
	}
	if len(policies) != 2 {
		t.Fatalf("found %d policies", len(policies))
	}
	var deployment appsv1.Deployment
	for _, object := range kustomized("webhook") {
		if object.GetKind() == "Deployment" {
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &deployment); err != nil {
				t.Fatal(err)
			}
		}
	}
	portOf := func(pod corev1.PodSpec, name string) int32 {
		for _, port := range pod.Containers[0].Ports {
			if port.Name == name {
				return port.ContainerPort
			}
		}
		t.Fatalf("no port %q among %v", name, pod.Containers[0].Ports)
		return 0
	}
	template := decide(fixture{spec: newSpec()}.input()).podTemplate(runreport.RoleGenerate)
	manager, engine := party{namespace: system, pod: deployment.Spec.Template.Labels}, party{namespace: team, pod: template.Labels}
	progress, metrics := portOf(template.Spec, "http"), portOf(deployment.Spec.Template.Spec, "metrics")
	admission, probes := portOf(deployment.Spec.Template.Spec, "webhook"), portOf(deployment.Spec.Template.Spec, "probes")
	prometheus := party{namespace: namespaceOf("monitoring", "seedloom.dev/scrapes-metrics"), pod: map[string]string{"app": "prometheus"}}
	dns := party{namespace: namespaceOf("kube-system"), pod: map[string]string{"k8s-app": "kube-dns"}}
	neighbour, stranger := party{namespace: team, pod: map[string]string{"app": "notebook"}}, party{namespace: other, pod: map[string]string{"app": "x"}}
	models := party{namespace: namespaceOf("models"), pod: map[string]string{"app": "vllm"}}
	apiServer := party{address: "10.10.10.10"}
	for name, test := range map[string]struct {
		from, to party
		protocol corev1.Protocol
		port     int32
		want     bool
	}{
		"the manager asks for progress":              {manager, engine, corev1.ProtocolTCP, progress, true},
		"Prometheus reads metrics of engines":        {prometheus, engine, corev1.ProtocolTCP, progress, true},
		"Prometheus reads metrics of the manager":    {prometheus, manager, corev1.ProtocolTCP, metrics, true},
		"the API server asks the webhook":            {apiServer, manager, corev1.ProtocolTCP, admission, true},
		"an engine asks for names":                   {engine, dns, corev1.ProtocolUDP, 53, true},
		"an engine asks for long names":              {engine, dns, corev1.ProtocolTCP, 53, true},
		"an engine asks a model of the cluster":      {engine, models, corev1.ProtocolTCP, 8000, true},
		"an engine asks a model outside":             {engine, party{address: "203.0.113.7"}, corev1.ProtocolTCP, 443, true},
		"an engine asks a model outside, by IPv6":    {engine, party{address: "2001:db8::7"}, corev1.ProtocolTCP, 443, true},
		"the manager asks the API server":            {manager, apiServer, corev1.ProtocolTCP, 6443, true},
		"a neighbour reaches an engine":              {neighbour, engine, corev1.ProtocolTCP, progress, false},
		"another engine reaches an engine":           {engine, engine, corev1.ProtocolTCP, progress, false},
		"a stranger reaches an engine":               {stranger, engine, corev1.ProtocolTCP, progress, false},
		"a stranger who is called manager":           {party{namespace: other, pod: manager.pod}, engine, corev1.ProtocolTCP, progress, false},
		"Prometheus reaches another port":            {prometheus, engine, corev1.ProtocolTCP, 22, false},
		"a stranger reaches the manager's metrics":   {stranger, manager, corev1.ProtocolTCP, metrics, false},
		"a stranger reaches the manager's probes":    {stranger, manager, corev1.ProtocolTCP, probes, false},
		"an engine reaches the manager's metrics":    {engine, manager, corev1.ProtocolTCP, metrics, false},
		"an engine speaks without TLS outside":       {engine, party{address: "203.0.113.7"}, corev1.ProtocolTCP, 80, false},
		"an engine reads what describes its node":    {engine, party{address: "169.254.169.254"}, corev1.ProtocolTCP, 443, false},
		"an engine reads that by IPv6":               {engine, party{address: "fd00:ec2::254"}, corev1.ProtocolTCP, 443, false},
		"an engine reaches its node's link":          {engine, party{address: "fe80::1"}, corev1.ProtocolTCP, 443, false},
		"an engine asks a server of names elsewhere": {engine, party{address: "203.0.113.53"}, corev1.ProtocolUDP, 53, false},
	} {
		if got := passes(t, policies, test.from, test.to, test.protocol, test.port); got != test.want {
			t.Errorf("%s at port %d: let through: %t, want %t", name, test.port, got, test.want)
		}
	}
}
