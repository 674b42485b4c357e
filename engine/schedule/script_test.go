package schedule_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/admission"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
)

// TestScripts plays the scripts in testdata: commands to a scheduler, each with the trace that is expected of it. They are written to be
// read; testdata/README.md says which commands there are. "go test ./engine/schedule -run TestScripts -rewrite" writes the traces anew,
// and the difference is reviewed as prose is.
func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) < 25 {
		t.Fatalf("%d scripts, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			s := &script{t: t}
			datadriven.RunTest(t, path, func(_ *testing.T, command *datadriven.TestData) string { return s.do(command) })
		})
	}
}

// script is a scheduler in a time of its own, with names for its columns and lanes.
type script struct {
	t      *testing.T
	core   *schedule.Core
	config schedule.Config
	schema *table.Schema
	// names are those of the lanes, in their order; columns say what the scripts know of the columns beside their configuration.
	names   []string
	columns []scriptColumn
	now     time.Duration
	running []scriptTask
	faults  []*fault
	// groups are the row groups that are added as soon as the scheduler needs rows.
	groups [][]schedule.Todo
	// planned is how many rows they had, added how many of them were added; next is the index of the next row group.
	planned, added int
	next           int64
	// whole and dropped count rows since the last play began.
	whole, dropped int
	ended          bool
	out            strings.Builder
}

type scriptColumn struct {
	takes              time.Duration
	skipped, recovered []int
	slow               []int // rows whose first task takes ten times as long more
}

type scriptTask struct {
	schedule.Task
	name string
	ends time.Duration
}

func (s *script) time() time.Time { return beginning.Add(s.now) }

// clock is a time as people read it.
func (s *script) clock(at time.Duration) time.Duration { return at.Round(time.Millisecond) }

func (s *script) say(format string, arguments ...any) { fmt.Fprintf(&s.out, format+"\n", arguments...) }

func (s *script) do(command *datadriven.TestData) string {
	s.t.Helper()
	commands := map[string]func(words){
		"new": func(w words) { s.create(w, command.Input) }, "add": s.add, "plan": s.plan, "next": s.start, "advance": s.advance,
		"return": func(words) { s.comeBack(command.Input) }, "play": func(w words) { s.play(w, command.Input) }, "state": s.state,
		"release": s.release, "drop": s.drop, "ceiling": s.ceiling, "end": s.end, "unfinished": s.unfinished, "needs-rows": s.needsRows,
	}
	run, known := commands[command.Cmd]
	if !known {
		s.t.Fatalf("%s: there is no command %q", command.Pos, command.Cmd)
	}
	s.out.Reset()
	var arguments []string
	for _, argument := range command.CmdArgs {
		arguments = append(arguments, argument.String())
	}
	run(words{s.t, strings.Join(arguments, " ")})
	return s.out.String()
}

// words are the words of a line, some with a value behind "=".
type words struct {
	t    *testing.T
	line string
}

func (w words) value(name string) string {
	for word := range strings.FieldsSeq(w.line) {
		if key, value, _ := strings.Cut(word, "="); key == name {
			return value
		}
	}
	return ""
}

func (w words) has(name string) bool {
	return slices.ContainsFunc(strings.Fields(w.line), func(word string) bool { return word == name || strings.HasPrefix(word, name+"=") })
}

func (w words) number(name string, otherwise int) int {
	if w.value(name) == "" {
		return otherwise
	}
	number, err := strconv.Atoi(w.value(name))
	if err != nil {
		w.t.Fatalf("%s: %v", w.line, err)
	}
	return number
}

func (w words) duration(name string, otherwise time.Duration) time.Duration {
	if w.value(name) == "" {
		return otherwise
	}
	length, err := time.ParseDuration(w.value(name))
	if err != nil {
		w.t.Fatalf("%s: %v", w.line, err)
	}
	return length
}

// rows reads "0-3,7".
func (w words) rows(name string) []int {
	var rows []int
	for part := range strings.SplitSeq(w.value(name), ",") {
		first, last, is := strings.Cut(part, "-")
		if first == "" {
			continue
		}
		if !is {
			last = first
		}
		from, err := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err != nil || err2 != nil {
			w.t.Fatalf("%s: %q are no rows", w.line, part)
		}
		for row := from; row <= to; row++ {
			rows = append(rows, row)
		}
	}
	return rows
}

func (w words) todo(name string) []schedule.Todo {
	var rows []schedule.Todo
	for _, row := range w.rows(name) {
		rows = append(rows, schedule.Todo{Row: table.RowIndex(row), Attempt: int32(w.number("attempt", 0))})
	}
	return rows
}

// create makes a scheduler of lanes and columns, one a line.
func (s *script) create(w words, input string) {
	*s = script{t: s.t}
	s.config = schedule.Config{
		MaxRowAttempts: w.number("row-attempts", 2), MaxRequestAttempts: w.number("request-attempts", 3), Hold: w.has("hold"),
		Gate:   schedule.GateConfig{Enabled: !w.has("no-gate"), ErrorRate: 0.5, Window: 50},
		Outage: schedule.OutageConfig{First: w.duration("first-outage", time.Minute), Later: w.duration("later-outage", 30*time.Minute)},
		Jitter: func(int, *table.Record, int) float64 { return 0.5 },
	}
	for line := range strings.Lines(input) {
		kind, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, rest, _ := strings.Cut(rest, " ")
		switch rest := (words{s.t, rest}); kind {
		case "lane":
			s.addLane(name, rest)
		case "column":
			s.addColumn(name, rest)
		default:
			s.t.Fatalf("%q is neither a lane nor a column", line)
		}
	}
	var fields []table.Field
	for _, column := range s.config.Columns {
		fields = append(fields, table.Field{Name: column.Parts[0]})
	}
	s.schema = table.NewSchema(fields...)
	s.config.NewRecord = func(row table.RowIndex, attempt int32) *table.Record { return table.NewRecord(s.schema, row, attempt) }
	s.config.Restarted = func(before *table.Record, attempt int32) *table.Record {
		record := table.NewRecord(s.schema, before.Row, attempt)
		for i, column := range s.config.Columns {
			if !column.AfterHold {
				record.Cells[i] = before.Cells[i]
			}
		}
		return record
	}
	s.config.Skip = func(record *table.Record, column int) bool {
		return slices.Contains(s.columns[column].skipped, int(record.Row))
	}
	s.config.Recovered = func(record *table.Record) (columns []int) {
		for i, column := range s.columns {
			if record.Attempt == 0 && slices.Contains(column.recovered, int(record.Row)) {
				columns = append(columns, i)
			}
		}
		return columns
	}
	s.core = schedule.New(s.config)
}

func (s *script) addLane(name string, w words) {
	lane := schedule.Lane{
		Limit: w.number("limit", 1), Endpoint: w.number("endpoint", -1), Adaptive: w.has("adaptive"), Ramp: w.duration("ramp", 0),
		Pool: len(s.config.Pools),
	}
	s.config.Pools = append(s.config.Pools, admission.PoolConfig{RequestsPerMinute: int64(w.number("requests-per-minute", 0))})
	lane.Ceiling = max(0, lane.Endpoint)
	s.config.Endpoints = max(s.config.Endpoints, lane.Endpoint+1)
	s.config.Ceilings = s.config.Endpoints
	s.names = append(s.names, name)
	s.config.Lanes = append(s.config.Lanes, lane)
}

func (s *script) addColumn(name string, w words) {
	column := schedule.Column{
		Parts: strings.Split(name, "+"), Batch: w.has("batch"), Chunk: w.number("chunk", 0), Weight: w.number("weight", 0),
		AfterHold: w.has("after-hold"),
	}
	if lane := w.value("lane"); lane != "" {
		column.Lane = slices.Index(s.names, lane)
	}
	for required := range strings.SplitSeq(w.value("needs"), ",") {
		if at := s.columnNamed(required); at >= 0 {
			column.Requires = append(column.Requires, at)
		}
	}
	if share := w.number("hedge", 0); share > 0 {
		column.Hedge = &schedule.Hedge{Quantile: 0.95, MaxExtra: float64(share) / 100, After: 20}
	}
	s.config.Columns = append(s.config.Columns, column)
	s.columns = append(s.columns, scriptColumn{w.duration("takes", time.Second), w.rows("skipped"), w.rows("recovered"), w.rows("slow")})
}

func (s *script) nameOf(column int) string { return strings.Join(s.config.Columns[column].Parts, "+") }

func (s *script) columnNamed(name string) int {
	for i := range s.config.Columns {
		if s.nameOf(i) == name {
			return i
		}
	}
	return -1
}

// causes are the failures that scripts speak of.
var causes = map[string]failure.Error{
	"invalid":   {Reason: v1alpha1.ReasonModelGenerationInvalid, Consequence: failure.DropRow, Message: "the answer is empty"},
	"late":      {Reason: v1alpha1.ReasonProviderTimeout, Consequence: failure.RetryLater, Message: "no answer in time"},
	"down":      {Reason: v1alpha1.ReasonProviderUnavailable, Consequence: failure.PauseEndpoint, Message: "connection refused"},
	"refused":   {Reason: v1alpha1.ReasonProviderRateLimited, Consequence: failure.RetryLater, Message: "too many requests", Overloaded: true},
	"forbidden": {Reason: v1alpha1.ReasonModelAuthentication, Consequence: failure.EndRun, Message: "the key is wrong"},
}

// kind is the failure that a line names, or empty.
func (w words) kind() string {
	for name := range causes {
		if w.has(name) {
			return name
		}
	}
	return ""
}

// cause makes the failure that a line names, or nil.
func (w words) cause() *failure.Error {
	cause, found := causes[w.kind()]
	if !found {
		return nil
	}
	cause.RetryAfter = w.duration("retry-after", 0)
	return &cause
}
