// Package reason says what each of the reasons that the engine reports leads to: one table, which the engine, the controllers and the
// command line read, and to which the pages about conditions and exit codes are held. It decides nothing, and holds no text that is shown
// of a run.
package reason

import (
	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// Subject is what a failure is about.
type Subject int

const (
	// SubjectRun: the run, its spec, a row, a model, or anything else that is none of the others.
	SubjectRun Subject = iota
	// SubjectTools: the tool servers. A provider whose cells wait for them is not to blame.
	SubjectTools
	// SubjectVolume: the output's volume. Nothing can be described there either.
	SubjectVolume
	// SubjectOwner: the right to write the output, which another process has now. This one writes nothing more.
	SubjectOwner
)

// Signal is what a failed request tells of its endpoint.
type Signal int

const (
	// SignalNone: nothing beyond the failure itself.
	SignalNone Signal = iota
	// SignalAnswered: whoever refuses is there.
	SignalAnswered
	// SignalSlow: the endpoint takes too long, as it does under too much load.
	SignalSlow
)

// Traits are what a reason leads to. The zero value is that of a reason that ends a run for good, and says nothing else.
type Traits struct {
	// Exit is the exit code of an engine that is ended by it, unless starting the engine again may help, and it says so.
	Exit int
	// Subject is what the failure is about, Signal what it tells of the endpoint of the request that has failed.
	Subject Subject
	Signal  Signal
	// DropsRow says that it costs a row, and never ends the run by itself.
	DropsRow bool
	// KeepsDataset says that a run that it ends has a dataset all the same, of fewer records: the completion policy judges it.
	KeepsDataset bool
	// PartialIsDone says that a dataset with records that it has left is what the run was to make: starting again would add nothing.
	PartialIsDone bool
	// EndsAllShards says that what has ended one shard is the end of the whole run.
	EndsAllShards bool
	// LeavesUnprocessed says that processors or exports have not seen all that is in the output, so that it is not what was asked for.
	LeavesUnprocessed bool
	// AwaitsRequests says that requests under way are awaited, however long they take: they are paid for.
	AwaitsRequests bool
	// AskedToStop says that nothing has failed: the engine was told to stop, and can go on.
	AskedToStop bool
	// TooManyFailures says that it is the error gate that has ended the run.
	TooManyFailures bool
	// Fate and NextStep are what becomes of the run or the row, and what a person should do, in docs/conditions.md.
	Fate, NextStep string
}

// Of returns the traits of a reason. One that is not in the table is treated as a failure that a person must look at.
func Of(name string) Traits {
	if traits, known := table[name]; known {
		return traits
	}
	return Traits{Exit: runreport.ExitFailed}
}

const (
	endsRun     = "ends the run"
	costsARow   = "the row is tried anew, then dropped"
	tryAgain    = "tried again; in the end the row is dropped"
	askForAgain = "[ask for another attempt](#trying-again)"
)

// table has every reason that the engine reports.
var table = map[string]Traits{
	v1alpha1.ReasonConfigInvalid: {
		Exit: runreport.ExitInvalid, Fate: endsRun,
		NextStep: "the message names the field, or the file or header that is not as it must be",
	},
	v1alpha1.ReasonSeedFailed: {
		Exit:     runreport.ExitInvalid,
		Fate:     endsRun + "; a server or volume that may come back is tried again, up to `limits.backoffLimit`",
		NextStep: "see that the file is there and is what `seed.format` says",
	},
	v1alpha1.ReasonSeedChanged: {
		Exit: runreport.ExitInvalid, Fate: endsRun + "; its rows stay, and none of other data joins them",
		NextStep: "put the data back, or change `randomSeed` for a new run with the new data; " +
			"with `seed.http.sha256` a change is another run by itself",
	},
	v1alpha1.ReasonStorageFailed: {
		Exit: runreport.ExitStorage, Subject: SubjectVolume,
		Fate:     "tried again for some seconds, then by another Pod, up to `limits.backoffLimit`",
		NextStep: "make room on the volume, or see why it can't be written; nothing that was written is lost",
	},
	v1alpha1.ReasonObjectStoreUnfit: {
		Exit: runreport.ExitInvalid, Subject: SubjectVolume, EndsAllShards: true, Fate: endsRun + " before its first row",
		NextStep: "the message says what the store did; take one that honours conditional writes ([object-stores.md](object-stores.md))",
	},
	v1alpha1.ReasonModelAuthentication: {
		Exit: runreport.ExitInvalid, EndsAllShards: true, Fate: endsRun,
		NextStep: "correct the Secret that `apiKeySecretRef` names",
	},
	v1alpha1.ReasonModelNotFound: {
		Exit: runreport.ExitInvalid, EndsAllShards: true, Fate: endsRun,
		NextStep: "correct `models[].model` or the provider's `endpoint`",
	},
	v1alpha1.ReasonUnsupportedRequest: {
		Exit: runreport.ExitInvalid, EndsAllShards: true, Fate: endsRun + " before its first row",
		NextStep: "the message names the parameter that the model or its server does not take; leave it out, or take another model " +
			"or server ([models.md](models.md#before-the-first-row))",
	},
	v1alpha1.ReasonEndpointNotAllowed: {
		Exit: runreport.ExitInvalid, EndsAllShards: true, Fate: endsRun,
		NextStep: "take another `endpoint`, or have it listed in the operator's [configuration](configuration.md#endpoints)",
	},
	v1alpha1.ReasonModelQuotaExhausted: {
		Exit: runreport.ExitInvalid, EndsAllShards: true, Fate: endsRun, NextStep: "add credit",
	},
	v1alpha1.ReasonProviderUnavailable: {
		Exit: runreport.ExitRetry,
		Fate: "waited for: one minute where it has never answered, half an hour otherwise; then by other Pods, up to " +
			"`limits.backoffLimit`",
		NextStep: "see whether the provider is up, and whether Pods reach its `endpoint`",
	},
	v1alpha1.ReasonProviderTimeout: {
		Exit: runreport.ExitFailed, Signal: SignalSlow, DropsRow: true, Fate: tryAgain,
		NextStep: "raise `models[].timeoutSeconds`, or lower `maxParallelRequests` or `maxTokens`",
	},
	v1alpha1.ReasonProviderRateLimited: {
		Exit: runreport.ExitFailed, Signal: SignalAnswered, DropsRow: true,
		Fate: "tried again; a row is dropped only where others get through and its own request does not",
		NextStep: "nothing with `admission.policy: Adaptive`; with `Fixed` lower `maxParallelRequests`, or ask the provider for a " +
			"higher limit ([admission.md](admission.md))",
	},
	v1alpha1.ReasonRequestRejected: {
		Exit: runreport.ExitFailed, DropsRow: true, Fate: costsARow,
		NextStep: "the message names the parameter, where the provider does; see `parameters` and `extraBody`",
	},
	v1alpha1.ReasonModelGenerationInvalid: {
		Exit: runreport.ExitFailed, DropsRow: true,
		Fate: "corrected and begun anew as `run` allows, then the row is tried anew, then dropped",
		NextStep: "a simpler schema or prompt, `run.maxConversationCorrectionSteps`, `structuredOutput: Native` " +
			"([structured-output.md](structured-output.md))",
	},
	v1alpha1.ReasonTemplateError: {
		Exit: runreport.ExitFailed, DropsRow: true, Fate: costsARow,
		NextStep: "the message has the line and the cause; guard against null, as with `{{ name or \"nobody\" }}`",
	},
	v1alpha1.ReasonConversionFailed: {
		Exit: runreport.ExitFailed, DropsRow: true, Fate: costsARow,
		NextStep: "change the column's `type`, `convertTo` or template",
	},
	v1alpha1.ReasonConstraintsNotMet: {
		Exit: runreport.ExitFailed, DropsRow: true, Fate: costsARow,
		NextStep: "the message names the constraint and how often it is met; draw from what meets it more often, or loosen it " +
			"([constraints.md](constraints.md#what-can-hardly-be-met))",
	},
	v1alpha1.ReasonValidationFailed: {
		Exit: runreport.ExitFailed, DropsRow: true, Fate: costsARow,
		NextStep: "see in the message what is not valid; change the prompt or the model, or keep such rows with " +
			"`onInvalid: Keep` ([validation.md](validation.md))",
	},
	v1alpha1.ReasonCustomCodeError: {
		Exit: runreport.ExitFailed, Fate: endsRun,
		NextStep: "the message names column and row, and has the code's own error",
	},
	v1alpha1.ReasonContextOverflow: {
		Exit: runreport.ExitFailed, DropsRow: true, Fate: costsARow,
		NextStep: "shorten the prompt or what it quotes, or take a model with a larger context",
	},
	v1alpha1.ReasonOutputTruncated: {
		Exit: runreport.ExitFailed, DropsRow: true, Fate: costsARow,
		NextStep: "raise `parameters.maxTokens`, or take parts (`onTruncation: Keep`)",
	},
	v1alpha1.ReasonContentRefused: {
		Exit: runreport.ExitFailed, DropsRow: true, Fate: costsARow,
		NextStep: "change the prompt, or accept fewer records by `completionPolicy`",
	},
	v1alpha1.ReasonToolFailed: {
		Exit: runreport.ExitInvalid, Subject: SubjectTools, EndsAllShards: true,
		Fate:     endsRun + "; a server that can't be reached is waited for first",
		NextStep: "the message names the servers and all that is wrong ([tools.md](tools.md))",
	},
	v1alpha1.ReasonProcessorFailed: {
		Exit: runreport.ExitFailed, EndsAllShards: true, LeavesUnprocessed: true,
		Fate:     endsRun + ", or drops the rows of the row group with `failurePolicy: FailRowGroup`",
		NextStep: "the message names processor, stage and rows ([processors.md](processors.md))",
	},
	v1alpha1.ReasonProcessorResized: {
		Exit: runreport.ExitFailed, EndsAllShards: true, LeavesUnprocessed: true, Fate: endsRun,
		NextStep: "return every row exactly once, with its `_row`; only the stage AfterGeneration may add and leave out rows",
	},
	v1alpha1.ReasonExportFailed: {
		Exit: runreport.ExitFailed, EndsAllShards: true, LeavesUnprocessed: true,
		Fate:     endsRun + ", which has its rows all the same",
		NextStep: "correct `output.exports`, which generates nothing anew ([exports.md](exports.md))",
	},
	v1alpha1.ReasonPublicationRefused: {
		Exit: runreport.ExitInvalid, Fate: "the dataset is complete, and not published",
		NextStep: "the message has what the hub says; correct `publish` or the Secret, and " + askForAgain + " ([publishing.md](publishing.md))",
	},
	v1alpha1.ReasonPublicationFailed: {
		Exit:     runreport.ExitFailed,
		Fate:     "what may pass is tried again for a while, then by other Pods; in the end the dataset is complete, and not published",
		NextStep: "see whether the hub is up, and whether Pods reach it; then " + askForAgain + " ([publishing.md](publishing.md))",
	},
	v1alpha1.ReasonBudgetExhausted: {
		Exit: runreport.ExitFailed, KeepsDataset: true, PartialIsDone: true, EndsAllShards: true, AwaitsRequests: true,
		Fate:     endsRun + ", with the whole rows that there are",
		NextStep: "raise the limit and " + askForAgain + " ([usage.md](usage.md))",
	},
	v1alpha1.ReasonEarlyShutdown: {
		Exit: runreport.ExitFailed, KeepsDataset: true, TooManyFailures: true,
		NextStep: "the message has the column and its most frequent cause; mend that, or change `run.earlyShutdown`, and " +
			askForAgain,
	},
	v1alpha1.ReasonNoRecords: {Exit: runreport.ExitFailed, NextStep: "`status.droppedReasons` says why"},
	v1alpha1.ReasonRowsDropped: {
		Exit:     runreport.ExitOK,
		NextStep: "`status.droppedReasons` has the causes, `dropped-rows.jsonl` the rows; mend the cause and " + askForAgain,
	},
	v1alpha1.ReasonShardFailed: {
		Exit:     runreport.ExitOK,
		NextStep: "the message has the shard and its cause; `kubectl logs` of its Pod has more",
	},
	v1alpha1.ReasonStalled: {
		Exit: runreport.ExitRetry, Fate: "ends the process; another Pod goes on, up to `limits.backoffLimit`",
		NextStep: "`traces/stall-….txt` in the output has what the process was doing; report it",
	},
	v1alpha1.ReasonSuperseded: {
		Exit: runreport.ExitRetry, Subject: SubjectOwner,
		Fate:     "this process stops and writes nothing more; the other one goes on",
		NextStep: "nothing, unless two resources or programs write to one folder",
	},
	v1alpha1.ReasonInterrupted: {
		Exit: runreport.ExitInterrupted, AskedToStop: true,
		Fate: "another Pod goes on from what is there; it is not counted as a failure", NextStep: "nothing",
	},
	v1alpha1.ReasonInternalError: {
		Exit: runreport.ExitFailed, Fate: endsRun, NextStep: "report it, with the message and the log of the Pod",
	},
}
