package rollout

import (
	"path"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// hermesIndex is the file that says which session belongs to which chat.
const hermesIndex = "sessions.json"

func isHermes(name string) bool {
	switch path.Ext(name) {
	case ".json":
		return strings.HasPrefix(path.Base(name), "session_") // so that the index is none
	case ".jsonl":
		return true
	}
	return false
}

// readHermesIndex reads which session belongs to which key, as a text or with more that is known of it.
func readHermesIndex(data []byte, into Index) error {
	index, err := parse(data)
	if err != nil {
		return err
	}
	for key, value := range index {
		entry := object{}
		name := plain(value)
		if isObject(value) {
			if entry, err = asObject(value); err != nil {
				return err
			}
			name = entry.said("session_id")
		} else if !isText(value) {
			continue
		}
		if name == "" {
			continue
		}
		if _, isThere := entry["session_key"]; !isThere {
			written, err := jsontext.AppendQuote(nil, key)
			if err != nil {
				return err
			}
			entry["session_key"] = written
		}
		if before, isThere := into[name]; !isThere || before.said("session_key") <= entry.said("session_key") {
			into[name] = entry
		}
	}
	return nil
}

// hermesSession is a session of Hermes Agent while its messages are read.
type hermesSession struct {
	session
	count         int
	ends, toolSet []string
}

func readHermes(from *file, index Index) (*session, error) {
	if path.Ext(from.path) == ".json" {
		return readHermesLog(from)
	}
	read := &hermesSession{}
	if _, err := from.eachLine(func(_ int, line object) error { return read.message(line) }); err != nil {
		return nil, err
	}
	read.traceID = from.stem()
	read.root = read.traceID
	described := index[read.traceID]
	read.startedAt, read.endedAt = described.text("created_at"), described.text("updated_at")
	read.meta.add("record_count", read.count)
	read.meta.add("session_format", "gateway_transcript")
	read.meta.add("finish_reasons", listed(read.ends))
	read.meta.add("tool_names_used", listed(read.toolSet))
	for _, name := range []string{
		"session_key", "display_name", "platform", "chat_type", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
		"total_tokens", "last_prompt_tokens", "estimated_cost_usd", "cost_status", "memory_flushed",
	} {
		if value, isThere := described[name]; isThere {
			read.meta.addValue(name, value)
		}
	}
	if isObject(described["origin"]) && described.isTrue("origin") {
		read.meta.addValue("origin", described["origin"])
	}
	return &read.session, nil
}

// readHermesLog reads a session of the command line, which is one object.
func readHermesLog(from *file) (*session, error) {
	whole, err := parse(from.data)
	if err != nil {
		return nil, err
	}
	messages, err := memberList(whole, "messages")
	if err != nil {
		return nil, err
	}
	read := &hermesSession{}
	prompt := whole.said("system_prompt")
	if prompt != "" {
		if err := read.addText(roleSystem, prompt); err != nil {
			return nil, err
		}
	}
	for number, value := range messages {
		said, err := asObject(value)
		if err == nil {
			err = read.message(said)
		}
		if err != nil {
			return nil, problem("messages[%d]: %v", number, err)
		}
	}
	if read.traceID = whole.said("session_id"); read.traceID == "" {
		read.traceID = strings.TrimPrefix(from.stem(), "session_")
	}
	read.root = read.traceID
	read.startedAt, read.endedAt = whole.text("session_start"), whole.text("last_updated")
	return &read.session, read.describeLog(whole, prompt)
}

func (h *hermesSession) describeLog(whole object, prompt string) error {
	tools, err := hermesTools(whole["tools"])
	if err != nil {
		return err
	}
	h.meta.add("record_count", h.count)
	h.meta.add("session_format", "cli_session_log")
	h.meta.add("available_tool_count", len(tools))
	h.meta.add("available_tool_names", listed(tools))
	h.meta.add("finish_reasons", listed(h.ends))
	for _, name := range []string{"model", "base_url", "platform"} {
		h.meta.addText(name, whole.text(name))
	}
	if isText(whole["system_prompt"]) && prompt != "" {
		h.meta.add("has_system_prompt", true)
		h.meta.add("system_prompt_chars", utf8.RuneCountInString(prompt))
	}
	if isList(whole["tools"]) && whole.isTrue("tools") {
		h.meta.add("tools", compact(whole["tools"]))
	}
	return nil
}

// hermesTools are the names of the tools that a session could call.
func hermesTools(value jsontext.Value) (names []string, err error) {
	if !isList(value) {
		return nil, nil
	}
	elements, err := asList(value)
	if err != nil {
		return nil, err
	}
	for _, element := range elements {
		tool, err := blockMembers(element)
		if err != nil {
			return nil, err
		}
		function, err := blockMembers(tool["function"])
		if err != nil {
			return nil, err
		}
		names = added(names, function.said("name"))
	}
	return names, nil
}

func (h *hermesSession) message(said object) error {
	h.count++
	role := said.said("role")
	content, err := loose(said["content"])
	if err != nil {
		return err
	}
	if role == roleTool {
		answers, err := said.required("tool_call_id", "the message of a tool")
		if err != nil {
			return err
		}
		return h.add(role, message{content: content, answers: &answers})
	}
	calls, err := h.calls(said["tool_calls"])
	if err != nil {
		return err
	}
	if role == roleAssistant {
		h.ends = added(h.ends, said.said("finish_reason"))
	}
	return h.add(role, message{content: content, reasoning: said.text("reasoning"), calls: calls})
}

func (h *hermesSession) calls(value jsontext.Value) ([]call, error) {
	return callsOf(value, func(called *call, members object, of string) error {
		function, err := blockMembers(members["function"])
		if err != nil {
			return err
		}
		h.toolSet = added(h.toolSet, function.said("name"))
		if members.said("id") == "" {
			members["id"] = members["call_id"]
		}
		if called.id, err = members.required("id", of); err != nil {
			return err
		}
		if function.said("name") == "" {
			function = object{"name": members["name"], "arguments": function["arguments"]}
		}
		if called.name, err = function.required("name", of); err != nil {
			return err
		}
		with := function["arguments"]
		if len(with) == 0 {
			with = members["arguments"]
		}
		called.arguments = arguments(with)
		return nil
	})
}
