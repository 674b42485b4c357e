package model

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// imageForm is an image in any of the forms in which servers write it: a text, {b64_json}, {image_url}, {url}, or nested.
type imageForm struct{ text, base64 string }

// UnmarshalJSON reads all forms; what is none of them is empty.
func (f *imageForm) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		return readText(data, &f.text)
	}
	if data[0] != '{' {
		return nil
	}
	var document struct {
		Base64   string     `json:"b64_json"`
		ImageURL *imageForm `json:"image_url"`
		URL      string     `json:"url"`
	}
	if json.Unmarshal(data, &document) != nil {
		return nil
	}
	f.base64, f.text = document.Base64, document.URL
	if document.ImageURL != nil && f.text == "" {
		f.text = document.ImageURL.text
	}
	return nil
}

// media returns the image; false where there is none.
func (f *imageForm) media() (Media, bool) {
	text := f.text
	if f.base64 != "" {
		text = f.base64
	}
	if strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://") {
		return Media{Modality: v1alpha1.MediaImage, URL: text}, true
	}
	if media, ok := mediaOfDataURL(text); ok {
		return media, true
	}
	return imageOfBase64(text)
}

// imageOfBase64 finds out the type from the first bytes.
func imageOfBase64(text string) (Media, bool) {
	// The first bytes tell; a multiple of four characters decodes by itself.
	head, err := base64.StdEncoding.DecodeString(text[:min(len(text), 512)&^3])
	kind := http.DetectContentType(head)
	if err != nil || !strings.HasPrefix(kind, "image/") {
		return Media{}, false
	}
	return Media{Modality: v1alpha1.MediaImage, MediaType: kind, Data: text}, true
}

// mediaOfDataURL reads data:<type>;base64,<data>.
func mediaOfDataURL(text string) (Media, bool) {
	rest, ok := strings.CutPrefix(text, "data:")
	head, data, found := strings.Cut(rest, ",")
	kind, encoded := strings.CutSuffix(head, ";base64")
	kind, _, _ = strings.Cut(kind, ";")
	if !ok || !found || !encoded || data == "" || strings.ContainsAny(data, " \n\"\\") {
		return Media{}, false
	}
	modality := v1alpha1.MediaImage
	switch {
	case strings.HasPrefix(kind, "image/"):
	case strings.HasPrefix(kind, "audio/"):
		modality = v1alpha1.MediaAudio
	case strings.HasPrefix(kind, "video/"):
		modality = v1alpha1.MediaVideo
	default:
		return Media{}, false
	}
	return Media{Modality: modality, MediaType: kind, Data: data}, true
}
