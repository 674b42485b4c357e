package llmsim

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"regexp"
	"strconv"
)

const (
	defaultDimensions = 64
	// tokensPerMedia are those of an image, a sound or a video, in a prompt or in an answer.
	tokensPerMedia = 256
	// reasoningTokens is how much a model thinks at most.
	reasoningTokens = 32
	maxDimensions   = 4096
	// created is the time in every answer: an answer is a function of its request alone.
	created = 1700000000
)

// answer is a whole response, built before its first byte is sent.
type answer struct {
	contentType string
	body        []byte
	// ends has the end of each event of a streamed answer in body.
	ends   []int
	tokens int
}

// completion is the content of a chat answer.
type completion struct {
	text    string
	refusal bool
	// empty leaves out the choices.
	empty bool
	// call is what is asked for instead of a text, image the base64 of what is drawn instead of one.
	call  *toolCall
	image string
	// reasoning is what the model has thought before.
	reasoning string
}

// tokens are those of the answer, and of the thinking before it.
func (c *completion) tokens() int {
	count := tokens(len(c.text)) + tokens(len(c.reasoning))
	if c.call != nil {
		count += tokens(len(c.call.arguments))
	}
	if c.image != "" {
		count += tokensPerMedia
	}
	return count
}

// complete makes the content, which the fault, if any, spoils, and the thoughts before it.
func complete(request *request, fault *Fault) completion {
	content := completeAnswer(request, fault)
	if request.behaviour != nil && request.behaviour.Reasoning && !content.empty {
		content.reasoning = string(appendText(nil, newRandom(request.hash^reasoningStream), reasoningTokens))
	}
	return content
}

func completeAnswer(request *request, fault *Fault) completion {
	if fault != nil {
		switch fault.Kind {
		case FaultInvalid:
			return completion{}
		case FaultEmptyChoices:
			return completion{empty: true}
		case FaultRefusal:
			return completion{text: "I'm sorry, but I can't help with that request.", refusal: true}
		}
	}
	if request.behaviour != nil && request.behaviour.Images {
		return completion{image: picture(request.hash)}
	}
	if request.tool != nil {
		return completion{call: request.call()}
	}
	draws := newRandom(request.hash ^ textStream)
	var schema map[string]any
	fenced := false
	switch {
	case request.format != nil:
		_ = json.Unmarshal(request.format, &schema)
	default:
		if schema, fenced = findSchema(request.texts); schema == nil {
			schema, fenced = findForm(request.texts)
		}
		fenced = fenced && !request.jsonObject
	}
	if schema == nil && request.jsonObject {
		schema = map[string]any{"type": "object", "properties": map[string]any{"answer": map[string]any{"type": "string"}}}
	}
	if schema == nil {
		text := make([]byte, 0, request.maxTokens*bytesPerToken+128)
		// What a tool has said is in the answer, whatever max_tokens says.
		for _, said := range request.toolResults {
			text = append(append(text, said...), '\n')
		}
		text = appendText(text, draws, request.maxTokens)
		if language := codeLanguage(request.texts); language != "" {
			return completion{text: "```" + language + "\n" + string(text) + "\n```"}
		}
		return completion{text: string(text)}
	}
	writer := schemaWriter{root: schema, draws: draws}
	document, err := json.Marshal(writer.value(schema, 0))
	if err != nil {
		document = []byte("null")
	}
	if fenced {
		return completion{text: "```json\n" + string(document) + "\n```"}
	}
	return completion{text: string(document)}
}

var askedLanguage = regexp.MustCompile("```([A-Za-z][A-Za-z0-9+#]*)")

// codeLanguage is the language of the fence that the last message with one asks for.
func codeLanguage(texts []string) string {
	for i := len(texts) - 1; i >= 0; i-- {
		if asked := askedLanguage.FindStringSubmatch(texts[i]); asked != nil {
			return asked[1]
		}
	}
	return ""
}

// appendHead appends the members that all forms of a chat answer begin with, inside the opened object.
func appendHead(body []byte, request *request, object string) []byte {
	body = append(body, `{"id":"chatcmpl-`...)
	body = appendHex(body, request.hash)
	body = append(body, `","object":"`...)
	body = append(body, object...)
	body = append(body, `","created":`...)
	body = strconv.AppendInt(body, created, 10)
	body = append(body, `,"model":`...)
	return appendJSONString(body, request.model)
}

func appendUsage(body []byte, request *request, content *completion) []byte {
	prompt, completion := request.promptTokens, content.tokens()
	body = append(body, `"usage":{"prompt_tokens":`...)
	body = strconv.AppendInt(body, int64(prompt), 10)
	body = append(body, `,"completion_tokens":`...)
	body = strconv.AppendInt(body, int64(completion), 10)
	body = append(body, `,"total_tokens":`...)
	body = strconv.AppendInt(body, int64(prompt+completion), 10)
	if cached := request.cachedTokens(); cached > 0 {
		body = append(strconv.AppendInt(append(body, `,"prompt_tokens_details":{"cached_tokens":`...), int64(cached), 10), '}')
	}
	if content.reasoning != "" {
		body = append(body, `,"completion_tokens_details":{"reasoning_tokens":`...)
		body = append(strconv.AppendInt(body, int64(tokens(len(content.reasoning))), 10), '}')
	}
	return append(body, '}')
}

// cachedTokens are those of the prompt that a cache is said to have held.
func (r *request) cachedTokens() int {
	if r.behaviour == nil || !r.behaviour.PromptCache {
		return 0
	}
	return r.systemTokens
}

func chatAnswer(request *request, fault *Fault) *answer {
	content := complete(request, fault)
	result := &answer{contentType: "application/json", tokens: content.tokens()}
	if request.stream {
		result.contentType = "text/event-stream"
		result.streamEvents(request, content)
		return result
	}
	body := appendHead(make([]byte, 0, len(content.text)+512), request, "chat.completion")
	body = append(body, `,"choices":[`...)
	switch {
	case content.empty:
	case content.image != "":
		body = append(body,
			`{"index":0,"message":{"role":"assistant","content":"","images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,`...)
		body = append(append(body, content.image...), `"}}]},"logprobs":null,"finish_reason":"stop"}`...)
	case content.call != nil:
		body = append(body, `{"index":0,"message":{"role":"assistant","content":null,"refusal":null,`...)
		body = appendReasoning(body, &content)
		body = appendToolCalls(body, request, content.call, "")
		body = append(body, `},"logprobs":null,"finish_reason":"tool_calls"}`...)
	case content.refusal:
		body = append(body, `{"index":0,"message":{"role":"assistant","content":null,"refusal":`...)
		body = appendJSONString(body, content.text)
		body = append(body, `},"logprobs":null,"finish_reason":"stop"}`...)
	default:
		body = append(body, `{"index":0,"message":{"role":"assistant","content":`...)
		body = appendJSONString(body, content.text)
		body = append(body, `,"refusal":null`...)
		if content.reasoning != "" {
			body = appendReasoning(append(body, ','), &content)
			body = body[:len(body)-1]
		}
		body = append(body, `},"logprobs":null,"finish_reason":"stop"}`...)
	}
	body = append(body, `],`...)
	body = appendUsage(body, request, &content)
	body = append(body, '}')
	result.body = body
	return result
}

// appendReasoning appends the member with the thoughts, and the comma behind it, where there are any.
func appendReasoning(body []byte, content *completion) []byte {
	if content.reasoning == "" {
		return body
	}
	return append(appendJSONString(append(body, `"reasoning_content":`...), content.reasoning), ',')
}

// streamEvents writes the answer as server-sent events: the role, a few bytes at a time, the reason of the end, the usage where it was
// asked for, and the mark of the end.
func (a *answer) streamEvents(request *request, content completion) {
	event := func(choices func([]byte) []byte, usage bool) {
		body := a.body
		body = append(body, "data: "...)
		body = appendHead(body, request, "chat.completion.chunk")
		body = append(body, `,"choices":[`...)
		if choices != nil {
			body = choices(body)
		}
		body = append(body, ']')
		if usage {
			body = append(body, ',')
			body = appendUsage(body, request, &content)
		}
		body = append(body, "}\n\n"...)
		a.body = body
		a.ends = append(a.ends, len(a.body))
	}
	if !content.empty {
		event(deltaOf("role", "assistant"), false)
		for rest := content.reasoning; rest != ""; {
			piece := nextPiece(rest)
			event(deltaOf("reasoning_content", piece), false)
			rest = rest[len(piece):]
		}
		if content.image != "" {
			event(func(body []byte) []byte {
				body = append(body, `{"index":0,"delta":{"images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,`...)
				return append(append(body, content.image...), `"}}]},"finish_reason":null}`...)
			}, false)
		}
		member := "content"
		if content.refusal {
			member = "refusal"
		}
		for rest := content.text; rest != ""; {
			piece := nextPiece(rest)
			event(deltaOf(member, piece), false)
			rest = rest[len(piece):]
		}
		reason := "stop"
		if content.call != nil {
			reason = "tool_calls"
			event(func(body []byte) []byte {
				body = appendToolCalls(append(body, `{"index":0,"delta":{`...), request, content.call, `"index":0,`)
				return append(body, `},"finish_reason":null}`...)
			}, false)
		}
		event(func(body []byte) []byte {
			return append(body, `{"index":0,"delta":{},"finish_reason":"`+reason+`"}`...)
		}, false)
	}
	if request.streamUsage {
		event(nil, true)
	}
	a.body = append(a.body, "data: [DONE]\n\n"...)
	a.ends = append(a.ends, len(a.body))
}

// deltaOf writes the choice of an event that adds a text to a member of the message.
func deltaOf(member, text string) func([]byte) []byte {
	return func(body []byte) []byte {
		body = append(body, `{"index":0,"delta":{"`+member+`":`...)
		body = appendJSONString(body, text)
		return append(body, `},"finish_reason":null}`...)
	}
}

// nextPiece cuts a whole word with the space before it; a character is never cut.
func nextPiece(text string) string {
	for index := 1; index < len(text); index++ {
		if text[index] == ' ' || text[index] == '\n' {
			return text[:index]
		}
	}
	return text
}

func embeddingsAnswer(request *request, fault *Fault) *answer {
	body := append(make([]byte, 0, len(request.texts)*request.dimensions*12+256), `{"object":"list","data":[`...)
	kind := FaultKind("")
	if fault != nil {
		kind = fault.Kind
	}
	for index, text := range request.texts {
		if kind == FaultEmptyChoices {
			break
		}
		if index > 0 {
			body = append(body, ',')
		}
		body = append(body, `{"object":"embedding","index":`...)
		body = strconv.AppendInt(body, int64(index), 10)
		body = append(body, `,"embedding":`...)
		if kind == FaultInvalid || kind == FaultRefusal {
			body = append(body, `[]`...)
		} else {
			body = appendVector(body, vector(request, text), request.base64)
		}
		body = append(body, '}')
	}
	body = append(body, `],"model":`...)
	body = appendJSONString(body, request.model)
	body = append(body, `,"usage":{"prompt_tokens":`...)
	body = strconv.AppendInt(body, int64(request.promptTokens), 10)
	body = append(body, `,"total_tokens":`...)
	body = strconv.AppendInt(body, int64(request.promptTokens), 10)
	return &answer{contentType: "application/json", body: append(body, `}}`...)}
}

// vector returns a vector of length 1 that is a function of the model, the text and the dimensions.
func vector(request *request, text string) []float32 {
	draws := newRandom(hashTexts(request.model, text) ^ embeddingStream)
	values := make([]float32, request.dimensions)
	sum := 0.0
	for index := range values {
		value := 2*draws.float() - 1
		values[index] = float32(value)
		sum += value * value
	}
	norm := float32(math.Sqrt(sum))
	for index := range values {
		values[index] /= norm
	}
	return values
}

func appendVector(body []byte, values []float32, encoded bool) []byte {
	if encoded {
		raw := make([]byte, 0, 4*len(values))
		for _, value := range values {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(value))
		}
		body = append(body, '"')
		body = base64.StdEncoding.AppendEncode(body, raw)
		return append(body, '"')
	}
	body = append(body, '[')
	for index, value := range values {
		if index > 0 {
			body = append(body, ',')
		}
		body = strconv.AppendFloat(body, float64(value), 'g', -1, 32)
	}
	return append(body, ']')
}
