package main

import (
	"encoding/csv"
	"fmt"
	"strings"

	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/progress/terminal"
	"seedloom.dev/seedloom/engine/table"
)

// printRecords prints each record with its values on lines of their own, uncut.
func printRecords(streams *Streams, result *engine.PreviewResult) error {
	dataset := &result.Dataset
	for i, cells := range dataset.Rows {
		if i > 0 {
			fmt.Fprintln(streams.Out)
		}
		fmt.Fprintf(streams.Out, "record %d\n", i)
		printRecord(streams, dataset.Schema.Fields(), cells)
	}
	for i, filtered := range dataset.Filtered {
		if i+len(dataset.Rows) > 0 {
			fmt.Fprintln(streams.Out)
		}
		fmt.Fprintf(streams.Out, "row %d was filtered out\n", filtered.Row)
		printRecord(streams, filtered.Fields, filtered.Cells)
	}
	return printDropped(streams, result)
}

func printRecord(streams *Streams, fields []table.Field, cells []any) {
	widest := 0
	for _, field := range fields {
		widest = max(widest, terminal.Width(field.Name))
	}
	for index, value := range cells {
		name := fields[index].Name
		indent := strings.Repeat(" ", widest-terminal.Width(name)+3)
		lines := strings.Split(strings.TrimRight(wholeText(fields[index].Type, value), "\n"), "\n")
		for number, line := range lines {
			lines[number] = strings.TrimRight(terminal.OneLine(line), " ")
		}
		fmt.Fprintf(streams.Out, "  %s%s%s\n", name, indent, strings.Join(lines, "\n"+strings.Repeat(" ", widest+5)))
	}
}

// wholeText is a value as it is read best.
func wholeText(kind table.Type, value any) string {
	if text, is := value.(string); is {
		return text
	}
	if value == nil {
		return "<none>"
	}
	text, err := table.AppendJSON(nil, kind, value)
	if err != nil {
		return "<unknown>"
	}
	return strings.Trim(string(text), `"`)
}

// printLines prints each record as a line of JSON, and nothing else.
func printLines(streams *Streams, result *engine.PreviewResult) error {
	if result.Dataset.Schema == nil {
		return nil
	}
	records, err := appendRecords(nil, result.Dataset.Schema, result.Dataset.Rows)
	if err != nil {
		return err
	}
	for _, record := range records {
		if _, err := streams.Out.Write(append(record, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// printCSV prints the records as CSV with a head. What is no text is JSON; what is not there is empty. On a terminal, characters that would
// do something to it are replaced: texts come from models.
func printCSV(streams *Streams, result *engine.PreviewResult) error {
	if result.Dataset.Schema == nil {
		return nil
	}
	writer := csv.NewWriter(streams.Out)
	fields := result.Dataset.Schema.Fields()
	row := make([]string, len(fields))
	for i, field := range fields {
		row[i] = field.Name
	}
	if err := writer.Write(row); err != nil {
		return err
	}
	for _, cells := range result.Dataset.Rows {
		for i, value := range cells {
			row[i] = ""
			if value != nil {
				row[i] = wholeText(fields[i].Type, value)
				if streams.width() > 0 {
					row[i] = terminal.Visible(row[i])
				}
			}
		}
		if err := writer.Write(row); err != nil {
			return err
		}
	}
	writer.Flush()
	return writer.Error()
}
