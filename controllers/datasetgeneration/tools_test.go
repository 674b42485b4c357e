package datasetgeneration

import (
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/internal/runreport"
)

// withTools adds, to a spec, a column that uses two tool servers, and servers that none does.
func withTools(spec v1alpha1.DatasetGenerationSpec) v1alpha1.DatasetGenerationSpec {
	secret := &v1alpha1.SecretKeyReference{Name: "tools", Key: "token"}
	program := func(name string) v1alpha1.ToolServer {
		return v1alpha1.ToolServer{Name: name, Type: v1alpha1.ToolServerStdio, Stdio: &v1alpha1.StdioToolServer{
			Image: "example.com/" + name + ":1", Command: []string{"/serve", "--price", "5$ $(HOME)"},
			Env: []v1alpha1.ToolEnvironmentVariable{{Name: "MODE", Value: new("read $(X)")}, {Name: "TOKEN", SecretKeyRef: secret}},
		}}
	}
	spec.Providers = []v1alpha1.Provider{{Name: "local", Type: v1alpha1.ProviderOpenAI, Endpoint: "http://vllm:8000/v1"}}
	spec.Models = []v1alpha1.Model{{Alias: "writer", Provider: "local", Model: "m"}}
	spec.ToolServers = []v1alpha1.ToolServer{
		{Name: "idle", Type: v1alpha1.ToolServerSSE, Endpoint: "http://idle:8000/sse", APIKeySecretRef: secret},
		{Name: "search", Type: v1alpha1.ToolServerStreamableHTTP, Endpoint: "http://search:8000/mcp", APIKeySecretRef: secret},
		program("files"), program("unused"),
	}
	spec.Tools = []v1alpha1.ToolSet{{Alias: "reading", Servers: []string{"search", "files"}}, {Alias: "other", Servers: []string{"idle", "unused"}}}
	spec.Columns = append(spec.Columns, v1alpha1.Column{Name: "text", LLMText: &v1alpha1.LLMText{
		LLMPrompt: v1alpha1.LLMPrompt{Model: "writer", Prompt: "x", Tools: "reading"}}})
	return spec
}

func TestPodsHaveTheToolServersThatColumnsUse(t *testing.T) {
	f := &situation{input: &input{options: &Options{EngineImage: "engine"}, resource: &v1alpha1.DatasetGeneration{Spec: withTools(newSpec())}}}
	pod := f.podTemplate(runreport.RoleGenerate).Spec
	var names []string
	for _, container := range pod.InitContainers {
		names = append(names, container.Name)
	}
	if want := []string{"install-bridge", "tool-files"}; !slices.Equal(names, want) {
		t.Fatalf("the init containers are %v, want %v", names, want)
	}
	tool := pod.InitContainers[1]
	if tool.RestartPolicy == nil || *tool.RestartPolicy != corev1.ContainerRestartPolicyAlways || tool.Image != "example.com/files:1" {
		t.Errorf("the tool server is no sidecar with the user's image: %+v", tool)
	}
	// The kubelet makes $ of $$.
	command := strings.ReplaceAll(strings.Join(tool.Command, " "), "$$", "$")
	if want := "/var/run/seedloom/bridge/bridge serve /var/run/seedloom/tools/files/bridge.sock /serve --price 5$ $(HOME)"; command != want {
		t.Errorf("the command is %q, want %q", command, want)
	}
	variables := map[string]string{}
	for _, variable := range tool.Env {
		variables[variable.Name] = variable.Value
		if variable.ValueFrom != nil {
			variables[variable.Name] = "secret " + variable.ValueFrom.SecretKeyRef.Name + "/" + variable.ValueFrom.SecretKeyRef.Key
		}
	}
	if variables["HOME"] != "/tmp" || variables["MODE"] != "read $$(X)" || variables["TOKEN"] != "secret tools/token" || len(variables) != 3 {
		t.Errorf("the variables are %v", variables)
	}
	engine := pod.Containers[0]
	if !slices.ContainsFunc(engine.VolumeMounts,
		func(mount corev1.VolumeMount) bool { return mount.MountPath == "/var/run/seedloom/tools/files" }) {
		t.Errorf("the engine can't reach the socket: %v", engine.VolumeMounts)
	}
	if key := engine.Env[len(engine.Env)-1]; len(engine.Env) != 3 || key.Name != "SEEDLOOM_TOOL_KEY_1" ||
		key.ValueFrom.SecretKeyRef.Name != "tools" {
		t.Errorf("the environment of the engine is %v", engine.Env)
	}
	for _, container := range pod.InitContainers {
		if container.SecurityContext == nil || !*container.SecurityContext.RunAsNonRoot || !*container.SecurityContext.ReadOnlyRootFilesystem {
			t.Errorf("%s is not restricted", container.Name)
		}
	}
	if pod := f.podTemplate(runreport.RoleFinalize).Spec; len(pod.InitContainers) > 0 || len(pod.Volumes) != 3 {
		t.Errorf("the finalizing Pod has %d init containers and the volumes %v", len(pod.InitContainers), pod.Volumes)
	}
	f.resource.Spec.Columns[len(f.resource.Spec.Columns)-1].LLMText.Tools = ""
	if pod := f.podTemplate(runreport.RoleGenerate).Spec; len(pod.InitContainers) > 0 {
		t.Error("a Pod whose columns use no tools has sidecars")
	}
}

func TestASidecarThatDoesNotStartIsNamed(t *testing.T) {
	for reason, want := range map[string]string{
		"ErrImagePull":               `container tool-files waits: ErrImagePull: no such image; the tool server "files" in spec.toolServers names the image`,
		"CreateContainerConfigError": "container tool-files waits: CreateContainerConfigError: no such image; create the missing object or key",
	} {
		pod := waitingPod("PodInitializing", "")
		pod.Status.InitContainerStatuses = []corev1.ContainerStatus{
			{Name: bridgeContainer, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}},
			{Name: "tool-files", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: "no such image"}}},
		}
		resource := fixture{spec: withTools(newSpec()), age: time.Hour, pods: []corev1.Pod{pod}}.reconcile()
		ready := meta.FindStatusCondition(resource.Status.Conditions, v1alpha1.ConditionReady)
		if ready.Reason != "PodStartupFailed" || !strings.Contains(ready.Message, want) {
			t.Errorf("Ready is %s: %s", ready.Reason, ready.Message)
		}
	}
}

var _ = Describe("A run with tool servers in sidecars", func() {
	It("has Jobs whose Pods the API server admits, and ends with its engine", func() {
		w := newWorld()
		w.create(withTools(newSpec()))
		job := w.job(runreport.RoleGenerate, 1)
		for _, rule := range job.Spec.PodFailurePolicy.Rules {
			if rule.OnExitCodes != nil {
				Expect(*rule.OnExitCodes.ContainerName).To(Equal(enginepods.Container), "the end of a sidecar says nothing")
			}
		}
		pod := w.startPod(job, 0)
		Expect(pod.Spec.InitContainers).To(HaveLen(2))
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonRunning))
		w.end(pod, runreport.ExitOK, complete(100))
		// The kubelet stops the sidecars after the engine, with whatever exit code.
		w.updatePod(pod, func(status *corev1.PodStatus) {
			status.InitContainerStatuses = []corev1.ContainerStatus{{
				Name: "tool-files", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 137}},
			}}
		})
		w.finish(job, "")
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonSucceeded))
	})

	It("has sidecars in sync mode too, and none in the finalizing Job", func() {
		w := newWorld()
		w.create(withTools(syncSpec()))
		Expect(w.syncPod(0).Spec.InitContainers).To(HaveLen(2))

		other := newWorld()
		spec := withTools(newSpec())
		spec.Parallelism = new(int32(2))
		other.create(spec)
		job := other.job(runreport.RoleGenerate, 1)
		for index := range 2 {
			other.end(other.startPod(job, index), runreport.ExitOK, complete(50))
		}
		other.finish(job, "")
		Expect(other.job(runreport.RoleFinalize, 1).Spec.Template.Spec.InitContainers).To(BeEmpty())
	})

	It("is refused with a tool server that nobody has", func() {
		w := newWorld()
		spec := withTools(newSpec())
		spec.Tools[0].Servers = []string{"serch"}
		w.create(spec)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonInvalidSpec))
		Expect(w.condition(v1alpha1.ConditionAccepted).Message).To(
			ContainSubstring(`spec.tools[0].servers[0]: no tool server is called "serch"; did you mean "search"?`))
		var none []batchv1.Job
		Expect(w.jobs()).To(BeEquivalentTo(none))
	})
})
