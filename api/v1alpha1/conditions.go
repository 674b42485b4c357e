package v1alpha1

// The types of conditions. Ready and Accepted are always present once the controller has looked at a resource.
const (
	// ConditionReady is True when a dataset that satisfies the completion policy exists for this generation,
	// Unknown while it is being made, and False when there is none. Its reason is the STATUS column.
	ConditionReady = "Ready"
	// ConditionReconciling is present, and True, while work is going on.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is present, and True, when a person is needed: nothing will be retried. Its reason is the failure's.
	ConditionStalled = "Stalled"
	// ConditionAccepted is True when the spec compiled; False lists every violation. It is Unknown while the dataset that is the seed is
	// awaited.
	ConditionAccepted = "Accepted"
	// ConditionModelsAnswered is True when every model that was asked before the first row has answered as the columns will ask it, and False
	// with what was wrong where one has not. It is absent until the models were asked, and where none is.
	ConditionModelsAnswered = "ModelsAnswered"
	// ConditionSuspended is True while the run is suspended, and False once it was resumed.
	ConditionSuspended = "Suspended"
	// ConditionComplete is True when the run has ended with a dataset that satisfies the completion policy. It excludes Failed.
	ConditionComplete = "Complete"
	// ConditionFailed is True when the run has ended without one. It excludes Complete.
	ConditionFailed = "Failed"
	// ConditionPartial is present, and True, when fewer records than asked for are, or will be, in the output.
	ConditionPartial = "Partial"
	// ConditionDegraded is present, and True, while the run is slower than it could be: endpoints are slow, refuse requests or are paused,
	// or nothing moves.
	ConditionDegraded = "Degraded"
	// ConditionSyncFallback is present, and True, when allowResize columns have forced sync mode.
	ConditionSyncFallback = "SyncFallback"
	// ConditionPublished is True when the dataset of a complete run is where spec.publish says, as status.publication has it; Unknown while it
	// is being published, and False when that has failed. It is absent without spec.publish, and until the run is complete.
	ConditionPublished = "Published"
)

// The reasons of conditions. The event that goes with a change has the same reason.
const (
	// ReasonPending: the run's workload was created, and no Pod is running yet.
	ReasonPending = "Pending"
	// ReasonRunning: Pods generate records.
	ReasonRunning = "Running"
	// ReasonFinalizing: all records are written, and the dataset's metadata is being written.
	ReasonFinalizing = "Finalizing"
	// ReasonSuspended: spec.suspend is true.
	ReasonSuspended = "Suspended"
	// ReasonSucceeded: every record that was asked for is in the output.
	ReasonSucceeded = "Succeeded"
	// ReasonPartiallySucceeded: records are missing, and the completion policy accepts it.
	ReasonPartiallySucceeded = "PartiallySucceeded"
	// ReasonFailed: the run has failed; the Failed condition has the reason.
	ReasonFailed = "Failed"
	// ReasonInvalidSpec: the spec does not compile.
	ReasonInvalidSpec = "InvalidSpec"

	// ReasonProgressing: work is going on.
	ReasonProgressing = "Progressing"
	// ReasonProgressingWithRetry: work is going on after a failure that is being retried.
	ReasonProgressingWithRetry = "ProgressingWithRetry"

	// ReasonValid: the spec compiles.
	ReasonValid = "Valid"
	// ReasonValidWithWarnings: the spec compiles, and something in it is odd, such as a model that no column uses.
	ReasonValidWithWarnings = "ValidWithWarnings"
	// ReasonReferenceNotFound: an object that the spec refers to does not exist.
	ReasonReferenceNotFound = "ReferenceNotFound"

	// ReasonReferenceNotPermitted: a Secret that the spec refers to is not for runs.
	ReasonReferenceNotPermitted = "ReferenceNotPermitted"

	// ReasonWaitingForDataset: the dataset that is the seed is not complete yet.
	ReasonWaitingForDataset = "WaitingForDataset"
	// ReasonDatasetFailed: the resource whose dataset is the seed has none, and a person is needed for it.
	ReasonDatasetFailed = "DatasetFailed"
	// ReasonDatasetCycle: datasets are each other's seeds in a circle.
	ReasonDatasetCycle = "DatasetCycle"

	// ReasonAnswered: all models that were asked before the first row have answered well.
	ReasonAnswered = "Answered"

	// ReasonUserRequested: spec.suspend is true.
	ReasonUserRequested = "UserRequested"
	// ReasonResumed: the run was suspended and goes on.
	ReasonResumed = "Resumed"

	// ReasonAllRecords: every record that was asked for is in the output.
	ReasonAllRecords = "AllRecords"
	// ReasonCompletionPolicyMet: records are missing, and the completion policy accepts it.
	ReasonCompletionPolicyMet = "CompletionPolicyMet"

	// ReasonRowsDropped: records were given up after all their attempts.
	ReasonRowsDropped = "RowsDropped"
	// ReasonShardFailed: a shard has failed for good.
	ReasonShardFailed = "ShardFailed"
	// ReasonEarlyShutdown: so many cells failed that the run was ended.
	ReasonEarlyShutdown = "EarlyShutdown"
	// ReasonNoRecords: the run ended without a single record.
	ReasonNoRecords = "NoRecords"
	// ReasonDeadlineExceeded: spec.limits.activeDeadlineSeconds has passed.
	ReasonDeadlineExceeded = "DeadlineExceeded"
	// ReasonBackoffLimitExceeded: a Pod has failed more often than spec.limits.backoffLimit.
	ReasonBackoffLimitExceeded = "BackoffLimitExceeded"
	// ReasonPodStartupFailed: Pods could not start within spec.limits.startupTimeoutSeconds.
	ReasonPodStartupFailed = "PodStartupFailed"
	// ReasonCompletionPolicyNotMet: more records are missing than the completion policy accepts.
	ReasonCompletionPolicyNotMet = "CompletionPolicyNotMet"

	// ReasonRateLimited: a provider refuses requests because there are too many; they wait.
	ReasonRateLimited = "RateLimited"
	// ReasonSharedLimitReached: other runs of the namespace have all requests that providers[].maxParallelRequests allows.
	ReasonSharedLimitReached = "SharedLimitReached"
	// ReasonSlowRequests: requests are under way for longer than run.slowRequestThresholdSeconds.
	ReasonSlowRequests = "SlowRequests"
	// ReasonSchedulerStalled: no cell was finished for a while, and no known wait explains it.
	ReasonSchedulerStalled = "SchedulerStalled"

	// ReasonForeignObject: an object of others carries the labels of the resource's own.
	ReasonForeignObject = "ForeignObject"
	// ReasonRetryNotStarted: another attempt was asked for, and none was started.
	ReasonRetryNotStarted = "RetryNotStarted"

	// ReasonDeletingOutput: the resource is being deleted, and its dataset before it, as spec.output.retentionPolicy asks.
	ReasonDeletingOutput = "DeletingOutput"
	// ReasonOutputDeletionFailed: the dataset of a resource that is being deleted could not be deleted.
	ReasonOutputDeletionFailed = "OutputDeletionFailed"

	// ReasonPublishing: a Pod publishes the dataset, or is about to.
	ReasonPublishing = "Publishing"
	// ReasonPublished: the dataset is published.
	ReasonPublished = "Published"
	// ReasonPublicationRefused: the dataset can't be published as the spec says: the hub refuses the token, or the repository is not one for
	// it.
	ReasonPublicationRefused = "PublicationRefused"
	// ReasonPublicationFailed: the dataset could not be published, in several tries; the hub can't be reached, or answers with failures.
	ReasonPublicationFailed = "PublicationFailed"

	// ReasonAllowResizeColumns: columns with allowResize force sync mode.
	ReasonAllowResizeColumns = "AllowResizeColumns"
)

// The reasons that the engine reports, as reasons of Failed and Partial and of dropped records.
const (
	// ReasonConfigInvalid: the engine refused the spec that it was given.
	ReasonConfigInvalid = "ConfigInvalid"
	// ReasonSeedFailed: the seed dataset could not be read.
	ReasonSeedFailed = "SeedFailed"
	// ReasonSeedChanged: the seed dataset has other content than when the run began.
	ReasonSeedChanged = "SeedChanged"
	// ReasonStorageFailed: the output could not be written.
	ReasonStorageFailed = "StorageFailed"
	// ReasonObjectStoreUnfit: the object store of the output ignores the conditions of writes, so that Pods could write over each other's
	// rows.
	ReasonObjectStoreUnfit = "ObjectStoreUnfit"
	// ReasonModelAuthentication: a provider refused the API key.
	ReasonModelAuthentication = "ModelAuthentication"
	// ReasonModelNotFound: a provider does not know the model.
	ReasonModelNotFound = "ModelNotFound"
	// ReasonUnsupportedRequest: a model, or its server, does not take or do what its columns ask of it.
	ReasonUnsupportedRequest = "UnsupportedRequest"
	// ReasonEndpointNotAllowed: an endpoint is one to which runs may send nothing.
	ReasonEndpointNotAllowed = "EndpointNotAllowed"
	// ReasonProviderUnavailable: a provider could not be reached, or answered with server errors only.
	ReasonProviderUnavailable = "ProviderUnavailable"
	// ReasonProviderTimeout: a provider did not answer in time.
	ReasonProviderTimeout = "ProviderTimeout"
	// ReasonProviderRateLimited: a provider refused too many requests.
	ReasonProviderRateLimited = "ProviderRateLimited"
	// ReasonRequestRejected: a provider refused a request as invalid.
	ReasonRequestRejected = "RequestRejected"
	// ReasonModelGenerationInvalid: a model's answer was unusable.
	ReasonModelGenerationInvalid = "ModelGenerationInvalid"
	// ReasonTemplateError: a template failed in a row.
	ReasonTemplateError = "TemplateError"
	// ReasonConversionFailed: a value could not be converted to the column's type.
	ReasonConversionFailed = "ConversionFailed"
	// ReasonConstraintsNotMet: nothing was drawn for a row that meets the constraints of its columns.
	ReasonConstraintsNotMet = "ConstraintsNotMet"
	// ReasonValidationFailed: a value is not valid, and onInvalid of the column that judges it keeps no such rows.
	ReasonValidationFailed = "ValidationFailed"
	// ReasonCustomCodeError: custom code failed.
	ReasonCustomCodeError = "CustomCodeError"
	// ReasonModelQuotaExhausted: the account at a provider has no quota or credit left.
	ReasonModelQuotaExhausted = "ModelQuotaExhausted"
	// ReasonContextOverflow: a prompt was too long for the model.
	ReasonContextOverflow = "ContextOverflow"
	// ReasonOutputTruncated: a model's answer was cut off at its largest number of tokens.
	ReasonOutputTruncated = "OutputTruncated"
	// ReasonContentRefused: a model or its provider refused to answer.
	ReasonContentRefused = "ContentRefused"
	// ReasonToolFailed: a tool server could not be used.
	ReasonToolFailed = "ToolFailed"
	// ReasonProcessorFailed: a processor failed.
	ReasonProcessorFailed = "ProcessorFailed"
	// ReasonProcessorResized: a processor changed the number of rows where it may not.
	ReasonProcessorResized = "ProcessorResized"
	// ReasonExportFailed: the dataset is there, and can't be written in another format.
	ReasonExportFailed = "ExportFailed"
	// ReasonBudgetExhausted: spec.limits.maxTokens or spec.limits.maxCost is used up.
	ReasonBudgetExhausted = "BudgetExhausted"
	// ReasonStalled: nothing was finished for spec.run.stallDeadlineSeconds.
	ReasonStalled = "Stalled"
	// ReasonSuperseded: another process has begun to write the same shard.
	ReasonSuperseded = "Superseded"
	// ReasonInterrupted: the engine was asked to stop before it was done.
	ReasonInterrupted = "Interrupted"
	// ReasonInternalError: a defect of Seedloom.
	ReasonInternalError = "InternalError"
)

// Labels and annotations that Seedloom sets or reads.
const (
	// LabelDataset is the name of the DatasetGeneration, on everything that belongs to it.
	LabelDataset = "seedloom.dev/dataset"
	// LabelRun is the id of the run.
	LabelRun = "seedloom.dev/run"
	// LabelAttempt is the attempt of the run.
	LabelAttempt = "seedloom.dev/attempt"
	// LabelExecutionMode is Async or Sync.
	LabelExecutionMode = "seedloom.dev/execution-mode"
	// LabelRole is generate, finalize or delete.
	LabelRole = "seedloom.dev/role"
	// AnnotationRetryRequestedAt starts another attempt of a failed or partial run whenever its value changes.
	AnnotationRetryRequestedAt = "seedloom.dev/retry-requested-at"
	// FinalizerOutput keeps a resource until its dataset is deleted, where spec.output.retentionPolicy is Delete.
	FinalizerOutput = "seedloom.dev/output"
	// LabelAllowInRuns is, on a Secret, true where runs may use it; it counts where the operator's configuration asks for it.
	LabelAllowInRuns = "seedloom.dev/allow-in-runs"
	// AnnotationPodHash is, on Pods, the hash of the settings with which they were created.
	AnnotationPodHash = "seedloom.dev/pod-hash"
)
