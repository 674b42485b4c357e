package health

import (
	"bytes"
	_ "embed" // a film can't be drawn here
	"encoding/base64"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"math"
	"slices"
	"strings"
	"sync"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/model"
)

// samples are the smallest media of the kinds that a prompt has, each kind once. They are sent as data: an address that a server could
// fetch is not known here.
func samples(contexts []v1alpha1.MediaContext) []model.Media {
	var media []model.Media
	for _, context := range contexts {
		known := func(other model.Media) bool { return other.Modality == context.Modality }
		if slices.ContainsFunc(media, known) {
			continue
		}
		switch context.Modality {
		case v1alpha1.MediaImage:
			media = append(media, model.Media{Modality: context.Modality, MediaType: "image/png", Data: picture()})
		case v1alpha1.MediaAudio:
			media = append(media, model.Media{Modality: context.Modality, MediaType: "audio/wav", Data: sound()})
		case v1alpha1.MediaVideo:
			media = append(media, model.Media{Modality: context.Modality, MediaType: "video/mp4", Data: base64.StdEncoding.EncodeToString(film)})
		}
	}
	return media
}

// modalities names media in words.
func modalities(media []model.Media) string {
	words := map[v1alpha1.MediaModality]string{
		v1alpha1.MediaImage: "an image", v1alpha1.MediaAudio: "a sound", v1alpha1.MediaVideo: "a video",
	}
	var names []string
	for _, one := range media {
		names = append(names, words[one.Modality])
	}
	return strings.Join(names, " and ")
}

// picture is an image of one colour, as small as models of images take it.
var picture = sync.OnceValue(func() string {
	const side = 64
	canvas := image.NewRGBA(image.Rect(0, 0, side, side))
	for i := range side * side {
		canvas.Set(i%side, i/side, color.RGBA{R: 40, G: 90, B: 160, A: 255})
	}
	var file bytes.Buffer
	// Writing to memory does not fail.
	_ = png.Encode(&file, canvas)
	return base64.StdEncoding.EncodeToString(file.Bytes())
})

// sound is a quarter of a second of a tone, as a WAV file of 16 bits and 16 kHz in one channel.
var sound = sync.OnceValue(func() string {
	const rate, samples, pitch, loudness = 16_000, 4_000, 440, 8_000
	var file bytes.Buffer
	write := func(values ...any) {
		for _, value := range values {
			// Writing numbers to memory does not fail.
			_ = binary.Write(&file, binary.LittleEndian, value)
		}
	}
	write([]byte("RIFF"), uint32(36+2*samples), []byte("WAVEfmt "), uint32(16), uint16(1), uint16(1), uint32(rate), uint32(2*rate), uint16(2),
		uint16(16), []byte("data"), uint32(2*samples))
	for i := range samples {
		write(int16(loudness * math.Sin(2*math.Pi*pitch*float64(i)/rate)))
	}
	return base64.StdEncoding.EncodeToString(file.Bytes())
})

// film is a second of one colour: an MP4 file of four pictures of 64 × 64 in H.264.
//
//go:embed film.mp4
var film []byte
