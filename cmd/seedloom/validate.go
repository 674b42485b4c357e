package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/seed"
)

func newValidateCommand(streams *Streams) *cobra.Command {
	var from input
	command := &cobra.Command{
		Use:   "validate -f FILE",
		Short: "Check a manifest, and list all that is wrong with it",
		Long: `Check a manifest as the API server and the controller do, and list all that is wrong with it, each with its field.

When the data of the seed is given, or lies beside the manifest, the names of its columns are checked too.`,
		Example: "  seedloom validate -f reviews.yaml --seed-file movies.csv",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return runValidate(command, streams, &from)
		},
	}
	from.register(command)
	return command
}

// compile checks the spec together with the columns of its seed, where the data of that is at hand.
func (i *input) compile(command *cobra.Command, resource *v1alpha1.DatasetGeneration) ([]plan.Violation, error) {
	folder, remove, err := i.seed(&resource.Spec)
	if err != nil && i.seedFile == "" && i.seedDirectory == "" {
		return nil, nil // it was not asked for
	}
	if err != nil {
		return nil, err
	}
	defer remove()
	data, err := seed.Load(command.Context(), resource.Spec.Seed, seed.Options{Directory: folder, Rows: resource.Spec.NumRecords})
	if err != nil {
		return nil, err
	}
	defer data.Close()
	_, err = plan.Compile(&resource.Spec, data.Schema().Fields())
	var invalid *plan.InvalidError
	if errors.As(err, &invalid) {
		return invalid.Violations, nil
	}
	return nil, err
}

func runValidate(command *cobra.Command, streams *Streams, from *input) error {
	resource, err := from.read(streams)
	var malformed *manifestError
	if err != nil && !errors.As(err, &malformed) {
		return err
	}
	problems, err := problemsOf(command, from, resource, malformed)
	if err != nil {
		return err
	}
	for _, problem := range problems {
		fmt.Fprintln(streams.Out, problem)
	}
	if len(problems) > 0 {
		plural := "s"
		if len(problems) == 1 {
			plural = ""
		}
		streams.Errorf("error: %s is invalid: %d problem%s", from.filename, len(problems), plural)
		return &endedError{code: exitFailed}
	}
	fmt.Fprintf(streams.Out, "datasetgeneration/%s is valid\n", resource.Name)
	return nil
}

// problemsOf are all that is wrong with a manifest.
func problemsOf(command *cobra.Command, from *input, resource *v1alpha1.DatasetGeneration, malformed *manifestError) (problems []string, err error) {
	if malformed != nil {
		problems = malformed.problems
	}
	if resource == nil {
		return problems, nil
	}
	violations, err := validate(command.Context(), resource)
	if err != nil {
		return nil, err
	}
	if len(violations) == 0 && malformed == nil && resource.Spec.Seed != nil && resource.Spec.Seed.HTTP == nil {
		if violations, err = from.compile(command, resource); err != nil {
			return nil, err
		}
	}
	for _, violation := range violations {
		problems = append(problems, violation.String())
	}
	return problems, nil
}
