package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/health"
	"seedloom.dev/seedloom/internal/reason"
)

func newCheckCommand(streams *Streams) *cobra.Command {
	var options session
	command := &cobra.Command{
		Use:   "check -f FILE",
		Short: "Ask the models and tools of a manifest whether they can do what its columns need",
		Long: `Ask the models and the tools of a manifest whether they can do what its columns need, as a run does before its first row: each model is asked
once in each form in which its columns will ask it, such as with a schema, with tools, with an image, as a stream, or for so many dimensions.
It makes no row and writes no file; it costs one short answer for each question.

` + exitHelp(exitOK, exitFailed, exitInterrupted),
		Example: "  seedloom check -f reviews.yaml --api-key openai=OPENAI_API_KEY",
		Args:    cobra.NoArgs,
		RunE:    func(command *cobra.Command, _ []string) error { return check(command, streams, &options) },
	}
	options.register(command, "info")
	return command
}

func check(command *cobra.Command, streams *Streams, options *session) error {
	return options.with(command, streams, options.read, func(ctx context.Context, resource *v1alpha1.DatasetGeneration,
		config engine.Config) error {
		result, err := engine.Check(ctx, config)
		switch {
		case ctx.Err() != nil:
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
			fmt.Fprintf(streams.Out, "datasetgeneration/%s has no model to ask\n", resource.Name)
		}
		return nil
	})
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
