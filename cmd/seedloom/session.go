package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/lmittmann/tint"
	"github.com/spf13/cobra"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/engine/progress/terminal"
	"seedloom.dev/seedloom/internal/buildversion"
	"seedloom.dev/seedloom/internal/runreport"
)

// drainTime is how long requests under way may take when the user has interrupted a run.
const drainTime = 10 * time.Second

// session is what preview and run have in common: a manifest, and an engine with a log, a display and a user who may interrupt it.
type session struct {
	input
	level  string
	plain  bool
	levels slog.Level
	// datasets is the folder with the datasets that seeds name, and generated has the folders in it of those that this command has generated,
	// by their namespaces and names.
	datasets  outputOptions
	generated map[string]string
}

func (s *session) register(command *cobra.Command, level string) {
	s.input.register(command)
	command.Flags().StringVar(&s.level, "log-level", level, "what is logged: debug, info, warn or error")
	command.Flags().BoolVar(&s.plain, "plain", false, "log lines instead of a progress panel, also on a terminal")
}

// registerDatasets defines the flag for commands that have no folder for datasets themselves.
func (s *session) registerDatasets(command *cobra.Command) {
	command.Flags().StringVar(&s.datasets.place, "datasets", "", "the `DIR`, or s3://BUCKET/PREFIX, into which seedloom run has generated "+
		"the dataset that is the seed "+
		"(spec.seed.datasetRef)")
}

// ready is a manifest that an engine can work on. The caller closes it.
type ready struct {
	// ctx ends when the user interrupts the command.
	ctx      context.Context
	resource *v1alpha1.DatasetGeneration
	config   engine.Config
	// closers undo what was set up, the last one first.
	closers []func()
}

func (r *ready) close() {
	for _, undo := range slices.Backward(r.closers) {
		undo()
	}
}

// readLevel reads the flag with the level of the log.
func (s *session) readLevel() error {
	if err := s.levels.UnmarshalText([]byte(s.level)); err != nil {
		return fmt.Errorf("--log-level must be debug, info, warn or error, but is %q", s.level)
	}
	return nil
}

// prepare reads the manifest, checks it, and finds its seed and its keys. Of what is odd in it, the user is warned.
func (s *session) prepare(command *cobra.Command, streams *Streams, arguments []string, changes overrides) (*ready, error) {
	if err := s.readLevel(); err != nil {
		return nil, err
	}
	known, all, err := s.read(streams, arguments, changes)
	if err != nil {
		return nil, err
	}
	var one []*manifest
	if len(all.manifests) > 0 {
		chosen, err := all.choose(s.name)
		if err != nil {
			return nil, err
		}
		one = append(one, chosen)
	}
	if err := s.check(command.Context(), streams, known, all, one); err != nil {
		return nil, err
	}
	return s.ready(command.Context(), streams, one[0], all)
}

// ready finds the seed of a manifest that was checked, and its keys.
func (s *session) ready(ctx context.Context, streams *Streams, chosen *manifest, all *resources) (prepared *ready, err error) {
	r := &ready{resource: chosen.resource}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	var dataset *foundDataset
	folder, remove := s.datasets.place, func() {}
	if r.resource.Spec.SeedDataset() == nil {
		folder, remove, err = s.seed(chosen, all)
	} else if dataset, err = s.findDataset(ctx, chosen, all); err == nil {
		err = dataset.fit(&r.resource.Spec)
	}
	if err != nil {
		return nil, err
	}
	r.closers = append(r.closers, remove)
	peopleOf, removePeople, err := s.people(chosen, all)
	if err != nil {
		return nil, err
	}
	r.closers = append(r.closers, removePeople)
	if r.config, err = s.config(streams, r.resource, dataset); err != nil {
		return nil, err
	}
	if r.config.VolumeDirectory, err = s.volumes(chosen); err != nil {
		return nil, err
	}
	if dataset != nil {
		r.config.SeedStore = dataset.store
	}
	r.config.SeedDirectory, r.config.PeopleDirectory, r.config.TLSDirectory = folder, peopleOf, s.tlsDirectory
	if err := s.secrets(streams, &r.resource.Spec, &r.config); err != nil {
		return nil, err
	}
	ctx, stop := interruptible(ctx, streams, r.config.Logger)
	r.ctx, r.closers = ctx, append(r.closers, stop)
	return r, nil
}

// check checks the manifests that are meant. What is wrong with them, or odd, is printed.
func (s *session) check(ctx context.Context, streams *Streams, known *definition, all *resources, meant []*manifest) error {
	problems := all.problems
	for _, one := range meant {
		known.check(ctx, one)
		problems = append(problems, one.problems...)
	}
	for _, one := range inOrder(problems) {
		streams.Errorf("%s", one.String())
	}
	if count := countOf(problems, severityError); count > 0 {
		what := "manifest is"
		if len(meant) > 1 {
			what = "manifests are"
		}
		streams.Errorf("error: the %s invalid: %s", what, counted(count, "problem"))
		return &endedError{code: exitFailed}
	}
	if len(meant) == 0 {
		return errors.New("there is no manifest in the files")
	}
	return nil
}

// config is that of a run with one shard.
func (s *session) config(streams *Streams, resource *v1alpha1.DatasetGeneration, dataset *foundDataset) (engine.Config, error) {
	raw, err := json.Marshal(&resource.Spec)
	if err != nil {
		return engine.Config{}, err
	}
	rowsDigest, seedDataset := "", (*runreport.SeedDataset)(nil)
	if dataset != nil {
		rowsDigest, seedDataset = dataset.RowsDigest, &dataset.SeedDataset
	}
	hash := plan.RunHash(&resource.Spec, rowsDigest)
	allowed, err := connection.ParseAllowed(os.Getenv(runreport.AllowedAddressesVariable))
	if err != nil {
		return engine.Config{}, fmt.Errorf("reading %s: %w", runreport.AllowedAddressesVariable, err)
	}
	return engine.Config{
		Run: runreport.ResolvedRun{
			Version: runreport.Version, Namespace: resource.Namespace, Name: resource.Name, RunID: resource.Name + "-local", ConfigHash: hash,
			Attempt: 1, Shards: 1, Spec: raw, SeedDataset: seedDataset,
		},
		// Colours would be noise in a file; and what matters stands in the text.
		Logger:  slog.New(&onceHandler{tint.NewTextHandler(streams.Log, &tint.Options{Level: s.levels, TimeFormat: "15:04:05", NoColor: true})}),
		Version: buildversion.Version(),
		Drain:   engine.Drain{Finish: drainTime},
		// The one who runs it has written the address of the seed, or read it.
		AllowedAddresses: allowed, LocalSeeds: true,
		Observe: func(tracker *progress.Tracker) func() { return s.show(streams, resource.Name, tracker) },
	}, nil
}

// show shows the progress on the terminal, and returns what ends that; nil when it is not shown.
func (s *session) show(streams *Streams, name string, tracker *progress.Tracker) func() {
	if s.plain || streams.Screen == nil {
		return nil
	}
	screen, err := terminal.OpenTTY(streams.Screen)
	if errors.Is(err, terminal.ErrTaken) {
		streams.Errorf("another seedloom shows its progress on this terminal; this one logs it")
	}
	if err != nil {
		return nil
	}
	display := terminal.Show(streams.Log, screen, name, tracker.Snapshot)
	done := func() {
		display.Close()
		_ = screen.Close() // it was written, and a terminal keeps nothing back
	}
	if display == nil {
		done()
		return nil
	}
	return done
}
