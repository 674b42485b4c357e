package rollout

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// isClaudeCode leaves out the history of prompts, and what tools have answered.
func isClaudeCode(name string) bool {
	return path.Ext(name) == ".jsonl" && path.Base(name) != "history.jsonl" && !slices.Contains(strings.Split(name, "/"), "tool-results")
}

// readClaudeIndex reads what a sessions-index.json says of sessions.
func readClaudeIndex(data []byte, into Index) error {
	index, err := parse(data)
	if err != nil {
		return err
	}
	if isNull(index["entries"]) {
		return nil
	}
	entries, err := asList(index["entries"])
	if err != nil {
		return err
	}
	for _, value := range entries {
		if !isObject(value) {
			continue
		}
		entry, err := asObject(value)
		if err != nil {
			return err
		}
		if name := entry.said("sessionId"); name != "" {
			into[name] = entry
		}
	}
	return nil
}

// claudeSession is a session of Claude Code while its lines are read.
type claudeSession struct {
	session
	name            *string
	kinds, versions []string
}

func readClaudeCode(from *file, index Index) (*session, error) {
	read := &claudeSession{}
	count, err := from.eachLine(func(_ int, line object) error { return read.line(line) })
	if err != nil {
		return nil, err
	}
	read.root = from.stem()
	if read.name != nil {
		read.root = *read.name
	}
	if read.traceID = read.root; read.agent != nil && *read.agent != "" {
		read.traceID += ":" + *read.agent
	}
	described := index[read.root]
	if read.project = described.text("projectPath"); read.project == nil {
		read.project = read.directory
	}
	read.meta.add("record_count", count)
	read.meta.add("record_types", sorted(read.kinds))
	read.meta.addAll("claude_versions", sorted(read.versions))
	read.meta.addText("summary", described.text("summary"))
	read.meta.addText("first_prompt", described.text("firstPrompt"))
	return &read.session, nil
}

func (c *claudeSession) line(line object) error {
	kind := line.said("type")
	if kind == "" {
		kind = "unknown"
	}
	c.kinds, c.versions = added(c.kinds, kind), added(c.versions, line.said("version"))
	c.seen(line.text("timestamp"))
	for name, to := range map[string]**string{
		"sessionId": &c.name, "agentId": &c.agent, "cwd": &c.directory, "gitBranch": &c.branch,
	} {
		if found := line.text(name); (*to == nil || **to == "") && found != nil {
			*to = found
		}
	}
	c.isSidechain = c.isSidechain || line.isTrue("isSidechain")
	if kind != roleAssistant && kind != roleUser {
		return nil
	}
	said, err := memberObject(line, "message")
	if err != nil {
		return err
	}
	if kind == roleAssistant {
		return c.assistant(said["content"])
	}
	return c.user(said["content"])
}

// turn is what one line says: a message, and the results of tools that stand within it, which are messages of their own.
type turn struct {
	said     message
	thoughts []string
	results  []message
}

// assistant adds what the model says.
func (c *claudeSession) assistant(content jsontext.Value) error {
	if isNull(content) {
		return nil
	}
	elements, err := elementsOf(content)
	if err != nil {
		return err
	}
	found := &turn{}
	for _, element := range elements {
		if err := found.take(element); err != nil {
			return err
		}
	}
	said := &found.said
	said.reasoning = joined(found.thoughts)
	return c.with(roleAssistant, found.said, len(said.content) > 0 || len(found.thoughts) > 0 || len(said.calls) > 0, found.results)
}

// elementsOf are the values of a list, or the one value that is none.
func elementsOf(content jsontext.Value) ([]jsontext.Value, error) {
	if isList(content) {
		return asList(content)
	}
	return []jsontext.Value{content}, nil
}

// take takes a block of what the model says.
func (t *turn) take(element jsontext.Value) error {
	members, err := blockMembers(element)
	if err != nil {
		return err
	}
	switch members.said("type") {
	case "thinking":
		if thought := cmp.Or(members.said("thinking"), members.said("text")); thought != "" {
			t.thoughts = append(t.thoughts, thought)
		}
		return nil
	case "tool_use":
		called, err := claudeCall(members)
		t.said.calls = append(t.said.calls, called)
		return err
	}
	return t.takeOther(element, members)
}

// takeOther takes a block that users may have, too: the result of a tool, or a part of the message.
func (t *turn) takeOther(element jsontext.Value, members object) error {
	if members.said("type") == "tool_result" {
		result, err := claudeResult(members)
		t.results = append(t.results, result)
		return err
	}
	part, err := claudeBlock(element)
	t.said.content = append(t.said.content, part)
	return err
}

// with adds a message, where there is one, and the results of tools.
func (c *claudeSession) with(role string, said message, isThere bool, results []message) error {
	if isThere {
		if err := c.add(role, said); err != nil {
			return err
		}
	}
	for _, result := range results {
		if err := c.add(roleTool, result); err != nil {
			return err
		}
	}
	return nil
}

// user adds what the user says.
func (c *claudeSession) user(content jsontext.Value) error {
	if !isList(content) && !isObject(content) {
		parts, err := blocks(content)
		if err != nil {
			return err
		}
		return c.add(roleUser, message{content: parts})
	}
	elements, err := elementsOf(content)
	if err != nil {
		return err
	}
	found := &turn{}
	for _, element := range elements {
		members, err := blockMembers(element)
		if err == nil {
			err = found.takeOther(element, members)
		}
		if err != nil {
			return err
		}
	}
	return c.with(roleUser, found.said, len(found.said.content) > 0, found.results)
}

// blockMembers are the members of a block; none of one that is no object.
func blockMembers(value jsontext.Value) (object, error) {
	if !isObject(value) {
		return nil, nil
	}
	return asObject(value)
}

// claudeBlock is a block of which a text has nothing but its text.
func claudeBlock(value jsontext.Value) (block, error) {
	part, err := blockOf(value)
	if err != nil {
		return part, err
	}
	switch part.kind {
	case blockText, "input_text", "output_text":
		if part.text != nil {
			return block{kind: blockText, text: part.text}, nil
		}
	}
	return part, nil
}

func claudeCall(members object) (call, error) {
	id, err := members.required("id", "a tool_use")
	if err != nil {
		return call{}, err
	}
	name, err := members.required("name", "a tool_use")
	return call{id, name, arguments(members["input"])}, err
}

func claudeResult(members object) (message, error) {
	answers, err := members.required("tool_use_id", "a tool_result")
	if err != nil {
		return message{}, err
	}
	content, err := blocks(members["content"])
	return message{content: content, answers: &answers}, err
}

// joined are texts with blank lines between them; nil where there are none.
func joined(texts []string) *string {
	if len(texts) == 0 {
		return nil
	}
	text := strings.Join(texts, "\n\n")
	return &text
}
