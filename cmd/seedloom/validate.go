package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"seedloom.dev/seedloom/engine/table"
)

// validateOptions are the flags of the command validate.
type validateOptions struct {
	input
	format string
}

func newValidateCommand(streams *Streams) *cobra.Command {
	var options validateOptions
	command := &cobra.Command{
		Use:   "validate FILE...",
		Short: "Check manifests, and list all that is wrong with them",
		Long: `Check manifests as the API server and the controller do, and list all that is wrong with them, each on a line with its file, line,
column and field. What is odd is warned of; warnings do not make a manifest invalid.

When the data of the seed is given, or lies beside the manifest, or in a ConfigMap of the same files, the names of its columns are
checked too.`,
		Example: `  seedloom validate reviews.yaml --seed-file movies.csv
  seedloom validate -R config/
  seedloom validate -R config/ -o github    # annotations beside the lines, in a workflow of GitHub Actions`,
		RunE: func(command *cobra.Command, arguments []string) error {
			return options.run(command, streams, arguments)
		},
	}
	options.register(command)
	command.Flags().StringVarP(&options.format, "output", "o", "text", "the `FORMAT` to print problems in: text, json or github (annotations)")
	return command
}

func (o *validateOptions) run(command *cobra.Command, streams *Streams, arguments []string) error {
	if o.format != "text" && o.format != "json" && o.format != "github" {
		return fmt.Errorf("--output must be text, json or github, but is %q", o.format)
	}
	known, all, err := o.read(streams, arguments, overrides{})
	if err != nil {
		return err
	}
	all.checkChains()
	listed := all.manifests
	if o.name != "" {
		chosen, err := all.choose(o.name)
		if err != nil {
			return err
		}
		listed = []*manifest{chosen}
	}
	report := &validationReport{Problems: inOrder(all.problems), Manifests: []manifestReport{}}
	invalid := map[string]bool{}
	for _, problem := range all.problems {
		invalid[problem.File] = true
	}
	columns := &chainColumns{options: o, known: known, all: all, checked: map[*manifest][]table.Field{}}
	for _, one := range listed {
		if _, err := columns.check(command.Context(), one); err != nil {
			return err
		}
		report.Problems = append(report.Problems, inOrder(one.problems)...)
		report.Manifests = append(report.Manifests, manifestReport{
			File: one.document.file, Namespace: one.namespace(), Name: one.document.text("metadata", "name"), Valid: one.isValid(),
			note: all.unchecked(one) + one.counted,
		})
		if !one.isValid() {
			invalid[one.document.file] = true
		}
	}
	report.Valid = len(invalid) == 0
	return o.print(streams, report, invalid)
}

// print prints what was found, and returns how the command ends.
func (o *validateOptions) print(streams *Streams, report *validationReport, invalid map[string]bool) error {
	if err := o.printProblems(streams, report); err != nil {
		return err
	}
	for _, one := range report.Manifests {
		if one.Valid && o.format == "text" {
			fmt.Fprintf(streams.Out, "datasetgeneration/%s is valid%s\n", one.Name, one.note)
		}
	}
	if report.Valid {
		return nil
	}
	if o.format != "json" {
		what := fmt.Sprintf("%d files are", len(invalid))
		for file := range invalid {
			if len(invalid) == 1 {
				what = file + " is"
			}
		}
		streams.Errorf("error: %s invalid: %s", what, counted(countOf(report.Problems, severityError), "problem"))
	}
	return &endedError{code: exitFailed}
}

// printProblems prints the problems in the format of the command; with json all of the report.
func (o *validateOptions) printProblems(streams *Streams, report *validationReport) error {
	if o.format == "json" {
		return printReport(streams, report)
	}
	for _, one := range report.Problems {
		switch {
		case o.format == "github":
			fmt.Fprintln(streams.Out, one.annotation())
		case one.Severity == severityWarning:
			streams.Errorf("%s", one.String())
		default:
			fmt.Fprintln(streams.Out, one.String())
		}
	}
	return nil
}
