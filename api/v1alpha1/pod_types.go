package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PodSettings are what may be set of the run's Pods. They have no effect on what the rows hold. Whatever is set, the Pods keep to the
// restricted Pod security standard and have no token for the API server.
//
// +kubebuilder:validation:MinProperties=1
type PodSettings struct {
	// resources are what the engine's container requests, and what it may use at most. What is not named keeps its default: requests of
	// 100m CPU and 128Mi memory, and a limit of 2Gi memory.
	// +optional
	Resources *ContainerResources `json:"resources,omitempty"`

	// nodeSelector are labels that a node must have.
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=32
	// +optional
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`

	// tolerations let the Pods run on nodes with these taints.
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +optional
	Tolerations []Toleration `json:"tolerations,omitempty"`

	// affinity says near what, and far from what, the Pods are placed. Its fields are those of a Pod: kubectl explain pod.spec.affinity.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`

	// topologySpreadConstraints say how the Pods of the run are spread. By default they are spread over nodes where that is possible.
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +optional
	TopologySpreadConstraints []TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`

	// priorityClassName is the priority of the Pods. Those of the system are not for runs.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('system-')",message="priority classes of the system are not for runs"
	// +optional
	PriorityClassName string `json:"priorityClassName,omitempty"`

	// serviceAccountName is the service account of the Pods, such as one that a cloud gives an identity to. Its token is not mounted.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +optional
	ServiceAccountName string `json:"serviceAccountName,omitempty"`

	// imagePullSecrets are Secrets in this namespace with which images are pulled.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +optional
	ImagePullSecrets []SecretReference `json:"imagePullSecrets,omitempty"`

	// labels are added to the Pods. Those that the operator sets can't be changed.
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=64
	// +optional
	Labels map[string]string `json:"labels,omitempty"`

	// annotations are added to the Pods.
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=64
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`

	// env are environment variables of the engine.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +optional
	Env []PodEnvironmentVariable `json:"env,omitempty"`

	// volumes are mounted into the engine's container.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Volumes []PodVolume `json:"volumes,omitempty"`

	// runtimeClassName is the runtime of the Pods, such as one that isolates them more.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +optional
	RuntimeClassName string `json:"runtimeClassName,omitempty"`
}

// ContainerResources are the resources of a container.
//
// +kubebuilder:validation:MinProperties=1
type ContainerResources struct {
	// requests are what the scheduler keeps for the container.
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=16
	// +optional
	Requests corev1.ResourceList `json:"requests,omitempty"`

	// limits are what the container may use at most. The engine collects its garbage by the limit of memory.
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=16
	// +optional
	Limits corev1.ResourceList `json:"limits,omitempty"`
}

// Toleration lets Pods run on nodes with a taint.
//
// +kubebuilder:validation:XValidation:rule="has(self.key) || (has(self.operator) && self.operator == 'Exists')",message="operator must be Exists where there is no key"
// +kubebuilder:validation:XValidation:rule="!has(self.operator) || self.operator != 'Exists' || !has(self.value)",message="value is forbidden when operator is Exists"
// +kubebuilder:validation:XValidation:rule="!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",message="effect must be NoExecute where tolerationSeconds is set"
type Toleration struct {
	// key is the key of the taint. Without it all taints are meant.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	// +optional
	Key string `json:"key,omitempty"`

	// operator says whether the value of the taint must be equal. Defaults to Equal.
	// +kubebuilder:validation:Enum=Exists;Equal
	// +optional
	Operator corev1.TolerationOperator `json:"operator,omitempty"`

	// value is the value of the taint.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Value *string `json:"value,omitempty"`

	// effect is the effect of the taint. Without it all effects are meant.
	// +kubebuilder:validation:Enum=NoSchedule;PreferNoSchedule;NoExecute
	// +optional
	Effect corev1.TaintEffect `json:"effect,omitempty"`

	// tolerationSeconds is how long a Pod stays on a node that gets the taint. Without it, it stays.
	// +optional
	TolerationSeconds *int64 `json:"tolerationSeconds,omitempty"`
}

// TopologySpreadConstraint says how the Pods of a run are spread over a kind of places.
type TopologySpreadConstraint struct {
	// maxSkew is by how many Pods two places may differ.
	// +kubebuilder:validation:Minimum=1
	// +required
	MaxSkew int32 `json:"maxSkew,omitempty"`

	// topologyKey is the label of nodes whose value says which place a node is in, such as topology.kubernetes.io/zone.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	// +required
	TopologyKey string `json:"topologyKey,omitempty"`

	// whenUnsatisfiable says whether a Pod that can't be placed so waits, or is placed nevertheless.
	// +kubebuilder:validation:Enum=DoNotSchedule;ScheduleAnyway
	// +required
	WhenUnsatisfiable corev1.UnsatisfiableConstraintAction `json:"whenUnsatisfiable,omitempty"`

	// labelSelector says which Pods are counted. Defaults to those of the run.
	// +optional
	LabelSelector *metav1.LabelSelector `json:"labelSelector,omitempty"`

	// minDomains is how many places there must be at least; for DoNotSchedule only.
	// +kubebuilder:validation:Minimum=1
	// +optional
	MinDomains *int32 `json:"minDomains,omitempty"`

	// nodeAffinityPolicy says whether nodes that the Pod can't run on by its affinity are counted.
	// +kubebuilder:validation:Enum=Honor;Ignore
	// +optional
	NodeAffinityPolicy corev1.NodeInclusionPolicy `json:"nodeAffinityPolicy,omitempty"`

	// nodeTaintsPolicy says whether nodes with taints that the Pod does not tolerate are left out.
	// +kubebuilder:validation:Enum=Honor;Ignore
	// +optional
	NodeTaintsPolicy corev1.NodeInclusionPolicy `json:"nodeTaintsPolicy,omitempty"`
}

// PodEnvironmentVariable is an environment variable of the engine. Exactly one of its sources is set.
//
// +kubebuilder:validation:ExactlyOneOf=value;secretKeyRef;configMapKeyRef
type PodEnvironmentVariable struct {
	// name is the name of the variable. Those by which the operator speaks to the engine are taken: SEEDLOOM_ (but for SEEDLOOM_LOG_LEVEL),
	// JOB_COMPLETION_INDEX, and those of proxies, for which providers have proxyURL.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[A-Za-z_][A-Za-z0-9_]*$`
	// +kubebuilder:validation:XValidation:rule="self == 'SEEDLOOM_LOG_LEVEL' || !(self.startsWith('SEEDLOOM_') || self in ['JOB_COMPLETION_INDEX', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'])",message="is a variable that the operator sets; for a proxy, set proxyURL of the provider"
	// +required
	Name string `json:"name,omitempty"`

	// value is its value. It is no place for secrets.
	// +kubebuilder:validation:MaxLength=4096
	// +optional
	Value *string `json:"value,omitempty"`

	// secretKeyRef names the key of a Secret in this namespace that has its value.
	// +optional
	SecretKeyRef *SecretKeyReference `json:"secretKeyRef,omitempty"`

	// configMapKeyRef names the key of a ConfigMap in this namespace that has its value.
	// +optional
	ConfigMapKeyRef *ConfigMapKeyReference `json:"configMapKeyRef,omitempty"`
}

// PodVolume is a volume, and where the engine's container has it. Exactly one of its kinds is set.
//
// +kubebuilder:validation:ExactlyOneOf=configMap;secret;persistentVolumeClaim;emptyDir
type PodVolume struct {
	// name identifies the volume within this spec.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +required
	Name string `json:"name,omitempty"`

	// mountPath is where the container has it. The folders of the engine and of the system are taken.
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:Pattern=`^(/[A-Za-z0-9_+-][A-Za-z0-9._+-]*)+$`
	// +required
	MountPath string `json:"mountPath,omitempty"`

	// configMap is a ConfigMap, of which each key is a file.
	// +optional
	ConfigMap *ConfigMapReference `json:"configMap,omitempty"`

	// secret is a Secret, of which each key is a file.
	// +optional
	Secret *SecretReference `json:"secret,omitempty"`

	// persistentVolumeClaim is a claim. It is mounted for reading only.
	// +optional
	PersistentVolumeClaim *ClaimReference `json:"persistentVolumeClaim,omitempty"`

	// emptyDir is an empty folder for as long as the Pod is there.
	// +optional
	EmptyDir *EmptyDir `json:"emptyDir,omitempty"`
}

// ConfigMapReference names a ConfigMap in the same namespace.
type ConfigMapReference struct {
	// name is the name of the ConfigMap.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +required
	Name string `json:"name,omitempty"`
}

// ClaimReference names a PersistentVolumeClaim in the same namespace.
type ClaimReference struct {
	// claimName is the name of the claim.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +required
	ClaimName string `json:"claimName,omitempty"`
}

// EmptyDir is an empty folder.
type EmptyDir struct {
	// medium is Memory for a folder in memory, which counts as memory of the container.
	// +kubebuilder:validation:Enum=Memory
	// +optional
	Medium corev1.StorageMedium `json:"medium,omitempty"`

	// sizeLimit is how much it may hold.
	// +optional
	SizeLimit *resource.Quantity `json:"sizeLimit,omitempty"`
}
