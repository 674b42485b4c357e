package main

import (
	"fmt"
	"strconv"
	"strings"

	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/progress/terminal"
	"seedloom.dev/seedloom/engine/table"
)

// maxCell is how many characters of a value are printed.
const maxCell = 40

// printTable prints the records in columns, as kubectl does. Long texts are cut, so that the table fits a terminal; all other formats have
// them whole. A terminal that is too narrow for the columns gets the records one after the other.
func printTable(streams *Streams, result *engine.PreviewResult) error {
	dataset := &result.Dataset
	if len(dataset.Rows) > 0 {
		fields := dataset.Schema.Fields()
		rows := [][]string{nil}
		for _, field := range fields {
			rows[0] = append(rows[0], strings.ToUpper(field.Name))
		}
		for _, cells := range dataset.Rows {
			row := make([]string, len(fields))
			for i, value := range cells {
				row[i] = cellText(fields[i].Type, value)
			}
			rows = append(rows, row)
		}
		if !fit(rows, streams.width()) {
			return printRecords(streams, result)
		}
		printColumns(streams, rows)
	}
	printFiltered(streams, result)
	return printDropped(streams, result)
}

// printFiltered prints the rows that processors have left out of the dataset, marked as such.
func printFiltered(streams *Streams, result *engine.PreviewResult) {
	filtered := result.Dataset.Filtered
	if len(filtered) == 0 {
		return
	}
	rows := [][]string{{"FILTERED ROW"}}
	for _, field := range filtered[0].Fields {
		rows[0] = append(rows[0], strings.ToUpper(field.Name))
	}
	for _, one := range filtered {
		row := []string{strconv.FormatInt(int64(one.Row), 10)}
		for i, value := range one.Cells {
			row = append(row, cellText(one.Fields[i].Type, value))
		}
		rows = append(rows, row)
	}
	if len(result.Dataset.Rows) > 0 {
		fmt.Fprintln(streams.Out)
	}
	fit(rows, streams.width())
	printColumns(streams, rows)
}

// minCell is how narrow a column may become.
const minCell = 8

// fit cuts the widest columns until the table has the width, which is 0 when nobody cares. It returns false when that is too narrow.
func fit(rows [][]string, width int) bool {
	widths := widthsOf(rows)
	total := 3 * (len(widths) - 1)
	for _, one := range widths {
		total += one
	}
	if width <= 0 {
		return true
	}
	for ; total > width; total-- {
		widest := 0
		for i := range widths {
			if widths[i] > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= minCell {
			return false
		}
		widths[widest]--
	}
	for _, row := range rows {
		for i := range row {
			row[i] = terminal.Cut(row[i], widths[i])
		}
	}
	return true
}

func widthsOf(rows [][]string) []int {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, text := range row {
			widths[i] = max(widths[i], terminal.Width(text))
		}
	}
	return widths
}

// printDropped prints the rows that were dropped, with their causes.
func printDropped(streams *Streams, result *engine.PreviewResult) error {
	dataset := &result.Dataset
	if len(dataset.Dropped) > 0 {
		rows := [][]string{{"DROPPED ROW", "COLUMN", "REASON", "ATTEMPTS", "MESSAGE"}}
		for _, dropped := range dataset.Dropped {
			rows = append(rows, []string{
				strconv.FormatInt(int64(dropped.Row), 10), dropped.Column, dropped.Reason,
				strconv.Itoa(int(dropped.Attempts)), terminal.OneLine(dropped.Message),
			})
		}
		if len(dataset.Rows) > 0 || len(dataset.Filtered) > 0 {
			fmt.Fprintln(streams.Out)
		}
		printColumns(streams, rows)
	}
	return nil
}

func cellText(kind table.Type, value any) string {
	if text, isText := value.(string); isText {
		return terminal.Cut(terminal.OneLine(text), maxCell)
	}
	if value == nil {
		return "<none>"
	}
	text, err := table.AppendJSON(nil, kind, value)
	if err != nil {
		return "<unknown>"
	}
	return terminal.Cut(terminal.OneLine(strings.Trim(string(text), `"`)), maxCell)
}

// printColumns prints rows with their columns one below the other.
func printColumns(streams *Streams, rows [][]string) {
	widths := widthsOf(rows)
	for _, row := range rows {
		var line strings.Builder
		for i, text := range row {
			line.WriteString(text)
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-terminal.Width(text)+3))
			}
		}
		fmt.Fprintln(streams.Out, strings.TrimRight(line.String(), " "))
	}
}
