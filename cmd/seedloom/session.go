package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
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

// with calls the engine for the manifest, with a context that ends when the user interrupts it.
func (s *session) with(command *cobra.Command, streams *Streams, read func(*Streams) (*v1alpha1.DatasetGeneration, error),
	call func(context.Context, *v1alpha1.DatasetGeneration, engine.Config) error) error {
	if err := s.levels.UnmarshalText([]byte(s.level)); err != nil {
		return fmt.Errorf("--log-level must be debug, info, warn or error, but is %q", s.level)
	}
	resource, err := read(streams)
	if err != nil {
		return err
	}
	violations, err := validate(command.Context(), resource)
	if err != nil {
		return err
	}
	if len(violations) > 0 {
		return &plan.InvalidError{Violations: violations}
	}
	folder, remove, err := s.seed(&resource.Spec)
	if err != nil {
		return err
	}
	defer remove()
	config, err := s.config(streams, resource)
	if err != nil {
		return err
	}
	config.SeedDirectory, config.TLSDirectory = folder, s.tlsDirectory
	if err := s.secrets(streams, &resource.Spec, &config); err != nil {
		return err
	}
	ctx, stop := interruptible(command.Context(), streams, config.Logger)
	defer stop()
	return call(ctx, resource, config)
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
		Logger:  slog.New(tint.NewTextHandler(streams.Log, &tint.Options{Level: s.levels, TimeFormat: "15:04:05", NoColor: true})),
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
