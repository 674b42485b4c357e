package rollout

import (
	"path"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

func isPi(name string) bool { return path.Ext(name) == ".jsonl" }

// piEntry is an entry of a session of Pi, which is a tree: an entry follows from another one. Its members are read where it is on the path
// to the last entry.
type piEntry struct {
	number     int
	id, parent string
	line       object
}

// piSession is a session of Pi while its entries are read.
type piSession struct {
	session
	header               object
	entries              []piEntry
	kinds, models, stops []string
	commands             int
	// members counts those of all entries.
	members int
}

func readPi(from *file, _ Index) (*session, error) {
	read := &piSession{}
	count, err := from.eachLine(read.line)
	if err != nil {
		return nil, err
	}
	if read.traceID, err = read.header.required("id", "the header of the session"); err != nil {
		return nil, err
	}
	read.root = read.traceID
	read.directory, read.project = read.header.text("cwd"), read.header.text("cwd")
	for _, entry := range read.path() {
		if err := read.entry(&entry); err != nil {
			return nil, problem("line %d: %v", entry.number, err)
		}
	}
	read.meta.add("record_count", count)
	read.meta.add("entry_types", sorted(read.kinds))
	read.meta.add("stop_reasons", listed(read.stops))
	if version := read.header["version"]; !isNull(version) {
		read.meta.addValue("session_version", version)
	}
	read.meta.addAll("models_used", read.models)
	if read.hasBranches() {
		read.meta.add("has_branches", true)
	}
	if read.commands > 0 {
		read.meta.add("bash_execution_count", read.commands)
	}
	read.meta.addText("parent_session", read.header.text("parentSession"))
	return &read.session, nil
}

// maxEntries and maxEntryMembers bound the entries of a session, which are in memory together, and their members in all.
const maxEntries, maxEntryMembers = 100_000, 500_000

func (p *piSession) line(number int, line object) error {
	p.seen(line.text("timestamp"))
	if p.header == nil {
		if line.said("type") != "session" {
			return problem("the first entry is no header of a session of Pi")
		}
		p.header = line
		return nil
	}
	entry := piEntry{number: number, line: line}
	if isText(line["id"]) {
		entry.id = line.said("id")
	}
	if isText(line["parentId"]) {
		entry.parent = line.said("parentId")
	}
	if p.entries = append(p.entries, entry); len(p.entries) > maxEntries {
		return problem("the session has more than %d entries", maxEntries)
	}
	if p.members += len(line); p.members > maxEntryMembers {
		return problem("its entries have more than %d members in all", maxEntryMembers)
	}
	return nil
}

// path are the entries from the first one to the last one of the file; those of other branches are left out.
func (p *piSession) path() []piEntry {
	if len(p.entries) == 0 {
		return nil
	}
	byID := map[string]int{}
	for i := range p.entries {
		if id := p.entries[i].id; id != "" {
			byID[id] = i
		}
	}
	var found []piEntry
	visited := map[string]bool{}
	for at, isThere := len(p.entries)-1, true; isThere; {
		entry := &p.entries[at]
		if entry.id != "" && visited[entry.id] {
			break // a circle
		}
		visited[entry.id] = true
		found = append(found, *entry)
		if entry.parent == "" {
			break
		}
		at, isThere = byID[entry.parent]
	}
	slices.Reverse(found)
	return found
}

// hasBranches says whether two entries follow from the same one.
func (p *piSession) hasBranches() bool {
	seen := map[string]bool{}
	for i := range p.entries {
		parent := p.entries[i].parent
		if parent != "" && seen[parent] {
			return true
		}
		seen[parent] = true
	}
	return false
}

func (p *piSession) entry(entry *piEntry) error {
	line := entry.line
	kind := line.said("type")
	if kind == "" {
		kind = "unknown"
	}
	p.kinds = added(p.kinds, kind)
	switch kind {
	case "model_change":
		p.models = added(p.models, line.said("modelId"))
	case "compaction", "branch_summary":
		return p.summary(line)
	case "custom_message":
		return p.custom(line)
	case "message":
		if !isObject(line["message"]) {
			return nil
		}
		said, err := asObject(line["message"])
		if err != nil {
			return err
		}
		return p.message(said, entry.id)
	}
	return nil
}

// summary adds what stands for messages that were left out.
func (p *piSession) summary(of object) error {
	if text := of.said("summary"); text != "" {
		return p.addText(roleSystem, text)
	}
	return nil
}

// custom adds a message of an extension, where people see it.
func (p *piSession) custom(said object) error {
	if !said.isTrue("display") {
		return nil
	}
	content, err := loose(said["content"])
	if err != nil {
		return err
	}
	return p.add(roleSystem, message{content: content})
}

func (p *piSession) message(said object, id string) error {
	switch role := said.said("role"); role {
	case roleUser:
		content, err := loose(said["content"])
		if err != nil {
			return err
		}
		return p.add(role, message{content: content})
	case roleAssistant:
		p.stops, p.models = added(p.stops, said.said("stopReason")), added(p.models, said.said("model"))
		return p.assistant(said["content"])
	case "toolResult":
		answers, err := said.required("toolCallId", "a toolResult")
		if err != nil {
			return err
		}
		content, err := loose(said["content"])
		if err != nil {
			return err
		}
		return p.add(roleTool, message{content: content, answers: &answers})
	case "bashExecution":
		p.commands++
		return p.command(said, id)
	case "custom":
		return p.custom(said)
	case "compactionSummary", "branchSummary":
		return p.summary(said)
	}
	return nil
}

// assistant adds what the model says: its texts as one.
func (p *piSession) assistant(content jsontext.Value) error {
	var texts, thoughts []string
	said := message{}
	var elements []jsontext.Value
	if isList(content) || isText(content) {
		var err error
		if elements, err = elementsOf(content); err != nil {
			return err
		}
	}
	for _, element := range elements {
		if isText(element) {
			texts = append(texts, plain(element))
			continue
		}
		part, err := blockMembers(element)
		if err != nil {
			return err
		}
		switch part.said("type") {
		case "text":
			texts = append(texts, part.said("text"))
		case "thinking":
			thoughts = append(thoughts, part.said("thinking"))
		case "toolCall":
			said.calls = append(said.calls, call{part.said("id"), part.said("name"), arguments(part["arguments"])})
		}
	}
	isEmpty := func(text string) bool { return text == "" }
	said.content = textBlocks(strings.Join(slices.DeleteFunc(texts, isEmpty), "\n\n"))
	said.reasoning = joined(slices.DeleteFunc(thoughts, isEmpty))
	return p.add(roleAssistant, said)
}

// command adds a command that the user has run, as if the model had called a tool.
func (p *piSession) command(said object, id string) error {
	if said.isTrue("excludeFromContext") {
		return nil
	}
	if id == "" {
		id = "unknown"
	}
	id = "bash_" + id
	quoted, err := jsontext.AppendQuote(nil, said.said("command"))
	if err != nil {
		return err
	}
	called := message{content: textBlocks(""), calls: []call{{id, "bash", `{"command":` + string(quoted) + "}"}}}
	if err := p.add(roleAssistant, called); err != nil {
		return err
	}
	output := said.said("output")
	if code := said["exitCode"]; !isNull(code) {
		if output != "" {
			output += "\n"
		}
		output += "[exit code: " + plain(code) + "]"
	}
	return p.add(roleTool, message{content: textBlocks(output), answers: &id})
}
