package v1alpha1

import (
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
// parallelism, suspend, completionPolicy, limits, pod and the execution settings of models and run) make up the identity of a run.
//
// +kubebuilder:validation:XValidation:rule="!self.columns.exists(c, has(c.llmText) || has(c.llmCode) || has(c.llmStructured) || has(c.llmJudge) || has(c.embedding) || has(c.image)) || has(self.models)",message="columns of models need at least one entry in models"
// +kubebuilder:validation:XValidation:rule="has(self.numRecords) || has(self.seed) && has(self.seed.datasetRef)",message="numRecords is required, unless seed.datasetRef says how many there are"
type DatasetGenerationSpec struct {
	// numRecords is how many records to generate. Raising it extends a finished run: only the missing records are generated. With
	// seed.datasetRef it may be left out: then it is as many as follow from all rows of that dataset.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	// +optional
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

	// toolServers are the servers of the Model Context Protocol whose tools models may call.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +optional
	ToolServers []ToolServer `json:"toolServers,omitempty"`

	// tools are sets of tools, each under an alias, that columns give to their models.
	// +listType=map
	// +listMapKey=alias
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +optional
	Tools []ToolSet `json:"tools,omitempty"`

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

	// constraints are what holds in every row between sampled columns, or between them and a value or another column.
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +optional
	Constraints []Constraint `json:"constraints,omitempty"`

	// processors work on one row group after another, in this order.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +optional
	Processors []Processor `json:"processors,omitempty"`

	// output says where the dataset is written.
	// +required
	Output Output `json:"output,omitzero"`

	// publish says where the dataset is published when the run is complete. It has no effect on the rows: when it is changed, the dataset is
	// published anew, and nothing is generated.
	// +optional
	Publish *Publish `json:"publish,omitempty"`

	// parallelism is the number of shards, one Pod each. Defaults to 1. It has no effect on what the rows hold. When it is changed while Pods
	// generate, these are stopped in order, and the next attempt goes on with as many from where they were.
	// A spec with an allowResize column runs in one Pod whatever is set here.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +optional
	Parallelism *int32 `json:"parallelism,omitempty"`

	// suspend stops the Pods and keeps all that was generated; set to false again, the run goes on from there.
	// +optional
	Suspend *bool `json:"suspend,omitempty"`

	// ttlSecondsAfterFinished is after how long the Jobs, Pods and ConfigMaps of a run that is complete or has failed are deleted, and the
	// logs of its Pods with them. The resource, its status and the dataset stay, and nothing is generated again. Without it the operator's
	// configuration decides; without either they stay until another run takes their place, or the resource is deleted.
	// +kubebuilder:validation:Minimum=0
	// +optional
	TTLSecondsAfterFinished *int32 `json:"ttlSecondsAfterFinished,omitempty"`

	// completionPolicy says how many records make the run complete when some are missing.
	// +optional
	CompletionPolicy *CompletionPolicy `json:"completionPolicy,omitempty"`

	// limits bound what a run may use.
	// +optional
	Limits *Limits `json:"limits,omitempty"`

	// run has the settings of the generation engine.
	// +optional
	Run *RunSettings `json:"run,omitempty"`

	// pod has the settings of the run's Pods. It has no effect on what the rows hold. When it is changed while Pods generate, these are
	// stopped in order, and the next attempt goes on from where they were.
	// +optional
	Pod *PodSettings `json:"pod,omitempty"`
}

// Output says where the dataset is written. Exactly one member is set.
//
// +kubebuilder:validation:ExactlyOneOf=persistentVolumeClaim;objectStore
type Output struct {
	// persistentVolumeClaim writes to a volume. Several shards need a volume that all nodes in use can mount.
	// +optional
	PersistentVolumeClaim *PersistentVolumeClaimOutput `json:"persistentVolumeClaim,omitempty"`

	// objectStore writes to a bucket.
	// +optional
	ObjectStore *ObjectStoreOutput `json:"objectStore,omitempty"`

	// retentionPolicy says what becomes of the dataset when the resource is deleted. Retain leaves it where it is; Delete deletes the folder
	// <namespace>/<name> with the datasets of all its runs, before the resource is gone. Defaults to Retain.
	// +optional
	RetentionPolicy RetentionPolicy `json:"retentionPolicy,omitempty"`

	// exports write the dataset, and other forms of it, in other formats too.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Exports []Export `json:"exports,omitempty"`
}

// RetentionPolicy says what becomes of a dataset when its resource is deleted.
// +kubebuilder:validation:Enum=Retain;Delete
type RetentionPolicy string

const (
	// RetentionRetain leaves the dataset.
	RetentionRetain RetentionPolicy = "Retain"
	// RetentionDelete deletes it.
	RetentionDelete RetentionPolicy = "Delete"
)

// PersistentVolumeClaimOutput is a claim in the same namespace; the dataset lies in its folder
// <namespace>/<name>/<run>, where <run> is the hash of everything that shapes rows.
type PersistentVolumeClaimOutput struct {
	// claimName is the name of the claim.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
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
	// such as a drained node, are not counted. The Pod that finalizes several shards may fail as often.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	// +optional
	BackoffLimit *int32 `json:"backoffLimit,omitempty"`

	// maxTokens is how many tokens, input and output of all models, the run may use. When they are used up, whole rows are kept, and the
	// run ends with the reason BudgetExhausted. Each shard has an equal share.
	// +kubebuilder:validation:Minimum=1
	// +optional
	MaxTokens *int64 `json:"maxTokens,omitempty"`

	// maxCost is what the run may cost, in the currency of the prices in models. It ends the run as maxTokens does.
	// +kubebuilder:validation:XValidation:rule="self > 0.0",message="must be above 0"
	// +optional
	MaxCost *Decimal `json:"maxCost,omitempty"`

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

	// stallDeadlineSeconds is after how long without any progress, and without a known wait for a provider, the run ends with the reason
	// Stalled. Without it a stalled run only says so.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	// +optional
	StallDeadlineSeconds *int32 `json:"stallDeadlineSeconds,omitempty"`

	// maxConversationRestarts is how often a conversation with a model whose answer can't be used is begun anew. Defaults to 5.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	// +optional
	MaxConversationRestarts *int32 `json:"maxConversationRestarts,omitempty"`

	// maxConversationCorrectionSteps is how often, in each of these conversations, a model is told what is wrong with its answer and
	// asked again. Defaults to 0.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	// +optional
	MaxConversationCorrectionSteps *int32 `json:"maxConversationCorrectionSteps,omitempty"`

	// trace writes what each task and each request did, and when, to the folder traces of the output. Defaults to Disabled.
	// +optional
	Trace TracePolicy `json:"trace,omitempty"`

	// preserveDroppedColumns keeps the columns that are dropped in files of their own. Defaults to true.
	// +optional
	PreserveDroppedColumns *bool `json:"preserveDroppedColumns,omitempty"`

	// rowColumn gives the dataset, and the files of its dropped columns, a first column _row: the number of each row, from 0, as in
	// dropped-rows.jsonl and for code. Rows that a column with allowResize or a processor has made of one have the same. Another form of the
	// rows has the columns of its template alone. It is part of what names a run. Defaults to Disabled.
	// +optional
	RowColumn RowColumnPolicy `json:"rowColumn,omitempty"`

	// earlyShutdown ends a run whose cells fail too often.
	// +optional
	EarlyShutdown *EarlyShutdown `json:"earlyShutdown,omitempty"`
}

// TracePolicy says whether a run is traced.
// +kubebuilder:validation:Enum=Enabled;Disabled
type TracePolicy string

const (
	// TraceEnabled writes a trace of every task.
	TraceEnabled TracePolicy = "Enabled"
	// TraceDisabled writes none.
	TraceDisabled TracePolicy = "Disabled"
)

// RowColumnPolicy says whether the dataset has a column with the numbers of its rows.
// +kubebuilder:validation:Enum=Enabled;Disabled
type RowColumnPolicy string

const (
	// RowColumnEnabled adds the column _row.
	RowColumnEnabled RowColumnPolicy = "Enabled"
	// RowColumnDisabled adds none.
	RowColumnDisabled RowColumnPolicy = "Disabled"
)

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
