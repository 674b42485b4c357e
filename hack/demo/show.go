package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

const (
	shownRows  = 3
	shownWidth = 100
)

// show prints the conditions, the metadata and the first rows.
func (d *demo) show(ctx context.Context) error {
	dataset, err := d.dataset(ctx)
	if err != nil {
		return err
	}
	printConditions(dataset)
	if dataset.Status.Output == nil {
		return fmt.Errorf("the status of %s does not say where the dataset is", dataset.Name)
	}
	path, ours := strings.CutPrefix(dataset.Status.Output.URL, "pvc://"+claimName+"/")
	if !ours {
		return fmt.Errorf("the dataset is at %q, which is not on the claim %s", dataset.Status.Output.URL, claimName)
	}
	folder := filepath.Join(d.volume, filepath.FromSlash(path))

	metadata := filepath.Join(folder, "metadata.json")
	text, err := os.ReadFile(metadata)
	if err != nil {
		return err
	}
	fmt.Printf("\n%s\n", metadata)
	if err := printDocument(text); err != nil {
		return fmt.Errorf("%s: %w", metadata, err)
	}

	files, err := filepath.Glob(filepath.Join(folder, "parquet-files", "*.parquet"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("there is no Parquet file in %s", folder)
	}
	slices.Sort(files)
	fmt.Printf("\nThe first %d records of %s\n", shownRows, files[0])
	return printRows(ctx, files[0])
}

// printDocument prints a JSON object with one line a member, and one line an entry of a list, in the order of the document.
func printDocument(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return err
		}
		var entries []json.RawMessage
		if json.Unmarshal(value, &entries) != nil {
			entries = nil
		}
		if len(entries) == 0 {
			fmt.Printf("  %-24v %s\n", name, compact(value))
			continue
		}
		fmt.Printf("  %v\n", name)
		for _, entry := range entries {
			fmt.Printf("    %s\n", compact(entry))
		}
	}
	return nil
}

func compact(value json.RawMessage) string {
	var line bytes.Buffer
	if err := json.Compact(&line, value); err != nil {
		return string(value)
	}
	return line.String()
}

// printRows prints the first records of a Parquet file, one line a column, since texts are long.
func printRows(ctx context.Context, path string) error {
	reader, err := file.OpenParquetFile(path, false)
	if err != nil {
		return fmt.Errorf("opening %s: %w", path, err)
	}
	defer reader.Close() //nolint:errcheck // was only read
	arrow, err := pqarrow.NewFileReader(reader, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	table, err := arrow.ReadTable(ctx)
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	defer table.Release()
	for row := range min(shownRows, int(table.NumRows())) {
		fmt.Printf("  record %d\n", row)
		for index := range int(table.NumCols()) {
			column := table.Column(index)
			// One file is one row group, which arrow reads as one chunk or more.
			at := row
			for _, chunk := range column.Data().Chunks() {
				if at < chunk.Len() {
					fmt.Printf("    %-16s %s\n", column.Name(), cut(chunk.ValueStr(at)))
					break
				}
				at -= chunk.Len()
			}
		}
	}
	return nil
}

// cut makes a value fit one line.
func cut(value string) string {
	value = strings.Join(strings.Fields(value), " ")
	if utf8.RuneCountInString(value) <= shownWidth {
		return value
	}
	return string([]rune(value)[:shownWidth-1]) + "…"
}
