// Package image makes columns in which a model paints: it renders the prompt of a row, takes the images out of the answer, checks that each
// can be opened, and has them kept in the dataset. The protocol of the endpoint, its limits and retries live elsewhere.
package image

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/media"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// Model makes images; *model.Client does.
type Model interface {
	// Images asks for images by a prompt.
	Images(ctx context.Context, prompt string) ([]model.Media, runreport.Usage, error)
	// Chat asks for them in a conversation.
	Chat(ctx context.Context, request model.Request) (model.Answer, runreport.Usage, error)
	// Load returns an image with its data, also where an answer has only named it.
	Load(ctx context.Context, image model.Media) (model.Media, error)
}

// Files keeps images in the dataset.
type Files interface {
	// SaveImage writes the image with a number, from 0, of a cell, and returns its path in the dataset.
	SaveImage(column string, row table.RowIndex, ordinal int32, number int, extension string, data []byte) (string, error)
}

// Generator makes the cells of one column: lists of the paths of images in the dataset.
type Generator struct {
	name   string
	chat   bool
	prompt *jinja.Template
	// drawn and requested are the keys of what the prompt draws, and of what requests do.
	drawn, requested random.Key
	contexts         *media.Contexts
	model            Model
	files            Files
}

// New parses the prompt of a column. chat says that images are asked for in a conversation.
func New(
	name string, spec *v1alpha1.Image, chat bool, seed int64, contexts *media.Contexts, client Model, files Files,
) (*Generator, error) {
	prompt, err := jinja.Parse(spec.Prompt)
	if err != nil {
		return nil, failure.Wrap(err, v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: prompt", name)
	}
	return &Generator{
		name: name, drawn: random.NewKey(seed, "prompt/"+name), requested: random.NewKey(seed, "request/"+name), chat: chat, prompt: prompt,
		contexts: contexts, model: client, files: files,
	}, nil
}

// Ask has the model make the images of a row, and keeps them.
func (g *Generator) Ask(ctx context.Context, record *table.Record, _ any) (column.Answer, error) {
	prompt, err := g.prompt.Render(ctx, column.Vars(record), column.TemplateOptions(g.drawn, record))
	switch {
	case err != nil && ctx.Err() != nil:
		return column.Answer{}, ctx.Err()
	case err != nil:
		return column.Answer{}, failure.New(v1alpha1.ReasonTemplateError, failure.DropRow, "the prompt of column %q failed: %v", g.name, err)
	case strings.TrimSpace(prompt) == "":
		return column.Answer{}, failure.New(v1alpha1.ReasonTemplateError, failure.DropRow, "the prompt of column %q rendered to nothing", g.name)
	}
	images, usage, err := g.images(ctx, record, prompt)
	if err != nil {
		return column.Answer{Usage: usage}, err
	}
	paths := make([]any, 0, len(images))
	for number, image := range images {
		path, err := g.keep(ctx, record, number, image)
		if err != nil {
			return column.Answer{Usage: usage}, err
		}
		paths = append(paths, path)
	}
	return column.Answer{Value: paths, Usage: usage}, nil
}

func (g *Generator) images(ctx context.Context, record *table.Record, prompt string) ([]model.Media, runreport.Usage, error) {
	if !g.chat {
		return g.model.Images(ctx, prompt)
	}
	attached, err := g.contexts.Of(ctx, record)
	if err != nil {
		return nil, runreport.Usage{}, err
	}
	answer, usage, err := g.model.Chat(ctx, model.Request{
		Messages: []model.Message{{Role: model.RoleUser, Content: prompt, Media: attached}}, Random: g.requested.Of(record).Sub(0),
	})
	if err == nil && len(answer.Images) == 0 {
		err = failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow, "the model of column %q answered without an image", g.name)
	}
	return answer.Images, usage, err
}

func (g *Generator) keep(ctx context.Context, record *table.Record, number int, image model.Media) (string, error) {
	image, err := g.model.Load(ctx, image)
	if err != nil {
		return "", err
	}
	data, err := base64.StdEncoding.DecodeString(image.Data)
	problem := "it is no base64 data"
	extension := ""
	if err == nil {
		extension, problem = media.CheckImage(data)
	}
	if problem != "" {
		return "", failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow, "%s of column %q can't be used: %s",
			fmt.Sprintf("image %d", number+1), g.name, problem)
	}
	return g.files.SaveImage(g.name, record.Row, record.Ordinal, number, extension, data)
}
