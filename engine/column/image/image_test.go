package image_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/png"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	columnimage "seedloom.dev/seedloom/engine/column/image"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/media"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

func picture(t *testing.T) []byte {
	t.Helper()
	var buffer bytes.Buffer
	if err := png.Encode(&buffer, image.NewGray(image.Rect(0, 0, 2, 2))); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

// painter answers with the images that it was made with, and notes what it was asked.
type painter struct {
	images []model.Media
	busy   int // downloads that fail
	asked  []string
	sent   []model.Media
}

func (p *painter) Images(_ context.Context, prompt string) ([]model.Media, runreport.Usage, error) {
	p.asked = append(p.asked, "images: "+prompt)
	return p.images, runreport.Usage{Succeeded: 1, Images: int64(len(p.images))}, nil
}

func (p *painter) Chat(_ context.Context, request model.Request) (model.Answer, runreport.Usage, error) {
	p.asked = append(p.asked, "chat: "+request.Messages[0].Content)
	p.sent = request.Messages[0].Media
	return model.Answer{Images: p.images}, runreport.Usage{Succeeded: 1, Images: int64(len(p.images))}, nil
}

func (p *painter) Load(_ context.Context, image model.Media) (model.Media, error) {
	if image.Data == "" {
		p.asked = append(p.asked, "download: "+image.URL)
		if p.busy > 0 {
			p.busy--
			return image, failure.New(v1alpha1.ReasonProviderUnavailable, failure.RetryLater, "busy")
		}
		image.Data = strings.TrimPrefix(image.URL, "https://example.org/")
	}
	return image, nil
}

// album keeps images in memory.
type album struct {
	kept map[string][]byte
	err  error
}

func (a *album) SaveImage(column string, row table.RowIndex, _ int32, number int, extension string, data []byte) (string, error) {
	path := fmt.Sprintf("images/%s/%d-%d.%s", column, row, number, extension)
	a.kept[path] = data
	return path, a.err
}

func ask(t *testing.T, spec v1alpha1.Image, chat bool, client *painter, kept *album) (column.Answer, error) {
	t.Helper()
	schema := table.NewSchema(table.Field{Name: "title"}, table.Field{Name: "sketch"}, table.Field{Name: "cover"})
	record := table.NewRecord(schema, 7, 0)
	record.Cells[0], record.Cells[1] = "Emma", "https://example.org/sketch.png"
	contexts := media.New("cover", spec.Context, schema, nil)
	generator, err := columnimage.New("cover", &spec, chat, 42, contexts, client, kept)
	if err != nil {
		t.Fatal(err)
	}
	return generator.Ask(t.Context(), record, nil)
}

func TestImagesAreKeptAndTheirPathsAreTheValue(t *testing.T) {
	data := picture(t)
	encoded := base64.StdEncoding.EncodeToString(data)
	painted := []model.Media{{Modality: v1alpha1.MediaImage, MediaType: "image/png", Data: encoded}, {Modality: v1alpha1.MediaImage, URL: "https://example.org/" + encoded}}
	sketch := []v1alpha1.MediaContext{{Column: "sketch", Modality: v1alpha1.MediaImage}}
	for name, test := range map[string]struct {
		chat     bool
		context  []v1alpha1.MediaContext
		asked    string
		sent     int
		wantSent []model.Media
	}{
		"at the endpoint for images": {false, nil, "images: a cover for Emma", 0, nil},
		"in a conversation":          {true, sketch, "chat: a cover for Emma", 1, []model.Media{{Modality: v1alpha1.MediaImage, URL: "https://example.org/sketch.png"}}},
	} {
		client, kept := &painter{images: painted}, &album{kept: map[string][]byte{}}
		answer, err := ask(t, v1alpha1.Image{Prompt: "a cover for {{ title }}", Context: test.context}, test.chat, client, kept)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := column.Answer{Value: []any{"images/cover/7-0.png", "images/cover/7-1.png"}, Usage: runreport.Usage{Succeeded: 1, Images: 2}}
		wantKept := map[string][]byte{"images/cover/7-0.png": data, "images/cover/7-1.png": data}
		difference := cmp.Diff(want, answer) + cmp.Diff(wantKept, kept.kept) + cmp.Diff(test.wantSent, client.sent)
		if difference += cmp.Diff([]string{test.asked, "download: https://example.org/" + encoded}, client.asked); difference != "" {
			t.Errorf("%s: %s", name, difference)
		}
	}
}

// An image that can't be downloaded now is not painted, and paid for, once more.
func TestAnImageIsPaidForOnce(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString(picture(t))
	schema := table.NewSchema(table.Field{Name: "cover"})
	for _, chat := range []bool{false, true} {
		client, kept := &painter{busy: 2, images: []model.Media{{Data: encoded}, {URL: "https://example.org/" + encoded}}}, &album{kept: map[string][]byte{}}
		spec := v1alpha1.Image{Prompt: "a cover"}
		generator, err := columnimage.New("cover", &spec, chat, 42, media.New("cover", nil, schema, nil), client, kept)
		if err != nil {
			t.Fatal(err)
		}
		record := table.NewRecord(schema, 7, 0)
		paid := runreport.Usage{Succeeded: 1, Images: 2}
		var before any
		for _, want := range []column.Answer{{Usage: paid}, {Earlier: paid}} {
			answer, err := generator.Ask(t.Context(), record, before)
			before, answer.Kept = answer.Kept, nil
			if failure.Of(err) == nil || failure.Of(err).Consequence != failure.RetryLater || cmp.Diff(want, answer) != "" {
				t.Fatalf("chat %v: got %+v, %v; want %+v", chat, answer, err, want)
			}
		}
		answer, err := generator.Ask(t.Context(), record, before)
		want := column.Answer{Value: []any{"images/cover/7-0.png", "images/cover/7-1.png"}, Earlier: paid}
		if difference := cmp.Diff(want, answer); err != nil || difference != "" || len(client.asked) != 4 {
			t.Errorf("chat %v: %v, asked %q: %s", chat, err, client.asked, difference)
		}
	}
}

func TestWhatIsNoImageDropsTheRow(t *testing.T) {
	page := base64.StdEncoding.EncodeToString([]byte("<html>"))
	for name, test := range map[string]struct {
		prompt string
		images []model.Media
		reason string
		want   string
	}{
		"no image":            {"x", nil, v1alpha1.ReasonModelGenerationInvalid, "without an image"},
		"a page":              {"x", []model.Media{{Data: page}}, v1alpha1.ReasonModelGenerationInvalid, "neither PNG"},
		"no base64":           {"x", []model.Media{{Data: "%"}}, v1alpha1.ReasonModelGenerationInvalid, "no base64 data"},
		"an empty prompt":     {"{{ '' }}", nil, v1alpha1.ReasonTemplateError, "rendered to nothing"},
		"a prompt that fails": {"{{ title.nowhere }}", nil, v1alpha1.ReasonTemplateError, "the prompt of column"},
	} {
		answer, err := ask(t, v1alpha1.Image{Prompt: test.prompt}, true, &painter{images: test.images}, &album{kept: map[string][]byte{}})
		if count := answer.Usage.Unusable.Counts()[test.reason]; count != answer.Usage.Succeeded {
			t.Errorf("%s: %d unusable answers of %+v", name, count, answer.Usage)
		}
		var failed *failure.Error
		if !errors.As(err, &failed) || failed.Reason != test.reason || failed.Consequence != failure.DropRow ||
			!strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAVolumeThatIsFullIsNoFaultOfTheImage(t *testing.T) {
	full := failure.New(v1alpha1.ReasonStorageFailed, failure.EndRun, "full")
	client := &painter{images: []model.Media{{Data: base64.StdEncoding.EncodeToString(picture(t))}}}
	if _, err := ask(t, v1alpha1.Image{Prompt: "x"}, true, client, &album{map[string][]byte{}, full}); failure.Of(err) != full {
		t.Errorf("got %v", err)
	}
}
