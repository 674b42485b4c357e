package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/lmittmann/tint"
	"github.com/spf13/cobra"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/internal/buildversion"
)

// publishOptions are the flags of the command publish.
type publishOptions struct {
	datasetOptions
	place         v1alpha1.HuggingFaceRepository
	tokenVariable string
	public        bool
}

func newPublishCommand(streams *Streams) *cobra.Command {
	var options publishOptions
	command := &cobra.Command{
		Use:   "publish DATASET --to OWNER/NAME",
		Short: "Publish a dataset in a repository of a Hugging Face hub",
		Long: `Publish a dataset that a run has made in a dataset repository of a Hugging Face hub: its rows, other forms of them, the
images in them and a dataset card, in one commit. Dropped columns, the spec and what was said about the run stay here.

The repository is created where it is not there, as a private one without --public. What is there already is not sent again, and where
nothing has changed no commit is made; cut off, the same command goes on. A repository that holds something else is refused.

` + datasetHelp + `

The token is that of HF_TOKEN, or the one with which "hf auth login" was done; it must be allowed to write. HF_ENDPOINT, or --hub, names
another hub than huggingface.co.

` + exitHelp(exitOK, exitFailed),
		Example: `  seedloom publish ./datasets/default/reviews --to my-team/reviews
  seedloom publish reviews --output ./datasets --to my-team/reviews --public --license cc-by-4.0 --tag support`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, arguments []string) error {
			return options.run(command.Context(), streams, arguments[0])
		},
	}
	flags := command.Flags()
	options.register(flags)
	flags.StringVar(&options.place.Repository, "to", "", "the repository, as `OWNER/NAME`")
	flags.StringVar(&options.place.Revision, "revision", "",
		"the `BRANCH` that is committed to; it is created where it is not there (default: main)")
	flags.StringVar(&options.place.Endpoint, "hub", "",
		"the `URL` of the hub (default: that of HF_ENDPOINT, and else "+v1alpha1.DefaultHub+")")
	flags.BoolVar(&options.public, "public", false, "let everybody see a repository that is created, and publish in one that everybody sees")
	flags.StringVar(&options.place.License, "license", "", "what the card names as the licence, by the hub's `IDENTIFIER`, such as apache-2.0")
	flags.StringArrayVar(&options.place.Tags, "tag", nil, "a `TAG` for the card, as often as you like")
	flags.StringVar(&options.tokenVariable, "token", "", "the environment `VARIABLE` that holds the token (default: HF_TOKEN)")
	if err := command.MarkFlagRequired("to"); err != nil {
		panic(err) // the flag is defined above
	}
	return command
}

func (o *publishOptions) run(ctx context.Context, streams *Streams, dataset string) error {
	private := !o.public
	o.place.Private = &private
	if o.place.Endpoint == "" {
		o.place.Endpoint, _ = streams.Environment(hubVariable)
	}
	if err := o.check(); err != nil {
		return err
	}
	token, err := publishingToken(streams, o.tokenVariable)
	if err != nil {
		return err
	}
	opened, folder, err := o.open(ctx, dataset)
	if err != nil {
		return err
	}
	defer func() { _ = opened.Close() }() // was only read
	warnOfPart(streams, opened)
	result, err := engine.Publish(ctx, engine.Publication{
		Dataset: opened, Repository: &o.place, Token: token, Version: buildversion.Version(),
		Logger:           slog.New(tint.NewTextHandler(streams.Log, &tint.Options{TimeFormat: "15:04:05", NoColor: true})),
		AllowedAddresses: connection.LocalNetworks(),
	})
	if err != nil {
		return err
	}
	if result.Uploaded+result.Removed == 0 {
		fmt.Fprintf(streams.Out, "%s holds %s already (commit %s)\n", result.Address, folder, result.Commit)
		return nil
	}
	fmt.Fprintf(streams.Out, "published in %s, commit %s (%d files sent, %d bytes; %d were there; %d removed)\n", result.Address,
		result.Commit, result.Uploaded, result.Bytes, result.Kept, result.Removed)
	return nil
}

// check says what is wrong with the flags.
func (o *publishOptions) check() error {
	flags := map[string]string{"repository": "--to", "revision": "--revision", "endpoint": "--hub (or HF_ENDPOINT)", "license": "--license"}
	var problems []error
	for _, violation := range plan.ValidateRepository("", &o.place) {
		member, _, _ := strings.Cut(strings.TrimPrefix(violation.Field, "."), "[")
		problems = append(problems, fmt.Errorf("%s %s", cmp.Or(flags[member], "--tag"), violation.Message))
	}
	return errors.Join(problems...)
}

// publishingToken is the token of a variable, or else the one that the programs of the hub have.
func publishingToken(streams *Streams, variable string) (string, error) {
	if variable != "" {
		return tokenOf(streams, variable)
	}
	if token := hubToken(streams); token != "" {
		return token, nil
	}
	return "", fmt.Errorf("there is no token of the hub: set %s to one that may write, or name the environment variable that holds it with "+
		"--token", tokenVariable)
}
