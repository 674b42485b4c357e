package llmsim

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strings"

	"github.com/cespare/xxhash/v2"
)

const (
	// maxRequestBytes is the largest request that is read.
	maxRequestBytes = 16 << 20
	// maxAnswerTokens bounds the answer whatever max_tokens says.
	maxAnswerTokens = 4096
	// defaultAnswerTokens is the longest answer to a request without max_tokens.
	defaultAnswerTokens = 64
	// bytesPerToken is the simulated tokenizer: English has about four bytes a token.
	bytesPerToken = 4
)

// request is what the simulator knows of a request to a model.
type request struct {
	model string
	// texts are the contents of the messages, or the inputs of an embeddings request.
	texts []string
	// hash decides about everything that is drawn: it is a function of the model, the texts with their roles, and the parameters
	// seed, temperature and top_p.
	hash uint64
	// promptHash is a function of the texts and their roles alone.
	promptHash   uint64
	promptTokens int
	maxTokens    int
	dimensions   int
	base64       bool
	stream       bool
	streamUsage  bool
	// format is the JSON Schema of response_format; jsonObject says that any JSON object is asked for.
	format     json.RawMessage
	jsonObject bool
	embeddings bool
	// tool is the one that the answer calls, or nil; toolResults are what tools have said since the last message of a user.
	tool        *chatTool
	toolResults []string
	// messages says that it came by the Messages API of Anthropic, images that it wants images.
	messages, images bool
	// urls says that the images are to be at addresses, below base.
	urls bool
	base string
	// systemTokens are those of the system's message. How the model behaves is known once the request has begun.
	systemTokens int
	behaviour    *Model
}

type chatMessage struct {
	Role    string  `json:"role"`
	Content content `json:"content"`
}

type chatBody struct {
	Model               string        `json:"model"`
	Messages            []chatMessage `json:"messages"`
	MaxTokens           *int          `json:"max_tokens"`
	MaxCompletionTokens *int          `json:"max_completion_tokens"`
	Seed                *int64        `json:"seed"`
	Temperature         *float64      `json:"temperature"`
	TopP                *float64      `json:"top_p"`
	Stream              bool          `json:"stream"`
	StreamOptions       struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	Tools          []chatTool `json:"tools"`
	ToolChoice     toolChoice `json:"tool_choice"`
	ResponseFormat struct {
		Type       string `json:"type"`
		JSONSchema struct {
			Schema json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
}

// content is a text, or the texts among the parts of a message, with what else there is among them.
type content struct {
	text string
	// media has the address of each medium, or its data.
	media []string
}

// UnmarshalJSON reads both forms of a message's content, and refuses media that no server could take.
func (c *content) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &c.text)
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(data, &parts); err != nil {
		return errors.New("the content of a message must be a text or a list of parts")
	}
	var text strings.Builder
	for _, raw := range parts {
		var part mediaPart
		if err := json.Unmarshal(raw, &part); err != nil {
			return errors.New("a part of the content of a message is none: " + err.Error())
		}
		text.WriteString(part.Text)
		switch part.Type {
		case "", "text", "thinking", "redacted_thinking", "tool_use", "tool_result":
			continue
		}
		if problem := part.problem(); problem != "" {
			return errors.New(part.Type + ": " + problem)
		}
		c.media = append(c.media, part.identity())
	}
	c.text = text.String()
	return nil
}

func parseChat(data []byte) (*request, error) {
	var body chatBody
	if err := json.Unmarshal(data, &body); err != nil {
		return &request{}, errors.New("the body is not a chat completion request: " + err.Error())
	}
	return body.parse()
}

func (body *chatBody) parse() (*request, error) {
	parsed := &request{
		model: body.Model, maxTokens: defaultAnswerTokens, stream: body.Stream, streamUsage: body.StreamOptions.IncludeUsage,
		texts: make([]string, len(body.Messages)),
	}
	if body.Model == "" {
		return parsed, errors.New("model: is missing")
	}
	if len(body.Messages) == 0 {
		return parsed, errors.New("messages: there must be at least one")
	}
	limit := body.MaxCompletionTokens
	if limit == nil {
		limit = body.MaxTokens
	}
	if limit != nil {
		if *limit < 1 {
			return parsed, errors.New("max_tokens: must be at least 1")
		}
		parsed.maxTokens = min(*limit, maxAnswerTokens)
	}
	switch body.ResponseFormat.Type {
	case "json_schema":
		parsed.format = body.ResponseFormat.JSONSchema.Schema
	case "json_object":
		parsed.jsonObject = true
	}
	var digest xxhash.Digest
	digest.Reset()
	for index, message := range body.Messages {
		text := message.Content.text
		parsed.texts[index] = text
		parsed.promptTokens += tokens(len(text)) + len(message.Content.media)*tokensPerMedia
		if message.Role == "system" {
			parsed.systemTokens += tokens(len(text))
		}
		writeText(&digest, message.Role)
		writeText(&digest, text)
		for _, media := range message.Content.media {
			writeText(&digest, media)
		}
	}
	parsed.promptHash = digest.Sum64()
	writeText(&digest, body.Model)
	if body.Seed != nil {
		writeNumber(&digest, 's', uint64(*body.Seed))
	}
	if body.Temperature != nil {
		writeNumber(&digest, 't', math.Float64bits(*body.Temperature))
	}
	if body.TopP != nil {
		writeNumber(&digest, 'p', math.Float64bits(*body.TopP))
	}
	parsed.hash = digest.Sum64()
	parsed.readTools(body)
	return parsed, nil
}

type embeddingsBody struct {
	Model          string          `json:"model"`
	Input          json.RawMessage `json:"input"`
	Dimensions     int             `json:"dimensions"`
	EncodingFormat string          `json:"encoding_format"`
}

func parseEmbeddings(data []byte) (*request, error) {
	var body embeddingsBody
	if err := json.Unmarshal(data, &body); err != nil {
		return &request{embeddings: true}, errors.New("the body is not an embeddings request: " + err.Error())
	}
	parsed := &request{model: body.Model, embeddings: true, dimensions: body.Dimensions, base64: body.EncodingFormat == "base64"}
	if body.Model == "" {
		return parsed, errors.New("model: is missing")
	}
	var one string
	if json.Unmarshal(body.Input, &one) == nil {
		parsed.texts = []string{one}
	} else if json.Unmarshal(body.Input, &parsed.texts) != nil || len(parsed.texts) == 0 || len(parsed.texts) > 2048 {
		return parsed, errors.New("input: must be a text or a list of 1 to 2048 texts")
	}
	if parsed.dimensions == 0 {
		parsed.dimensions = defaultDimensions
	}
	if parsed.dimensions < 1 || parsed.dimensions > maxDimensions {
		return parsed, errors.New("dimensions: must be between 1 and 4096")
	}
	var digest xxhash.Digest
	digest.Reset()
	for _, text := range parsed.texts {
		parsed.promptTokens += tokens(len(text))
		writeText(&digest, text)
	}
	parsed.promptHash = digest.Sum64()
	writeText(&digest, body.Model)
	parsed.hash = digest.Sum64()
	return parsed, nil
}

// prompt is the text under which the request is listed: the last message's, or the first input.
func (r *request) prompt() string {
	switch {
	case len(r.texts) == 0:
		return ""
	case r.embeddings:
		return r.texts[0]
	}
	return r.texts[len(r.texts)-1]
}

func tokens(bytes int) int { return (bytes + bytesPerToken - 1) / bytesPerToken }

// writeText adds the length first, so that two texts are never the same as their concatenation.
func writeText(digest *xxhash.Digest, text string) {
	writeNumber(digest, 'x', uint64(len(text)))
	_, _ = digest.WriteString(text)
}

func writeNumber(digest *xxhash.Digest, tag byte, value uint64) {
	var buffer [9]byte
	buffer[0] = tag
	binary.LittleEndian.PutUint64(buffer[1:], value)
	_, _ = digest.Write(buffer[:])
}

func authorized(header http.Header, keys []string) bool {
	if len(keys) == 0 {
		return true
	}
	presented, ok := strings.CutPrefix(header.Get("Authorization"), "Bearer ")
	if own := header.Get("X-Api-Key"); own != "" {
		presented, ok = own, true
	}
	for _, key := range keys {
		if ok && key == presented {
			return true
		}
	}
	return false
}

func hashTexts(texts ...string) uint64 {
	var digest xxhash.Digest
	digest.Reset()
	for _, text := range texts {
		writeText(&digest, text)
	}
	return digest.Sum64()
}
