package model

import (
	"encoding/json"
	"strings"

	"seedloom.dev/seedloom/internal/runreport"
)

type anthropicAnswer struct {
	Type       string            `json:"type"`
	Content    []json.RawMessage `json:"content"`
	StopReason string            `json:"stop_reason"`
	Usage      anthropicUsage    `json:"usage"`
	Error      json.RawMessage   `json:"error"`
}

type anthropicBlock struct {
	Type      string    `json:"type"`
	Text      string    `json:"text"`
	Thinking  string    `json:"thinking"`
	Signature string    `json:"signature"`
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Input     arguments `json:"input"`
}

type anthropicUsage struct {
	Input         count `json:"input_tokens"`
	CacheCreation count `json:"cache_creation_input_tokens"`
	CacheRead     count `json:"cache_read_input_tokens"`
	Output        count `json:"output_tokens"`
}

// tokens counts those of the cache as input, as the other protocol does.
func (u *anthropicUsage) tokens() runreport.Usage {
	return runreport.Usage{InputTokens: int64(u.Input + u.CacheCreation + u.CacheRead), CachedInputTokens: int64(u.CacheRead),
		OutputTokens: int64(u.Output)}
}

func (anthropic) answer(body []byte, request *Request) (answer, error) {
	var document anthropicAnswer
	if err := decode(body, &document); err != nil {
		return answer{}, err
	}
	read := answer{usage: document.Usage.tokens(), stopped: document.StopReason}
	if read.problem = errorIn(document.Error); read.problem != nil {
		return read, nil
	}
	return read, read.blocks(document.Content, request)
}

// blocks takes the answer out of its blocks.
func (a *answer) blocks(raw []json.RawMessage, request *Request) error {
	var texts, thoughts []string
	var echo []json.RawMessage
	for i := range raw {
		var block anthropicBlock
		if err := decode(raw[i], &block); err != nil {
			return err
		}
		switch block.Type {
		case "text":
			texts = append(texts, block.Text)
		case "thinking", "redacted_thinking":
			echo = append(echo, raw[i])
			if block.Thinking != "" {
				thoughts = append(thoughts, block.Thinking)
			}
		case "tool_use":
			a.ToolCalls = append(a.ToolCalls, ToolCall{ID: block.ID, Name: block.Name, Arguments: string(block.Input)})
		}
	}
	a.Text, a.Reasoning = strings.Join(texts, "\n"), strings.Join(thoughts, "\n")
	if len(echo) > 0 {
		// What was read from JSON can be written as JSON.
		a.echo, _ = json.Marshal(echo)
	}
	a.refused = isRefusal(a.stopped)
	a.takeSchema(request)
	a.complete(request)
	return nil
}

// takeSchema makes the arguments of the tool that stands for the schema the text of the answer.
func (a *answer) takeSchema(request *Request) {
	if request.Schema == nil {
		return
	}
	for _, call := range a.ToolCalls {
		if call.Name == AnswerTool {
			a.Text, a.ToolCalls = call.Arguments, nil
			if a.stopped == "tool_use" {
				a.stopped = "end_turn"
			}
			return
		}
	}
}
