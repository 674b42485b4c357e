package install

import (
	"os"
	"os/exec"
	"path/filepath"
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
		"--set=extraArgs={--kube-api-qps=100}", "--set=networkPolicy.enabled=true", "--set=config.secrets.policy=Labelled")
	i.mustSay("dsgen", short...)
	i.mustSay("--kube-api-qps=100", flags...)
	i.mustSay("seedloom-manager", "get", "networkpolicies", namespace)
	i.run(strings.Replace(dataset, "NAME", "second", 1), i.cluster, "kubectl", "--", "apply", "--server-side", "--filename", "-")
	i.await("second", `jsonpath={.status.conditions[?(@.type=="Accepted")].reason}=ReferenceNotPermitted`)
	i.kubectl("label", "secret", "key", "--namespace", "helm-test", "seedloom.dev/allow-in-runs=true")
	i.await("second", "condition=Complete")

	i.helm("rollback", "seedloom", "1", namespace, "--wait", "--timeout=3m")
	i.mustSay("older", short...)
	if got := i.kubectl(flags...); strings.Contains(got, "--kube-api-qps") {
		t.Errorf("after going back the manager has the flags %s", got)
	}
	i.helm("uninstall", "seedloom", namespace, "--wait", "--timeout=3m")
	if got := i.kubectl("get", "deployments", namespace); strings.Contains(got, "seedloom-manager") {
		t.Errorf("the manager is still there: %s", got)
	}
	i.mustSay("first", "get", "datasetgenerations", "--namespace", "helm-test")

	i.helm("install", "seedloom", chart, namespace, "--wait", "--timeout=3m")
	i.generate("third")
	i.mustSay("1 1 1", "get", "dsgen", "--namespace", "helm-test", "--output=jsonpath={.items[*].status.run.attempt}")
	i.kubectl("delete", "dsgen", "--all", "--namespace", "helm-test", "--timeout=180s")
	i.run("", i.cluster, "volume-remove", "--namespace", "helm-test", "--name", "datasets")
	i.kubectl("delete", "namespace", "helm-test", "--timeout=180s")
}
