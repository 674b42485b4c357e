// Package engine turns a spec into a dataset: it compiles the plan, reads the seed, runs an executor and writes the metadata, and says how
// it ended. It is a library that Pods, tests and benchmarks call alike; it reads no environment, and knows nothing of Kubernetes.
package engine

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/people"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/process"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/engine/run"
	"seedloom.dev/seedloom/engine/sandbox"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/seed"
	"seedloom.dev/seedloom/engine/seedvalues"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/store/s3"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/engine/trace"
	"seedloom.dev/seedloom/internal/reason"
	"seedloom.dev/seedloom/internal/runreport"
)

// Drain says how long a run that has ended waits for its tasks.
type Drain = run.Drain

// Config is what a call works with.
type Config struct {
	// Run is what is to be made. Attempt 0 leaves the attempt to the engine: it is the latest one in the output, which leaves dropped rows
	// alone, or the next one with RetryDropped.
	Run          runreport.ResolvedRun
	RetryDropped bool
	// Shard is the index of the shard to generate.
	Shard int32
	// OutputDirectory is the root of the output volume, SeedDirectory where a seed is mounted.
	OutputDirectory, SeedDirectory string
	// ObjectStore, where it is set, is the place of the output instead of the volume (see ObjectStore).
	ObjectStore *s3.Location
	// VolumeDirectory returns where a volume of spec.pod.volumes is that has media for prompts. Nil is where a Pod has it.
	VolumeDirectory func(name string) string
	// SeedStore, where it is set, is the place of the dataset that is the seed instead of SeedDirectory (see ObjectStore).
	SeedStore *s3.Location
	// PeopleDirectory returns where the file of persons is mounted that a column draws from. It may be nil where none does.
	PeopleDirectory func(column string) string
	// TLSDirectory has the certificates of providers, as a Pod finds them (see runreport.TLSDirectory).
	TLSDirectory string
	// APIKey returns the API key of the provider with an index in the spec, or an empty string.
	APIKey func(provider int) string
	// SeedStoreDirectory has the credentials and the certificates of the object store of the seed (see runreport.SeedStoreDirectory). Where it
	// is empty, they are those of the environment.
	SeedStoreDirectory string
	// SeedToken is the token for the hub of spec.seed.huggingFace, or empty. It reaches no log, error or file. SeedHub is the address of the
	// hub where the spec names none; empty stands for v1alpha1.DefaultHub.
	SeedToken, SeedHub string
	// SeedHeader returns the value of the header of spec.seed.http with an index, where it comes from a Secret.
	SeedHeader func(index int) string
	// ValidatorHeader returns the value of the header with an index in validation.remote of a column, where it comes from a Secret. It may be
	// nil where none does.
	ValidatorHeader func(column string, index int) string
	// ToolKey returns the API key of the tool server with an index in the spec, or an empty string. ToolSocket returns the path of the socket
	// on which the bridge of a tool server of type Stdio listens. They may be nil where no column uses such servers.
	ToolKey    func(server int) string
	ToolSocket func(server string) string
	Logger     *slog.Logger
	// Version is the version of the engine.
	Version string
	// Serve is called once with what serves the progress and the metrics, and takes the shares of endpoints. It may be nil.
	Serve func(http.Handler)
	// Pod is the unique identifier of the Pod that the engine runs in, where an operator divides among Pods what they share; else it is empty.
	Pod string
	// Observe is called once with the progress, before rows are made. What it returns is called when the run is over, before the last
	// line of the log; whoever returns something shows the progress, and it is not logged then. It may be nil, and return nil.
	Observe func(*progress.Tracker) (done func())
	// Trace takes the spans of the run where spec.run.trace is Enabled, for instance a trace.Ring, whose Spans are read after the call. Nil
	// stands for files in the folder traces of the output. Where the spec doesn't ask for a trace there is none.
	Trace trace.Sink
	// AllowedAddresses are networks inside that images of answers, and seeds, may come from (see connection.Guard). LocalSeeds says that seeds
	// may come from anywhere in the machine's own network, as where the machine is that of the spec's author.
	AllowedAddresses []netip.Prefix
	LocalSeeds       bool
	// Endpoints says where requests to models, tools and seeds may be sent; nil is anywhere.
	Endpoints *connection.Endpoints
	// Transport takes the place of the network for requests to models, as in simulations. Nil stands for the network.
	Transport http.RoundTripper
	// ImageDirectory is where the images of a preview are kept, with the paths that its records have; where it is empty, they are not kept.
	ImageDirectory string
	// Few says that it is well when fewer rows follow from the seed than are asked for, as in a preview: then there are as many.
	Few bool
	// Volume stands before the folder of the dataset, as in simulations of faults. Nil stands for the folder itself.
	Volume func(store.Volume) store.Volume
	// Drain says how long a run that has ended waits for its tasks; with the zero value they are cancelled at once.
	Drain Drain
	// Outage says how long a provider may be unreachable; the zero value stands for the defaults.
	Outage schedule.OutageConfig
}

// opened is a run whose output is open, and which this process has the right to write.
type opened struct {
	config Config
	role   string
	spec   *v1alpha1.DatasetGenerationSpec
	store  *store.Store
	fence  *store.Fence
	// seedColumns are the names of the seed's columns, once they are known.
	seedColumns []string
	// documents says what has become of the documents of the seed, once they are read; nil where it is none of documents.
	documents *store.Documents
	// repository says which files of a repository the seed is, once that is known; nil where it is none of them.
	repository *store.SeedRepository
	// publishStarted says that processors have begun to make the dataset of what was generated, and were not ready.
	publishStarted bool
	// undescribed notes that it was reported that the metadata of the running run can't be written.
	undescribed sync.Once
}

// prepared is what both roles need.
type prepared struct {
	*opened
	plan *plan.Plan
	seed *seed.Dataset
	rows *seedRows
	// reading counts the documents of the seed while they are read.
	reading *store.Documents
	// people are the persons that columns draw from, by the name of the column, and peopleFiles the files that they are in.
	people      map[string]*people.File
	peopleFiles []*seed.Dataset
	// processors are those that work on rows.
	processors *process.Set
	// workers run the code of the user.
	workers *sandbox.Workers
	// tracker counts the generation, and progress is what it says at the end.
	tracker  *progress.Tracker
	progress progress.Snapshot
	// modelCheck is what the models have answered before the first row; nil where they were not asked.
	modelCheck *runreport.ModelCheck
	// observed is called when the run is over.
	observed func()
}

// Generate makes the rows of a shard that are not in the output yet. A run with one shard is finalized too, however it ends. It
// returns when nothing of it runs any more.
func Generate(ctx context.Context, config Config) Ending {
	begin := time.Now()
	ending := generate(ctx, config)
	logEnding(config.Logger, &ending, time.Since(begin))
	return ending
}

func generate(ctx context.Context, config Config) Ending {
	ready, unready := prepare(ctx, config, runreport.RoleGenerate)
	if unready != nil {
		return *unready
	}
	defer ready.close()
	cause := ready.makeRows(ctx)
	if cause != nil {
		config.Logger.Error("the run ends early", "reason", cause.Reason, "error", cause.Error())
	}
	if cause != nil && cause.Traits().Subject == reason.SubjectOwner {
		return ready.unfinished(cause)
	}
	var ending Ending
	if config.Run.Shards <= 1 {
		ending = ready.finalize(ctx, cause)
	} else {
		ending = ready.shardEnding(cause)
	}
	ending.Progress = ready.progress
	return ending
}

// Finalize writes the metadata of a run whose shards are done.
func Finalize(ctx context.Context, config Config) Ending {
	begin := time.Now()
	ending := finalize(ctx, config)
	logEnding(config.Logger, &ending, time.Since(begin))
	return ending
}

func finalize(ctx context.Context, config Config) Ending {
	ready, unready := prepare(ctx, config, runreport.RoleFinalize)
	if unready != nil {
		return *unready
	}
	defer ready.close()
	return ready.finalize(ctx, nil)
}

// prepare gets ready for the work of a role; the caller closes the result. Where that can't be, it returns how the call has ended, which
// the metadata say too.
func prepare(ctx context.Context, config Config, role string) (*prepared, *Ending) {
	output, err := open(ctx, config, role)
	if err != nil {
		ending := unprepared(config, role, failure.Of(err))
		return nil, &ending
	}
	output.begin()
	ready, err := output.prepare(ctx)
	if err != nil {
		ending := output.unfinished(failure.Of(err))
		output.release()
		return nil, &ending
	}
	return ready, nil
}

// open reads the spec, opens the output, and takes the right to write it. Who finalizes takes that of the first shard, which describes the
// dataset until then. Its errors are failure.Error.
func open(ctx context.Context, config Config, role string) (*opened, error) {
	spec, err := decodeSpec(config.Run)
	if err != nil {
		return nil, err
	}
	output := &opened{config: config, role: role, spec: spec}
	if output.store, err = config.openOutput(ctx, output.layout()); err != nil {
		return nil, err
	}
	if config.Volume != nil {
		output.store.Through(config.Volume)
	}
	if role == runreport.RoleGenerate {
		err = output.store.Probe()
	}
	if err == nil {
		err = output.takeRight()
	}
	if err != nil {
		output.release()
		return nil, err
	}
	return output, nil
}

// takeRight decides on the attempt, where that is left to the engine, and takes the right to write the output at it.
func (o *opened) takeRight() error {
	resolved := &o.config.Run
	if resolved.Attempt == 0 {
		last, err := o.store.LastAttempt()
		if err != nil {
			return err
		}
		if o.config.RetryDropped {
			last++
		}
		resolved.Attempt = max(1, last)
	}
	shard := o.config.Shard
	if o.role == runreport.RoleFinalize {
		shard = 0
	}
	fence, err := o.store.TakeFence(resolved.RunID, resolved.Attempt, shard)
	o.fence = fence
	return err
}

// prepare reads the seed and compiles the plan. Its errors are failure.Error, or that of the context.
func (o *opened) prepare(ctx context.Context) (_ *prepared, err error) {
	ready := &prepared{opened: o, workers: sandbox.NewWorkers()}
	defer func() {
		if err != nil {
			ready.closeInputs()
		}
	}()
	fields, err := ready.compile(ctx)
	if err != nil {
		return nil, err
	}
	if ready.processors, err = process.New(o.spec, ready.plan.Schema, ready.workers); err != nil {
		return nil, err
	}
	if digest := ready.inputsDigest(); digest != "" {
		if err := o.store.PinSeed(digest, ready.seedDescription()); err != nil {
			return nil, err
		}
	}
	for _, field := range fields {
		o.seedColumns = append(o.seedColumns, field.Name)
	}
	layout := o.layout()
	layout.Schema, layout.Output, layout.Dropped = ready.plan.Schema, ready.plan.Output, ready.plan.Dropped
	if layout.Writer, err = o.origin(ready.plan); err != nil {
		return nil, failure.Wrap(err, v1alpha1.ReasonInternalError, failure.EndRun, "encoding what the files say of the run")
	}
	o.store.SetLayout(layout)
	if err := ready.checkExports(layout.OutputColumns()); err != nil {
		return nil, err
	}
	return ready, nil
}

// compile reads the seed, compiles the plan, and returns the columns of the seed.
func (p *prepared) compile(ctx context.Context) (fields []table.Field, err error) {
	if p.spec.Seed != nil {
		if p.rows, err = p.openSeed(ctx); err != nil {
			return nil, err
		}
		fields = plan.SeedFields(p.spec, p.seed.Schema().Fields())
		if err := seedvalues.Fill(ctx, p.spec, p.seed); err != nil {
			return nil, err
		}
	}
	p.plan, err = plan.Compile(p.spec, fields)
	var invalid *plan.InvalidError
	if errors.As(err, &invalid) {
		return nil, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "%v", invalid)
	}
	if err != nil {
		return nil, err
	}
	return fields, p.openPeople(ctx)
}

// seedGuard lets seeds come from outside, and from where it is allowed.
func (o *opened) seedGuard() *connection.Guard {
	guard := &connection.Guard{
		Allowed: slices.Concat(o.config.AllowedAddresses, o.config.Endpoints.Networks()), Endpoints: o.config.Endpoints,
	}
	if o.config.LocalSeeds {
		guard.Allowed = append(guard.Allowed, connection.LocalNetworks()...)
	}
	return guard
}

// seedClient fetches seeds.
func (o *opened) seedClient() *http.Client { return o.seedGuard().Client() }

// layout is what the spec says of the files; their columns are known once there is a plan.
func (o *opened) layout() *store.Layout {
	return &store.Layout{
		Preserve: o.spec.PreservesDroppedColumns(), Staged: o.spec.ProcessesAfterGeneration(), Numbered: o.spec.HasRowColumn(),
	}
}

func decodeSpec(resolved runreport.ResolvedRun) (*v1alpha1.DatasetGenerationSpec, error) {
	var spec v1alpha1.DatasetGenerationSpec
	if err := json.Unmarshal(resolved.Spec, &spec); err != nil {
		return nil, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "the spec can't be read: %v", err)
	}
	if hash := hashOf(&spec, &resolved); hash != resolved.ConfigHash {
		return nil, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun,
			"the spec has the hash %s, but the controller says %s; the controller and the engine must have the same version",
			hash, resolved.ConfigHash)
	}
	return &spec, nil
}

// hashOf is the identity that a run has with a spec.
func hashOf(spec *v1alpha1.DatasetGenerationSpec, resolved *runreport.ResolvedRun) string {
	rowsDigest := ""
	if resolved.SeedDataset != nil {
		rowsDigest = resolved.SeedDataset.RowsDigest
	}
	return plan.RunHash(spec, rowsDigest)
}

// release closes the output.
func (o *opened) release() {
	if err := o.store.Close(); err != nil {
		o.config.Logger.Warn("closing the output failed", "error", err)
	}
}

// close ends what shows the progress, and closes all that prepare has opened.
func (p *prepared) close() {
	p.closeInputs()
	if p.observed != nil {
		p.observed()
	}
	p.release()
}

// closeInputs closes what was opened beside the output: the seed, and the processes that run code of users.
func (p *prepared) closeInputs() {
	if p.workers != nil {
		p.workers.Close()
	}
	if p.seed != nil {
		_ = p.seed.Close() // was only read
	}
	for _, file := range p.peopleFiles {
		_ = file.Close() // was only read
	}
}
