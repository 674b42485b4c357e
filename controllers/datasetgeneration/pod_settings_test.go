package datasetgeneration

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// everySetting has each field of spec.pod.
func everySetting() *v1alpha1.PodSettings {
	return &v1alpha1.PodSettings{
		Resources: &v1alpha1.ContainerResources{
			Requests: quantities("cpu", "250m"), Limits: quantities("memory", "4Gi", "ephemeral-storage", "1Gi"),
		},
		NodeSelector: map[string]string{"kubernetes.io/arch": "amd64"},
		Tolerations: []v1alpha1.Toleration{
			{Key: "dedicated", Value: new("datasets"), Effect: corev1.TaintEffectNoSchedule}, {Operator: corev1.TolerationOpExists},
		},
		Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "pool", Operator: corev1.NodeSelectorOpIn, Values: []string{"a"}}},
			}}},
		}},
		TopologySpreadConstraints: []v1alpha1.TopologySpreadConstraint{{
			MaxSkew: 2, TopologyKey: "topology.kubernetes.io/zone", WhenUnsatisfiable: corev1.DoNotSchedule, MinDomains: new(int32(2)),
			NodeTaintsPolicy: corev1.NodeInclusionPolicyHonor,
		}},
		PriorityClassName: "batch", ServiceAccountName: "datasets", RuntimeClassName: "gvisor",
		ImagePullSecrets: []v1alpha1.SecretReference{{Name: "registry"}},
		Labels:           map[string]string{"team": "search"},
		Annotations:      map[string]string{"sidecar.istio.io/inject": "false"},
		Env: []v1alpha1.PodEnvironmentVariable{
			{Name: "SSL_CERT_DIR", Value: new("/etc/company/$(CA)")},
			{Name: "FROM_SECRET", SecretKeyRef: &v1alpha1.SecretKeyReference{Name: "settings", Key: "a"}},
			{Name: "FROM_CONFIGMAP", ConfigMapKeyRef: &v1alpha1.ConfigMapKeyReference{Name: "settings", Key: "b"}},
		},
		Volumes: []v1alpha1.PodVolume{
			{Name: "ca", MountPath: "/etc/company", ConfigMap: &v1alpha1.ConfigMapReference{Name: "settings"}},
			{Name: "keys", MountPath: "/etc/keys", Secret: &v1alpha1.SecretReference{Name: "settings"}},
			{Name: "media", MountPath: "/media", PersistentVolumeClaim: &v1alpha1.ClaimReference{ClaimName: "media"}},
			{Name: "same", MountPath: "/datasets", PersistentVolumeClaim: &v1alpha1.ClaimReference{ClaimName: "datasets"}},
			{Name: "scratch", MountPath: "/scratch", EmptyDir: &v1alpha1.EmptyDir{SizeLimit: new(resource.MustParse("1Gi"))}},
		},
	}
}

// quantities are pairs of a resource and its amount.
func quantities(pairs ...string) corev1.ResourceList {
	list := corev1.ResourceList{}
	for i := 0; i < len(pairs); i += 2 {
		list[corev1.ResourceName(pairs[i])] = resource.MustParse(pairs[i+1])
	}
	return list
}

var _ = Describe("The settings of Pods", func() {
	It("reach the Pods, which stay restricted ones, and change no run", func() {
		w := newWorld()
		Expect(kube.Create(w.ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "datasets"}})).To(Succeed())
		Expect(kube.Create(w.ctx, claim(w.namespace, "media"))).To(Succeed())
		plain := newWorld()
		plain.create(newSpec())
		spec := newSpec()
		spec.Pod = everySetting()
		w.create(spec)
		job := w.job(runreport.RoleGenerate, 1)
		template := job.Spec.Template
		pod, engine := template.Spec, template.Spec.Containers[0]

		plain.job(runreport.RoleGenerate, 1)
		Expect(w.get().Status.Run.ConfigHash).To(Equal(plain.get().Status.Run.ConfigHash))
		Expect(engine.Resources.Requests).To(Equal(quantities("cpu", "250m", "memory", "128Mi")))
		Expect(engine.Resources.Limits).To(Equal(quantities("memory", "4Gi", "ephemeral-storage", "1Gi")))
		Expect(pod.NodeSelector).To(Equal(map[string]string{"kubernetes.io/arch": "amd64"}))
		Expect(pod.Tolerations).To(HaveLen(2))
		Expect(pod.Tolerations[0].Value).To(Equal("datasets"))
		Expect(pod.Affinity).To(Equal(spec.Pod.Affinity))
		Expect(pod.TopologySpreadConstraints).To(HaveLen(1))
		Expect(pod.TopologySpreadConstraints[0].LabelSelector.MatchLabels).To(HaveKeyWithValue(v1alpha1.LabelRun, w.get().Status.Run.ID))
		Expect(*pod.TopologySpreadConstraints[0].MinDomains).To(Equal(int32(2)))
		Expect(pod.PriorityClassName).To(Equal("batch"))
		Expect(pod.ServiceAccountName).To(Equal("datasets"))
		Expect(*pod.RuntimeClassName).To(Equal("gvisor"))
		Expect(pod.ImagePullSecrets).To(ConsistOf(corev1.LocalObjectReference{Name: "registry"}))
		Expect(template.Labels).To(HaveKeyWithValue("team", "search"))
		Expect(template.Annotations).To(HaveKeyWithValue("sidecar.istio.io/inject", "false"))
		Expect(engine.Env[0]).To(Equal(corev1.EnvVar{Name: "SSL_CERT_DIR", Value: "/etc/company/$$(CA)"}))
		Expect(engine.Env[1].ValueFrom.SecretKeyRef.Name).To(Equal("settings"))
		Expect(engine.Env[2].ValueFrom.ConfigMapKeyRef.Key).To(Equal("b"))
		mounts := map[string]corev1.VolumeMount{}
		for _, mount := range engine.VolumeMounts {
			mounts[mount.MountPath] = mount
		}
		Expect(mounts["/etc/company"].Name).To(Equal("user-ca"))
		Expect(mounts["/media"].ReadOnly).To(BeTrue())
		Expect(mounts["/scratch"].ReadOnly).To(BeFalse())
		Expect(mounts["/datasets"]).To(Equal(corev1.VolumeMount{Name: volumeOutput, MountPath: "/datasets", ReadOnly: true}))

		By("being restricted whatever is set")
		Expect(*pod.AutomountServiceAccountToken).To(BeFalse())
		Expect(*pod.SecurityContext.RunAsNonRoot).To(BeTrue())
		Expect(engine.SecurityContext).To(Equal(restricted()))
		Expect(engine.Env).To(ContainElement(HaveField("ValueFrom.ResourceFieldRef.Resource", "limits.memory")))
	})

	It("are those of the operator where the spec has none", func() {
		defaults := &v1alpha1.PodSettings{
			Resources:    &v1alpha1.ContainerResources{Limits: quantities("memory", "1Gi", "cpu", "2")},
			NodeSelector: map[string]string{"pool": "batch", "zone": "a"}, PriorityClassName: "low",
			Tolerations: []v1alpha1.Toleration{{Key: "batch", Operator: corev1.TolerationOpExists}},
			Env:         []v1alpha1.PodEnvironmentVariable{{Name: "GOGC", Value: new("50")}, {Name: "A", Value: new("b")}},
		}
		merged := withDefaults(&v1alpha1.PodSettings{
			Resources:    &v1alpha1.ContainerResources{Requests: quantities("memory", "3Gi")},
			NodeSelector: map[string]string{"zone": "b"}, PriorityClassName: "high",
			Env: []v1alpha1.PodEnvironmentVariable{{Name: "GOGC", Value: new("off")}},
		}, defaults)
		Expect(merged.Resources.Limits).To(Equal(quantities("memory", "3Gi", "cpu", "2")), "a default gives way to what is written")
		Expect(merged.NodeSelector).To(Equal(map[string]string{"pool": "batch", "zone": "b"}))
		Expect(merged.PriorityClassName).To(Equal("high"))
		Expect(merged.Tolerations).To(HaveLen(1))
		Expect(merged.Env).To(HaveLen(2))
		Expect(*merged.Env[0].Value).To(Equal("off"))
		Expect(defaults.NodeSelector).To(HaveKeyWithValue("zone", "a"), "defaults are those of all runs")
	})

	It("that are changed while Pods generate start another attempt, in the same run", func() {
		w := newWorld()
		w.create(newSpec())
		job := w.job(runreport.RoleGenerate, 1)
		pod := w.startPod(job, 0)
		w.edit(func(resource *v1alpha1.DatasetGeneration) {
			resource.Spec.Pod = &v1alpha1.PodSettings{Resources: &v1alpha1.ContainerResources{Limits: quantities("memory", "8Gi")}}
		})
		second := w.job(runreport.RoleGenerate, 2)
		Expect(second.Spec.Template.Spec.Containers[0].Resources.Limits).To(Equal(quantities("memory", "8Gi")))
		Expect(w.gone(job)).To(BeTrue(), "two attempts never write at the same time")
		Expect(w.gone(pod)).To(BeTrue())
		Expect(w.get().Status.Run.ID).To(Equal(job.Labels[v1alpha1.LabelRun]))
	})

	It("that are changed when generating has ended reach the finalizing Pod", func() {
		w := newWorld()
		spec := newSpec()
		spec.Parallelism = new(int32(2))
		w.create(spec)
		job := w.job(runreport.RoleGenerate, 1)
		for shard := range 2 {
			w.end(w.startPod(job, shard), 0, complete(50))
		}
		w.finish(job, "")
		finalize := w.job(runreport.RoleFinalize, 1).UID
		w.edit(func(resource *v1alpha1.DatasetGeneration) {
			resource.Spec.Pod = &v1alpha1.PodSettings{NodeSelector: map[string]string{"pool": "b"}}
			resource.Spec.Parallelism = new(int32(4))
		})
		Eventually(func() map[string]string {
			return w.job(runreport.RoleFinalize, 1).Spec.Template.Spec.NodeSelector
		}).Should(HaveKeyWithValue("pool", "b"))
		Expect(w.job(runreport.RoleFinalize, 1).UID).NotTo(Equal(finalize))
		Expect(w.get().Status.Run.Attempt).To(Equal(int32(1)), "the shards have done their work")
	})

	It("that the API server does not take are told at once, and the run goes on when they are mended", func() {
		w := newWorld()
		spec := newSpec()
		spec.Pod = &v1alpha1.PodSettings{Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "pool", Operator: "Near", Values: []string{"a"}}},
			}}},
		}}}
		w.create(spec)
		Eventually(func() metav1.Condition { return w.condition(v1alpha1.ConditionStalled) }).Should(And(
			HaveField("Reason", v1alpha1.ReasonPodStartupFailed),
			HaveField("Message", And(ContainSubstring(`"Near"`), ContainSubstring("correct spec.pod")))))
		w.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.Pod = nil })
		Eventually(w.jobs).Should(HaveLen(1))
		Eventually(func() metav1.Condition { return w.condition(v1alpha1.ConditionStalled) }).Should(BeZero())
	})
})

func TestResourcesGiveWay(t *testing.T) {
	for name, test := range map[string]struct{ settings, want v1alpha1.ContainerResources }{
		"a small limit lowers the request": {
			v1alpha1.ContainerResources{Limits: quantities("memory", "64Mi")},
			v1alpha1.ContainerResources{Requests: quantities("cpu", "100m", "memory", "64Mi"), Limits: quantities("memory", "64Mi")},
		},
		"a large request raises the limit": {
			v1alpha1.ContainerResources{Requests: quantities("memory", "3Gi")},
			v1alpha1.ContainerResources{Requests: quantities("cpu", "100m", "memory", "3Gi"), Limits: quantities("memory", "3Gi")},
		},
		"others are added": {
			v1alpha1.ContainerResources{Limits: quantities("cpu", "1")},
			v1alpha1.ContainerResources{Requests: quantities("cpu", "100m", "memory", "128Mi"), Limits: quantities("cpu", "1", "memory", "2Gi")},
		},
	} {
		got := resourcesOf(&test.settings, defaultResources())
		want := corev1.ResourceRequirements{Requests: test.want.Requests, Limits: test.want.Limits}
		if difference := cmp.Diff(want, got); difference != "" {
			t.Errorf("%s: %s", name, difference)
		}
	}
}

func TestRefusalsOfResourcesSayWhatToDo(t *testing.T) {
	for cause, want := range map[string]string{
		`FailedCreate: a Pod is forbidden: [maximum memory usage per Container is 1Gi, but limit is 2Gi]`: "; a LimitRange of the namespace says so: " +
			"set what fits in spec.pod.resources (and in resources of spec.toolServers[].stdio, where there are any)",
		`FailedCreate: a Pod is forbidden: failed quota: q: must specify limits.cpu for: engine`: "; a quota of the namespace asks for them: set them in " +
			"spec.pod.resources (and in resources of spec.toolServers[].stdio, where there are any)",
		`FailedCreate: a Pod is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2`: "; the run goes on by itself when others have " +
			"ended, or ask for less in spec.pod.resources (and in resources of spec.toolServers[].stdio, where there are any) or by spec.parallelism",
		`FailedMount: no such volume`: "",
	} {
		if got := resourceAdvice(cause); got != want {
			t.Errorf("%s\n got %s\nwant %s", cause, got, want)
		}
	}
}
