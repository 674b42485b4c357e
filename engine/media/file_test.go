package media_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/media"
	"seedloom.dev/seedloom/engine/model"
)

func TestFilesOfTheSeedsVolumeAreSent(t *testing.T) {
	kept := files{
		"seed/a/b.mp3": []byte("sound"), "seed/b": []byte("more"), "seed/c.MOV": []byte("film"), "seed/d.png": pngBytes(t), "d.png": []byte("x"), "calls/b.mp3": []byte("a call"),
		"seed/empty.mp3": nil, "seed/large.mp3": make([]byte, media.MaxFileBytes+1),
	}
	of := func(modality v1alpha1.MediaModality, format string) v1alpha1.MediaContext {
		return v1alpha1.MediaContext{Modality: modality, DataType: v1alpha1.MediaDataFile, Format: format}
	}
	sent := func(modality v1alpha1.MediaModality, mediaType string, data []byte) model.Media {
		return model.Media{Modality: modality, MediaType: mediaType, Data: base64.StdEncoding.EncodeToString(data)}
	}
	for name, test := range map[string]struct {
		spec v1alpha1.MediaContext
		cell any
		want []model.Media
	}{
		"sound":                     {of(v1alpha1.MediaAudio, ""), "a/b.mp3", []model.Media{sent(v1alpha1.MediaAudio, "audio/mpeg", []byte("sound"))}},
		"the format of the context": {of(v1alpha1.MediaAudio, "wav"), "b", []model.Media{sent(v1alpha1.MediaAudio, "audio/wav", []byte("more"))}},
		"video":                     {of(v1alpha1.MediaVideo, ""), "c.MOV", []model.Media{sent(v1alpha1.MediaVideo, "video/quicktime", []byte("film"))}},
		"two": {of(v1alpha1.MediaImage, ""), []any{"d.png", nil, "d.png"},
			[]model.Media{sent(v1alpha1.MediaImage, "image/png", pngBytes(t)), sent(v1alpha1.MediaImage, "image/png", pngBytes(t))}},
		"another volume": {v1alpha1.MediaContext{Modality: v1alpha1.MediaAudio, DataType: v1alpha1.MediaDataFile, Volume: "calls"}, "b.mp3",
			[]model.Media{sent(v1alpha1.MediaAudio, "audio/mpeg", []byte("a call"))}},
		"none": {of(v1alpha1.MediaImage, ""), nil, nil},
	} {
		got, err := load(t, test.spec, test.cell, kept)
		if difference := cmp.Diff(test.want, got); err != nil || difference != "" {
			t.Errorf("%s: %v %s", name, err, difference)
		}
	}
	for cell, want := range map[string]string{
		"../b": "is no path within the volume", "/etc/passwd": "is no path within the volume", "a/../../b": "is no path within the volume",
		"missing.mp3": "has no file that can be read", "b": "does not tell its format", "empty.mp3": "is a path of an empty file",
		"large.mp3": "more than 20 MiB", "c.MOV": "does not tell its format",
	} {
		_, err := load(t, of(v1alpha1.MediaAudio, ""), cell, kept)
		if failed := failure.Of(err); err == nil || failed.Consequence != failure.DropRow || !strings.Contains(failed.Message, want) {
			t.Errorf("%s: %v", cell, err)
		}
	}
}
