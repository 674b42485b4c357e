package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/internal/runreport"
)

// runOptions are the flags of the command run.
type runOptions struct {
	session
	output       string
	numRecords   int64
	retryDropped bool
}

func newRunCommand(streams *Streams) *cobra.Command {
	var options runOptions
	command := &cobra.Command{
		Use:   "run FILE --output DIR",
		Short: "Generate the dataset of a manifest into a folder",
		Long: `Generate the dataset of a manifest into a folder, as the Pods do into their volume: what is there already is not made again, and
after an interruption the same command goes on from where it was.

` + exitHelp(exitOK, exitFailed, exitPartial, exitEarlyShutdown, exitInterrupted),
		Example: `  seedloom run reviews.yaml --output ./datasets
  seedloom run reviews.yaml --output ./datasets --num-records 10000 --api-key openai=OPENAI_API_KEY`,
		RunE: func(command *cobra.Command, arguments []string) error {
			return options.run(command, streams, arguments)
		},
	}
	options.register(command, "info")
	flags := command.Flags()
	flags.StringVarP(&options.output, "output", "o", "", "the `DIR` for datasets; this one gets a folder of its own in it")
	flags.Int64Var(&options.numRecords, "num-records", 0, "how many records are wanted, instead of spec.numRecords")
	flags.BoolVar(&options.retryDropped, "retry-dropped", false, "try the rows again that earlier runs have dropped")
	if err := command.MarkFlagRequired("output"); err != nil {
		panic(err) // the flag is defined above
	}
	return command
}

func (o *runOptions) run(command *cobra.Command, streams *Streams, arguments []string) error {
	ready, err := o.prepare(command, streams, arguments, overrides{numRecords: o.numRecords})
	if err != nil {
		return err
	}
	defer ready.close()
	if err := os.MkdirAll(o.output, 0o755); err != nil {
		return err
	}
	ready.config.OutputDirectory = o.output
	ready.config.Run.Attempt, ready.config.RetryDropped = 0, o.retryDropped
	ending := engine.Generate(ready.ctx, ready.config)
	o.report(streams, ready.resource.Name, &ending.Result)
	return ended(&ending.Result)
}

// after puts a text behind another one, where there is any.
func after(separator, text string) string {
	if text == "" {
		return ""
	}
	return separator + text
}

// report says how the run has ended.
func (o *runOptions) report(streams *Streams, name string, result *runreport.Result) {
	folder := filepath.Join(o.output, filepath.FromSlash(result.Output.Path))
	records := result.Records
	switch code := exitCodeOf(result); code {
	case exitOK:
		fmt.Fprintf(streams.Out, "datasetgeneration/%s complete: %d records in %s%s\n", name, records.Actual, folder,
			after("; ", records.Changed()))
	case exitPartial:
		fmt.Fprintf(streams.Out, "datasetgeneration/%s partial: %d of %d records in %s; %s%s\n",
			name, records.Actual, records.Target, folder, result.Message, after("; ", records.Changed()))
		if records.Dropped > 0 {
			fmt.Fprintf(streams.Out, "%s lists the dropped rows with their causes; --retry-dropped tries them again\n",
				filepath.Join(folder, "dropped-rows.jsonl"))
		}
	case exitInterrupted:
		fmt.Fprintf(streams.Out, "datasetgeneration/%s interrupted: %d of %d records are kept in %s; the same command goes on from there\n",
			name, records.Actual, records.Target, folder)
	case exitEarlyShutdown:
		fmt.Fprintf(streams.Out, "datasetgeneration/%s ended early: %d of %d records in %s\n", name, records.Actual, records.Target, folder)
		streams.Errorf("error: %s: %s", result.Reason, result.Message)
	default:
		streams.Errorf("error: datasetgeneration/%s failed: %s: %s", name, result.Reason, result.Message)
	}
	reportAnswers(streams, result)
}

// reportAnswers says, by columns, which answers were paid for and could not be used, and which texts were cut off and kept.
func reportAnswers(streams *Streams, result *runreport.Result) {
	for _, column := range result.Columns {
		if hedged := column.Usage.Hedged; hedged > 0 {
			streams.Errorf("column %s: %d requests were sent beside ones that took too long, and the slower of each two was given up",
				column.Name, hedged)
		}
		if causes := column.Usage.Unusable.ByReason(); len(causes) > 0 {
			var parts []string
			for _, cause := range causes {
				parts = append(parts, fmt.Sprintf("%d %s", cause.Count, cause.Reason))
			}
			streams.Errorf("column %s: %d of %d answers were paid for and could not be used: %s", column.Name, column.Usage.Unusable.Total(),
				column.Usage.Succeeded, strings.Join(parts, ", "))
		}
		if kept := column.Usage.TruncatedKept; kept > 0 {
			streams.Errorf("column %s: %d of %d answers were cut off by the limit of tokens and kept; raise parameters.maxTokens of the model",
				column.Name, kept, column.Usage.Succeeded)
		}
	}
}
