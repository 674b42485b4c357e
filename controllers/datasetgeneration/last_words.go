package datasetgeneration

import (
	"encoding/json"
	"slices"
	"strings"

	"seedloom.dev/seedloom/internal/clip"
)

const (
	// maxLastLines and maxLastWords bound how much of a log is in a message, in lines and in bytes.
	maxLastLines = 3
	maxLastWords = 500
)

// lastWords is what is worth repeating of the end of an engine's log: the last lines that are no detail. Lines at the level debug, which
// alone may have prompts and answers, are left out, and so is the trace of a panic, but for its message. The first line may be cut off
// in its middle, and then is not repeated either.
func lastWords(log string) string {
	var lines []string
	for _, line := range strings.Split(strings.ToValidUTF8(log, ""), "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "goroutine ") && strings.HasSuffix(line, ":") {
			break
		}
		if said := lineOf(line); said != "" {
			lines = append(lines, said)
		}
	}
	lines = lines[max(0, len(lines)-maxLastLines):]
	return clip.Text(strings.Join(lines, " | "), maxLastWords)
}

// lineOf is what a line of the log says: of a record its message and error, of what the runtime of Go says before it ends a process all.
// What else is there is no line of an engine.
func lineOf(line string) string {
	var record struct{ Level, Msg, Error string }
	if json.Unmarshal([]byte(line), &record) == nil {
		if record.Msg == "" || record.Level != "INFO" && record.Level != "WARN" && record.Level != "ERROR" {
			return ""
		}
		if record.Error != "" {
			return record.Msg + ": " + record.Error
		}
		return record.Msg
	}
	isRuntime := func(prefix string) bool { return strings.HasPrefix(line, prefix) }
	if slices.ContainsFunc([]string{"panic: ", "fatal error: ", "runtime: ", "[signal "}, isRuntime) {
		return line
	}
	return ""
}
