package engine

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/engine/trace"
	"seedloom.dev/seedloom/internal/runreport"
)

// PreviewResult is what a preview has made.
type PreviewResult struct {
	Ending Ending
	// Dataset has the records as they would be in the files, the dropped rows with their causes, and the metadata.
	Dataset store.Dataset
	// Images is how many images were kept in the folder of the configuration.
	Images int
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
	// The number of records is no part of the configuration's hash, and the rows are those of the whole dataset, but where a column of exact
	// balance goes by it: a preview is balanced by itself.
	spec.NumRecords = records
	config.Run.ConfigHash = hashOf(spec, &config.Run)
	if config.Run.Spec, err = json.Marshal(spec); err != nil {
		return nil, failure.Wrap(err, v1alpha1.ReasonInternalError, failure.EndRun, "encoding the spec")
	}
	config.Run.Shards, config.Shard, config.Few = 1, 0, true
	folder, err := os.MkdirTemp("", "seedloom-preview-")
	if err != nil {
		return nil, failure.Wrap(err, v1alpha1.ReasonStorageFailed, failure.EndRun, "making a temporary folder")
	}
	defer func() { _ = os.RemoveAll(folder) }() // a leftover in the temporary folder is the system's to remove
	config.OutputDirectory, config.ObjectStore = folder, nil
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
	result.restoreTypes()
	if config.ImageDirectory != "" {
		result.Images, err = keepImages(opened, config.ImageDirectory)
	}
	return result, err
}

// restoreTypes gives columns what files don't know of their types: which texts are documents.
func (r *PreviewResult) restoreTypes() {
	known := r.Ending.columns
	if known == nil {
		return
	}
	restored := func(fields []table.Field) []table.Field {
		fields = slices.Clone(fields)
		for i, field := range fields {
			if index, is := known.Index(field.Name); is && known.Fields()[index].Type.Equal(field.Type) {
				fields[i].Type = known.Fields()[index].Type
			}
		}
		return fields
	}
	if r.Dataset.Schema != nil {
		r.Dataset.Schema = table.NewSchema(restored(r.Dataset.Schema.Fields())...)
	}
	for i := range r.Dataset.Filtered {
		r.Dataset.Filtered[i].Fields = restored(r.Dataset.Filtered[i].Fields)
	}
}

// keepImages copies the images of a dataset into a folder, and returns how many there are.
func keepImages(from *store.Store, folder string) (int, error) {
	names, err := from.Images()
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		data, err := from.ReadImage(name)
		if err != nil {
			return 0, failure.Wrap(err, v1alpha1.ReasonStorageFailed, failure.EndRun, "reading an image of the preview")
		}
		target := filepath.Join(folder, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(target), 0o755), os.WriteFile(target, data, 0o644)); err != nil {
			return 0, failure.Wrap(err, v1alpha1.ReasonStorageFailed, failure.EndRun, "keeping an image of the preview")
		}
	}
	return len(names), nil
}
