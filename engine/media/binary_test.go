package media_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/media"
	"seedloom.dev/seedloom/engine/table"
)

// Columns of Parquet have pictures as bytes, or as the structs of bytes and path that Hugging Face's datasets have.
func TestBinaryColumnsAreMedia(t *testing.T) {
	png := []byte("\x89PNG\r\n\x1a\nrest")
	binary := table.Type{Kind: table.KindBinary}
	picture := table.Type{Kind: table.KindStruct, Fields: []table.Field{{Name: "bytes", Type: binary}, {Name: "path", Type: table.Type{Kind: table.KindString}}}}
	for name, c := range map[string]struct {
		kind table.Type
		cell any
		want int
	}{
		"bytes":                 {binary, png, 1},
		"null":                  {binary, nil, 0},
		"a struct":              {picture, []any{png, "a.png"}, 1},
		"a struct that is null": {picture, nil, 0},
		"a list of structs":     {table.Type{Kind: table.KindList, Element: &picture}, []any{[]any{png, nil}, nil, []any{png, "b.png"}}, 2},
	} {
		schema := table.NewSchema(table.Field{Name: "image", Type: c.kind})
		record := table.NewRecord(schema, 0, 0)
		record.Cells[0] = c.cell
		contexts := media.New("caption", []v1alpha1.MediaContext{{Column: "image", Modality: v1alpha1.MediaImage}}, schema, nil)
		got, err := contexts.Of(t.Context(), record)
		if err != nil || len(got) != c.want {
			t.Errorf("%s: %d media, %v; want %d", name, len(got), err, c.want)
			continue
		}
		for _, one := range got {
			if one.MediaType != "image/png" || one.Data != base64.StdEncoding.EncodeToString(png) {
				t.Errorf("%s: %+v", name, one)
			}
		}
	}
	schema := table.NewSchema(table.Field{Name: "image", Type: binary})
	record := table.NewRecord(schema, 0, 0)
	record.Cells[0] = []byte("no picture")
	_, err := media.New("caption", []v1alpha1.MediaContext{{Column: "image", Modality: v1alpha1.MediaImage}}, schema, nil).Of(t.Context(), record)
	if err == nil || !strings.Contains(err.Error(), `"image"`) || !strings.Contains(err.Error(), "does not tell its format") {
		t.Errorf("bytes that are no picture: %v", err)
	}
}
