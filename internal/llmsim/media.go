package llmsim

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
)

const (
	// pictureSize is the width and the height of a picture, in points.
	pictureSize = 8
	// maxImages is the largest n of a request for images.
	maxImages = 10
	// picturesPath is where pictures are that were asked for by address.
	picturesPath = "/v1/pictures/"
)

// mediaPart is a part of a message in the words of either protocol.
type mediaPart struct {
	Type       string    `json:"type"`
	Text       string    `json:"text"`
	ImageURL   mediaLink `json:"image_url"`
	AudioURL   mediaLink `json:"audio_url"`
	VideoURL   mediaLink `json:"video_url"`
	InputAudio struct {
		Data   string `json:"data"`
		Format string `json:"format"`
	} `json:"input_audio"`
	Source struct {
		Type      string `json:"type"`
		URL       string `json:"url"`
		MediaType string `json:"media_type"`
		Data      string `json:"data"`
	} `json:"source"`
}

type mediaLink struct {
	URL string `json:"url"`
}

// problem says why the part can't be taken; empty where it can.
func (p *mediaPart) problem() string {
	switch p.Type {
	case "image_url":
		return linkProblem(p.ImageURL.URL)
	case "audio_url":
		return linkProblem(p.AudioURL.URL)
	case "video_url":
		return linkProblem(p.VideoURL.URL)
	case "input_audio":
		if p.InputAudio.Format != "mp3" && p.InputAudio.Format != "wav" {
			return "the format must be mp3 or wav"
		}
		return dataProblem(p.InputAudio.Data)
	case "image":
		if p.Source.Type == "url" {
			return linkProblem(p.Source.URL)
		}
		if !strings.HasPrefix(p.Source.MediaType, "image/") {
			return "source.media_type must be that of an image"
		}
		return dataProblem(p.Source.Data)
	}
	return "is not a part that is understood here"
}

// identity is the same in both protocols.
func (p *mediaPart) identity() string {
	for _, link := range []string{p.ImageURL.URL, p.AudioURL.URL, p.VideoURL.URL, p.Source.URL} {
		if _, data, found := strings.Cut(link, ";base64,"); found {
			return data
		}
		if link != "" {
			return link
		}
	}
	return p.Source.Data + p.InputAudio.Data
}

func linkProblem(link string) string {
	if strings.HasPrefix(link, "http://") || strings.HasPrefix(link, "https://") {
		return ""
	}
	_, data, found := strings.Cut(link, ";base64,")
	if !found || !strings.HasPrefix(link, "data:") {
		return "must be an http URL or data:<type>;base64,<data>"
	}
	return dataProblem(data)
}

func dataProblem(data string) string {
	if decoded, err := base64.StdEncoding.DecodeString(data); err != nil || len(decoded) == 0 {
		return "the data are not valid base64"
	}
	return ""
}

// imagesParser reads requests for images. Those at addresses are below base.
func imagesParser(base string) func([]byte) (*request, error) {
	return func(data []byte) (*request, error) {
		parsed := &request{images: true, base: base}
		var body struct {
			Model          string `json:"model"`
			Prompt         string `json:"prompt"`
			N              *int   `json:"n"`
			ResponseFormat string `json:"response_format"`
		}
		if err := json.Unmarshal(data, &body); err != nil {
			return parsed, errors.New("the body is not a request for images: " + err.Error())
		}
		parsed.model, parsed.texts, parsed.urls = body.Model, []string{body.Prompt}, body.ResponseFormat == "url"
		parsed.dimensions = 1
		if body.N != nil {
			parsed.dimensions = *body.N
		}
		switch {
		case body.Model == "":
			return parsed, errors.New("model: is missing")
		case body.Prompt == "":
			return parsed, errors.New("prompt: is missing")
		case parsed.dimensions < 1 || parsed.dimensions > maxImages:
			return parsed, errors.New("n: must be between 1 and 10")
		}
		var digest xxhash.Digest
		digest.Reset()
		writeText(&digest, body.Prompt)
		parsed.promptHash = digest.Sum64()
		writeText(&digest, body.Model)
		parsed.hash, parsed.promptTokens = digest.Sum64(), tokens(len(body.Prompt))
		return parsed, nil
	}
}

func imagesAnswer(request *request, fault *Fault) *answer {
	body := append([]byte(nil), `{"created":`...)
	body = append(strconv.AppendInt(body, created, 10), `,"data":[`...)
	result := &answer{contentType: "application/json"}
	for i := range request.dimensions {
		if fault != nil && fault.Kind == FaultEmptyChoices {
			break
		}
		if i > 0 {
			body = append(body, ',')
		}
		drawn := request.hash + uint64(i)
		switch {
		case fault != nil && (fault.Kind == FaultInvalid || fault.Kind == FaultRefusal):
			body = append(body, `{"b64_json":""}`...)
		case request.urls:
			body = append(append(append(body, `{"url":"`...), request.base...), picturesPath...)
			body = append(appendHex(body, drawn), `.png"}`...)
		default:
			body = append(append(append(body, `{"b64_json":"`...), picture(drawn)...), `"}`...)
		}
		result.tokens += tokensPerMedia
	}
	body = append(strconv.AppendInt(append(body, `],"usage":{"input_tokens":`...), int64(request.promptTokens), 10), `,"output_tokens":`...)
	result.body = append(strconv.AppendInt(body, int64(result.tokens), 10), `}}`...)
	return result
}

// picture draws a small PNG that is a function of the seed, in base64.
func picture(seed uint64) string {
	draws := newRandom(seed ^ pictureStream)
	drawn := image.NewNRGBA(image.Rect(0, 0, pictureSize, pictureSize))
	for x := range pictureSize {
		for y := range pictureSize {
			bits := draws.next()
			drawn.SetNRGBA(x, y, color.NRGBA{R: uint8(bits), G: uint8(bits >> 8), B: uint8(bits >> 16), A: 255})
		}
	}
	var file bytes.Buffer
	// Writing to memory does not fail.
	_ = png.Encode(&file, drawn)
	return base64.StdEncoding.EncodeToString(file.Bytes())
}

// sendPicture sends the picture that an answer has named by address.
func sendPicture(w http.ResponseWriter, name string) {
	seed, err := strconv.ParseUint(strings.TrimSuffix(name, ".png"), 16, 64)
	if err != nil {
		sendError(w, http.StatusNotFound, "there is no such picture")
		return
	}
	file, _ := base64.StdEncoding.DecodeString(picture(seed))
	_ = writeBody(w, http.StatusOK, "image/png", file)
}
