package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/internal/buildversion"
	"seedloom.dev/seedloom/internal/runreport"
)

// publish publishes the dataset that the order in the environment names, and leaves the result in the termination message.
func publish(logger *slog.Logger) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	result, err := publishDataset(ctx, logger)
	if err != nil {
		problem := failure.Of(err)
		result.Reason, result.Message = problem.Reason, problem.Error()
		logger.Error("the dataset could not be published", "reason", problem.Reason, "error", problem.Error())
	} else {
		logger.Info("the dataset is published", "url", result.URL, "commit", result.Commit, "uploaded", result.Uploaded, "kept", result.Kept,
			"removed", result.Removed)
	}
	// Truncated and not replaced: the kubelet has bound this very file.
	if err := os.WriteFile(runreport.TerminationMessagePath, result.Encode(), 0o644); err != nil {
		logger.Error("the result could not be written", "error", err)
	}
	return engine.ExitCodeOf(err)
}

func publishDataset(ctx context.Context, logger *slog.Logger) (result runreport.PublicationResult, err error) {
	config, order, err := readOrder()
	if err != nil {
		return result, failure.Wrap(err, v1alpha1.ReasonConfigInvalid, failure.EndRun, "the engine can't start")
	}
	logger = logger.With("namespace", order.Namespace, "dataset", order.Name)
	dataset, err := engine.OpenDataset(ctx, config)
	if err != nil {
		return result, err
	}
	defer func() { _ = dataset.Close() }() // was only read
	published, err := engine.Publish(ctx, engine.Publication{
		Dataset: dataset, Repository: order.HuggingFace, Token: strings.TrimSpace(os.Getenv(runreport.HubTokenVariable)), Logger: logger,
		Version: buildversion.Version(), AllowedAddresses: config.AllowedAddresses, Endpoints: config.Endpoints,
	})
	if err != nil {
		return result, err
	}
	result.URL, result.Commit = published.Address, published.Commit
	result.Uploaded, result.Kept, result.Removed = published.Uploaded, published.Kept, published.Removed
	return result, nil
}

// readOrder reads what is to be published, and where it is.
func readOrder() (config engine.Config, order runreport.PublicationOrder, err error) {
	if err := json.Unmarshal([]byte(os.Getenv(runreport.PublicationVariable)), &order); err != nil {
		return config, order, fmt.Errorf("reading %s: %w", runreport.PublicationVariable, err)
	}
	if order.Version != runreport.Version || order.HuggingFace == nil {
		return config, order, fmt.Errorf("%s has version %d, and this engine reads %d", runreport.PublicationVariable, order.Version,
			runreport.Version)
	}
	config.OutputDirectory = runreport.OutputDirectory
	config.Run.Namespace, config.Run.Name, config.Run.ConfigHash = order.Namespace, order.Name, order.ConfigHash
	if config.AllowedAddresses, err = connection.ParseAllowed(os.Getenv(runreport.AllowedAddressesVariable)); err != nil {
		return config, order, fmt.Errorf("reading %s: %w", runreport.AllowedAddressesVariable, err)
	}
	if config.Endpoints, err = allowedEndpoints(); err != nil {
		return config, order, err
	}
	if order.ObjectStore != nil {
		config.ObjectStore, err = engine.ObjectStore(order.ObjectStore, runreport.ObjectStoreDirectory)
	}
	return config, order, err
}
