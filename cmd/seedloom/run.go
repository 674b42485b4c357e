package main

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/internal/runreport"
)

// runOptions are the flags of the command run.
type runOptions struct {
	session
	output       outputOptions
	numRecords   int64
	retryDropped bool
}

func newRunCommand(streams *Streams) *cobra.Command {
	var options runOptions
	command := &cobra.Command{
		Use:   "run FILE --output DIR|s3://BUCKET/PREFIX",
		Short: "Generate the dataset of a manifest into a folder or a bucket",
		Long: `Generate the dataset of a manifest into a folder or a bucket, as the Pods do: what is there already is not made again, and
after an interruption the same command goes on from where it was. The credentials for a bucket are those of the environment
(AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, ~/.aws, or the role of the machine).

Of several manifests, where the dataset of one is the seed of another (spec.seed.datasetRef), each is run when its seed is complete. --name
runs one of them, and those that it needs. A dataset that is no manifest's among the files is looked for in the folder.

` + exitHelp(exitOK, exitFailed, exitPartial, exitEarlyShutdown, exitInterrupted),
		Example: `  seedloom run reviews.yaml --output ./datasets
  seedloom run reviews.yaml --output ./datasets --num-records 10000 --api-key openai=OPENAI_API_KEY
  seedloom run chain.yaml --output ./datasets    # several documents, or several files
  seedloom run reviews.yaml --output s3://datasets/team --output-endpoint https://s3.example.com`,
		RunE: func(command *cobra.Command, arguments []string) error {
			return options.run(command, streams, arguments)
		},
	}
	options.register(command, "info")
	flags := command.Flags()
	options.output.register(flags)
	flags.Int64Var(&options.numRecords, "num-records", 0, "how many records are wanted, instead of spec.numRecords")
	flags.BoolVar(&options.retryDropped, "retry-dropped", false, "try the rows again that earlier runs have dropped")
	if err := command.MarkFlagRequired("output"); err != nil {
		panic(err) // the flag is defined above
	}
	return command
}

func (o *runOptions) run(command *cobra.Command, streams *Streams, arguments []string) error {
	if err := o.readLevel(); err != nil {
		return err
	}
	known, all, err := o.read(streams, arguments, overrides{numRecords: o.numRecords})
	if err != nil {
		return err
	}
	var chain []*manifest
	if len(all.manifests) > 0 {
		if chain, err = all.chain(o.name); err != nil {
			return err
		}
	}
	if err := o.check(command.Context(), streams, known, all, chain); err != nil {
		return err
	}
	if len(chain) > 1 {
		if o.numRecords != 0 {
			return fmt.Errorf("--num-records is for one dataset, and there are %d: change spec.numRecords", len(chain))
		}
		if err := o.unknownFlags(chain); err != nil {
			return err
		}
	}
	o.datasets = o.output
	o.generated = map[string]string{}
	return o.runChain(command.Context(), streams, chain, all)
}

// runChain generates datasets one after the other, as long as each gives the next one its seed. Records that are missing are the end of
// none when its completion policy accepts that.
func (o *runOptions) runChain(ctx context.Context, streams *Streams, chain []*manifest, all *resources) (lacking error) {
	flags := o.input
	for number, one := range chain {
		if len(chain) > 1 {
			o.input = *flags.only(&one.resource.Spec)
			streams.Errorf("datasetgeneration/%s: %d of %d", one.resource.Name, number+1, len(chain))
		}
		result, err := o.generate(ctx, streams, one, all)
		if err != nil {
			return err
		}
		err = ended(result)
		rest := chain[number+1:]
		if len(rest) > 0 && err != nil && !suffices(&one.resource.Spec, result) {
			streams.Errorf("not begun, since datasetgeneration/%s gives no seed yet: %s", one.resource.Name, namesOf(rest))
			return err
		}
		lacking = cmp.Or(lacking, err)
		o.generated[path.Join(one.resource.Namespace, one.resource.Name)] = result.Output.Path
	}
	return lacking
}

// suffices says whether a dataset that lacks records is complete by its own completion policy.
func suffices(spec *v1alpha1.DatasetGenerationSpec, result *runreport.Result) bool {
	records := result.Records
	return result.Outcome == runreport.OutcomePartial && records.Actual > 0 &&
		records.Actual-records.Added+records.Filtered >= spec.MinRecords()
}

func namesOf(manifests []*manifest) string {
	names := make([]string, len(manifests))
	for i, one := range manifests {
		names[i] = one.resource.Name
	}
	return strings.Join(names, ", ")
}

// generate generates the dataset of one manifest.
func (o *runOptions) generate(ctx context.Context, streams *Streams, one *manifest, all *resources) (*runreport.Result, error) {
	ready, err := o.ready(ctx, streams, one, all)
	if err != nil {
		return nil, err
	}
	defer ready.close()
	if err := o.output.apply(&ready.resource.Spec, &ready.config); err != nil {
		return nil, err
	}
	ready.config.Run.Attempt, ready.config.RetryDropped = 0, o.retryDropped
	ending := engine.Generate(ready.ctx, ready.config)
	o.report(streams, ready.resource.Name, &ending.Result)
	return &ending.Result, nil
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
	folder := o.output.join(result.Output.Path)
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
				o.output.join(result.Output.Path+"/dropped-rows.jsonl"))
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
	reportDraws(streams, result)
	if note := result.Documents.Note(records.Target); note != "" {
		streams.Errorf("%s", note)
	}
	reportAnswers(streams, result)
}

// reportDraws says, by columns with constraints, how often was drawn for a row that meets them.
func reportDraws(streams *Streams, result *runreport.Result) {
	for _, column := range result.Columns {
		if draws := column.Draws; draws.Rejected > 0 {
			streams.Errorf("column %s: %.3g %% of %d draws met all constraints", column.Name, 100*draws.Rate(), draws.Accepted+draws.Rejected)
		}
	}
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
		if counted := column.Usage.Corrections; counted != (runreport.Corrections{}) {
			streams.Errorf("column %s: of the values that were not valid, %d were corrected, %d were given up and %d were kept", column.Name,
				counted.Corrected, counted.GivenUp, counted.Kept)
		}
		if kept := column.Usage.TruncatedKept; kept > 0 {
			streams.Errorf("column %s: %d of %d answers were cut off by the limit of tokens and kept; raise parameters.maxTokens of the model",
				column.Name, kept, column.Usage.Succeeded)
		}
	}
}
