package tools

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/internal/clip"
)

const (
	// maxResultText is how many bytes of text of one result a model gets to see; more would fill the context of most.
	maxResultText = 64 << 10
	// maxResultMedia is how many bytes of images and sounds a model gets to see of one result.
	maxResultMedia = 8 << 20
)

// result is what a model is told about a call.
type result struct {
	text  string
	media []model.Media
}

// resultOf joins the parts of a tool's answer: texts by line breaks, and images and sounds as media. What no model could read is named.
func resultOf(answer *mcp.CallToolResult) result {
	if len(answer.InputRequests) > 0 {
		return failed("the tool asks for input from a person, and there is none")
	}
	var result result
	var texts []string
	left := maxResultMedia
	addMedia := func(modality v1alpha1.MediaModality, kind string, data []byte) {
		if left -= len(data); len(data) == 0 || left < 0 {
			texts = append(texts, fmt.Sprintf("[%s of %d bytes was left out]", kind, len(data)))
			return
		}
		result.media = append(result.media, model.Media{Modality: modality, MediaType: kind, Data: base64.StdEncoding.EncodeToString(data)})
	}
	for _, part := range answer.Content {
		switch part := part.(type) {
		case *mcp.TextContent:
			texts = append(texts, part.Text)
		case *mcp.ImageContent:
			addMedia(v1alpha1.MediaImage, part.MIMEType, part.Data)
		case *mcp.AudioContent:
			addMedia(v1alpha1.MediaAudio, part.MIMEType, part.Data)
		case *mcp.ResourceLink:
			texts = append(texts, part.URI)
		case *mcp.EmbeddedResource:
			switch resource := part.Resource; {
			case resource == nil:
			case strings.HasPrefix(resource.MIMEType, "image/"):
				addMedia(v1alpha1.MediaImage, resource.MIMEType, resource.Blob)
			case len(resource.Blob) > 0:
				texts = append(texts, fmt.Sprintf("[%s of %d bytes was left out]", resource.MIMEType, len(resource.Blob)))
			default:
				texts = append(texts, resource.Text)
			}
		}
	}
	if len(texts) == 0 && len(result.media) == 0 && answer.StructuredContent != nil {
		if document, err := json.Marshal(answer.StructuredContent); err == nil {
			texts = append(texts, string(document))
		}
	}
	result.text = clipped(strings.Join(texts, "\n"))
	if answer.IsError {
		result.text = "error: " + result.text
	}
	return result
}

// clipped cuts a text that is too long, at a character boundary, and says so in it.
func clipped(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= maxResultText {
		return text
	}
	kept := clip.Prefix(text, maxResultText)
	return fmt.Sprintf("%s\n[cut: the result has %d bytes, of which these are the first %d]", kept, len(text), len(kept))
}
