package rollout_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/seed/rollout"
)

const (
	atif   = v1alpha1.AgentRolloutATIF
	claude = v1alpha1.AgentRolloutClaudeCode
	codex  = v1alpha1.AgentRolloutCodex
	hermes = v1alpha1.AgentRolloutHermesAgent
	pi     = v1alpha1.AgentRolloutPiCodingAgent
)

func TestFilesThatAreNoSessions(t *testing.T) {
	trajectory := func(steps string) string {
		return `{"schema_version": "1", "session_id": "s", "agent": {"name": "a"}, "steps": [` + steps + `]}`
	}
	item := func(payload string) string { return `{"type": "response_item", "payload": ` + payload + "}\n" }
	for name, test := range map[string]struct {
		format          v1alpha1.AgentRolloutFormat
		data, complains string
	}{
		"empty":           {claude, " \n\n", "it is empty"},
		"not UTF-8":       {codex, "{\"type\": \"\xff\"}\n", "it is not text in UTF-8"},
		"UTF-16":          {claude, "\xff\xfe{\x00}\x00", "it is not text in UTF-8"},
		"no JSON":         {pi, "{\"type\": \"session\", \"id\": \"x\"}\nhello\n", "line 2: it is not JSON"},
		"a list":          {claude, "[1]\n", "line 1: it has a list where an object should be"},
		"two on a line":   {claude, "{} {}\n", "line 1: it is not JSON: something follows the object"},
		"deep nesting":    {claude, `{"a":` + strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000) + "}\n", "line 1: its values are nested more than 64 deep"},
		"deep and cut":    {hermes, strings.Repeat(`{"a":`, 1_000_000), "line 1: its values are nested more than 64 deep"},
		"many members":    {codex, members(20_000), "line 1: an object has more than 10000 members"},
		"many values":     {claude, `{"type": "user", "message": {"content": [` + strings.Repeat("1,", 150_000) + "1]}}\n", "a list has more than 100000 values"},
		"many parts":      {claude, strings.Repeat(`{"type": "user", "message": {"content": [`+strings.Repeat("1,", 50_000)+"1]}}\n", 6), "it has more than 250000 messages"},
		"no message":      {claude, `{"type": "user"}` + "\n", "line 1: message: it has nothing where an object should be"},
		"a bad tool call": {claude, `{"type": "assistant", "message": {"content": [{"type": "tool_use", "name": "x", "id": 5}]}}`, "line 1: a tool_use has a number as id"},
		"no result's id":  {claude, `{"type": "user", "message": {"content": [{"type": "tool_result"}]}}` + "\n", "a tool_result has nothing as tool_use_id"},
		"no role":         {codex, item(`{"type": "message", "role": ""}`), "a message has a text as role, which must be a text that is not empty"},
		"a strange role":  {codex, item(`{"type": "message", "role": "robot"}`), `a message has the role "robot"`},
		"no call's name":  {codex, item(`{"type": "function_call", "call_id": "c"}`), "a call of a tool has nothing as name"},
		"no version":      {atif, `{}`, "the trajectory has nothing as schema_version"},
		"no agent":        {atif, `{"schema_version": "1", "session_id": "s"}`, "agent: it has nothing where an object should be"},
		"no steps":        {atif, trajectory(""), "the trajectory has no steps"},
		"a gap of steps":  {atif, trajectory(`{"step_id": 2}`), `step 1: it has "2" as step_id: steps are numbered from 1`},
		"no source":       {atif, trajectory(`{"step_id": 1, "source": "tool"}`), `step 1: its source is "tool"`},
		"a user's calls":  {atif, trajectory(`{"step_id": 1, "source": "user", "message": "", "tool_calls": []}`), "a step of the user has tool_calls"},
		"a strange call":  {atif, trajectory(`{"step_id": 1, "source": "agent", "message": "", "observation": {"results": [{"source_call_id": "x"}]}}`), `a result answers the call "x", which the step does not have`},
		"many references": {atif, trajectory(manyReferences()), "it has more than 250000 messages"},
		"many entries":    {pi, `{"type": "session", "id": "s"}` + "\n" + strings.Repeat(members(9_000), 60), "its entries have more than 500000 members in all"},
		"no messages":     {hermes, `{"session_id": "s"}`, "messages: it has nothing where a list should be"},
		"a text for one":  {hermes, `{"messages": ["hi"]}`, "messages[0]: it has a text where an object should be"},
		"no header":       {pi, `{"type": "message", "id": "1"}` + "\n", "line 1: the first entry is no header of a session of Pi"},
		"no header's id":  {pi, `{"type": "session"}` + "\n", "the header of the session has nothing as id"},
	} {
		t.Run(name, func(t *testing.T) {
			path := "rollout-1.jsonl"
			if test.format == atif || name == "no messages" || name == "a text for one" {
				path = "session_1.json"
			}
			cells, err := rollout.Read(test.format, path, []byte(test.data), nil)
			var problem *rollout.Problem
			if !errors.As(err, &problem) || !strings.Contains(err.Error(), test.complains) || len(err.Error()) > 300 {
				t.Errorf("got %v, %.300v", err, cells)
			}
		})
	}
}

// manyReferences are steps of a trajectory with parts of messages, and one with references to trajectories of other agents.
func manyReferences() string {
	const message = `{"step_id": %d, "source": "agent", "message": [%s1]},`
	parts := strings.Repeat("1,", 90_000)
	return fmt.Sprintf(message+message, 1, parts, 2, parts) +
		`{"step_id": 3, "source": "agent", "message": "", "observation": {"results": [{"subagent_trajectory_ref": [` +
		strings.Repeat(`{"session_id":"a"},`, 80_000) + `{"session_id":"a"}]}]}}`
}

func members(count int) string {
	var text strings.Builder
	text.WriteString(`{"type": "x"`)
	for i := range count {
		fmt.Fprintf(&text, `,"m%d":1`, i)
	}
	return text.String() + "}\n"
}

// TestSessionsThatAreReadAllTheSame holds what is no reason to leave a file out.
func TestSessionsThatAreReadAllTheSame(t *testing.T) {
	const answer = `{"type": "assistant", "message": {"content": [{"type": "text", "text": "done"}]}}`
	for name, test := range map[string]struct {
		format v1alpha1.AgentRolloutFormat
		data   string
		// messages is how many there are, last the text of the assistant's last one.
		messages int64
		last     any
	}{
		"a last line that was cut off": {claude, answer + "\n" + `{"type": "assistant", "message": {"cont`, 1, "done"},
		"no line end":                  {claude, answer, 1, "done"},
		"lines of Windows, a mark":     {claude, "\ufeff" + answer + "\r\n\r\n", 1, "done"},
		"the same line twice":          {claude, answer + "\n" + answer + "\n", 2, "done"},
		"a name twice":                 {claude, `{"type": "user", "type": "assistant", "message": {"content": "done"}}`, 1, "done"},
		"half of a character":          {claude, `{"type": "assistant", "message": {"content": "done \ud83d"}}`, 1, "done \ufffd"},
		"values of other types":        {claude, `{"type": 5, "timestamp": {}, "cwd": 7, "isSidechain": "yes", "version": []}` + "\n" + answer, 1, "done"},
		"no message at all":            {codex, `{"type": "session_meta", "payload": 5}`, 0, nil},
		"an unknown item":              {codex, `{"type": "response_item", "payload": {"type": "web_search_call"}}`, 0, nil},
		"a circle of entries": {
			pi, `{"type": "session", "id": "s"}` + "\n" + `{"type": "message", "id": "a", "parentId": "b", "message": {"role": "assistant", "content": "one"}}` + "\n" +
				`{"type": "message", "id": "b", "parentId": "a", "message": {"role": "assistant", "content": "two"}}`, 2, "two",
		},
		"a parent that is missing": {pi, `{"type": "session", "id": "s"}` + "\n" + `{"type": "message", "id": "a", "parentId": "gone", "message": {"role": "user", "content": null}}`, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			cells, err := rollout.Read(test.format, "rollout-1.jsonl", []byte(test.data), nil)
			if err != nil {
				t.Fatal(err)
			}
			if cells[13] != test.messages || cells[15] != test.last {
				t.Errorf("got %v messages and %v", cells[13], cells[15])
			}
		})
	}
}

// TestManyNames holds that a session lists some of its names, where it has too many of them.
func TestManyNames(t *testing.T) {
	var data strings.Builder
	for i := range 300 {
		fmt.Fprintf(&data, `{"type": "kind %03d"}`+"\n", i)
	}
	cells, err := rollout.Read(codex, "rollout-1.jsonl", []byte(data.String()), nil)
	if err != nil {
		t.Fatal(err)
	}
	described, _ := cells[12].(string)
	if !strings.Contains(described, `"record_count":300`) || strings.Count(described, `"kind `) != 100 ||
		!strings.Contains(described, `"kind 099"`) {
		t.Errorf("got %s", described)
	}
}

func TestFilesWithSessionsByTheirNames(t *testing.T) {
	for name, of := range map[string]string{
		"a/b.jsonl": "claude hermes pi", "history.jsonl": "hermes pi", "a/tool-results/b.jsonl": "hermes pi", "a/rollout-1.jsonl": "claude codex hermes pi",
		"session_1.json": "atif hermes", "sessions.json": "atif", "a.json": "atif", "a.txt": "", "a.JSONL": "",
	} {
		var found []string
		for _, format := range []struct {
			name string
			of   v1alpha1.AgentRolloutFormat
		}{{"atif", atif}, {"claude", claude}, {"codex", codex}, {"hermes", hermes}, {"pi", pi}} {
			if rollout.Handles(format.of, name) {
				found = append(found, format.name)
			}
		}
		if got := strings.Join(found, " "); got != of {
			t.Errorf("%s is of %q, not of %q", name, got, of)
		}
	}
	if rollout.Handles("Other", "a.json") || rollout.IsIndex("Other", "sessions.json") {
		t.Error("a format that there is not has files")
	}
	if _, err := rollout.Read("Other", "a.json", []byte("{}"), nil); err == nil {
		t.Error("a format that there is not can be read")
	}
}

// FuzzRead holds that no bytes make reading fail in another way than by a problem of the file.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"type": "session", "id": "s"}` + "\n" + `{"role": "user", "message": {"content": [{"type": "tool_use"}]}}`))
	f.Add([]byte(`{"messages": [{"role": "assistant", "tool_calls": [{"function": null}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, format := range v1alpha1.AgentRolloutFormats {
			_, err := rollout.Read(format, "session_1.json", data, nil)
			var problem *rollout.Problem
			if err != nil && !errors.As(err, &problem) {
				t.Errorf("%s: %v", format, err)
			}
			if err := (rollout.Index{}).Add(v1alpha1.AgentRolloutHermesAgent, data); err != nil && !errors.As(err, &problem) {
				t.Errorf("the index: %v", err)
			}
		}
	})
}
