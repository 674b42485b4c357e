package media_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/media"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/table"
)

func pngBytes(t *testing.T) []byte {
	t.Helper()
	var buffer bytes.Buffer
	if err := png.Encode(&buffer, image.NewGray(image.Rect(0, 0, 2, 2))); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

type files map[string][]byte

func (f files) ReadImage(path string) ([]byte, error) {
	if data, found := f[path]; found {
		return data, nil
	}
	return nil, errors.New("no such file")
}

func (f files) ReadFile(volume, path string, most int64) ([]byte, error) {
	if volume == "" {
		volume = "seed"
	}
	data, err := f.ReadImage(volume + "/" + path)
	return data[:min(int64(len(data)), most)], err
}

func load(t *testing.T, spec v1alpha1.MediaContext, cell any, kept files) ([]model.Media, error) {
	t.Helper()
	spec.Column = "picture"
	schema := table.NewSchema(table.Field{Name: "id"}, table.Field{Name: "picture"})
	record := table.NewRecord(schema, 0, 0)
	record.Cells[1] = cell
	return media.New("caption", []v1alpha1.MediaContext{spec}, schema, kept).Of(t.Context(), record)
}

func TestCellsBecomeMedia(t *testing.T) {
	picture := pngBytes(t)
	encoded := base64.StdEncoding.EncodeToString(picture)
	sound := base64.StdEncoding.EncodeToString([]byte("sound"))
	embedded := model.Media{Modality: v1alpha1.MediaImage, MediaType: "image/png", Data: encoded}
	address := func(url string) model.Media { return model.Media{Modality: v1alpha1.MediaImage, URL: url} }
	anImage := v1alpha1.MediaContext{Modality: v1alpha1.MediaImage}
	for name, test := range map[string]struct {
		spec v1alpha1.MediaContext
		cell any
		want []model.Media
	}{
		"null has none":                {anImage, nil, nil},
		"an empty text has none":       {anImage, "  ", nil},
		"an address":                   {anImage, " https://example.org/a.png\n", []model.Media{address("https://example.org/a.png")}},
		"an address without an ending": {anImage, "https://example.org/a?b=c", []model.Media{address("https://example.org/a?b=c")}},
		"a list of addresses":          {anImage, []any{"http://a/1.png", nil, "http://a/2.png"}, []model.Media{address("http://a/1.png"), address("http://a/2.png")}},
		"a list in a text":             {anImage, `["http://a/1.png", " http://a/2.png\n", " "]`, []model.Media{address("http://a/1.png"), address("http://a/2.png")}},
		"bare base64":                  {anImage, encoded, []model.Media{embedded}},
		"base64 in lines":              {anImage, encoded[:8] + "\n" + encoded[8:], []model.Media{embedded}},
		"a data address":               {anImage, "data:image/png;base64," + encoded, []model.Media{embedded}},
		"a path in the dataset":        {anImage, []any{"images/cover/3-0.png"}, []model.Media{embedded}},
		"base64 by its format": {
			v1alpha1.MediaContext{Modality: v1alpha1.MediaAudio, DataType: v1alpha1.MediaDataBase64, Format: "mp3"}, sound,
			[]model.Media{{Modality: v1alpha1.MediaAudio, MediaType: "audio/mpeg", Data: sound}},
		},
		"another name of a media type": {
			v1alpha1.MediaContext{Modality: v1alpha1.MediaAudio, Format: "wav"}, "data:audio/x-wav;base64," + sound,
			[]model.Media{{Modality: v1alpha1.MediaAudio, MediaType: "audio/wav", Data: sound}},
		},
		"a video at an address": {
			v1alpha1.MediaContext{Modality: v1alpha1.MediaVideo, DataType: v1alpha1.MediaDataURL}, "https://example.org/a",
			[]model.Media{{Modality: v1alpha1.MediaVideo, URL: "https://example.org/a"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := load(t, test.spec, test.cell, files{"images/cover/3-0.png": picture})
			if err != nil {
				t.Fatal(err)
			}
			if difference := cmp.Diff(test.want, got); difference != "" {
				t.Error(difference)
			}
		})
	}
}

func TestWhatIsNoMediaDropsTheRow(t *testing.T) {
	sound := base64.StdEncoding.EncodeToString([]byte("sound"))
	for name, test := range map[string]struct {
		spec v1alpha1.MediaContext
		cell any
		want string
	}{
		"a sentence":                     {v1alpha1.MediaContext{Modality: v1alpha1.MediaImage}, "a secret sentence", "neither an address nor base64 data"},
		"a number":                       {v1alpha1.MediaContext{Modality: v1alpha1.MediaImage}, int64(7), "is no text"},
		"a list of numbers":              {v1alpha1.MediaContext{Modality: v1alpha1.MediaImage}, []any{int64(7)}, "something else than texts"},
		"a path that is not there":       {v1alpha1.MediaContext{Modality: v1alpha1.MediaImage}, "images/none.png", "a path at which the dataset has no image"},
		"data that is no image":          {v1alpha1.MediaContext{Modality: v1alpha1.MediaImage}, sound, "does not tell its format"},
		"sound without a format":         {v1alpha1.MediaContext{Modality: v1alpha1.MediaAudio}, sound, "does not tell its format"},
		"no address where one must be":   {v1alpha1.MediaContext{Modality: v1alpha1.MediaImage, DataType: v1alpha1.MediaDataURL}, sound, "no http or https address"},
		"a data address of another kind": {v1alpha1.MediaContext{Modality: v1alpha1.MediaImage}, "data:audio/wav;base64," + sound, "can't be sent as image"},
		"another format than it says":    {v1alpha1.MediaContext{Modality: v1alpha1.MediaImage, Format: "gif"}, "data:image/png;base64," + sound, "is image/png, and the context says gif"},
	} {
		_, err := load(t, test.spec, test.cell, files{})
		var failed *failure.Error
		if !errors.As(err, &failed) || failed.Consequence != failure.DropRow || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
			continue
		}
		if !strings.Contains(err.Error(), `column "caption"`) || !strings.Contains(err.Error(), `"picture"`) ||
			strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the message must name the columns and no value: %v", name, err)
		}
	}
}

func TestImagesAreChecked(t *testing.T) {
	var picture bytes.Buffer
	if err := jpeg.Encode(&picture, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	whole := pngBytes(t)
	for name, test := range map[string]struct {
		data                   []byte
		wantExtension, problem string
	}{
		"png":           {whole, "png", ""},
		"jpeg":          {picture.Bytes(), "jpg", ""},
		"half a png":    {whole[:len(whole)-20], "png", "it is damaged"},
		"a png's begin": {whole[:12], "png", "its header is damaged"},
		"a page":        {[]byte("<html>"), "", "neither PNG"},
		"nothing":       {nil, "", "neither PNG"},
	} {
		extension, problem := media.CheckImage(test.data)
		if extension != test.wantExtension || (problem == "") != (test.problem == "") || !strings.Contains(problem, test.problem) {
			t.Errorf("%s: got %q, %q", name, extension, problem)
		}
	}
}
