package rollout

import (
	"encoding/json"
	"path"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

func isATIF(name string) bool { return path.Ext(name) == ".json" }

// atifSession is a trajectory in the Agent Trajectory Interchange Format while its steps are read.
type atifSession struct {
	session
	copied     []int
	references []any
}

func readATIF(from *file, _ Index) (*session, error) {
	whole, err := parse(from.data)
	if err != nil {
		return nil, err
	}
	version, err := whole.required("schema_version", "the trajectory")
	if err != nil {
		return nil, err
	}
	read := &atifSession{}
	if read.traceID, err = whole.required("session_id", "the trajectory"); err != nil {
		return nil, err
	}
	read.root = read.traceID
	agent, err := memberObject(whole, "agent")
	if err != nil {
		return nil, err
	}
	steps, err := memberList(whole, "steps")
	if err != nil {
		return nil, err
	}
	if len(steps) == 0 {
		return nil, problem("the trajectory has no steps")
	}
	for number, value := range steps {
		if err := read.step(number+1, value); err != nil {
			return nil, problem("step %d: %v", number+1, err)
		}
	}
	read.meta.add("schema_version", version)
	read.meta.add("step_count", len(steps))
	return &read.session, read.describe(whole, agent)
}

// memberObject is a member that must be an object.
func memberObject(of object, name string) (object, error) {
	found, err := asObject(of[name])
	if err != nil {
		return nil, problem("%s: %v", name, err)
	}
	return found, nil
}

// memberList is a member that must be a list.
func memberList(of object, name string) ([]jsontext.Value, error) {
	found, err := asList(of[name])
	if err != nil {
		return nil, problem("%s: %v", name, err)
	}
	return found, nil
}

// describe says what the trajectory says of itself.
func (a *atifSession) describe(whole, agent object) error {
	name, err := agent.required("name", "agent")
	if err != nil {
		return err
	}
	a.meta.add("agent_name", name)
	a.meta.addText("version", agent.text("version"))
	a.meta.addText("model_name", agent.text("model_name"))
	if len(a.copied) > 0 {
		a.meta.add("copied_context_step_ids", a.copied)
	}
	if len(a.references) > 0 {
		a.meta.add("subagent_trajectory_refs", a.references)
	}
	a.meta.addText("notes", whole.text("notes"))
	a.meta.addText("continued_trajectory_ref", whole.text("continued_trajectory_ref"))
	for _, name := range []string{"final_metrics", "extra"} {
		if isObject(whole[name]) && whole.isTrue(name) {
			a.meta.addValue(name, whole[name])
		}
	}
	extra, err := blockMembers(agent["extra"])
	if err != nil {
		return err
	}
	a.directory, a.project, a.branch = extra.text("cwd"), extra.text("project_path"), extra.text("git_branch")
	if a.project == nil {
		a.project = a.directory
	}
	return nil
}

func (a *atifSession) step(number int, value jsontext.Value) error {
	step, err := asObject(value)
	if err != nil {
		return err
	}
	if string(step["step_id"]) != strconv.Itoa(number) {
		return problem("it has %.40q as step_id: steps are numbered from 1, one after the other", step.said("step_id"))
	}
	a.seen(step.text("timestamp"))
	if string(step["is_copied_context"]) == "true" {
		a.copied = append(a.copied, number)
	}
	role, err := atifRole(step)
	if err != nil {
		return err
	}
	if _, isThere := step["message"]; !isThere {
		return problem("it has no message")
	}
	said := message{}
	if said.content, err = blocks(step["message"]); err != nil {
		return err
	}
	if role == roleAssistant {
		said.reasoning = step.text("reasoning_content")
	}
	if said.calls, err = atifCalls(step["tool_calls"]); err != nil {
		return err
	}
	if err := a.add(role, said); err != nil || isNull(step["observation"]) {
		return err
	}
	return a.observe(number, step, said.calls)
}

// atifRole is whose step it is. Only those of the agent have thoughts, calls and observations.
func atifRole(step object) (string, error) {
	switch source := step.said("source"); source {
	case "agent":
		return roleAssistant, nil
	case roleSystem, roleUser:
		for _, name := range []string{"reasoning_content", "tool_calls", "observation"} {
			if !isNull(step[name]) {
				return "", problem("a step of the %s has %s, which only steps of the agent may have", source, name)
			}
		}
		return source, nil
	default:
		return "", problem("its source is %.40q, which must be agent, user or system", source)
	}
}

func atifCalls(value jsontext.Value) ([]call, error) {
	return callsOf(value, func(called *call, members object, of string) (err error) {
		if called.id, err = members.required("tool_call_id", of); err != nil {
			return err
		}
		called.name, err = members.required("function_name", of)
		called.arguments = arguments(members["arguments"])
		return err
	})
}

// observe adds what the tools of a step have answered.
func (a *atifSession) observe(number int, step object, calls []call) error {
	observation, err := memberObject(step, "observation")
	if err != nil {
		return err
	}
	results, err := memberList(observation, "results")
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, called := range calls {
		known[called.id] = true
	}
	for _, value := range results {
		result, err := asObject(value)
		if err == nil {
			err = a.result(number, result, known)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// result adds what a tool has answered to one of the calls that are known.
func (a *atifSession) result(number int, result object, known map[string]bool) error {
	answers := result.text("source_call_id")
	if answers != nil && !known[*answers] {
		return problem("a result answers the call %.60q, which the step does not have", *answers)
	}
	if isNull(result["content"]) {
		return a.refer(number, result["subagent_trajectory_ref"])
	}
	if answers == nil {
		return problem("a result with content does not say which call it answers (source_call_id)")
	}
	content, err := blocks(result["content"])
	if err != nil {
		return err
	}
	if err := a.add(roleTool, message{content: content, answers: answers}); err != nil {
		return err
	}
	return a.refer(number, result["subagent_trajectory_ref"])
}

// refer notes the trajectories of agents that a step has started.
func (a *atifSession) refer(number int, value jsontext.Value) error {
	if isNull(value) {
		return nil
	}
	elements, err := asList(value)
	if err != nil {
		return problem("subagent_trajectory_ref: %v", err)
	}
	if err := a.countParts(len(elements)); err != nil {
		return err
	}
	var references []map[string]any
	for _, element := range elements {
		members, err := asObject(element)
		if err != nil {
			return err
		}
		name, err := members.required("session_id", "subagent_trajectory_ref")
		if err != nil {
			return err
		}
		reference := map[string]any{"session_id": name}
		if at := members.said("trajectory_path"); at != "" {
			reference["trajectory_path"] = at
		}
		if isObject(members["extra"]) && members.isTrue("extra") {
			reference["extra"] = json.RawMessage(compact(members["extra"]))
		}
		references = append(references, reference)
	}
	if len(references) > 0 {
		a.references = append(a.references, map[string]any{"step_id": number, "refs": references})
	}
	return nil
}
