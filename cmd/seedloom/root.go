package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"seedloom.dev/seedloom/internal/buildversion"
)

func newRootCommand(streams *Streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "seedloom",
		Short: "Check, preview and run DatasetGeneration manifests without a cluster",
		Long: `seedloom works with manifests of DatasetGeneration without a cluster.

Find out whether a manifest is valid and its models can be used, look at some records, then generate the dataset:

  seedloom validate -f reviews.yaml
  seedloom check -f reviews.yaml
  seedloom preview -f reviews.yaml -n 5
  seedloom run -f reviews.yaml --output ./datasets
  seedloom export reviews --output ./datasets --to reviews.jsonl
  seedloom publish reviews --output ./datasets --to my-team/reviews`,
		Version:       buildversion.Version(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetVersionTemplate(buildversion.Line("seedloom") + "\n")
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Log)
	root.AddCommand(newValidateCommand(streams), newCheckCommand(streams), newPreviewCommand(streams), newRunCommand(streams),
		newExportCommand(streams), newPublishCommand(streams), newConvertCommand(streams), newVersionCommand(streams))
	return root
}

func newVersionCommand(streams *Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintln(streams.Out, buildversion.Line("seedloom"))
			return nil
		},
	}
}
