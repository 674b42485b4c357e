package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// DatasetGeneration describes a dataset and asks for it to be generated.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=dsgen,categories=seedloom
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Records",type=string,JSONPath=`.status.records.summary`
// +kubebuilder:printcolumn:name="Progress",type=integer,JSONPath=`.status.progress.percent`,description="Percentage of the records that are written"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Mode",type=string,priority=1,JSONPath=`.status.executionMode`
// +kubebuilder:printcolumn:name="Rate",type=string,priority=1,JSONPath=`.status.progress.recordsPerSecond`
// +kubebuilder:printcolumn:name="Output",type=string,priority=1,JSONPath=`.status.output.url`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 52 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="metadata.name must start with a letter, hold only a-z, 0-9 and '-', and have at most 52 characters: Jobs and Pods are named after it"
type DatasetGeneration struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec says what the dataset looks like and how it is generated.
	// +required
	Spec DatasetGenerationSpec `json:"spec,omitzero"`

	// status says how far the generation is, what was lost and why, and where the data is.
	// +kubebuilder:default:={"observedGeneration":-1}
	// +optional
	Status DatasetGenerationStatus `json:"status,omitzero"`
}

// DatasetGenerationList is a list of DatasetGeneration.
//
// +kubebuilder:object:root=true
type DatasetGenerationList struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard list's metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are the resources.
	Items []DatasetGeneration `json:"items"`
}

// DatasetGenerationSpec is the whole description of a dataset. The fields that shape rows (everything but numRecords,
// parallelism, suspend, completionPolicy, limits and the execution settings of models and run) make up the identity of a run.
//
// +kubebuilder:validation:XValidation:rule="!self.columns.exists(c, has(c.llmText)) || has(self.models)",message="columns with llmText need at least one entry in models"
type DatasetGenerationSpec struct {
	// numRecords is how many records to generate. Raising it extends a finished run: only the missing records are generated.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	// +required
	NumRecords int64 `json:"numRecords,omitempty"`

	// randomSeed fixes every random draw: the same manifest with the same seed samples the same values in every row,
	// whatever the parallelism. Defaults to 0.
	// +optional
	RandomSeed int64 `json:"randomSeed,omitempty"`

	// providers are the endpoints that serve models.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +optional
	Providers []Provider `json:"providers,omitempty"`

	// models are the models that columns use, each under an alias.
	// +listType=map
	// +listMapKey=alias
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +optional
	Models []Model `json:"models,omitempty"`

	// seed is an existing dataset whose columns are available in every row.
	// +optional
	Seed *Seed `json:"seed,omitempty"`

	// columns are the columns to generate, in the order in which the output has them. Seed columns stand before them.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	// +required
	Columns []Column `json:"columns,omitempty"`

	// output says where the dataset is written.
	// +required
	Output Output `json:"output,omitzero"`

	// parallelism is the number of shards, one Pod each. Defaults to 1. It has no effect on what the rows hold.
	// A spec with an allowResize column runs in one Pod whatever is set here.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +optional
	Parallelism *int32 `json:"parallelism,omitempty"`

	// suspend stops the Pods and keeps all that was generated; set to false again, the run goes on from there.
	// +optional
	Suspend *bool `json:"suspend,omitempty"`

	// completionPolicy says how many records make the run complete when some are missing.
	// +optional
	CompletionPolicy *CompletionPolicy `json:"completionPolicy,omitempty"`

	// limits bound what a run may use.
	// +optional
	Limits *Limits `json:"limits,omitempty"`

	// run has the settings of the generation engine.
	// +optional
	Run *RunSettings `json:"run,omitempty"`
}

// ProviderType is the protocol that a provider speaks.
// +kubebuilder:validation:Enum=OpenAI;Anthropic
type ProviderType string

const (
	// ProviderOpenAI is the OpenAI-compatible HTTP API, which most model servers have.
	ProviderOpenAI ProviderType = "OpenAI"
	// ProviderAnthropic is the Messages API of Anthropic.
	ProviderAnthropic ProviderType = "Anthropic"
)

// Provider is an endpoint that serves models.
type Provider struct {
	// name identifies the provider within this spec.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +required
	Name string `json:"name,omitempty"`

	// type is the protocol of the endpoint.
	// +required
	Type ProviderType `json:"type,omitempty"`

	// endpoint is the base URL, to which paths such as /chat/completions are appended; for instance http://vllm.models.svc:8000/v1,
	// or https://api.anthropic.com for the type Anthropic.
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[^\\\\s@?#]+$')",message="must be an http or https URL without user, query or fragment"
	// +required
	Endpoint string `json:"endpoint,omitempty"`

	// apiKeySecretRef names the key of a Secret in this namespace that holds the API key. It is sent as the protocol demands:
	// as a bearer token to OpenAI-compatible servers, as x-api-key to Anthropic.
	// +optional
	APIKeySecretRef *SecretKeyReference `json:"apiKeySecretRef,omitempty"`

	// extraHeaders are sent with every request, beside those of the protocol. They are no place for secrets.
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=32
	// +optional
	ExtraHeaders map[string]string `json:"extraHeaders,omitempty"`

	// extraBody is an object whose members are added to the body of every request, and win over those of a model's extraBody.
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	// +optional
	ExtraBody *apiextensionsv1.JSON `json:"extraBody,omitempty"`
}

// SecretKeyReference names one key of a Secret in the same namespace.
type SecretKeyReference struct {
	// name is the name of the Secret.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Name string `json:"name,omitempty"`

	// key is the key within the Secret.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Key string `json:"key,omitempty"`
}

// Model is a model of a provider under an alias, with its parameters.
type Model struct {
	// alias is the name by which columns refer to the model.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`
	// +required
	Alias string `json:"alias,omitempty"`

	// provider is the name of an entry in spec.providers.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +required
	Provider string `json:"provider,omitempty"`

	// model is the name of the model as the provider knows it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +required
	Model string `json:"model,omitempty"`

	// parameters are sent with every request.
	// +optional
	Parameters *ModelParameters `json:"parameters,omitempty"`

	// extraBody is an object whose members are added to the body of every request to this model, for what a server understands
	// beyond the parameters.
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	// +optional
	ExtraBody *apiextensionsv1.JSON `json:"extraBody,omitempty"`

	// maxParallelRequests is the largest number of requests that one Pod has in flight to this model. Defaults to 16.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	// +optional
	MaxParallelRequests *int32 `json:"maxParallelRequests,omitempty"`

	// timeoutSeconds is how long a whole request may take, however slowly its bytes arrive. Defaults to 60.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600
	// +optional
	TimeoutSeconds *int32 `json:"timeoutSeconds,omitempty"`
}

// ModelParameters are the sampling parameters of a model. What is not set is not sent, and the provider's default holds.
//
// +kubebuilder:validation:MinProperties=1
type ModelParameters struct {
	// temperature is the sampling temperature, from 0 to 2, or to 1 for the type Anthropic.
	// +kubebuilder:validation:XValidation:rule="self >= 0.0 && self <= 2.0",message="must be from 0 to 2"
	// +optional
	Temperature *Decimal `json:"temperature,omitempty"`

	// topP is the probability mass for nucleus sampling, above 0 and at most 1.
	// +kubebuilder:validation:XValidation:rule="self > 0.0 && self <= 1.0",message="must be above 0 and at most 1"
	// +optional
	TopP *Decimal `json:"topP,omitempty"`

	// maxTokens is the largest number of tokens in an answer. Where it is not set, providers of the type Anthropic, which need one, get 4096.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000000
	// +optional
	MaxTokens *int64 `json:"maxTokens,omitempty"`
}

// Output says where the dataset is written. Exactly one member is set.
//
// +kubebuilder:validation:ExactlyOneOf=persistentVolumeClaim
type Output struct {
	// persistentVolumeClaim writes to a volume. Several shards need a volume that all nodes in use can mount.
	// +optional
	PersistentVolumeClaim *PersistentVolumeClaimOutput `json:"persistentVolumeClaim,omitempty"`
}

// PersistentVolumeClaimOutput is a claim in the same namespace; the dataset lies in its folder
// <namespace>/<name>/<run>, where <run> is the hash of everything that shapes rows.
type PersistentVolumeClaimOutput struct {
	// claimName is the name of the claim.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	ClaimName string `json:"claimName,omitempty"`
}

// CompletionPolicy decides between Complete and Failed when records are missing.
type CompletionPolicy struct {
	// minRecords is the least number of records of a complete run, as a count or as a percentage of numRecords.
	// Defaults to 90%. A run without any record has always failed.
	// +kubebuilder:validation:XValidation:rule="type(self) == int ? self >= 1 : self.matches('^(100|[1-9]?[0-9])%$')",message="must be a count of at least 1 or a percentage from 0% to 100%"
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=16
	// +required
	MinRecords *intstr.IntOrString `json:"minRecords,omitempty"`
}

// Limits bound what a run may use.
//
// +kubebuilder:validation:MinProperties=1
type Limits struct {
	// activeDeadlineSeconds is how long a run may be active. When it has passed, what was generated is kept,
	// and the run ends as Failed with the reason DeadlineExceeded. The time starts anew when a run is resumed.
	// +kubebuilder:validation:Minimum=1
	// +optional
	ActiveDeadlineSeconds *int64 `json:"activeDeadlineSeconds,omitempty"`

	// backoffLimit is how often a failed shard is started again. Defaults to 3. Interruptions from outside,
	// such as a drained node, are not counted.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	// +optional
	BackoffLimit *int32 `json:"backoffLimit,omitempty"`

	// startupTimeoutSeconds is after how long Pods that cannot start (image, volume, secret, quota) are reported as Stalled.
	// Defaults to 120.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	// +optional
	StartupTimeoutSeconds *int32 `json:"startupTimeoutSeconds,omitempty"`
}

// RunSettings are the settings of the generation engine.
//
// +kubebuilder:validation:MinProperties=1
type RunSettings struct {
	// rowGroupSize is the number of rows in a row group: the unit of checkpoint and of the Parquet file. Defaults to 1000.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	// +optional
	RowGroupSize *int32 `json:"rowGroupSize,omitempty"`

	// maxRowAttempts is how often a row is generated from its start, with fresh draws, before it is dropped. Defaults to 2.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=20
	// +optional
	MaxRowAttempts *int32 `json:"maxRowAttempts,omitempty"`

	// maxRequestAttempts is how often one request is sent when it fails in a way that may pass (time-out, rate limit,
	// server error, lost connection). Defaults to 8.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	// +optional
	MaxRequestAttempts *int32 `json:"maxRequestAttempts,omitempty"`

	// slowRequestThresholdSeconds is after how long a request of a model is warned about in the log, and how often it is again;
	// 0 turns that off. Defaults to 30.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=86400
	// +optional
	SlowRequestThresholdSeconds *int32 `json:"slowRequestThresholdSeconds,omitempty"`

	// earlyShutdown ends a run whose cells fail too often.
	// +optional
	EarlyShutdown *EarlyShutdown `json:"earlyShutdown,omitempty"`
}

// EarlyShutdownPolicy says whether a run ends when too many cells fail.
// +kubebuilder:validation:Enum=Enabled;Disabled
type EarlyShutdownPolicy string

const (
	// EarlyShutdownEnabled ends the run, and keeps the whole rows that were generated.
	EarlyShutdownEnabled EarlyShutdownPolicy = "Enabled"
	// EarlyShutdownDisabled goes on whatever fails.
	EarlyShutdownDisabled EarlyShutdownPolicy = "Disabled"
)

// EarlyShutdown ends a run whose cells fail too often: when, in some column, the lower confidence bound of the failure
// rate among the last outcomes is above errorRate, or when the first 25 outcomes of a column have all failed.
type EarlyShutdown struct {
	// policy enables or disables the early shutdown. Defaults to Enabled.
	// +optional
	Policy EarlyShutdownPolicy `json:"policy,omitempty"`

	// errorRate is the share of failed cells above which the run ends, from 0 to 1. Defaults to 0.5.
	// +kubebuilder:validation:XValidation:rule="self >= 0.0 && self <= 1.0",message="must be from 0 to 1"
	// +optional
	ErrorRate *Decimal `json:"errorRate,omitempty"`

	// errorWindow is how many of a column's latest outcomes are looked at. Defaults to 50.
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:Maximum=100000
	// +optional
	ErrorWindow *int32 `json:"errorWindow,omitempty"`
}
