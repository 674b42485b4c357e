package terminal

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/internal/runreport"
)

const (
	// maxNameWidth is what a name gets at most, minNameWidth what it keeps while a table has columns to give up.
	maxNameWidth, minNameWidth = 28, 12
	// titledWidth is from which width on there is room for the title.
	titledWidth = 72
	// barWidth is what the bar of a column takes.
	barWidth = 22
	// maxPanel is how many lines a panel has at most.
	maxPanel = 30
)

// column is a column of a table: a heading and a width, and how soon it is given up when there is no room, the largest number first.
type column struct {
	heading string
	width   int
	rank    int
}

// layout returns the lines of the panel, none of them wider than the terminal and with at least one line of the terminal left. On a
// terminal that is too small there are none, and neither before rows are made: nothing is known then of how many there are to be.
func layout(snapshot *progress.Snapshot, title string, width, height int) []string {
	if width < minWidth || height < minHeight || snapshot.Elapsed == 0 {
		return nil
	}
	lines := header(snapshot, cleanName(title), width)
	columns, models := columnTable(snapshot, width), modelTable(snapshot, width)
	foot := footer(snapshot)
	room := min(height-2, maxPanel) - len(lines) - len(foot)
	// The columns are what one looks at; what the models leave of the room is theirs, and at least half of it.
	kept := min(len(models), max(room-len(columns), room/2))
	lines = append(lines, fitRows(columns, room-kept, "columns")...)
	lines = append(lines, fitRows(models, kept, "models")...)
	lines = append(lines, foot...)
	for i := range lines {
		lines[i] = strings.TrimRight(Cut(lines[i], width), " ")
	}
	return lines
}

// fitRows shortens a table, which begins with its headings, to a number of lines, and says how much is left out.
func fitRows(table []string, room int, what string) []string {
	switch {
	case len(table) <= room:
		return table
	case room < 3:
		return nil
	}
	return append(table[:room-1:room-1], fmt.Sprintf("  and %d more %s", len(table)-room+1, what))
}

func header(snapshot *progress.Snapshot, title string, width int) []string {
	remaining := "time left unknown"
	switch {
	case snapshot.Phase != runreport.PhaseRunning:
		remaining = strings.ToLower(snapshot.Phase)
	case snapshot.Remaining.Known:
		remaining = formatTime(snapshot.Remaining.Time) + " left"
	}
	text := fmt.Sprintf("%s/%s records (%.0f%%)", formatCount(snapshot.Records.Actual), formatCount(snapshot.Expected()),
		math.Floor(snapshot.Percent()))
	room := width
	if width >= titledWidth && title != "" {
		title = Cut(title, maxNameWidth) + ": "
		room -= Width(title)
	} else {
		title = ""
	}
	for _, part := range []string{
		formatRate(snapshot.RecordsPerSecond) + "/s", remaining, formatTime(snapshot.Elapsed) + " elapsed", droppedText(snapshot),
		initialText(snapshot),
	} {
		if part != "" && Width(text)+2+Width(part) <= room {
			text += ", " + part
		}
	}
	return []string{title + text, bar(snapshot.Percent(), width)}
}

func droppedText(snapshot *progress.Snapshot) string {
	if snapshot.Records.Dropped == 0 {
		return ""
	}
	return formatCount(snapshot.Records.Dropped) + " dropped"
}

func initialText(snapshot *progress.Snapshot) string {
	if snapshot.Initial == 0 {
		return ""
	}
	return formatCount(snapshot.Initial) + " from before"
}

func footer(snapshot *progress.Snapshot) (lines []string) {
	if count, most := snapshot.UnusableAnswers(); count > 0 {
		text := "1 answer could not be used"
		if count > 1 {
			text = formatCount(count) + " answers could not be used"
		}
		lines = append(lines, fmt.Sprintf("%s; %s of column %s: %s", text, formatCount(most.Count), cleanName(most.Column), most.Reason))
	}
	switch snapshot.SlowRequests {
	case 0:
	case 1:
		lines = append(lines, "1 request is slow")
	default:
		lines = append(lines, formatCount(snapshot.SlowRequests)+" requests are slow")
	}
	return lines
}

// shownColumns are the columns that models make; the others keep step with the records.
func shownColumns(snapshot *progress.Snapshot) []*progress.Column {
	var shown []*progress.Column
	for i := range snapshot.Columns {
		if snapshot.Columns[i].Model != "" {
			shown = append(shown, &snapshot.Columns[i])
		}
	}
	return shown
}

func columnTable(snapshot *progress.Snapshot, width int) []string {
	headings := []column{
		{"done", countWidth, 0}, {"of", countWidth, 6}, {"%", 4, 1}, {"now/s", rateWidth, 3}, {"avg/s", rateWidth, 8}, {"running",
			countWidth + 1, 7},
		{"waiting", countWidth + 1, 9}, {"failed", countWidth, 2}, {"dropped", countWidth + 1, 5},
	}
	skips := slices.ContainsFunc(snapshot.Columns, func(c progress.Column) bool { return c.Skipped > 0 })
	if skips {
		headings = append(headings, column{"skipped", countWidth + 1, 4})
	}
	headings = append(headings, column{"", barWidth, 10})
	var names []string
	var rows [][]string
	for _, shown := range shownColumns(snapshot) {
		names = append(names, cleanName(shown.Name))
		row := []string{
			formatCount(shown.Completed), formatCount(shown.Total), fmt.Sprintf("%.0f%%", math.Floor(shown.Percent())),
			formatRate(shown.PerSecond),
			formatRate(shown.AveragePerSecond), formatCount(shown.InFlight), formatCount(shown.Deferred), formatCount(shown.Failed),
			formatCount(shown.Dropped),
		}
		if skips {
			row = append(row, formatCount(shown.Skipped))
		}
		rows = append(rows, append(row, bar(shown.Percent(), barWidth)))
	}
	return table("column", headings, names, rows, width)
}

func modelTable(snapshot *progress.Snapshot, width int) []string {
	headings := []column{
		{"requests/min", 12, 0}, {"tokens/s in", 11, 3}, {"out", rateWidth, 2}, {"running", countWidth + 1, 1}, {"limit", countWidth,
			4}, {"failed", countWidth, 5},
	}
	var names []string
	var rows [][]string
	for i := range snapshot.Models {
		model := &snapshot.Models[i]
		if model.Limit == 0 {
			continue // no column uses it
		}
		names = append(names, cleanName(model.Alias))
		rows = append(rows, []string{
			formatRate(model.RequestsPerMinute), formatRate(model.InputTokensPerSecond), formatRate(model.OutputTokensPerSecond),
			formatCount(model.InFlight), formatCount(model.Limit), formatCount(model.Failed),
		})
	}
	if len(rows) == 0 {
		return nil
	}
	return table("model", headings, names, rows, width)
}

// table returns the lines of a table: the names to the left, and of the other columns as many as there is room for.
func table(heading string, columns []column, names []string, rows [][]string, width int) []string {
	nameWidth := Width(heading)
	for _, name := range names {
		nameWidth = max(nameWidth, min(Width(name), maxNameWidth))
	}
	kept, room := fit(columns, width-min(nameWidth, minNameWidth))
	nameWidth = min(nameWidth, min(nameWidth, minNameWidth)+room)
	line := func(name string, cells func(int) string) string {
		text := padRight(name, nameWidth)
		for i, column := range columns {
			if kept[i] {
				text += "  " + padLeft(cells(i), column.width)
			}
		}
		return text
	}
	lines := []string{line(heading, func(i int) string { return columns[i].heading })}
	for at, name := range names {
		lines = append(lines, line(name, func(i int) string { return rows[at][i] }))
	}
	return lines
}

// fit says which columns are kept so that they have room, and how much of it is left.
func fit(columns []column, width int) (kept []bool, room int) {
	kept = make([]bool, len(columns))
	room = width
	for i, column := range columns {
		kept[i] = true
		room -= column.width + 2
	}
	for room < 0 {
		worst := -1
		for i, column := range columns {
			if kept[i] && (worst < 0 || column.rank > columns[worst].rank) {
				worst = i
			}
		}
		if worst < 0 {
			return kept, 0
		}
		kept[worst] = false
		room += columns[worst].width + 2
	}
	return kept, room
}
