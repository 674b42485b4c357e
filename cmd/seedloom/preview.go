package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/engine/trace"
	"seedloom.dev/seedloom/internal/runreport"
)

// previewOptions are the flags of the command preview.
type previewOptions struct {
	session
	records int64
	format  string
	trace   string
	images  string
}

func newPreviewCommand(streams *Streams) *cobra.Command {
	var options previewOptions
	command := &cobra.Command{
		Use:   "preview FILE",
		Short: "Generate some records of a manifest, and print them",
		Long: `Generate the first records of a manifest by the same engine and with the same settings as a run, and print them, with the rows that
were dropped and why. Nothing is kept but the images, where --images says in which folder: the paths in the records are below it.`,
		Example: `  seedloom preview reviews.yaml -n 3
  seedloom preview reviews.yaml -o json | jq '.records[].review'`,
		RunE: func(command *cobra.Command, arguments []string) error {
			return options.run(command, streams, arguments)
		},
	}
	options.register(command, "warn")
	options.registerDatasets(command)
	command.Flags().Int64VarP(&options.records, "num-records", "n", 10, "how many records to generate")
	command.Flags().StringVarP(&options.format, "output", "o", "table",
		"the `FORMAT` to print them in: table, record (each value on lines of its own, uncut), json, jsonl, csv or yaml")
	command.Flags().StringVar(&options.images, "images", "",
		"the `FOLDER` to keep images in, where the paths in the records lead; without it they are not kept")
	command.Flags().StringVar(&options.trace, "trace", "",
		"the `FILE` for what each task and request did, and when: as JSON lines when its name ends in .jsonl, or else for Perfetto")
	return command
}

// maxPreview bounds what is held in memory.
const maxPreview = 10_000

func (o *previewOptions) run(command *cobra.Command, streams *Streams, arguments []string) error {
	show, known := map[string]func(*Streams, *engine.PreviewResult) error{
		"table": printTable, "record": printRecords, "json": printJSON, "jsonl": printLines, "csv": printCSV, "yaml": printYAML,
	}[o.format]
	if !known {
		return fmt.Errorf("--output must be table, record, json, jsonl, csv or yaml, but is %q", o.format)
	}
	if o.records < 1 || o.records > maxPreview {
		return fmt.Errorf("--num-records must be 1 to %d, but is %d; use seedloom run for more", maxPreview, o.records)
	}
	ready, err := o.prepare(command, streams, arguments, overrides{trace: o.trace != ""})
	if err != nil {
		return err
	}
	defer ready.close()
	ready.config.ImageDirectory = o.images
	result, err := engine.Preview(ready.ctx, ready.config, o.records)
	if err != nil {
		return err
	}
	if err := errors.Join(show(streams, result), o.writeTrace(result.TaskTraces)); err != nil {
		return err
	}
	if hasImages(ready.resource.Spec.Columns) {
		o.reportImages(streams, result)
	}
	ending := &result.Ending.Result
	switch exitCodeOf(ending) {
	case exitOK:
		if changed := ending.Records.Changed(); changed != "" {
			streams.Errorf("note: %s", changed)
		}
	case exitInterrupted:
		streams.Errorf("the preview of datasetgeneration/%s was interrupted: %d records", ready.resource.Name, len(result.Dataset.Rows))
	default:
		streams.Errorf("error: the preview of datasetgeneration/%s %s: %s: %s",
			ready.resource.Name, outcomeVerb(ending.Outcome), ending.Reason, ending.Message)
	}
	reportAnswers(streams, ending)
	return ended(ending)
}

func hasImages(columns []v1alpha1.Column) bool {
	return slices.ContainsFunc(columns, func(column v1alpha1.Column) bool { return column.Image != nil })
}

// reportImages says where the paths in the records lead.
func (o *previewOptions) reportImages(streams *Streams, result *engine.PreviewResult) {
	switch {
	case len(result.Dataset.Rows) == 0:
	case o.images == "":
		streams.Errorf("note: the images of a preview are not kept, so that their paths lead nowhere; --images FOLDER keeps them")
	default:
		streams.Errorf("note: %d images are kept in %s; the paths in the records are below it", result.Images, o.images)
	}
}

// outcomeVerb says in a sentence how a preview that lacks records has ended.
func outcomeVerb(outcome runreport.Outcome) string {
	if outcome == runreport.OutcomePartial {
		return "lacks records"
	}
	return "failed"
}

// writeTrace writes the trace to the file of the flag, if there is one.
func (o *previewOptions) writeTrace(spans []trace.Span) (err error) {
	if o.trace == "" {
		return nil
	}
	file, err := os.Create(o.trace)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if strings.HasSuffix(o.trace, ".jsonl") {
		return trace.WriteLines(file, spans)
	}
	return trace.WriteEvents(file, spans)
}

// previewDocument is a preview as JSON.
type previewDocument struct {
	Records []json.RawMessage `json:"records"`
	// Processors are the other forms of the records that processors have made, by the names of the processors.
	Processors map[string][]json.RawMessage `json:"processors,omitempty"`
	Dropped    []store.DroppedRow           `json:"dropped"`
	// Filtered are the rows that processors have left out of the dataset.
	Filtered []filteredDocument `json:"filtered,omitempty"`
	Metadata json.RawMessage    `json:"metadata"`
	// TaskTraces are there when the run is traced.
	TaskTraces []trace.Span `json:"taskTraces,omitempty"`
}

type filteredDocument struct {
	Row    table.RowIndex  `json:"row"`
	Record json.RawMessage `json:"record"`
}

func documentOf(result *engine.PreviewResult) (*previewDocument, error) {
	document := &previewDocument{
		Records: []json.RawMessage{}, Dropped: []store.DroppedRow{}, Metadata: result.Dataset.Metadata, TaskTraces: result.TaskTraces,
	}
	document.Dropped = append(document.Dropped, result.Dataset.Dropped...)
	var err error
	if document.Records, err = appendRecords(document.Records, result.Dataset.Schema, result.Dataset.Rows); err != nil {
		return nil, err
	}
	for _, filtered := range result.Dataset.Filtered {
		record, err := table.AppendRecordJSON(nil, filtered.Fields, filtered.Cells)
		if err != nil {
			return nil, err
		}
		document.Filtered = append(document.Filtered, filteredDocument{Row: filtered.Row, Record: record})
	}
	for _, form := range result.Dataset.Forms {
		if document.Processors == nil {
			document.Processors = map[string][]json.RawMessage{}
		}
		if document.Processors[form.Processor], err = appendRecords(nil, form.Schema, form.Rows); err != nil {
			return nil, err
		}
	}
	return document, nil
}

func appendRecords(records []json.RawMessage, schema *table.Schema, rows [][]any) ([]json.RawMessage, error) {
	for _, cells := range rows {
		record, err := table.AppendRecordJSON(nil, schema.Fields(), cells)
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	return records, nil
}

func encode(result *engine.PreviewResult) ([]byte, error) {
	document, err := documentOf(result)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err = encoder.Encode(document)
	return text.Bytes(), err
}

func printJSON(streams *Streams, result *engine.PreviewResult) error {
	text, err := encode(result)
	if err != nil {
		return err
	}
	_, err = streams.Out.Write(text)
	return err
}
