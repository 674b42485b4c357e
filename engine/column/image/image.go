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

// painted is an answer that was paid for, and is not kept in the dataset as a whole yet.
type painted struct {
	images []model.Media
	paths  []any
	// spent is what the calls have used that led to it.
	spent runreport.Usage
}

// Ask has the model make the images of a row, and keeps them in the dataset. When one can't be downloaded now, the next call goes on from
// the answer: no image is paid for twice.
func (g *Generator) Ask(ctx context.Context, record *table.Record, kept any) (column.Answer, error) {
	answer, _ := kept.(*painted)
	var usage runreport.Usage
	if answer == nil {
		prompt, err := g.render(ctx, record)
		if err != nil {
			return column.Answer{}, err
		}
		var images []model.Media
		if images, usage, err = g.images(ctx, record, prompt); err != nil {
			return g.failed(ctx, column.Answer{Usage: usage}, err)
		}
		answer = &painted{images: images}
	}
	earlier := answer.spent
	answer.spent.Add(usage)
	for len(answer.paths) < len(answer.images) {
		path, err := g.keep(ctx, record, len(answer.paths), answer.images[len(answer.paths)])
		if err != nil {
			return g.failed(ctx, column.Answer{Usage: usage, Earlier: earlier, Kept: answer}, err)
		}
		answer.paths = append(answer.paths, path)
	}
	return column.Answer{Value: answer.paths, Usage: usage, Earlier: earlier}, nil
}

// render returns the prompt of a row.
func (g *Generator) render(ctx context.Context, record *table.Record) (string, error) {
	prompt, err := g.prompt.Render(ctx, column.Vars(record), column.TemplateOptions(g.drawn, record))
	switch {
	case err != nil && ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		return "", failure.New(v1alpha1.ReasonTemplateError, failure.DropRow, "the prompt of column %q failed: %v", g.name, err)
	case strings.TrimSpace(prompt) == "":
		return "", failure.New(v1alpha1.ReasonTemplateError, failure.DropRow, "the prompt of column %q rendered to nothing", g.name)
	}
	return prompt, nil
}

// failed counts an answer that makes no cell, where there was one, and leaves it to the next call only after a failure that passes.
func (g *Generator) failed(ctx context.Context, answer column.Answer, err error) (column.Answer, error) {
	cause := failure.Of(err)
	if !cause.TriesAgain() {
		answer.Kept = nil
	}
	if paid := answer.Usage.Succeeded + answer.Earlier.Succeeded; paid > 0 && cause.Consequence == failure.DropRow {
		column.Unusable(ctx, g.name, cause.Reason, &answer.Usage)
	}
	return answer, err
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
