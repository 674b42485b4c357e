package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ExecutionMode is the way in which a run is executed.
// +kubebuilder:validation:Enum=Async;Sync
type ExecutionMode string

const (
	// ExecutionAsync runs cells as soon as their inputs exist, in the shards of an Indexed Job.
	ExecutionAsync ExecutionMode = "Async"
	// ExecutionSync runs column by column in a single Pod; the only mode in which rows can be resized.
	ExecutionSync ExecutionMode = "Sync"
)

// DatasetGenerationStatus is what was observed. Its size is bounded: whatever grows with the dataset lies beside the data.
type DatasetGenerationStatus struct {
	// conditions are described in the documentation of the condition types.
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status describes; -1 before the first look.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// executionMode is the mode of the current run.
	// +optional
	ExecutionMode ExecutionMode `json:"executionMode,omitempty"`

	// run identifies the current run.
	// +optional
	Run *RunStatus `json:"run,omitempty"`

	// records counts records.
	// +optional
	Records *RecordsStatus `json:"records,omitempty"`

	// progress says how far the run is.
	// +optional
	Progress *ProgressStatus `json:"progress,omitempty"`

	// models counts the requests and tokens of each model, over all attempts of the run.
	// +listType=map
	// +listMapKey=alias
	// +kubebuilder:validation:MaxItems=64
	// +optional
	Models []ModelUsage `json:"models,omitempty"`

	// usage is what the run has used, over all models and attempts.
	// +optional
	Usage *UsageStatus `json:"usage,omitempty"`

	// columns counts the cells of each generated column.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=256
	// +optional
	Columns []ColumnStatus `json:"columns,omitempty"`

	// droppedReasons says why records were dropped, most frequent first.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +optional
	DroppedReasons []DroppedReason `json:"droppedReasons,omitempty"`

	// output says where the data is.
	// +optional
	Output *OutputStatus `json:"output,omitempty"`

	// metadata is the summary of the dataset's metadata.json.
	// +optional
	Metadata *DatasetMetadata `json:"metadata,omitempty"`

	// publication says what was published, and where it is.
	// +optional
	Publication *PublicationStatus `json:"publication,omitempty"`

	// lastHandledRetryRequest echoes the annotation seedloom.dev/retry-requested-at that started the current attempt.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	LastHandledRetryRequest string `json:"lastHandledRetryRequest,omitempty"`
}

// RunStatus identifies a run.
type RunStatus struct {
	// id is the name of the run: it names its folder, Jobs and Pods.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	ID string `json:"id,omitempty"`

	// configHash is the hash of everything that shapes rows.
	// +kubebuilder:validation:MaxLength=80
	// +optional
	ConfigHash string `json:"configHash,omitempty"`

	// attempt counts how often the run was started: by the resource's creation, by an extension, by a change of parallelism or pod, by a
	// resume or by a requested retry.
	// +optional
	Attempt int32 `json:"attempt,omitempty"`

	// failures counts the failed Pods of a sync run in this attempt.
	// +optional
	Failures int32 `json:"failures,omitempty"`

	// target is the number of records that this attempt aims at.
	// +optional
	Target int64 `json:"target,omitempty"`

	// parallelism is the number of shards of this attempt.
	// +optional
	Parallelism int32 `json:"parallelism,omitempty"`

	// exportsHash is the hash of spec.output.exports with which this attempt was started; empty without it.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	ExportsHash string `json:"exportsHash,omitempty"`

	// podHash is the hash of spec.pod with which this attempt was started; empty without it.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	PodHash string `json:"podHash,omitempty"`

	// generation is the generation of the spec from which this attempt was started.
	// +optional
	Generation int64 `json:"generation,omitempty"`

	// seed is the dataset of another DatasetGeneration that this run reads.
	// +optional
	Seed *SeedRunStatus `json:"seed,omitempty"`

	// startTime is when this attempt was started.
	// +optional
	StartTime *metav1.Time `json:"startTime,omitempty"`

	// completionTime is when this attempt ended.
	// +optional
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`
}

// RecordsStatus counts records. At the end of a run that nothing resized, actual + dropped + missing = target.
type RecordsStatus struct {
	// target is how many were asked for.
	// +optional
	Target int64 `json:"target"`

	// actual is how many are in the output.
	// +optional
	Actual int64 `json:"actual"`

	// dropped is how many were given up after all attempts.
	// +optional
	Dropped int64 `json:"dropped"`

	// missing is how many were never tried to their end, since the run ended before.
	// +optional
	Missing int64 `json:"missing,omitempty"`

	// added is how many allowResize columns have added.
	// +optional
	Added int64 `json:"added,omitempty"`

	// filtered is how many allowResize columns have taken away.
	// +optional
	Filtered int64 `json:"filtered,omitempty"`

	// summary is "actual/target", for people.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Summary string `json:"summary,omitempty"`
}

// ProgressStatus says how far a run is, at the last look.
type ProgressStatus struct {
	// percent is the share of the target whose fate is known (written or dropped), rounded down.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	// +optional
	Percent int32 `json:"percent"`

	// recordsPerSecond is the rate over the last time.
	// +kubebuilder:validation:MaxLength=32
	// +optional
	RecordsPerSecond string `json:"recordsPerSecond,omitempty"`

	// estimatedCompletion is when the run will end at this rate.
	// +optional
	EstimatedCompletion *metav1.Time `json:"estimatedCompletion,omitempty"`

	// slowRequests is how many requests of models are under way for longer than run.slowRequestThresholdSeconds.
	// +optional
	SlowRequests int64 `json:"slowRequests,omitempty"`

	// lastProgressTime is when a record was last seen to be finished.
	// +optional
	LastProgressTime *metav1.Time `json:"lastProgressTime,omitempty"`
}

// RequestCounts counts requests to a model.
type RequestCounts struct {
	// succeeded counts the requests with a complete answer.
	// +optional
	Succeeded int64 `json:"succeeded"`
	// failed counts all others.
	// +optional
	Failed int64 `json:"failed"`
}

// TokenCounts counts tokens as the provider reports them.
type TokenCounts struct {
	// input counts the tokens of prompts.
	// +optional
	Input int64 `json:"input"`
	// output counts the tokens of answers.
	// +optional
	Output int64 `json:"output"`
	// cachedInput counts those of input that the provider had in its cache.
	// +optional
	CachedInput int64 `json:"cachedInput,omitempty"`
	// reasoning counts those of output that the model has used for thinking.
	// +optional
	Reasoning int64 `json:"reasoning,omitempty"`
}

// ModelUsage counts what a model was used for.
type ModelUsage struct {
	// alias is the alias of the model.
	// +kubebuilder:validation:MaxLength=63
	// +required
	Alias string `json:"alias,omitempty"`
	// requests counts requests.
	// +optional
	Requests RequestCounts `json:"requests,omitzero"`
	// tokens counts tokens.
	// +optional
	Tokens TokenCounts `json:"tokens,omitzero"`
	// toolCalls counts the calls of tools.
	// +optional
	ToolCalls int64 `json:"toolCalls,omitempty"`
	// images counts the images that were made.
	// +optional
	Images int64 `json:"images,omitempty"`
	// cost is what the requests have cost, where models[].price is set, in its currency.
	// +kubebuilder:validation:MaxLength=32
	// +optional
	Cost string `json:"cost,omitempty"`
}

// UsageStatus is what the run has used, over all models and attempts.
type UsageStatus struct {
	// requests counts requests.
	// +optional
	Requests RequestCounts `json:"requests,omitzero"`
	// tokens counts tokens.
	// +optional
	Tokens TokenCounts `json:"tokens,omitzero"`
	// cost is what the requests have cost, where models[].price is set, in its currency.
	// +kubebuilder:validation:MaxLength=32
	// +optional
	Cost string `json:"cost,omitempty"`
}

// ColumnStatus counts the cells of a column.
type ColumnStatus struct {
	// name is the name of the column.
	// +kubebuilder:validation:MaxLength=128
	// +required
	Name string `json:"name,omitempty"`
	// succeeded counts the cells with a value.
	// +optional
	Succeeded int64 `json:"succeeded"`
	// failed counts the cells that were given up, and whose row was therefore dropped.
	// +optional
	Failed int64 `json:"failed"`
	// dropped counts the cells of rows that another column caused to be dropped.
	// +optional
	Dropped int64 `json:"dropped"`
	// skipped counts the cells that were left out by skip.
	// +optional
	Skipped int64 `json:"skipped,omitempty"`
	// draws count what was drawn of a column with constraints.
	// +optional
	Draws *DrawCounts `json:"draws,omitempty"`
	// requests counts the column's requests, over all attempts.
	// +optional
	Requests RequestCounts `json:"requests,omitzero"`
	// tokens counts the tokens of the column's requests, over all attempts.
	// +optional
	Tokens TokenCounts `json:"tokens,omitzero"`
	// unusableAnswers counts those of requests.succeeded whose answers were paid for and could not be used, by their reasons, most frequent
	// first. Most of them were followed by another one, so that a row need not be lost.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	// +optional
	UnusableAnswers []UnusableAnswers `json:"unusableAnswers,omitempty"`
	// truncatedAnswersKept counts the texts that were cut off, and are in the output all the same, since llmText.onTruncation is Keep.
	// +optional
	TruncatedAnswersKept int64 `json:"truncatedAnswersKept,omitempty"`
	// corrections count the values that a validation with onInvalid: Correct has found not valid, over all attempts.
	// +optional
	Corrections *CorrectionCounts `json:"corrections,omitempty"`
	// hedgedRequests counts the requests of the column whose cells had their values from second ones first, or the other way round, since the
	// model has a hedge. They were cancelled, or answered too late; what a provider charges for the cancelled ones is not known.
	// +optional
	HedgedRequests int64 `json:"hedgedRequests,omitempty"`
	// cost is what the column's requests have cost, where the price of its model is set, in its currency.
	// +kubebuilder:validation:MaxLength=32
	// +optional
	Cost string `json:"cost,omitempty"`
}

// DrawCounts count what was drawn of a column with constraints. The share of those that were accepted is the acceptance rate.
type DrawCounts struct {
	// accepted counts the draws that met all constraints, and stand in a row.
	// +optional
	Accepted int64 `json:"accepted"`
	// rejected counts those that did not, and were drawn again.
	// +optional
	Rejected int64 `json:"rejected"`
}

// CorrectionCounts count values that were not valid, and about which their model was asked again.
type CorrectionCounts struct {
	// corrected counts those that are valid in the end.
	// +optional
	Corrected int64 `json:"corrected"`
	// givenUp counts those that were not valid after all corrections, so that this attempt of the row has failed.
	// +optional
	GivenUp int64 `json:"givenUp"`
	// kept counts those that were not valid after all corrections, and are in the output all the same.
	// +optional
	Kept int64 `json:"kept"`
}

// UnusableAnswers counts answers of a model that could not be used.
type UnusableAnswers struct {
	// reason is the reason in CamelCase.
	// +kubebuilder:validation:MaxLength=64
	// +required
	Reason string `json:"reason,omitempty"`
	// count is the number of answers.
	// +optional
	Count int64 `json:"count"`
}

// DroppedReason says why records were dropped.
type DroppedReason struct {
	// reason is the reason in CamelCase.
	// +kubebuilder:validation:MaxLength=64
	// +required
	Reason string `json:"reason,omitempty"`
	// column is the column that caused it.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	Column string `json:"column,omitempty"`
	// count is the number of records.
	// +optional
	Count int64 `json:"count"`
	// message is one of the messages, as an example.
	// +kubebuilder:validation:MaxLength=512
	// +optional
	Message string `json:"message,omitempty"`
}

// OutputStatus says where the data is.
type OutputStatus struct {
	// url is the place of the dataset: pvc://<claim>/<path>.
	// +kubebuilder:validation:MaxLength=2048
	// +optional
	URL string `json:"url,omitempty"`
	// format is the format of the files.
	// +kubebuilder:validation:MaxLength=32
	// +optional
	Format string `json:"format,omitempty"`
	// files is the number of Parquet files.
	// +optional
	Files int64 `json:"files"`
	// bytes is their size.
	// +optional
	Bytes int64 `json:"bytes"`
	// rowsDigest tells the rows from others: two runs with the same digest have the same rows.
	// +kubebuilder:validation:MaxLength=80
	// +optional
	RowsDigest string `json:"rowsDigest,omitempty"`
}

// DatasetMetadata is the summary of the dataset's metadata.json.
type DatasetMetadata struct {
	// schemaVersion is the version of the metadata contract.
	// +optional
	SchemaVersion int32 `json:"schemaVersion,omitempty"`
	// executionMode is the mode that wrote the dataset.
	// +optional
	ExecutionMode ExecutionMode `json:"executionMode,omitempty"`
	// outcome is Complete, Partial or Failed.
	// +kubebuilder:validation:MaxLength=32
	// +optional
	Outcome string `json:"outcome,omitempty"`
	// targetNumRecords is how many records were asked for.
	// +optional
	TargetNumRecords int64 `json:"targetNumRecords,omitempty"`
	// actualNumRecords is how many records the files have.
	// +optional
	ActualNumRecords int64 `json:"actualNumRecords,omitempty"`
	// totalNumBatches is the number of planned row groups.
	// +optional
	TotalNumBatches int64 `json:"totalNumBatches,omitempty"`
	// numCompletedBatches is the number of row groups on disk.
	// +optional
	NumCompletedBatches int64 `json:"numCompletedBatches,omitempty"`
	// rowGroupSize is the number of rows in a row group.
	// +optional
	RowGroupSize int64 `json:"rowGroupSize,omitempty"`
	// engineVersion is the version of the engine.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	EngineVersion string `json:"engineVersion,omitempty"`
	// path is the path of metadata.json within the output.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Path string `json:"path,omitempty"`
}
