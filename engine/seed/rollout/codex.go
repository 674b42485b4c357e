package rollout

import (
	"path"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

func isCodex(name string) bool {
	return path.Ext(name) == ".jsonl" && strings.HasPrefix(path.Base(name), "rollout-")
}

// codexSession is a session of Codex while its lines are read.
type codexSession struct {
	session
	described    object
	kinds, items []string
	// thoughts wait for the message, or the call of a tool, that follows them.
	thoughts []string
}

func readCodex(from *file, _ Index) (*session, error) {
	read := &codexSession{}
	count, err := from.eachLine(func(_ int, line object) error { return read.line(line) })
	if err != nil {
		return nil, err
	}
	if read.traceID = read.described.said("id"); read.traceID == "" {
		read.traceID = from.stem()
	}
	read.root = read.traceID
	read.directory, read.project = read.described.text("cwd"), read.described.text("cwd")
	read.branch = read.described.text("git_branch")
	if read.branch == nil && isObject(read.described["git"]) {
		within, err := asObject(read.described["git"])
		if err != nil {
			return nil, err
		}
		read.branch = within.text("branch")
	}
	if begun := read.described.text("timestamp"); begun != nil && *begun != "" {
		read.startedAt = begun
	}
	read.meta.add("record_count", count)
	read.meta.add("record_types", sorted(read.kinds))
	read.meta.add("response_item_types", sorted(read.items))
	for _, name := range []string{"originator", "cli_version", "model_provider", "source"} {
		read.meta.addText(name, read.described.text(name))
	}
	read.meta.addAll("unattached_reasoning", read.thoughts)
	return &read.session, nil
}

func (c *codexSession) line(line object) error {
	kind := line.said("type")
	if kind == "" {
		kind = "unknown"
	}
	c.kinds = added(c.kinds, kind)
	c.seen(line.text("timestamp"))
	if !isObject(line["payload"]) {
		return nil
	}
	payload, err := asObject(line["payload"])
	if err != nil {
		return err
	}
	switch kind {
	case "session_meta":
		c.described = payload
		c.seen(payload.text("timestamp"))
	case "event_msg":
		if text := payload.said("text"); payload.said("type") == "agent_reasoning" && text != "" {
			c.thoughts = append(c.thoughts, text)
		}
	case "response_item":
		return c.item(payload)
	}
	return nil
}

func (c *codexSession) item(payload object) error {
	kind := payload.said("type")
	if kind == "" {
		kind = "unknown"
	}
	c.items = added(c.items, kind)
	switch kind {
	case "message":
		return c.message(payload)
	case "function_call", "custom_tool_call", "apply_patch_call":
		return c.call(payload)
	case "function_call_output", "custom_tool_call_output", "apply_patch_call_output":
		answers, err := payload.required("call_id", "the output of a tool")
		if err != nil {
			return err
		}
		content, err := blocks(payload["output"])
		if err != nil {
			return err
		}
		return c.add(roleTool, message{content: content, answers: &answers})
	case "reasoning":
		return c.think(payload["summary"])
	}
	return nil
}

func (c *codexSession) message(payload object) error {
	role, err := payload.required("role", "a message")
	if err != nil {
		return err
	}
	content, err := blocks(payload["content"])
	if err != nil {
		return err
	}
	said := message{content: content}
	if role == roleAssistant {
		said.reasoning = joined(c.thoughts)
	}
	c.thoughts = nil
	return c.add(role, said)
}

func (c *codexSession) call(payload object) error {
	id, err := payload.required("call_id", "a call of a tool")
	if err != nil {
		return err
	}
	name, err := payload.required("name", "a call of a tool")
	if err != nil {
		return err
	}
	with := plain(payload["input"])
	if value, isThere := payload["arguments"]; isThere {
		with = arguments(value)
	}
	said := message{content: textBlocks(""), reasoning: joined(c.thoughts), calls: []call{{id, name, with}}}
	c.thoughts = nil
	return c.add(roleAssistant, said)
}

// think keeps the summaries of what the model has thought.
func (c *codexSession) think(summaries jsontext.Value) error {
	if !isList(summaries) {
		return nil
	}
	elements, err := asList(summaries)
	if err != nil {
		return err
	}
	for _, element := range elements {
		summary, err := blockMembers(element)
		if err != nil {
			return err
		}
		if text := summary.said("text"); text != "" {
			c.thoughts = append(c.thoughts, text)
		}
	}
	return nil
}
