package model

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"net/http"
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/internal/runreport"
)

type embeddingsAnswer struct {
	Object string `json:"object"`
	Data   []struct {
		Index     int    `json:"index"`
		Embedding vector `json:"embedding"`
	} `json:"data"`
	Usage openAIUsage     `json:"usage"`
	Error json.RawMessage `json:"error"`
}

// vector is a list of numbers, or their binary form in base64: little-endian numbers of 32 bits.
type vector []float64

// UnmarshalJSON reads both forms, whichever was asked for. What holds anything else than numbers is no vector, and empty.
func (v *vector) UnmarshalJSON(data []byte) error {
	*v = nil
	if data[0] != '"' {
		var numbers []float64
		if json.Unmarshal(data, &numbers) == nil && !bytes.Contains(data, []byte("null")) {
			*v = numbers
		}
		return nil
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw)%4 != 0 {
		return nil
	}
	*v = make(vector, len(raw)/4)
	for i := range *v {
		(*v)[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])))
	}
	return nil
}

// Embed turns texts into vectors, one for each, in their order, by one request. The vectors have one length and hold finite numbers. The
// usage counts the request in any case. A cancelled context is returned as it is; every other error is a failure.Error.
func (c *Client) Embed(ctx context.Context, texts []string) ([][]float64, runreport.Usage, error) {
	if c.embeddingsURL == nil {
		return nil, runreport.Usage{Failed: 1}, c.unknownAPI("embeddings")
	}
	var document embeddingsAnswer
	var usage runreport.Usage
	err := c.limited(ctx, func(ctx context.Context) error {
		received, err := c.post(ctx, sent{c.embeddingsURL, c.closed(c.appendEmbed(texts))})
		if err != nil {
			return err
		}
		defer received.release()
		if decode(received.data, &document) != nil {
			return c.unreadable(received.header)
		}
		usage = document.Usage.tokens()
		c.believe(&usage, received)
		return c.refusal(received, document.Object, document.Error)
	})
	if err != nil {
		return nil, runreport.Usage{Failed: 1}, err
	}
	usage.Succeeded = 1
	vectors, err := c.vectors(&document, len(texts))
	return vectors, usage, err
}

func (c *Client) appendEmbed(texts []string) []byte {
	size := 256 + len(c.extra)
	for _, text := range texts {
		size += len(text) + len(text)/8 + 4
	}
	body := appendTextMember(append(make([]byte, 0, size), '{'), "model", c.settings.model)
	body = append(appendMember(body, "input"), '[')
	for _, text := range texts {
		body = appendText(appendItem(body), text)
	}
	body = append(body, ']')
	if c.settings.embedding.EncodingFormat == v1alpha1.EmbeddingEncodingBase64 {
		body = appendTextMember(body, "encoding_format", "base64")
	}
	if dimensions := c.settings.embedding.Dimensions; dimensions != nil {
		body = appendIntMember(body, "dimensions", int64(*dimensions))
	}
	return body
}

// vectors checks the vectors, and brings them into the order of the texts.
func (c *Client) vectors(document *embeddingsAnswer, want int) ([][]float64, error) {
	invalid := func(format string, arguments ...any) error {
		return failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow, format, append([]any{c.alias}, arguments...)...)
	}
	if len(document.Data) != want {
		return nil, invalid("model %q answered with %d embeddings for %d texts", len(document.Data), want)
	}
	length := 0
	if want > 0 {
		length = len(document.Data[0].Embedding)
	}
	if dimensions := c.settings.embedding.Dimensions; dimensions != nil && length > 0 && length != int(*dimensions) {
		return nil, failure.New(v1alpha1.ReasonUnsupportedRequest, failure.DropRow,
			"model %q answered with embeddings of %d dimensions instead of %d: it does not know the parameter dimensions, "+
				"which embedding.dimensions of the model sets", c.alias, length, *dimensions)
	}
	ordered := make([][]float64, want)
	for _, entry := range document.Data {
		if len(entry.Embedding) == 0 || len(entry.Embedding) != length {
			return nil, invalid("model %q answered with an embedding of %d dimensions beside one of %d", len(entry.Embedding), length)
		}
		if slices.ContainsFunc(entry.Embedding, isNotFinite) {
			return nil, invalid("model %q answered with an embedding that holds no finite numbers")
		}
		if entry.Index >= 0 && entry.Index < want {
			ordered[entry.Index] = entry.Embedding
		}
	}
	if slices.ContainsFunc(ordered, func(vector []float64) bool { return vector == nil }) {
		// Without indexes they are in the order of the texts.
		for position, entry := range document.Data {
			ordered[position] = entry.Embedding
		}
	}
	return ordered, nil
}

func isNotFinite(value float64) bool { return math.IsNaN(value) || math.IsInf(value, 0) }

// refusal returns the failure that stands in place of an answer, in either form, or nil.
func (c *Client) refusal(received *received, object string, member json.RawMessage) error {
	problem := errorIn(member)
	if problem == nil && object == "error" {
		problem = errorOf(received.data)
	}
	if problem == nil {
		return nil
	}
	return c.problemFailure(received.sent, http.StatusOK, received.header, problem)
}

func (c *Client) unknownAPI(what string) error {
	return failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun,
		"providers of the type Anthropic have no %s: model %q needs a provider of the type OpenAI for them", what, c.alias)
}
