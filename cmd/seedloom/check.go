package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/health"
	"seedloom.dev/seedloom/internal/reason"
)

func newCheckCommand(streams *Streams) *cobra.Command {
	var options session
	command := &cobra.Command{
		Use:   "check FILE",
		Short: "Ask the models and tools of a manifest whether they can do what its columns need",
		Long: `Ask the models and the tools of a manifest whether they can do what its columns need, as a run does before its first row: each
model is asked once in each form in which its columns will ask it, such as with a schema, with tools, with an image, as a stream, or for so
many dimensions. It makes no row and writes no file; it costs one short answer for each question.

` + exitHelp(exitOK, exitFailed, exitInterrupted),
		Example: "  seedloom check reviews.yaml --api-key openai=OPENAI_API_KEY",
		RunE: func(command *cobra.Command, arguments []string) error {
			return check(command, streams, &options, arguments)
		},
	}
	options.register(command, "info")
	options.registerDatasets(command)
	return command
}

func check(command *cobra.Command, streams *Streams, options *session, arguments []string) error {
	ready, err := options.prepare(command, streams, arguments, overrides{})
	if err != nil {
		return err
	}
	defer ready.close()
	result, err := engine.Check(ready.ctx, ready.config)
	switch {
	case ready.ctx.Err() != nil:
		return &endedError{code: exitInterrupted}
	case err != nil:
		return err
	}
	failed := result.Failure != nil
	for i := range result.Models {
		failed = report(streams, &result.Models[i]) || failed
	}
	if result.Failure != nil {
		streams.Errorf("error: %s: %s", result.Failure.Reason, result.Failure.Message)
		if next := reason.Of(result.Failure.Reason).NextStep; next != "" {
			streams.Errorf("next: %s", plainText(next))
		}
	}
	if failed {
		return &endedError{code: exitFailed}
	}
	if len(result.Models) == 0 {
		fmt.Fprintf(streams.Out, "datasetgeneration/%s has no model to ask\n", ready.resource.Name)
	}
	return nil
}

// report prints what a model has answered, and returns whether it is a problem.
func report(streams *Streams, answer *health.Result) (problem bool) {
	used := answer.Usage.Tokens()
	switch {
	case answer.Cause == nil:
		fmt.Fprintf(streams.Out, "model/%s ok: %s in %s (%d tokens in, %d out)\n",
			answer.Alias, answer.Form, answer.Took.Round(time.Millisecond), used.Input, used.Output)
		return false
	case answer.Lasting():
		fmt.Fprintf(streams.Out, "model/%s can't be used: %s: %s\n", answer.Alias, answer.Cause.Reason, answer.Cause.Message)
	default:
		fmt.Fprintf(streams.Out, "model/%s did not answer well: %s: %s\n", answer.Alias, answer.Cause.Reason, answer.Cause.Message)
	}
	return true
}
