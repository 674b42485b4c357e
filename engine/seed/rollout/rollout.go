// Package rollout reads the sessions that coding agents have recorded, in the forms in which they write them, as one form. It gets the
// bytes of files and opens none; what becomes of a session it does not know.
package rollout

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/table"
)

// Problem is what is wrong with a file, and not with reading it.
type Problem struct{ Message string }

func (p *Problem) Error() string { return p.Message }

func problem(message string, arguments ...any) error {
	return &Problem{Message: fmt.Sprintf(message, arguments...)}
}

// session is a recorded session in the form that all formats become. Nil is null.
type session struct {
	span
	traceID, root                     string
	agent, directory, project, branch *string
	isSidechain                       bool
	messages                          []message
	meta                              meta
	// parts counts the messages, their blocks and their calls of tools, and references to other sessions.
	parts int
}

// file is a file with a session.
type file struct {
	path string
	data []byte
}

// stem is the name of the file without its ending.
func (f *file) stem() string { return strings.TrimSuffix(path.Base(f.path), path.Ext(f.path)) }

// form is how an agent writes its sessions.
type form struct {
	// kind is the name that rows have for it.
	kind string
	// handles says whether a file is one with a session.
	handles func(name string) bool
	// index is the name of files that say more of the sessions; readIndex adds what one says. Empty and nil where there is none.
	index     string
	readIndex func(data []byte, into Index) error
	read      func(*file, Index) (*session, error)
}

var forms = map[v1alpha1.AgentRolloutFormat]form{
	v1alpha1.AgentRolloutATIF: {kind: "atif", handles: isATIF, read: readATIF},
	v1alpha1.AgentRolloutClaudeCode: {
		kind: "claude_code", handles: isClaudeCode, index: "sessions-index.json", readIndex: readClaudeIndex, read: readClaudeCode,
	},
	v1alpha1.AgentRolloutCodex: {kind: "codex", handles: isCodex, read: readCodex},
	v1alpha1.AgentRolloutHermesAgent: {
		kind: "hermes_agent", handles: isHermes, index: hermesIndex, readIndex: readHermesIndex, read: readHermes,
	},
	v1alpha1.AgentRolloutPiCodingAgent: {kind: "pi_coding_agent", handles: isPi, read: readPi},
}

// Handles says whether a file is one in which an agent has recorded a session, by its path.
func Handles(format v1alpha1.AgentRolloutFormat, name string) bool {
	found, known := forms[format]
	return known && found.handles(name)
}

// Files says in words which files a format has.
func Files(format v1alpha1.AgentRolloutFormat) string {
	switch format {
	case v1alpha1.AgentRolloutATIF:
		return "*.json"
	case v1alpha1.AgentRolloutCodex:
		return "rollout-*.jsonl"
	case v1alpha1.AgentRolloutHermesAgent:
		return "session_*.json and *.jsonl"
	}
	return "*.jsonl"
}

// Index is what files beside the sessions say of them, by the sessions' names.
type Index map[string]object

// IsIndex says whether a file is one that says more of the sessions.
func IsIndex(format v1alpha1.AgentRolloutFormat, name string) bool {
	found := forms[format]
	return found.index != "" && path.Base(name) == found.index
}

// Add adds what an index file says. What is wrong with it is a *Problem, and what it has said before stays.
func (i Index) Add(format v1alpha1.AgentRolloutFormat, data []byte) error {
	return forms[format].readIndex(data, i)
}

// Read reads a file as a row with the columns of Fields. What is wrong with it is a *Problem.
func Read(format v1alpha1.AgentRolloutFormat, name string, data []byte, index Index) ([]any, error) {
	found, known := forms[format]
	if !known {
		return nil, fmt.Errorf("no format of rollouts is called %q", format)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return nil, problem("it is empty")
	case !utf8.Valid(data):
		return nil, problem("it is not text in UTF-8")
	}
	read, err := found.read(&file{name, data}, index)
	if err != nil {
		return nil, err
	}
	return read.cells(found.kind, name)
}

// Columns are the names of the columns of a row, in their order.
func Columns() []string {
	names := make([]string, 0, len(Fields()))
	for _, field := range Fields() {
		names = append(names, field.Name)
	}
	return names
}

// Fields are the columns of a row, whatever the session is.
func Fields() []table.Field {
	text, count := table.Type{Kind: table.KindString}, table.Type{Kind: table.KindInt}
	return []table.Field{
		{Name: "trace_id", Type: text}, {Name: "source_kind", Type: text}, {Name: "source_path", Type: text},
		{Name: "root_session_id", Type: text}, {Name: "agent_id", Type: text}, {Name: "is_sidechain", Type: table.Type{Kind: table.KindBool}},
		{Name: "cwd", Type: text}, {Name: "project_path", Type: text}, {Name: "git_branch", Type: text}, {Name: "started_at", Type: text},
		{Name: "ended_at", Type: text}, {Name: "messages", Type: messagesType()},
		{Name: "source_meta", Type: table.Type{Kind: table.KindString, Document: true}},
		{Name: "message_count", Type: count}, {Name: "tool_call_count", Type: count}, {Name: "final_assistant_message", Type: text},
	}
}

func (s *session) cells(kind, name string) ([]any, error) {
	described, err := s.meta.encode()
	if err != nil {
		return nil, err
	}
	messages, calls := make([]any, len(s.messages)), 0
	for i := range s.messages {
		messages[i] = s.messages[i].cells()
		calls += len(s.messages[i].calls)
	}
	return []any{
		s.traceID, kind, name, s.root, cell(s.agent), s.isSidechain, cell(s.directory), cell(s.project), cell(s.branch), cell(s.startedAt),
		cell(s.endedAt), messages, described, int64(len(messages)), int64(calls), s.lastAnswer(),
	}, nil
}

// cell is a text, or null.
func cell(text *string) any {
	if text == nil {
		return nil
	}
	return *text
}

// lastAnswer is the text of the assistant's last message that has some; nil where none has.
func (s *session) lastAnswer() any {
	for i := range slices.Backward(s.messages) {
		said := &s.messages[i]
		if said.role != roleAssistant {
			continue
		}
		var texts []string
		for _, block := range said.content {
			if block.text != nil && *block.text != "" {
				texts = append(texts, *block.text)
			}
		}
		if len(texts) > 0 {
			return strings.Join(texts, "\n\n")
		}
	}
	return nil
}
