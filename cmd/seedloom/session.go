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
}

func (s *session) register(command *cobra.Command, level string) {
	s.input.register(command)
	command.Flags().StringVar(&s.level, "log-level", level, "what is logged: debug, info, warn or error")
	command.Flags().BoolVar(&s.plain, "plain", false, "log lines instead of a progress panel, also on a terminal")
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

// prepare reads the manifest, checks it, and finds its seed and its keys. Of what is odd in it, the user is warned.
func (s *session) prepare(command *cobra.Command, streams *Streams, arguments []string, changes overrides) (prepared *ready, err error) {
	if err := s.levels.UnmarshalText([]byte(s.level)); err != nil {
		return nil, fmt.Errorf("--log-level must be debug, info, warn or error, but is %q", s.level)
	}
	known, all, err := s.read(streams, arguments, changes)
	if err != nil {
		return nil, err
	}
	chosen, err := s.chosen(command.Context(), streams, known, all)
	if err != nil {
		return nil, err
	}
	r := &ready{resource: chosen.resource}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	folder, remove, err := s.seed(chosen, all)
	if err != nil {
		return nil, err
	}
	r.closers = append(r.closers, remove)
	if r.config, err = s.config(streams, r.resource); err != nil {
		return nil, err
	}
	r.config.SeedDirectory, r.config.TLSDirectory = folder, s.tlsDirectory
	if err := s.secrets(streams, &r.resource.Spec, &r.config); err != nil {
		return nil, err
	}
	ctx, stop := interruptible(command.Context(), streams, r.config.Logger)
	r.ctx, r.closers = ctx, append(r.closers, stop)
	return r, nil
}

// chosen is the manifest that is meant. What is wrong with it, or odd, is printed.
func (s *session) chosen(ctx context.Context, streams *Streams, known *definition, all *resources) (*manifest, error) {
	var chosen *manifest
	problems := all.problems
	if len(all.manifests) > 0 {
		var err error
		if chosen, err = all.choose(s.name); err != nil {
			return nil, err
		}
		known.check(ctx, chosen)
		problems = append(problems, chosen.problems...)
	}
	for _, one := range inOrder(problems) {
		streams.Errorf("%s", one.String())
	}
	if count := countOf(problems, severityError); count > 0 {
		streams.Errorf("error: the manifest is invalid: %s", counted(count, "problem"))
		return nil, &endedError{code: exitFailed}
	}
	if chosen == nil {
		return nil, errors.New("there is no manifest in the files")
	}
	return chosen, nil
}

// config is that of a run with one shard.
func (s *session) config(streams *Streams, resource *v1alpha1.DatasetGeneration) (engine.Config, error) {
	raw, err := json.Marshal(&resource.Spec)
	if err != nil {
		return engine.Config{}, err
	}
	hash := plan.ConfigHash(&resource.Spec)
	allowed, err := connection.ParseAllowed(os.Getenv(runreport.AllowedAddressesVariable))
	if err != nil {
		return engine.Config{}, fmt.Errorf("reading %s: %w", runreport.AllowedAddressesVariable, err)
	}
	return engine.Config{
		Run: runreport.ResolvedRun{
			Version: runreport.Version, Namespace: resource.Namespace, Name: resource.Name, RunID: resource.Name + "-local", ConfigHash: hash,
			Attempt: 1, Shards: 1, Spec: raw,
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
