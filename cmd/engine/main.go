// Command engine is what runs in the Pods of a DatasetGeneration: "engine generate" makes the rows of a shard, "engine finalize" writes the
// metadata once all shards are done, "engine publish" publishes the dataset. It takes its input from where the controller has put it, and
// leaves its result in the termination message.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/engine/store/s3"
	"seedloom.dev/seedloom/internal/allowlist"
	"seedloom.dev/seedloom/internal/buildversion"
	"seedloom.dev/seedloom/internal/memory"
	"seedloom.dev/seedloom/internal/runreport"
)

func main() {
	memory.Tune()
	os.Exit(run(os.Args[1:]))
}

func run(arguments []string) int {
	logger := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: logLevel(os.Getenv("SEEDLOOM_LOG_LEVEL"))}))
	if len(arguments) == 3 && arguments[0] == runreport.RoleDelete {
		return deleteOutput(logger, arguments[1], arguments[2])
	}
	if len(arguments) == 1 && arguments[0] == runreport.RolePublish {
		return publish(logger)
	}
	if len(arguments) != 1 || arguments[0] != runreport.RoleGenerate && arguments[0] != runreport.RoleFinalize {
		fmt.Fprintln(os.Stderr, "usage: engine generate | finalize | publish | delete NAMESPACE NAME")
		return runreport.ExitInvalid
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	config, err := readConfig(logger)
	if err != nil {
		logger.Error("the engine can't start", "error", err)
		return runreport.ExitInvalid
	}
	logger = config.Logger
	logger.Info("the engine starts", "version", buildversion.Version(), "role", arguments[0])
	server, err := serve(logger)
	if err != nil {
		logger.Error("the engine can't start", "error", err)
		return runreport.ExitRetry
	}
	defer server.close()
	config.Serve = server.set

	var ending engine.Ending
	if arguments[0] == runreport.RoleGenerate {
		ending = engine.Generate(ctx, config)
	} else {
		ending = engine.Finalize(ctx, config)
	}
	// Truncated and not replaced: the kubelet has bound this very file.
	if err := os.WriteFile(runreport.TerminationMessagePath, ending.Result.Encode(), 0o644); err != nil {
		logger.Error("the result could not be written", "error", err)
	}
	return ending.ExitCode
}

// deleteOutput deletes the datasets of a resource.
func deleteOutput(logger *slog.Logger, namespace, name string) int {
	logger = logger.With("namespace", namespace, "dataset", name)
	if err := deleteDatasets(namespace, name); err != nil {
		logger.Error("the datasets could not be deleted", "error", err)
		return runreport.ExitStorage
	}
	logger.Info("the datasets are deleted")
	return runreport.ExitOK
}

// deleteDatasets deletes them from the volume, or from the bucket where the environment names one.
func deleteDatasets(namespace, name string) (err error) {
	config := engine.Config{OutputDirectory: runreport.OutputDirectory}
	if text := os.Getenv(runreport.ObjectStoreVariable); text != "" {
		var place v1alpha1.ObjectStoreOutput
		if err := json.Unmarshal([]byte(text), &place); err != nil {
			return fmt.Errorf("reading %s: %w", runreport.ObjectStoreVariable, err)
		}
		if config.ObjectStore, err = engine.ObjectStore(&place, runreport.ObjectStoreDirectory); err != nil {
			return err
		}
		if config.Endpoints, err = allowedEndpoints(); err != nil {
			return err
		}
	}
	return engine.Delete(context.Background(), config, namespace, name)
}

// allowedEndpoints are where requests may be sent.
func allowedEndpoints() (*connection.Endpoints, error) {
	allowed, err := allowlist.ParseText(os.Getenv(runreport.AllowedEndpointsVariable))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", runreport.AllowedEndpointsVariable, err)
	}
	return connection.NewEndpoints(allowed, os.Getenv), nil
}

// objectStoreOf is the place that the spec of a run names; nil where the output is a volume.
func objectStoreOf(run *runreport.ResolvedRun) (*s3.Location, error) {
	var spec struct{ Output v1alpha1.Output }
	if err := json.Unmarshal(run.Spec, &spec); err != nil || spec.Output.ObjectStore == nil {
		return nil, nil // what is wrong with a spec the engine says itself
	}
	return engine.ObjectStore(spec.Output.ObjectStore, runreport.ObjectStoreDirectory)
}

func logLevel(name string) slog.Level {
	var level slog.Level
	if level.UnmarshalText([]byte(name)) != nil {
		return slog.LevelInfo
	}
	return level
}

func readConfig(logger *slog.Logger) (engine.Config, error) {
	config := engine.Config{
		Drain: engine.Drain{
			Finish: runreport.GracePeriodSeconds * time.Second / 3, Stop: runreport.GracePeriodSeconds * time.Second / 6,
		},
		OutputDirectory: runreport.OutputDirectory, SeedDirectory: runreport.SeedDirectory, Version: buildversion.Version(),
		SeedStoreDirectory: runreport.SeedStoreDirectory, TLSDirectory: runreport.TLSDirectory, PeopleDirectory: runreport.PeopleOf,
		Pod:        os.Getenv(runreport.PodUIDVariable),
		APIKey:     func(provider int) string { return os.Getenv(runreport.APIKeyVariablePrefix + strconv.Itoa(provider)) },
		ToolKey:    func(server int) string { return os.Getenv(runreport.ToolKeyVariablePrefix + strconv.Itoa(server)) },
		SeedToken:  strings.TrimSpace(os.Getenv(runreport.SeedTokenVariable)),
		SeedHeader: func(index int) string { return os.Getenv(runreport.SeedHeaderVariablePrefix + strconv.Itoa(index)) },
		ValidatorHeader: func(column string, index int) string {
			return os.Getenv(runreport.ValidatorHeaderVariable(column, index))
		},
		ToolSocket: func(server string) string {
			return filepath.Join(runreport.ToolDirectory, server, runreport.ToolSocketName)
		},
	}
	var err error
	if config.AllowedAddresses, err = connection.ParseAllowed(os.Getenv(runreport.AllowedAddressesVariable)); err != nil {
		return config, fmt.Errorf("reading %s: %w", runreport.AllowedAddressesVariable, err)
	}
	if config.Endpoints, err = allowedEndpoints(); err != nil {
		return config, err
	}
	data, err := os.ReadFile(runreport.SpecPath)
	if err != nil {
		return config, err
	}
	if err := json.Unmarshal(data, &config.Run); err != nil {
		return config, fmt.Errorf("reading %s: %w", runreport.SpecPath, err)
	}
	if config.Run.Version != runreport.Version {
		return config, fmt.Errorf("%s has version %d, and this engine reads %d", runreport.SpecPath, config.Run.Version, runreport.Version)
	}
	if config.ObjectStore, err = objectStoreOf(&config.Run); err != nil {
		return config, err
	}
	if dataset := config.Run.SeedDataset; dataset != nil && dataset.ObjectStore != nil {
		if config.SeedStore, err = engine.ObjectStore(dataset.ObjectStore, runreport.SeedStoreDirectory); err != nil {
			return config, err
		}
	}
	if text := os.Getenv(runreport.ShardVariable); text != "" {
		shard, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return config, fmt.Errorf("reading %s: %w", runreport.ShardVariable, err)
		}
		config.Shard = int32(shard)
	}
	config.Logger = logger.With("namespace", config.Run.Namespace, "dataset", config.Run.Name, "run", config.Run.RunID,
		"attempt", config.Run.Attempt, "shard", config.Shard)
	return config, nil
}

// progressServer serves the progress and the metrics of the run, as soon as there are any.
type progressServer struct {
	handler atomic.Pointer[http.Handler]
	server  *http.Server
	done    chan struct{}
}

func serve(logger *slog.Logger) (*progressServer, error) {
	listener, err := net.Listen("tcp", ":"+strconv.Itoa(runreport.Port))
	if err != nil {
		return nil, err
	}
	progress := &progressServer{done: make(chan struct{})}
	progress.server = &http.Server{
		Handler: progress, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
	}
	go func() {
		defer close(progress.done)
		if err := progress.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			logger.Error("the progress server has ended", "error", err)
		}
	}()
	return progress, nil
}

// ServeHTTP answers 503 until the run has begun.
func (s *progressServer) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	if handler := s.handler.Load(); handler != nil {
		(*handler).ServeHTTP(writer, request)
		return
	}
	http.Error(writer, "the run has not begun yet", http.StatusServiceUnavailable)
}

func (s *progressServer) set(handler http.Handler) { s.handler.Store(&handler) }

// close closes the server and waits for it.
func (s *progressServer) close() {
	// Readers come back later, or learn the end from the termination message.
	_ = s.server.Close()
	<-s.done
}
