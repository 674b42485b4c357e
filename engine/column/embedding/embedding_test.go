package embedding_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/column/embedding"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// lengths embeds a text as its length and its first byte.
type lengths struct {
	asked [][]string
	err   error
}

func (l *lengths) Embed(_ context.Context, texts []string) ([][]float64, runreport.Usage, error) {
	l.asked = append(l.asked, texts)
	var vectors [][]float64
	for _, text := range texts {
		vectors = append(vectors, []float64{float64(len(text)), float64(text[0])})
	}
	return vectors, runreport.Usage{Succeeded: 1, InputTokens: 3}, l.err
}

func ask(t *testing.T, cell any, client *lengths) (column.Answer, error) {
	t.Helper()
	schema := table.NewSchema(table.Field{Name: "text"}, table.Field{Name: "vectors"})
	record := table.NewRecord(schema, 0, 0)
	record.Cells[0] = cell
	return embedding.New("vectors", &v1alpha1.Embedding{Model: "m", TargetColumn: "text"}, schema, client).Ask(t.Context(), record, nil)
}

func TestTextsBecomeVectors(t *testing.T) {
	for name, test := range map[string]struct {
		cell any
		sent []string
	}{
		"a text":                    {" hello ", []string{"hello"}},
		"a list":                    {[]any{"a", " bc "}, []string{"a", "bc"}},
		"a list in a text":          {`["a", "bc"]`, []string{"a", "bc"}},
		"a text that begins with [": {"[sic] so it goes", []string{"[sic] so it goes"}},
		"a number":                  {int64(42), []string{"42"}},
	} {
		client := &lengths{}
		answer, err := ask(t, test.cell, client)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var vectors []any
		for _, text := range test.sent {
			vectors = append(vectors, []any{float64(len(text)), float64(text[0])})
		}
		want := column.Answer{Value: []any{vectors, int64(len(test.sent)), int64(2)}, Usage: runreport.Usage{Succeeded: 1, InputTokens: 3}}
		if difference := cmp.Diff(want, answer) + cmp.Diff([][]string{test.sent}, client.asked); difference != "" {
			t.Errorf("%s: %s", name, difference)
		}
	}
}

func TestWhatCantBeEmbeddedAsksNoModel(t *testing.T) {
	for want, cell := range map[string]any{
		"is null": nil, "an empty text": "  ", "an empty list": []any{}, "something else than texts": []any{int64(1)}, "has an empty text": []any{"a", ""},
	} {
		client := &lengths{}
		_, err := ask(t, cell, client)
		if failed := failure.Of(err); failed == nil || failed.Consequence != failure.DropRow || !strings.Contains(err.Error(), want) ||
			len(client.asked) > 0 {
			t.Errorf("%v: got %v after %d requests, want %q", cell, err, len(client.asked), want)
		}
	}
}

func TestAFailedRequestKeepsItsUsage(t *testing.T) {
	cause := failure.New(v1alpha1.ReasonProviderTimeout, failure.RetryLater, "late")
	if answer, err := ask(t, "x", &lengths{err: cause}); failure.Of(err) != cause || answer.Usage.Succeeded != 1 || answer.Value != nil {
		t.Errorf("got %+v, %v", answer, err)
	}
}
