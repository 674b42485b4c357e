package model

// readPlain reads a completion, or a chunk of one, where it is as nearly all are; else it returns false, and the document has nothing.
func (d *openAIAnswer) readPlain(data []byte) bool {
	reader := &plainReader{data: data}
	reader.object(func(name []byte) {
		switch string(name) {
		case "object":
			reader.text(&d.Object)
		case "choices":
			d.Choices = make([]openAIChoice, 0, 1)
			reader.list(func() {
				d.Choices = append(d.Choices, openAIChoice{})
				d.Choices[len(d.Choices)-1].readPlain(reader)
			})
		case "usage":
			d.Usage.readPlain(reader)
		case "error":
			reader.fail()
		default:
			reader.skip()
		}
	})
	if !reader.end() {
		*d = openAIAnswer{}
		return false
	}
	return true
}

func (c *openAIChoice) readPlain(reader *plainReader) {
	reader.object(func(name []byte) {
		switch string(name) {
		case "index":
			c.Index = int(reader.whole())
		case "message":
			c.Message.readPlain(reader)
		case "delta":
			c.Delta.readPlain(reader)
		case "finish_reason":
			reader.text(&c.FinishReason)
		case "error":
			reader.fail()
		default:
			reader.skip()
		}
	})
}

func (m *openAIMessage) readPlain(reader *plainReader) {
	reader.object(func(name []byte) {
		switch string(name) {
		case "content":
			reader.text(&m.Content.text)
		case "refusal":
			reader.text(&m.Refusal)
		case "reasoning":
			reader.text(&m.Reasoning.text)
		case "reasoning_content":
			reader.text(&m.ReasoningContent.text)
		case "tool_calls":
			m.ToolCalls = []openAIToolCall{}
			reader.list(func() { reader.fail() })
		case "images":
			m.Images = []imageForm{}
			reader.list(func() { reader.fail() })
		default:
			reader.skip()
		}
	})
}

func (u *openAIUsage) readPlain(reader *plainReader) {
	reader.object(func(name []byte) {
		switch string(name) {
		case "prompt_tokens":
			u.PromptTokens = count(reader.whole())
		case "completion_tokens":
			u.CompletionTokens = count(reader.whole())
		case "input_tokens":
			u.InputTokens = count(reader.whole())
		case "output_tokens":
			u.OutputTokens = count(reader.whole())
		case "reasoning_tokens":
			u.ReasoningTokens = count(reader.whole())
		case "prompt_cache_hit_tokens":
			u.CacheHitTokens = count(reader.whole())
		case "prompt_tokens_details":
			readDetail(reader, "cached_tokens", &u.PromptDetails.Cached)
		case "completion_tokens_details":
			readDetail(reader, "reasoning_tokens", &u.CompletionDetails.Reasoning)
		case "output_tokens_details":
			readDetail(reader, "reasoning_tokens", &u.OutputDetails.Reasoning)
		default:
			reader.skip()
		}
	})
}

// readDetail reads an object of which one member counts.
func readDetail(reader *plainReader, wanted string, into *count) {
	reader.object(func(name []byte) {
		if string(name) == wanted {
			*into = count(reader.whole())
		} else {
			reader.skip()
		}
	})
}
