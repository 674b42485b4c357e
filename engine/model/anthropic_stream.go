package model

import (
	"encoding/json"
)

// anthropicEvent is any of the events of a stream: https://docs.anthropic.com/en/docs/build-with-claude/streaming.
type anthropicEvent struct {
	Type    string `json:"type"`
	Index   int    `json:"index"`
	Message struct {
		Usage anthropicUsage `json:"usage"`
	} `json:"message"`
	Block json.RawMessage `json:"content_block"`
	Delta struct {
		Text        string `json:"text"`
		Thinking    string `json:"thinking"`
		Signature   string `json:"signature"`
		PartialJSON string `json:"partial_json"`
		StopReason  string `json:"stop_reason"`
	} `json:"delta"`
	Usage anthropicUsage  `json:"usage"`
	Error json.RawMessage `json:"error"`
}

// anthropicAssembly puts the blocks of a message together.
type anthropicAssembly struct {
	blocks    []anthropicPart
	usage     anthropicUsage
	stopped   string
	problem   *serverError
	something bool
	done      bool
}

// anthropicPart is a block whose content comes in pieces. start is the block as it began.
type anthropicPart struct {
	index                            int
	start                            json.RawMessage
	block                            anthropicBlock
	text, thinking, signature, input []byte
}

func (anthropic) assembly() assembly { return &anthropicAssembly{} }

func (a *anthropicAssembly) event(data []byte) error {
	var event anthropicEvent
	if err := decode(data, &event); err != nil {
		return err
	}
	switch event.Type {
	case "message_start":
		a.usage.raise(&event.Message.Usage)
	case "content_block_start":
		part := anthropicPart{index: event.Index, start: event.Block}
		if len(event.Block) > 0 {
			if err := decode(event.Block, &part.block); err != nil {
				return err
			}
		}
		a.blocks = append(a.blocks, part)
		a.something = a.something || part.block.Type != "text" || part.block.Text != ""
	case "content_block_delta":
		for i := range a.blocks {
			if part := &a.blocks[i]; part.index == event.Index {
				part.text = append(part.text, event.Delta.Text...)
				part.thinking = append(part.thinking, event.Delta.Thinking...)
				part.signature = append(part.signature, event.Delta.Signature...)
				part.input = append(part.input, event.Delta.PartialJSON...)
				a.something = true
			}
		}
	case "message_delta":
		a.usage.raise(&event.Usage)
		if event.Delta.StopReason != "" {
			a.stopped = event.Delta.StopReason
		}
	case "message_stop":
		a.done = true
	case "error":
		a.done = true
		if a.problem = errorIn(event.Error); a.problem == nil {
			a.problem = &serverError{}
		}
	}
	return nil
}

// raise takes the counts of a later event, which are those of the whole message so far.
func (u *anthropicUsage) raise(later *anthropicUsage) {
	u.Input, u.Output = max(u.Input, later.Input), max(u.Output, later.Output)
	u.CacheCreation, u.CacheRead = max(u.CacheCreation, later.CacheCreation), max(u.CacheRead, later.CacheRead)
}

func (a *anthropicAssembly) begun() bool { return a.something }
func (a *anthropicAssembly) ended() bool { return a.done }

func (a *anthropicAssembly) answer(request *Request) (answer, bool, error) {
	whole := answer{usage: a.usage.tokens(), stopped: a.stopped, problem: a.problem}
	raw := make([]json.RawMessage, len(a.blocks))
	for i := range a.blocks {
		raw[i] = a.blocks[i].whole()
	}
	if err := whole.blocks(raw, request); err != nil {
		return answer{}, false, err
	}
	return whole, a.done || a.stopped != "", nil
}

// whole is the block as it stands in an answer that came as a whole.
func (p *anthropicPart) whole() json.RawMessage {
	body := append([]byte(nil), '{')
	switch p.block.Type {
	case "text":
		body = appendTextMember(appendTextMember(body, "type", "text"), "text", p.block.Text+string(p.text))
	case "thinking":
		body = appendTextMember(appendTextMember(body, "type", "thinking"), "thinking", p.block.Thinking+string(p.thinking))
		body = appendTextMember(body, "signature", p.block.Signature+string(p.signature))
	case "tool_use":
		input := string(p.input)
		if input == "" {
			input = string(p.block.Input)
		}
		body = appendTextMember(appendTextMember(appendTextMember(body, "type", "tool_use"), "id", p.block.ID), "name", p.block.Name)
		// As a text: the model may have been cut off in the middle of it.
		body = appendTextMember(body, "input", input)
	default:
		return p.start
	}
	return append(body, '}')
}
