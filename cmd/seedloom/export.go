package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/export"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/store"
)

// exportOptions are the flags of the command export.
type exportOptions struct {
	datasetOptions
	to, format, compression, of, splitBy string
	maxFileBytes                         int64
	spreadsheet, force                   bool
}

func newExportCommand(streams *Streams) *cobra.Command {
	var options exportOptions
	command := &cobra.Command{
		Use:   "export DATASET --to FILE|DIR",
		Short: "Write a dataset in another format",
		Long: `Write a dataset that a run has made, or another form of it that a processor has made, as JSON Lines, CSV or Arrow.

` + datasetHelp + `

The ending of FILE says the format and the compression: .jsonl, .csv or .arrow, with .gz or .zst behind the first two. Into a DIR, which is
empty or not there yet, any number of files is written; "-" is standard output.

` + exitHelp(exitOK, exitFailed),
		Example: `  seedloom export ./datasets/default/reviews --to reviews.jsonl.gz
  seedloom export reviews --output ./datasets --to reviews.csv --spreadsheet
  seedloom export reviews --output s3://datasets/team --output-endpoint https://s3.example.com --to reviews.csv
  seedloom export reviews --output ./datasets --of chat --format jsonl --split-by split --to ./training`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, arguments []string) error {
			return options.run(command.Context(), streams, arguments[0])
		},
	}
	flags := command.Flags()
	flags.StringVar(&options.to, "to", "", "the `FILE` or the folder to write, or - for standard output")
	options.register(flags)
	flags.StringVar(&options.format, "format", "", "jsonl, csv or arrow (default: by the ending of FILE, else jsonl)")
	flags.StringVar(&options.compression, "compress", "", "none, gzip or zstd (default: by the ending of FILE, else none)")
	flags.StringVar(&options.of, "of", "", "the `PROCESSOR` whose form of the rows is written (default: the dataset)")
	flags.StringVar(&options.splitBy, "split-by", "", "write the rows of each value of a `COLUMN` into files of their own")
	flags.Int64Var(&options.maxFileBytes, "max-file-bytes", 0,
		"begin another file in the folder before one is larger than this, before compression")
	flags.BoolVar(&options.spreadsheet, "spreadsheet", false,
		"write a CSV that a person opens in a spreadsheet: no formulas, no cell that is too long")
	flags.BoolVar(&options.force, "force", false, "replace a FILE that is there")
	if err := command.MarkFlagRequired("to"); err != nil {
		panic(err) // the flag is defined above
	}
	return command
}

func (o *exportOptions) run(ctx context.Context, streams *Streams, dataset string) error {
	if strings.HasPrefix(o.to, bucketScheme) {
		return fmt.Errorf("--to must be a file or a folder, and %s is in a bucket: a run writes exports there by itself (spec.output.exports)",
			o.to)
	}
	wanted, isFile, err := o.wanted()
	if err != nil {
		return err
	}
	opened, folder, err := o.open(ctx, dataset)
	if err != nil {
		return err
	}
	defer func() { _ = opened.Close() }() // was only read
	if err := checkForm(opened, o.of); err != nil {
		return err
	}
	target := &exportTarget{streams: streams, path: o.to, isFile: isFile, force: o.force}
	if err := target.prepare(); err != nil {
		return err
	}
	result, err := opened.WriteExport(ctx, store.Export{Of: o.of, Options: wanted}, target.create)
	if err != nil {
		return errors.Join(err, target.abandon())
	}
	o.report(streams, result)
	warnOfPart(streams, opened)
	if result.Rows == 0 {
		return fmt.Errorf("there are no rows in %s", folder)
	}
	return nil
}

// wanted are the options of the export, and whether it is one file.
func (o *exportOptions) wanted() (options export.Options, isFile bool, err error) {
	formats := map[string]v1alpha1.ExportFormat{"jsonl": v1alpha1.ExportJSONL, "csv": v1alpha1.ExportCSV, "arrow": v1alpha1.ExportArrow}
	compressions := map[string]v1alpha1.ExportCompression{"none": "", "gzip": v1alpha1.ExportGzip, "zstd": v1alpha1.ExportZstd}
	format, compression, isFile := byEnding(o.to)
	if o.format != "" {
		format = o.format
	}
	if o.compression != "" {
		compression = o.compression
	}
	options = export.Options{SplitBy: o.splitBy, MaxFileBytes: o.maxFileBytes, Spreadsheet: o.spreadsheet}
	var known bool
	if options.Format, known = formats[format]; !known {
		return options, isFile, fmt.Errorf("--format is %q, and must be jsonl, csv or arrow", format)
	}
	if options.Compression, known = compressions[compression]; !known {
		return options, isFile, fmt.Errorf("--compress is %q, and must be none, gzip or zstd", compression)
	}
	switch {
	case options.Format == v1alpha1.ExportArrow && options.Compression == v1alpha1.ExportGzip:
		return options, isFile, errors.New("files of Arrow are compressed inside, with --compress zstd; they can't be with gzip")
	case options.Spreadsheet && options.Format != v1alpha1.ExportCSV:
		return options, isFile, errors.New("--spreadsheet is for the format csv")
	case o.maxFileBytes < 0:
		return options, isFile, errors.New("--max-file-bytes must be above 0")
	case isFile && (o.splitBy != "" || o.maxFileBytes > 0):
		return options, isFile, fmt.Errorf("--split-by and --max-file-bytes write several files: --to must be a folder, and %s is a file", o.to)
	}
	return options, isFile, nil
}

// byEnding says what the name of a file says of its format, and whether it is that of a file.
func byEnding(name string) (format, compression string, isFile bool) {
	base, compression := name, "none"
	for ending, packed := range map[string]string{".gz": "gzip", ".zst": "zstd"} {
		if rest, found := strings.CutSuffix(name, ending); found {
			base, compression = rest, packed
		}
	}
	for ending, format := range map[string]string{
		".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".arrow": "arrow", ".feather": "arrow",
	} {
		if strings.HasSuffix(base, ending) {
			return format, compression, true
		}
	}
	return "jsonl", "none", name == "-"
}

// checkForm refuses the name of a form that is not there.
func checkForm(opened *store.Store, form string) error {
	if form == "" {
		return nil
	}
	forms, err := opened.Forms()
	if err != nil || slices.Contains(forms, form) {
		return err
	}
	return fmt.Errorf("--of: the dataset has no form that is called %q%s", form, plan.Suggestion(form, forms))
}

// report says what was written, and what of it is not as in the dataset.
func (o *exportOptions) report(streams *Streams, result *export.Result) {
	bytes := int64(0)
	for _, file := range result.Files {
		bytes += file.Bytes
	}
	if o.to != "-" {
		fmt.Fprintf(streams.Out, "%d rows in %s (%d files, %d bytes)\n", result.Rows, o.to, len(result.Files), bytes)
	}
	if result.Cut > 0 {
		streams.Errorf("%d texts were cut: a cell of a spreadsheet holds 32767 characters", result.Cut)
	}
	if result.Marked > 0 {
		streams.Errorf("%d cells got an apostrophe, since a spreadsheet would have taken them for a formula, or changed their digits",
			result.Marked)
	}
}

// exportTarget is where an export of the command line goes: a file, a folder or standard output.
type exportTarget struct {
	streams       *Streams
	path          string
	isFile, force bool
	// begun are the files that were begun.
	begun []*localFile
}

// prepare makes sure that nothing is replaced that should not be.
func (t *exportTarget) prepare() error {
	if t.path == "-" {
		return nil
	}
	if t.isFile {
		if _, err := os.Stat(t.path); err == nil && !t.force {
			return fmt.Errorf("%s is there already; give another name, or --force", t.path)
		}
		return nil
	}
	if err := os.MkdirAll(t.path, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(t.path)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("the folder %s is not empty; what is in it would be taken for a part of the export: give another one", t.path)
	}
	return err
}

// create begins a file, which gets its name when it is closed.
func (t *exportTarget) create(name string) (io.WriteCloser, error) {
	if t.path == "-" {
		return unclosed{t.streams.Out}, nil
	}
	target := filepath.Join(t.path, name)
	if t.isFile {
		target = t.path
	}
	file, err := os.CreateTemp(filepath.Dir(target), ".seedloom-export-*")
	if err != nil {
		return nil, err
	}
	begun := &localFile{File: file, target: target}
	t.begun = append(t.begun, begun)
	return begun, nil
}

// abandon removes the files that were not finished.
func (t *exportTarget) abandon() (err error) {
	for _, file := range t.begun {
		if !file.named {
			_ = file.File.Close() // is removed
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}
	return err
}

// localFile is a file that gets its name when it is closed.
type localFile struct {
	*os.File
	target string
	named  bool
}

// Close gives the file its name.
func (f *localFile) Close() error {
	if err := errors.Join(f.Chmod(0o644), f.File.Close()); err != nil {
		return err
	}
	f.named = true
	return os.Rename(f.Name(), f.target)
}

// unclosed is a stream that is not ours to close.
type unclosed struct{ io.Writer }

// Close does nothing.
func (unclosed) Close() error { return nil }
