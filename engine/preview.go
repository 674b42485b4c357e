package engine

import (
	"context"
	"encoding/json"
	"os"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/trace"
	"seedloom.dev/seedloom/internal/runreport"
)

// PreviewResult is what a preview has made.
type PreviewResult struct {
	Ending Ending
	// Dataset has the records as they would be in the files, the dropped rows with their causes, and the metadata.
	Dataset store.Dataset
	// TaskTraces are the spans of the tasks, in the order in which they ended, where spec.run.trace is Enabled.
	TaskTraces []trace.Span
}

// previewOutage is how long a preview waits for a provider through to which nothing gets.
const previewOutage = 5 * time.Second

// maxTraces bounds the spans of a preview. Of more, the latest are kept.
const maxTraces = 200_000

// Preview makes the first records of a dataset, by the same code and with the same settings as Generate, in a temporary folder that is
// removed again. Of the configuration it does not use the output directory, the shards and the sink of traces. The error is a
// failure.Error, of a preview that could not be read back; how the run has ended is in the result.
func Preview(ctx context.Context, config Config, records int64) (*PreviewResult, error) {
	spec, err := decodeSpec(config.Run)
	if err != nil {
		ending := unprepared(config, runreport.RoleGenerate, failure.Of(err))
		logEnding(config.Logger, &ending, 0)
		return &PreviewResult{Ending: ending}, nil
	}
	// The number of records is no part of the configuration's hash: the rows are those of the whole dataset.
	spec.NumRecords = records
	if config.Run.Spec, err = json.Marshal(spec); err != nil {
		return nil, failure.Wrap(err, v1alpha1.ReasonInternalError, failure.EndRun, "encoding the spec")
	}
	config.Run.Shards, config.Shard = 1, 0
	folder, err := os.MkdirTemp("", "seedloom-preview-")
	if err != nil {
		return nil, failure.Wrap(err, v1alpha1.ReasonStorageFailed, failure.EndRun, "making a temporary folder")
	}
	defer func() { _ = os.RemoveAll(folder) }() // a leftover in the temporary folder is the system's to remove
	config.OutputDirectory = folder
	if config.Outage == (schedule.OutageConfig{}) {
		// Somebody sits before it, and can try again.
		config.Outage = schedule.OutageConfig{First: previewOutage, Later: previewOutage}
	}
	spans := trace.NewRing(maxTraces)
	config.Trace = spans
	result := &PreviewResult{Ending: Generate(ctx, config), TaskTraces: spans.Spans()}
	opened, err := store.Open(folder, runreport.Folder(config.Run.Namespace, config.Run.Name, config.Run.ConfigHash), nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = opened.Close() }() // was only read
	dataset, err := opened.ReadDataset()
	if err != nil {
		return nil, err
	}
	result.Dataset = *dataset
	return result, nil
}
