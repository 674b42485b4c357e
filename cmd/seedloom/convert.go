package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/datadesigner"
)

// convertOptions are the flags of the command convert.
type convertOptions struct {
	output, name, claim                 string
	numRecords                          int64
	providers, toolProviders, runConfig string
	strict                              bool
}

func newConvertCommand(streams *Streams) *cobra.Command {
	var options convertOptions
	command := &cobra.Command{
		Use:   "convert FILE",
		Short: "Write a configuration of NeMo Data Designer as a manifest",
		Long: `Write a configuration of NeMo Data Designer (YAML or JSON, with or without data_designer around it) as a manifest, and check that.

What has no counterpart is named on standard error with its path in the configuration, and the way round where there is one; what is
wrong with the manifest, with its path there. Data Designer keeps providers, tool servers and run settings in files of their own: name
them, and they are carried over too. No API key is ever copied.

` + exitHelp(exitOK, exitFailed),
		Example: `  seedloom convert builder_config.json -o reviews.yaml --num-records 1000
  seedloom convert config.yaml --providers ~/.data-designer/model_providers.yaml | kubectl diff -f -`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, arguments []string) error {
			return options.run(command.Context(), streams, arguments[0])
		},
	}
	flags := command.Flags()
	flags.StringVarP(&options.output, "output", "o", "-", "the `FILE` to write the manifest to; - is standard output")
	flags.StringVar(&options.name, "name", "", "the metadata.`NAME` of the manifest (default: after the file)")
	flags.StringVar(&options.claim, "claim", "datasets", "the `CLAIM` that the dataset is written to, and a local seed is read from")
	flags.Int64VarP(&options.numRecords, "num-records", "n", 10, "how many records to generate, which no configuration says")
	flags.StringVar(&options.providers, "providers", "", "the `FILE` with the providers of models (model_providers.yaml)")
	flags.StringVar(&options.toolProviders, "tool-providers", "", "the `FILE` with the providers of tools (mcp_providers.yaml)")
	flags.StringVar(&options.runConfig, "run-config", "", "the `FILE` with the settings of runs")
	flags.BoolVar(&options.strict, "strict", false, "end with exit code 1 when something of the configuration is left out")
	return command
}

func (o *convertOptions) run(ctx context.Context, streams *Streams, file string) error {
	if o.output != "-" && filepath.Clean(o.output) == filepath.Clean(file) {
		return fmt.Errorf("--output names the configuration itself, %s: give the manifest another name", file)
	}
	if o.numRecords < 1 {
		return fmt.Errorf("--num-records must be at least 1, but is %d", o.numRecords)
	}
	config, settings, err := o.read(streams, file)
	if err != nil {
		return err
	}
	converted, err := datadesigner.Convert(config, settings)
	if errors.Is(err, datadesigner.ErrNotConfiguration) {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err != nil {
		return err
	}
	text, err := manifestText(converted.Resource)
	if err != nil {
		return err
	}
	if o.output == "-" {
		if _, err := streams.Out.Write(text); err != nil {
			return err
		}
	} else if err := os.WriteFile(o.output, text, 0o644); err != nil {
		return err
	}
	lost := tellNotes(streams, file, converted.Notes)
	valid, err := o.check(ctx, streams, text)
	if err != nil {
		return err
	}
	if !valid || o.strict && lost > 0 {
		return &endedError{code: exitFailed}
	}
	return nil
}

// read reads the configuration and what stands in other files.
func (o *convertOptions) read(streams *Streams, file string) ([]byte, datadesigner.Options, error) {
	base := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	settings := datadesigner.Options{
		Name: cmp.Or(o.name, datadesigner.DatasetName(base)), NumRecords: o.numRecords, ClaimName: o.claim,
	}
	config, err := readInput(streams, file)
	if err != nil {
		return nil, settings, err
	}
	for _, one := range []struct {
		name    string
		content *[]byte
	}{{o.providers, &settings.Providers}, {o.toolProviders, &settings.ToolProviders}, {o.runConfig, &settings.RunConfig}} {
		if one.name == "" {
			continue
		}
		if *one.content, err = os.ReadFile(one.name); err != nil {
			return nil, settings, err
		}
	}
	return config, settings, nil
}

// tellNotes says what became of the configuration, and returns how much of it was left out.
func tellNotes(streams *Streams, file string, notes []datadesigner.Note) (lost int) {
	for _, note := range notes {
		kind := "note"
		if note.Lost {
			kind, lost = "warning", lost+1
		}
		streams.Errorf("%s: %s: %s: %s", file, kind, note.Path, note.Message)
	}
	return lost
}

// check says what is wrong with a manifest, and odd in it.
func (o *convertOptions) check(ctx context.Context, streams *Streams, text []byte) (valid bool, err error) {
	known, err := readDefinition()
	if err != nil {
		return false, err
	}
	documents, problems := readDocuments(o.output, text)
	if len(documents) != 1 || len(problems) != 0 {
		return false, fmt.Errorf("the manifest can't be read again: %v", problems)
	}
	read, err := known.readManifest(documents[0], &overrides{})
	if err != nil {
		return false, err
	}
	known.check(ctx, read)
	for _, one := range inOrder(read.problems) {
		streams.Errorf("%s", one.String())
	}
	return read.isValid(), nil
}

// manifestText is a resource as a person would write it: its fields in the order of the API, after what it is.
func manifestText(resource *v1alpha1.DatasetGeneration) ([]byte, error) {
	text, err := json.Marshal(struct {
		APIVersion string                          `json:"apiVersion"`
		Kind       string                          `json:"kind"`
		Metadata   *metav1.ObjectMeta              `json:"metadata"`
		Spec       *v1alpha1.DatasetGenerationSpec `json:"spec"`
	}{resource.APIVersion, resource.Kind, &resource.ObjectMeta, &resource.Spec})
	if err != nil {
		return nil, err
	}
	var manifest bytes.Buffer
	if err := writeYAML(&manifest, text); err != nil {
		return nil, err
	}
	return manifest.Bytes(), nil
}
