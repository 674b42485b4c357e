package install

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// kubeconfigVariable names a cluster whose operator this test may replace.
const kubeconfigVariable = "E2E_KUBECONFIG"

// dataset needs no model. Its Pod has a variable from a Secret.
const dataset = `apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: NAME, namespace: helm-test}
spec:
  numRecords: 10
  columns:
  - {name: id, sampler: {type: UUID}}
  pod: {env: [{name: TOKEN, secretKeyRef: {name: key, key: token}}]}
  output: {persistentVolumeClaim: {claimName: datasets}}
`

// outside is a dataset whose model has a name that leads to an address.
const outside = `apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: outside, namespace: helm-test}
spec:
  numRecords: 10
  providers: [{name: models, type: OpenAI, endpoint: "http://ENDPOINT/v1"}]
  models: [{alias: writer, provider: models, model: any}]
  columns:
  - {name: text, llmText: {model: writer, prompt: write}}
  output: {persistentVolumeClaim: {claimName: datasets}}
`

// models is a name that leads to an address of a Pod, which need not be there.
const models = `apiVersion: v1
kind: Service
metadata: {name: models, namespace: helm-test}
spec: {clusterIP: None, ports: [{name: http, port: 8000}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: models, namespace: helm-test, labels: {kubernetes.io/service-name: models}}
addressType: IPv4
ports: [{name: http, port: 8000}]
endpoints: [{addresses: [10.244.0.200]}]
`

// installation is a cluster on which Helm is used as the documentation says.
type installation struct {
	t       *testing.T
	cluster string
}

func (i *installation) run(input, program string, arguments ...string) string {
	i.t.Helper()
	command := exec.CommandContext(i.t.Context(), program, arguments...)
	command.Env = append(os.Environ(), "KUBECONFIG="+os.Getenv(kubeconfigVariable))
	if program == i.cluster {
		command.Dir = filepath.Join(root, "hack", "cluster")
	}
	command.Stdin = strings.NewReader(input)
	output, err := command.CombinedOutput()
	if err != nil {
		i.t.Fatalf("%s %s: %v\n%s", filepath.Base(program), strings.Join(arguments, " "), err, output)
	}
	return string(output)
}

func (i *installation) helm(arguments ...string) string {
	i.t.Helper()
	return i.run("", "go", append([]string{"tool", "helm"}, arguments...)...)
}

func (i *installation) kubectl(arguments ...string) string {
	i.t.Helper()
	return i.run("", i.cluster, append([]string{"kubectl", "--"}, arguments...)...)
}

// documented are the commands of docs/installing.md for Helm.
func (i *installation) documented() []string {
	i.t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs", "installing.md"))
	if err != nil {
		i.t.Fatal(err)
	}
	var found []string
	for _, match := range regexp.MustCompile("(?m)^(helm .*)$|`(helm [a-z]+ [^`]*)`").FindAllStringSubmatch(string(page), -1) {
		found = append(found, match[1]+match[2])
	}
	return found
}

// asDocumented runs those of them that have some words, and forgets them.
func (i *installation) asDocumented(commands *[]string, words string, more ...string) {
	i.t.Helper()
	left := slices.DeleteFunc(slices.Clone(*commands), func(command string) bool { return strings.Contains(command, words) })
	if len(left) == len(*commands) {
		i.t.Errorf("docs/installing.md has no %q among %q", words, *commands)
	}
	for _, command := range *commands {
		if strings.Contains(command, words) {
			arguments := strings.Fields(strings.ReplaceAll(command, "charts/seedloom", filepath.Join(root, "charts", "seedloom")))[1:]
			i.helm(append(arguments, more...)...)
		}
	}
	*commands = left
}

// generate applies a dataset, and waits until it is complete.
func (i *installation) generate(name string) {
	i.t.Helper()
	i.run(strings.Replace(dataset, "NAME", name, 1), i.cluster, "kubectl", "--", "apply", "--server-side", "--filename", "-")
	i.await(name, "condition=Complete")
}

func (i *installation) await(name, what string) {
	i.t.Helper()
	i.kubectl("wait", "--namespace", "helm-test", "dsgen/"+name, "--for="+what, "--timeout=180s")
}

// mustRefuseEndpoints holds the list of endpoints: a name that can't be allowed is refused at once, and one that leads to an address that
// is not listed when it is dialled.
func (i *installation) mustRefuseEndpoints() {
	i.t.Helper()
	apply := func(manifest string) {
		i.run(manifest, i.cluster, "kubectl", "--", "apply", "--server-side", "--filename", "-")
	}
	apply(models)
	apply(strings.Replace(outside, "ENDPOINT", "192.0.2.7:8000", 1))
	i.await("outside", `jsonpath={.status.conditions[?(@.type=="Accepted")].reason}=InvalidSpec`)
	apply(strings.Replace(outside, "ENDPOINT", "models.helm-test.svc:8000", 1))
	i.await("outside", `jsonpath={.status.conditions[?(@.type=="Failed")].reason}=EndpointNotAllowed`)
	i.mustSay("10.244.0.200", "get", "dsgen", "outside", "--namespace", "helm-test",
		`--output=jsonpath={.status.conditions[?(@.type=="Failed")].message}`)
}

func (i *installation) mustSay(want string, arguments ...string) {
	i.t.Helper()
	if got := i.kubectl(arguments...); !strings.Contains(got, want) {
		i.t.Errorf("kubectl %s says %s, want %s", strings.Join(arguments, " "), got, want)
	}
}

// olderChart is the chart as a version before may have been: its definition has no short name.
func (i *installation) olderChart() string {
	i.t.Helper()
	folder := filepath.Join(i.t.TempDir(), "seedloom")
	if err := os.CopyFS(folder, os.DirFS(filepath.Join(root, "charts", "seedloom"))); err != nil {
		i.t.Fatal(err)
	}
	for file, change := range map[string][2]string{
		"files/crd.yaml": {"    - dsgen\n", "    - older\n"},
		"Chart.yaml":     {"version: 0.1.0", "version: 0.0.9"},
	} {
		path := filepath.Join(folder, file)
		data, err := os.ReadFile(path)
		if err != nil {
			i.t.Fatal(err)
		}
		changed := strings.Replace(string(data), change[0], change[1], 1)
		if changed == string(data) {
			i.t.Fatalf("%s has no %q", file, change[0])
		}
		if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
			i.t.Fatal(err)
		}
	}
	return folder
}

// TestHelmOnACluster installs, upgrades, goes back and removes the operator on a real cluster.
func TestHelmOnACluster(t *testing.T) {
	if os.Getenv(kubeconfigVariable) == "" {
		t.Skip(kubeconfigVariable + " names no cluster: make test-e2e sets it")
	}
	i := &installation{t: t, cluster: filepath.Join(t.TempDir(), "cluster")}
	i.run("", "go", "-C", filepath.Join(root, "hack", "cluster"), "build", "-o", i.cluster, ".")
	i.kubectl("delete", "--ignore-not-found", "--kustomize", "../../config/default", "--timeout=180s")
	i.kubectl("create", "namespace", "helm-test")
	i.run("", i.cluster, "volume", "--namespace", "helm-test", "--name", "datasets")
	i.kubectl("create", "secret", "generic", "key", "--namespace", "helm-test", "--from-literal=token=value")
	chart := filepath.Join(root, "charts", "seedloom")
	const namespace, deployment = "--namespace=seedloom-system", "deployment/seedloom-manager"
	flags := []string{"get", namespace, deployment, "--output=jsonpath={.spec.template.spec.containers[0].args}"}
	short := []string{"get", "crd", "datasetgenerations.seedloom.dev", "--output=jsonpath={.spec.names.shortNames}"}

	i.helm("install", "seedloom", i.olderChart(), namespace, "--create-namespace", "--wait", "--timeout=3m")
	i.mustSay("older", short...)
	i.run(strings.Replace(dataset, "NAME", "first", 1), i.cluster, "kubectl", "--", "apply", "--server-side", "--filename", "-")
	i.kubectl("wait", "--namespace", "helm-test", "datasetgeneration/first", "--for=condition=Complete", "--timeout=180s")

	i.helm("upgrade", "seedloom", chart, namespace, "--reuse-values", "--wait", "--timeout=3m",
		"--set=extraArgs={--kube-api-qps=100}", "--set=networkPolicy.enabled=true", "--set=config.secrets.policy=Labelled",
		"--set=config.endpoints.allowed={10.96.0.0/16}")
	i.mustSay("dsgen", short...)
	i.mustSay("--kube-api-qps=100", flags...)
	i.mustSay("seedloom-manager", "get", "networkpolicies", namespace)
	i.run(strings.Replace(dataset, "NAME", "second", 1), i.cluster, "kubectl", "--", "apply", "--server-side", "--filename", "-")
	i.await("second", `jsonpath={.status.conditions[?(@.type=="Accepted")].reason}=ReferenceNotPermitted`)
	i.kubectl("label", "secret", "key", "--namespace", "helm-test", "seedloom.dev/allow-in-runs=true")
	i.await("second", "condition=Complete")
	i.mustRefuseEndpoints()

	i.helm("rollback", "seedloom", "1", namespace, "--wait", "--timeout=3m")
	i.mustSay("older", short...)
	if got := i.kubectl(flags...); strings.Contains(got, "--kube-api-qps") {
		t.Errorf("after going back the manager has the flags %s", got)
	}
	commands := i.documented()
	i.asDocumented(&commands, "helm uninstall ", "--wait", "--timeout=3m")
	if got := i.kubectl("get", "deployments", namespace); strings.Contains(got, "seedloom-manager") {
		t.Errorf("the manager is still there: %s", got)
	}
	i.mustSay("first", "get", "datasetgenerations", "--namespace", "helm-test")

	// There is no such registry, and a webhook would be in the way of other tests: the API server says whether it would take all of it.
	i.asDocumented(&commands, "registry.internal", "--dry-run=server")
	i.asDocumented(&commands, "webhook.enabled", "--dry-run=server")
	i.asDocumented(&commands, "helm install ", "--wait", "--timeout=3m")
	if len(commands) > 0 {
		t.Errorf("nobody runs %q", commands)
	}
	i.generate("third")
	i.mustSay("1 1 1", "get", "dsgen", "--namespace", "helm-test", "--output=jsonpath={.items[*].status.run.attempt}")
	i.kubectl("delete", "dsgen", "--all", "--namespace", "helm-test", "--timeout=180s")
	i.run("", i.cluster, "volume-remove", "--namespace", "helm-test", "--name", "datasets")
	i.kubectl("delete", "namespace", "helm-test", "--timeout=180s")
}
