package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// The names under which servers send what a model has thought.
const (
	reasoningField        = "reasoning"
	reasoningContentField = "reasoning_content"
)

// openAIAnswer is a completion. Many servers leave members out, or write them in ways of their own, so that nothing is demanded.
type openAIAnswer struct {
	Object  string          `json:"object"`
	Choices []openAIChoice  `json:"choices"`
	Usage   openAIUsage     `json:"usage"`
	Error   json.RawMessage `json:"error"`
}

type openAIChoice struct {
	Index int `json:"index"`
	// Message is the whole answer, Delta a piece of a streamed one.
	Message      openAIMessage   `json:"message"`
	Delta        openAIMessage   `json:"delta"`
	FinishReason string          `json:"finish_reason"`
	Error        json.RawMessage `json:"error"`
}

type openAIMessage struct {
	Content          contents         `json:"content"`
	Refusal          string           `json:"refusal"`
	Reasoning        contents         `json:"reasoning"`
	ReasoningContent contents         `json:"reasoning_content"`
	ToolCalls        []openAIToolCall `json:"tool_calls"`
	Images           []imageForm      `json:"images"`
}

type openAIToolCall struct {
	Index    *int   `json:"index"`
	ID       string `json:"id"`
	Function struct {
		Name      string    `json:"name"`
		Arguments arguments `json:"arguments"`
	} `json:"function"`
}

type openAIUsage struct {
	PromptTokens     count `json:"prompt_tokens"`
	CompletionTokens count `json:"completion_tokens"`
	InputTokens      count `json:"input_tokens"`
	OutputTokens     count `json:"output_tokens"`
	ReasoningTokens  count `json:"reasoning_tokens"`
	CacheHitTokens   count `json:"prompt_cache_hit_tokens"`
	PromptDetails    struct {
		Cached count `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
	CompletionDetails struct {
		Reasoning count `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
	OutputDetails struct {
		Reasoning count `json:"reasoning_tokens"`
	} `json:"output_tokens_details"`
}

// tokens takes the larger of the members that say the same in different words.
func (u *openAIUsage) tokens() runreport.Usage {
	input, output := max(u.PromptTokens, u.InputTokens), max(u.CompletionTokens, u.OutputTokens)
	return runreport.Usage{
		InputTokens: int64(input), OutputTokens: int64(output),
		CachedInputTokens: int64(min(input, max(u.PromptDetails.Cached, u.CacheHitTokens))),
		// Some servers count the tokens of thinking beside those of the answer, so they may be more.
		ReasoningTokens: int64(max(u.CompletionDetails.Reasoning, u.OutputDetails.Reasoning, u.ReasoningTokens)),
	}
}

// read reads a document of a server.
func (d *openAIAnswer) read(data []byte) error {
	if d.readPlain(data) {
		return nil
	}
	return decode(data, d)
}

func (openAI) answer(body []byte, request *Request) (answer, error) {
	var document openAIAnswer
	if err := document.read(body); err != nil {
		return answer{}, err
	}
	read := answer{empty: len(document.Choices) == 0, usage: document.Usage.tokens()}
	if read.problem = document.problem(body); read.problem != nil || read.empty {
		return read, nil
	}
	choice := &document.Choices[0]
	message := &choice.Message
	read.problem = choice.problem()
	read.stopped = choice.FinishReason
	read.refused = message.Refusal != "" || isRefusal(choice.FinishReason)
	read.Text, read.Images = message.Content.text, message.allImages()
	read.Reasoning, read.echo = message.reasoning()
	for i := range message.ToolCalls {
		call := &message.ToolCalls[i]
		read.ToolCalls = append(read.ToolCalls, ToolCall{ID: call.ID, Name: call.Function.Name, Arguments: string(call.Function.Arguments)})
	}
	read.complete(request)
	return read, nil
}

// problem returns the error that stands in place of an answer, in either form, or nil.
func (d *openAIAnswer) problem(body []byte) *serverError {
	if problem := errorIn(d.Error); problem != nil || d.Object != "error" {
		return problem
	}
	return errorOf(body)
}

// problem returns the error because of which an answer was broken off, or nil.
func (c *openAIChoice) problem() *serverError {
	if problem := errorIn(c.Error); problem != nil || !isBrokenOff(c.FinishReason) {
		return problem
	}
	return &serverError{}
}

// allImages are those among the parts of the content, and those beside it.
func (m *openAIMessage) allImages() []Media {
	images := m.Content.images
	for i := range m.Images {
		if media, ok := m.Images[i].media(); ok {
			images = append(images, media)
		}
	}
	return images
}

// reasoning returns what the model has thought, and the echo that says under which name it came.
func (m *openAIMessage) reasoning() (string, json.RawMessage) {
	switch {
	case m.Reasoning.text != "":
		return m.Reasoning.text, json.RawMessage(`"` + reasoningField + `"`)
	case m.ReasoningContent.text != "":
		return m.ReasoningContent.text, json.RawMessage(`"` + reasoningContentField + `"`)
	}
	return m.Content.thoughts, nil
}

// complete fills in what sloppy servers leave out.
func (a *answer) complete(request *Request) {
	a.Finish = finishOf(a.stopped)
	for i := range a.ToolCalls {
		if a.ToolCalls[i].ID == "" {
			// Conversations grow, so no two calls of one have the same.
			a.ToolCalls[i].ID = fmt.Sprintf("call_%d_%d", len(request.Messages), i)
		}
	}
	if len(a.ToolCalls) > 0 && a.Finish == FinishStop {
		a.Finish = FinishTools
	}
	if media, ok := mediaOfDataURL(strings.TrimSpace(a.Text)); ok && media.Modality == v1alpha1.MediaImage {
		a.Text, a.Images = "", append(a.Images, media)
	}
}

// contents is a text, or a list of parts: texts, thoughts, images.
type contents struct {
	text, thoughts string
	images         []Media
}

// UnmarshalJSON reads both forms. Parts that are not known are left out.
func (c *contents) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '"':
		return readText(data, &c.text)
	case '{':
		data = append(append([]byte{'['}, data...), ']')
	case '[':
	default:
		return nil
	}
	var parts []struct {
		Type     string    `json:"type"`
		Text     string    `json:"text"`
		Thinking contents  `json:"thinking"`
		ImageURL imageForm `json:"image_url"`
	}
	if err := decode(data, &parts); err != nil {
		return err
	}
	var texts, thoughts []string
	for _, part := range parts {
		switch part.Type {
		case "thinking", "reasoning":
			thoughts = append(thoughts, part.Thinking.text+part.Text)
		case "image_url", "output_image":
			if media, ok := part.ImageURL.media(); ok {
				c.images = append(c.images, media)
			}
		default:
			if part.Text != "" {
				texts = append(texts, part.Text)
			}
		}
	}
	c.text, c.thoughts = strings.Join(texts, "\n"), strings.Join(thoughts, "\n")
	return nil
}

// arguments is the text of a call's arguments. Some servers send them as the object that they are.
type arguments string

// UnmarshalJSON reads both forms.
func (a *arguments) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		return json.Unmarshal(data, (*string)(a))
	}
	if !bytes.Equal(data, []byte("null")) {
		*a = arguments(data)
	}
	return nil
}

// count is a number of tokens. What is no number, or negative, is 0: no answer is lost for the sake of its usage.
type count int64

// UnmarshalJSON reads whole numbers, also those that are written with a fraction of 0. What is too large for any number of tokens is as
// large as can be, so that it is not believed.
func (c *count) UnmarshalJSON(data []byte) error {
	if whole, err := strconv.ParseInt(string(data), 10, 64); err == nil {
		*c = count(max(0, whole))
	} else if number, err := strconv.ParseFloat(string(data), 64); number >= 1<<53 {
		*c = math.MaxInt64
	} else if err == nil && number >= 0 {
		*c = count(number)
	}
	return nil
}
