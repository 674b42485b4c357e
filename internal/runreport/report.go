// Package runreport holds the documents through which an engine Pod and the controller talk: the result in the termination
// message, the progress over HTTP, the exit codes, and the places where a Pod finds its input.
// Only data and its (strict, bounded) encoding live here; neither side's behaviour does.
package runreport

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/clip"
)

// Version is the version of the documents. A reader refuses any other.
const Version = 1

// Where an engine Pod finds its input and leaves its result.
const (
	// EnginePath is the engine's program in its image. Its first argument is the role.
	EnginePath = "/engine"
	// SpecDirectory is where the ConfigMap with the resolved run (see ResolvedRun) is mounted, SpecKey its key there, and SpecPath the
	// file.
	SpecDirectory = "/etc/seedloom/run"
	SpecKey       = "run.json"
	SpecPath      = SpecDirectory + "/" + SpecKey
	// SeedDirectory is where a seed from a ConfigMap or a volume is mounted.
	SeedDirectory = "/var/run/seedloom/seed"
	// PeopleDirectory has a folder for each column that draws from a file of persons, by its name (see PeopleOf).
	PeopleDirectory = "/var/run/seedloom/people"
	// OutputDirectory is where the output volume is mounted.
	OutputDirectory = "/var/run/seedloom/output"
	// APIKeyVariablePrefix, followed by the index of the provider in the spec, is the environment variable with its API key.
	APIKeyVariablePrefix = "SEEDLOOM_API_KEY_"
	// SeedHeaderVariablePrefix, followed by the index of the header in spec.seed.http, is the environment variable with its value.
	SeedHeaderVariablePrefix = "SEEDLOOM_SEED_HEADER_"
	// SeedTokenVariable is the environment variable with the token for spec.seed.huggingFace.
	SeedTokenVariable = "SEEDLOOM_SEED_TOKEN"
	// validatorHeaderVariablePrefix begins the names of the variables that ValidatorHeaderVariable returns.
	validatorHeaderVariablePrefix = "SEEDLOOM_VALIDATOR_HEADER_"
	// ToolKeyVariablePrefix, followed by the index of the tool server in the spec, is the environment variable with its API key.
	ToolKeyVariablePrefix = "SEEDLOOM_TOOL_KEY_"
	// ToolContainerPrefix, followed by the name of the tool server, is the name of its sidecar.
	ToolContainerPrefix = "tool-"
	// ToolDirectory has a folder for each tool server in a sidecar, with the socket of its bridge.
	ToolDirectory = "/var/run/seedloom/tools"
	// ToolSocketName is the name of that socket.
	ToolSocketName = "bridge.sock"
	// BridgeDirectory is where sidecars find the bridge, which an init container has put there, and BridgePath where the image of the
	// engine has it.
	BridgeDirectory = "/var/run/seedloom/bridge"
	BridgePath      = "/bridge"
	// TLSDirectory has a folder for each provider with certificates, by its name, with those of these files that the provider
	// needs.
	TLSDirectory          = "/var/run/seedloom/tls"
	CABundleName          = "ca.crt"
	ClientCertificateName = "tls.crt"
	ClientKeyName         = "tls.key"
	// ObjectStoreDirectory has the credentials of the object store of the output, where a Secret has them, and its CA bundle, under
	// CABundleName.
	ObjectStoreDirectory = "/var/run/seedloom/object-store"
	// SeedStoreDirectory has those of the object store of the seed, under the same names.
	SeedStoreDirectory = "/var/run/seedloom/seed-store"
	// ObjectStoreVariable is the environment variable with the object store, as the spec has it, of a Pod that has no resolved run.
	ObjectStoreVariable = "SEEDLOOM_OBJECT_STORE"
	// ShardVariable is the environment variable with the shard's index.
	ShardVariable = "JOB_COMPLETION_INDEX"
	// MemoryLimitVariable is the environment variable with the memory that the container may use, in bytes.
	MemoryLimitVariable = "SEEDLOOM_MEMORY_LIMIT"
	// AllowedAddressesVariable is the environment variable with the networks and addresses inside, with commas between them, that addresses
	// in answers and of seeds may lead to, such as 10.1.0.0/16. Without it they lead nowhere but out.
	AllowedAddressesVariable = "SEEDLOOM_ALLOWED_ADDRESSES"
	// AllowedEndpointsVariable is the environment variable with the endpoints that requests may be sent to, as package allowlist reads them.
	// Without it requests may be sent to all but those near the Pod.
	AllowedEndpointsVariable = "SEEDLOOM_ALLOWED_ENDPOINTS"
	// TerminationMessagePath is where the result is written.
	TerminationMessagePath = "/dev/termination-log"
	// Port is the port of the progress and metrics endpoints.
	Port = 8080
	// ProgressPath is the path of the progress document.
	ProgressPath = "/progress"
	// MetricsPath is the path of the metrics in the Prometheus text format.
	MetricsPath = "/metrics"
)

// GracePeriodSeconds is how long a Pod that is asked to stop may take: a third of it for the requests under way to finish, a sixth for the
// cancelled ones to return, and the rest to write a checkpoint.
const GracePeriodSeconds = 60

// Exit codes of the engine. The Job's failure policy and the controller's handling of sync Pods are keyed on them.
const (
	// ExitOK: the shard is done; records may be missing, which the result says.
	ExitOK = 0
	// ExitInvalid: the input can't work (spec, seed, credentials). Starting again does not help.
	ExitInvalid = 64
	// ExitFailed: the run has ended for good with a failure that a person must look at (early shutdown, no records).
	ExitFailed = 65
	// ExitStorage: the output could not be written. Starting again may help.
	ExitStorage = 74
	// ExitRetry: something that may pass has ended the run. Starting again goes on from the checkpoints.
	ExitRetry = 75
	// ExitInterrupted: the engine was asked to stop. Starting again goes on from the checkpoints, and is not counted as a failure.
	ExitInterrupted = 143
)

// The roles of an engine process, as its argument and as the label of its Pod.
const (
	// RoleGenerate makes the rows of a shard. A single shard is finalized by the same process.
	RoleGenerate = "generate"
	// RoleFinalize makes the dataset of what the shards have made.
	RoleFinalize = "finalize"
	// RolePublish publishes the dataset. It needs no resolved run (see PublicationVariable).
	RolePublish = "publish"
	// RoleDelete deletes all datasets of a resource. Its further arguments are the resource's namespace and name; it needs no resolved run.
	RoleDelete = "delete"
)

// The phases of an engine process, in their order, as its progress and the metadata name them.
const (
	// PhasePreparing: the seed is read, and the models are asked whether they can be used.
	PhasePreparing = "Preparing"
	// PhaseRunning: rows are made.
	PhaseRunning = "Running"
	// PhaseDraining: the run is ending, and nothing new is begun.
	PhaseDraining = "Draining"
	// PhaseFinalizing: the dataset is made of what was generated.
	PhaseFinalizing = "Finalizing"
	// PhaseEnded: nothing of it runs any more. Only metadata says so.
	PhaseEnded = "Ended"
)

// folderDigits is how many hexadecimal digits of the configuration's hash name a run's folder.
const folderDigits = 16

// Folder is the folder of a run's dataset below the root of the output: <namespace>/<name>/<16 hexadecimal digits of the hash>.
func Folder(namespace, name, configHash string) string {
	digits := strings.TrimPrefix(configHash, "sha256:")
	return path.Join(namespace, name, digits[:min(folderDigits, len(digits))])
}

// MaxMessageBytes is the largest termination message that a kubelet keeps.
const MaxMessageBytes = 4096

// ResolvedRun is the input of an engine Pod: the spec, and what the controller has decided.
type ResolvedRun struct {
	Version int `json:"version"`
	// Namespace and Name are the resource's; they are part of the output path.
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// RunID names the run, ConfigHash identifies it (see Folder).
	RunID      string `json:"runID"`
	ConfigHash string `json:"configHash"`
	Attempt    int32  `json:"attempt"`
	// Shards is the number of shards; a shard's index comes by ShardVariable.
	Shards int32 `json:"shards"`
	// Spec is the api/v1alpha1 DatasetGenerationSpec as JSON.
	Spec json.RawMessage `json:"spec"`
	// SeedDataset is the dataset that spec.seed.datasetRef names; nil without one.
	SeedDataset *SeedDataset `json:"seedDataset,omitempty"`
}

// SeedDataset is a dataset that another one has for its seed.
type SeedDataset struct {
	// Name is the resource's. Path is the dataset's folder below where the seed is mounted, or below the prefix of the bucket.
	Name string `json:"name"`
	Path string `json:"path"`
	// ObjectStore is the bucket that it lies in; nil where it lies on a volume.
	ObjectStore *v1alpha1.ObjectStoreOutput `json:"objectStore,omitempty"`
	// RowsDigest is the digest of its rows, which is a part of the configuration's hash.
	RowsDigest string `json:"rowsDigest"`
}

// Outcome says how a run, or a shard of it, has ended.
type Outcome string

const (
	// OutcomeComplete: every record that was asked for is in the output.
	OutcomeComplete Outcome = "Complete"
	// OutcomePartial: records are missing.
	OutcomePartial Outcome = "Partial"
	// OutcomeFailed: the run was ended by a failure. What was written before stays.
	OutcomeFailed Outcome = "Failed"
	// OutcomeInterrupted: the run was asked to stop, and can go on.
	OutcomeInterrupted Outcome = "Interrupted"
)

// Output describes the files.
type Output struct {
	// Path is the dataset's folder below the volume's root.
	Path  string `json:"path"`
	Files int64  `json:"files"`
	Bytes int64  `json:"bytes"`
	// RowGroups is the number of planned row groups, CompletedRowGroups of those on disk.
	RowGroups          int64 `json:"rowGroups"`
	CompletedRowGroups int64 `json:"completedRowGroups"`
	RowGroupSize       int64 `json:"rowGroupSize"`
	// RowsDigest tells the rows of a whole dataset from others; empty where only a part of it is known.
	RowsDigest string `json:"rowsDigest,omitempty"`
}

// Result is the termination message of an engine Pod. The counts are cumulative over all attempts of the run, since they are
// derived from what is in the output; so a reader that sums shards never counts an attempt twice.
type Result struct {
	Version int     `json:"version"`
	RunID   string  `json:"runID"`
	Attempt int32   `json:"attempt"`
	Shard   int32   `json:"shard"`
	Role    string  `json:"role"`
	Mode    string  `json:"mode"`
	Engine  string  `json:"engine,omitempty"`
	Outcome Outcome `json:"outcome"`
	// Reason is one of the reasons in api/v1alpha1, Message says what happened and what to do next. Empty when complete.
	Reason  string   `json:"reason,omitempty"`
	Message string   `json:"message,omitempty"`
	Records Records  `json:"records"`
	Output  Output   `json:"output"`
	Columns []Column `json:"columns,omitempty"`
	Models  []Model  `json:"models,omitempty"`
	Dropped []Drop   `json:"dropped,omitempty"`
	// ModelCheck is nil where this process has not asked the models.
	ModelCheck *ModelCheck `json:"modelCheck,omitempty"`
	// Documents is nil where the seed is none of documents.
	Documents *Documents `json:"documents,omitempty"`
	// Truncated is true when parts were left out to stay below MaxMessageBytes, columns among them; metadata.json has them all.
	Truncated bool `json:"truncated,omitempty"`
}

// maxProblems bounds the problems of models in a result.
const maxProblems = 4

// Encode returns the result as JSON of at most MaxMessageBytes. What does not fit is left out in a fixed order: first messages of drops and
// problems of models, then drops beyond the first four, then columns with which all went well, then columns, then models, then the end of
// the message.
func (r Result) Encode() []byte {
	r.Version = Version
	r.Message = clip.Text(r.Message, 1024)
	r.ModelCheck = r.ModelCheck.short(maxProblems, 512)
	r.Documents = r.Documents.short(256)
	shrink := []func(){
		func() {},
		func() {
			drops := append([]Drop(nil), r.Dropped...)
			for i := range drops {
				drops[i].Message = clip.Text(drops[i].Message, 120)
			}
			r.Dropped, r.ModelCheck = drops, r.ModelCheck.short(maxProblems, 120)
		},
		func() {
			if len(r.Dropped) > 4 {
				r.Dropped = r.Dropped[:4]
			}
		},
		func() {
			var troubled []Column
			for _, column := range r.Columns {
				if column.Failed > 0 || column.Usage.Unusable != (Unusable{}) || column.Usage.TruncatedKept > 0 ||
					column.Usage.Corrections != (Corrections{}) {
					troubled = append(troubled, column)
				}
			}
			r.Columns = troubled
		},
		func() { r.Columns = nil },
		func() { r.Models = nil },
		func() { r.Message = clip.Text(r.Message, 256) },
		func() { r.Dropped, r.ModelCheck = nil, r.ModelCheck.short(1, 120) },
	}
	var data []byte
	for i, step := range shrink {
		step()
		r.Truncated = i > 0
		// The types above always marshal.
		data, _ = json.Marshal(r)
		if len(data) <= MaxMessageBytes {
			break
		}
	}
	return data
}

// ParseResult reads a termination message. What comes from a Pod that handled untrusted text is parsed strictly.
func ParseResult(message string) (*Result, error) {
	var result Result
	if err := parse([]byte(message), &result); err != nil {
		return nil, err
	}
	if result.Version != Version {
		return nil, fmt.Errorf("result has version %d, want %d", result.Version, Version)
	}
	return &result, nil
}

// Progress is what the progress endpoint of a Pod serves. Readers take it as data, never as truth about the end.
type Progress struct {
	Version int    `json:"version"`
	RunID   string `json:"runID"`
	Attempt int32  `json:"attempt"`
	Shard   int32  `json:"shard"`
	// Sequence grows with every change, so that an older document is never taken for a newer one.
	Sequence int64 `json:"sequence"`
	// Phase is Running, Draining or Finalizing.
	Phase            string  `json:"phase"`
	Records          Records `json:"records"`
	RecordsPerSecond float64 `json:"recordsPerSecond"`
	InFlight         int64   `json:"inFlight"`
	Troubles
	Columns []Column `json:"columns,omitempty"`
	Models  []Model  `json:"models,omitempty"`
	Dropped []Drop   `json:"dropped,omitempty"`
	// Unusable counts the answers of this process that were paid for and could not be used.
	Unusable []Drop `json:"unusable,omitempty"`
	// ModelCheck is nil as long as the models have not answered, and where they are not asked.
	ModelCheck *ModelCheck `json:"modelCheck,omitempty"`
}

// Troubles are what keeps a shard from going on as it could, at one moment.
type Troubles struct {
	// SlowRequests are requests of models that are under way for longer than the threshold.
	SlowRequests int64 `json:"slowRequests,omitempty"`
	// OldestRequestSeconds is for how long the oldest request of all has been under way.
	OldestRequestSeconds int64 `json:"oldestRequestSeconds,omitempty"`
	// Slow are the models with slow requests, in the order of the spec.
	Slow []SlowModel `json:"slow,omitempty"`
	// Endpoints are the providers that refuse requests, in the order of the spec.
	Endpoints []Endpoint `json:"endpoints,omitempty"`
	// StalledSince is since when nothing has been made, though no wait for a provider is known of; nil as long as that is not long.
	StalledSince *time.Time `json:"stalledSince,omitempty"`
}

// SlowModel counts the slow requests of a model.
type SlowModel struct {
	Model    string `json:"model"`
	Provider string `json:"provider"`
	Requests int64  `json:"requests"`
	// Since is when the oldest of them began.
	Since time.Time `json:"since"`
}

// EndpointState says why nothing, or less than could be, is sent to a provider.
type EndpointState string

const (
	// EndpointPaused: nothing gets through; it is asked now and then whether it is back.
	EndpointPaused EndpointState = "Paused"
	// EndpointRateLimited: it refuses requests because there are too many.
	EndpointRateLimited EndpointState = "RateLimited"
)

// Endpoint is a provider that refuses requests.
type Endpoint struct {
	Provider string        `json:"provider"`
	State    EndpointState `json:"state"`
	Since    time.Time     `json:"since"`
	// Until is when it is asked again; zero when that is not known.
	Until time.Time `json:"until,omitzero"`
	// Refused counts the requests that have failed since.
	Refused int64 `json:"refused"`
}

// Equal says whether two troubles are the same but for the age of the oldest request.
func (t Troubles) Equal(other Troubles) bool {
	return t.SlowRequests == other.SlowRequests && slices.Equal(t.Slow, other.Slow) && slices.Equal(t.Endpoints, other.Endpoints) &&
		(t.StalledSince == nil) == (other.StalledSince == nil) && (t.StalledSince == nil || t.StalledSince.Equal(*other.StalledSince))
}

// MaxProgressBytes is the largest progress document that is read.
const MaxProgressBytes = 256 << 10

// ParseProgress reads a progress document strictly.
func ParseProgress(data []byte) (*Progress, error) {
	if len(data) > MaxProgressBytes {
		return nil, fmt.Errorf("progress document has more than %d bytes", MaxProgressBytes)
	}
	var progress Progress
	if err := parse(data, &progress); err != nil {
		return nil, err
	}
	if progress.Version != Version {
		return nil, fmt.Errorf("progress has version %d, want %d", progress.Version, Version)
	}
	return &progress, nil
}

// parse leaves out what it does not know: an engine that is newer than the operator, as after an operator was rolled back in mid-run, may
// say more.
func parse(data []byte, into any) error {
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(into); err != nil {
		return fmt.Errorf("parsing report: %w", err)
	}
	return nil
}

// PeopleOf is where the file of persons is mounted that a column draws from.
func PeopleOf(column string) string { return PeopleDirectory + "/" + column }

// ValidatorHeaderVariable is the environment variable with the value of the header that has an index in validation.remote of a column.
func ValidatorHeaderVariable(column string, index int) string {
	return validatorHeaderVariablePrefix + strconv.Itoa(index) + "_" + column
}
