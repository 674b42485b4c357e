// Package embedding makes columns in which a model turns the text of another column into vectors. The protocol of the endpoint, its limits
// and retries live elsewhere.
package embedding

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// maxTexts bounds how many texts one cell may hold.
const maxTexts = 2048

// Model turns texts into vectors, one for each, in their order; *model.Client does.
type Model interface {
	Embed(ctx context.Context, texts []string) ([][]float64, runreport.Usage, error)
}

// Generator makes the cells of one column: structs of the vectors, how many there are, and their length.
type Generator struct {
	name, target string
	index        int
	model        Model
}

// New returns the generator of a column. schema has the column that it reads.
func New(name string, spec *v1alpha1.Embedding, schema *table.Schema, client Model) *Generator {
	index, _ := schema.Index(spec.TargetColumn)
	return &Generator{name: name, target: spec.TargetColumn, index: index, model: client}
}

// Ask sends the texts of the row in one request.
func (g *Generator) Ask(ctx context.Context, record *table.Record, _ any) (column.Answer, error) {
	texts, problem := textsOf(record.Cells[g.index])
	if problem != "" {
		return column.Answer{}, failure.New(v1alpha1.ReasonConversionFailed, failure.DropRow,
			"column %q can't be embedded in column %q: its value %s",
			g.target, g.name, problem)
	}
	vectors, usage, err := g.model.Embed(ctx, texts)
	if err != nil {
		if usage.Succeeded > 0 {
			column.Unusable(ctx, g.name, failure.Of(err).Reason, &usage)
		}
		return column.Answer{Usage: usage}, err
	}
	list := make([]any, len(vectors))
	for i, vector := range vectors {
		numbers := make([]any, len(vector))
		for j, number := range vector {
			numbers[j] = number
		}
		list[i] = numbers
	}
	dimension := int64(0)
	if len(vectors) > 0 {
		dimension = int64(len(vectors[0]))
	}
	return column.Answer{Value: []any{list, int64(len(vectors)), dimension}, Usage: usage}, nil
}

// textsOf lists the texts in a cell: those of a list, those of a text that is a list of texts in JSON, or the one text.
func textsOf(cell any) (texts []string, problem string) {
	switch typed := cell.(type) {
	case nil:
		return nil, "is null"
	case string:
		text := strings.TrimSpace(typed)
		if !strings.HasPrefix(text, "[") || json.Unmarshal([]byte(text), &texts) != nil {
			texts = []string{text}
		}
	case []any:
		for _, item := range typed {
			text, isText := item.(string)
			if !isText {
				return nil, "is a list of something else than texts"
			}
			texts = append(texts, text)
		}
	default:
		texts = []string{fmt.Sprint(typed)}
	}
	if len(texts) == 0 {
		return nil, "is an empty list"
	}
	if len(texts) > maxTexts {
		return nil, fmt.Sprintf("has %d texts, and at most %d are sent", len(texts), maxTexts)
	}
	for i := range texts {
		if texts[i] = strings.TrimSpace(texts[i]); texts[i] == "" {
			return nil, "has an empty text, which no model embeds"
		}
	}
	return texts, ""
}
