// Package media turns the cells of a column into the images, sounds and videos that are sent to a model before a prompt: addresses,
// base64 data in any of their usual forms, images that the dataset itself holds, and files of volumes. It reads no other file, and
// asks no server.
package media

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/table"
)

// maxValues bounds how many values one cell may hold.
const maxValues = 64

// Files reads the files that are sent.
type Files interface {
	// ReadImage reads an image that the dataset holds, by the path that an image column has.
	ReadImage(path string) ([]byte, error)
	// ReadFile reads a file of a volume, at most so many bytes of it: of that of the seed where the name of the volume is empty. Nothing
	// outside of the volume is read.
	ReadFile(volume, path string, most int64) ([]byte, error)
}

// Contexts are the media that belong to a prompt.
type Contexts struct {
	column string
	specs  []v1alpha1.MediaContext
	// cells are the schema indexes of the columns of specs.
	cells []int
	files Files
}

// New returns the contexts of a column. All columns that they name are in the schema.
func New(column string, specs []v1alpha1.MediaContext, schema *table.Schema, files Files) *Contexts {
	contexts := &Contexts{column: column, specs: specs, files: files}
	for _, spec := range specs {
		index, _ := schema.Index(spec.Column)
		contexts.cells = append(contexts.cells, index)
	}
	return contexts
}

// Of returns the media of a row, in the order of the contexts and of the values in each cell. A cell that is null or empty has none.
// Its errors are failure.Error, and say nothing of what the cells hold.
func (c *Contexts) Of(_ context.Context, record *table.Record) ([]model.Media, error) {
	var all []model.Media
	for i, spec := range c.specs {
		media, problem := c.ofCell(spec, record.Schema.Fields()[c.cells[i]].Type, record.Cells[c.cells[i]])
		all = append(all, media...)
		if problem != "" {
			return nil, failure.New(v1alpha1.ReasonTemplateError, failure.DropRow,
				"the context of column %q can't be used: the value of %q %s",
				c.column, spec.Column, problem)
		}
	}
	return all, nil
}

// ofCell returns the media in a cell: binary data, what holds such in one of the usual ways, or texts.
func (c *Contexts) ofCell(spec v1alpha1.MediaContext, kind table.Type, cell any) (all []model.Media, problem string) {
	parts, isBinary := binaryOf(kind, cell)
	if len(parts) > maxValues {
		return nil, fmt.Sprintf("has %d media, and at most %d are sent", len(parts), maxValues)
	}
	for _, data := range parts {
		one, problem := embedded(model.Media{Modality: spec.Modality, MediaType: mediaTypes[spec.Modality][spec.Format]}, data)
		if problem != "" {
			return nil, problem
		}
		all = append(all, one)
	}
	if isBinary {
		return all, ""
	}
	values, problem := valuesOf(cell)
	for _, value := range values {
		one, problem := c.read(spec, value)
		if problem != "" {
			return nil, problem
		}
		all = append(all, one)
	}
	return all, problem
}

// binaryOf lists the binary data in a cell: bytes, a struct with a member "bytes" as the datasets of Hugging Face have it, or a list of
// such.
func binaryOf(kind table.Type, cell any) (parts [][]byte, isBinary bool) {
	switch kind.Kind {
	case table.KindBinary:
		if data, there := cell.([]byte); there && len(data) > 0 {
			parts = append(parts, data)
		}
		return parts, true
	case table.KindStruct:
		for i, field := range kind.Fields {
			if members, there := cell.([]any); field.Name == "bytes" && field.Type.Kind == table.KindBinary && (there || cell == nil) {
				if there {
					return binaryOf(field.Type, members[i])
				}
				return nil, true
			}
		}
	case table.KindList:
		items, _ := cell.([]any)
		for _, item := range items {
			data, holds := binaryOf(*kind.Element, item)
			isBinary = isBinary || holds
			parts = append(parts, data...)
		}
	}
	return parts, isBinary
}

// valuesOf lists the texts in a cell: a list, a text that is a list in JSON, or one text.
func valuesOf(cell any) (values []string, problem string) {
	switch typed := cell.(type) {
	case nil:
		return nil, ""
	case []any:
		for _, item := range typed {
			text, isText := item.(string)
			if !isText && item != nil {
				return nil, "is a list of something else than texts"
			}
			if strings.TrimSpace(text) != "" {
				values = append(values, strings.TrimSpace(text))
			}
		}
	case string:
		text := strings.TrimSpace(typed)
		if strings.HasPrefix(text, "[") && json.Unmarshal([]byte(text), &values) == nil {
			for i := range values {
				values[i] = strings.TrimSpace(values[i])
			}
			values = slices.DeleteFunc(values, func(value string) bool { return value == "" })
		} else if text != "" {
			values = []string{text}
		}
	default:
		return nil, "is no text"
	}
	if len(values) > maxValues {
		return nil, fmt.Sprintf("has %d media, and at most %d are sent", len(values), maxValues)
	}
	return values, ""
}

func (c *Contexts) read(spec v1alpha1.MediaContext, value string) (read model.Media, problem string) {
	read.Modality = spec.Modality
	isAddress := strings.HasPrefix(value, "http://") || strings.HasPrefix(value, "https://")
	switch spec.DataType {
	case v1alpha1.MediaDataURL:
		if !isAddress {
			return read, "is no http or https address"
		}
		read.URL = value
		return read, ""
	case v1alpha1.MediaDataBase64:
		return decode(spec, value)
	case v1alpha1.MediaDataFile:
		return c.volumeFile(spec, value)
	}
	switch {
	case isAddress:
		read.URL = value
		return read, ""
	case spec.Modality == v1alpha1.MediaImage && isImagePath(value):
		return c.file(spec, value)
	}
	return decode(spec, value)
}

// isImagePath tells the paths that image columns have from base64 data.
func isImagePath(value string) bool {
	extension := strings.ToLower(strings.TrimPrefix(path.Ext(value), "."))
	return len(value) < 1024 && mediaTypes[v1alpha1.MediaImage][extension] != ""
}

func (c *Contexts) file(spec v1alpha1.MediaContext, name string) (model.Media, string) {
	read := model.Media{Modality: spec.Modality, MediaType: mediaTypes[spec.Modality][spec.Format]}
	if c.files == nil {
		return read, "is a path, and there are no files here"
	}
	data, err := c.files.ReadImage(name)
	if err != nil {
		return read, "is a path at which the dataset has no image"
	}
	return embedded(read, data)
}

// decode reads base64 data: bare, or as a data address with its media type.
func decode(spec v1alpha1.MediaContext, value string) (read model.Media, problem string) {
	read = model.Media{Modality: spec.Modality, MediaType: mediaTypes[spec.Modality][spec.Format]}
	if header, data, isData := strings.Cut(strings.TrimPrefix(value, "data:"), ","); isData && strings.HasPrefix(value, "data:") {
		declared, base64Mark, _ := strings.Cut(header, ";")
		if base64Mark != "base64" {
			return read, "is a data address that is not in base64"
		}
		canonical := canonicalTypes[strings.ToLower(declared)]
		if !slices.Contains(typesOf(spec.Modality), canonical) {
			return read, fmt.Sprintf("has a media type that can't be sent as %s", strings.ToLower(string(spec.Modality)))
		}
		if read.MediaType != "" && read.MediaType != canonical {
			return read, fmt.Sprintf("is %s, and the context says %s", canonical, spec.Format)
		}
		read.MediaType, value = canonical, data
	}
	value = strings.Map(func(char rune) rune {
		if char == '\n' || char == '\r' {
			return -1
		}
		return char
	}, value)
	data, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		if data, err = base64.RawStdEncoding.DecodeString(value); err != nil {
			return read, "is neither an address nor base64 data"
		}
	}
	return embedded(read, data)
}

// embedded has the data sent with the request. Of images, the data tells the format where nothing else does.
func embedded(read model.Media, data []byte) (model.Media, string) {
	if read.MediaType == "" && read.Modality == v1alpha1.MediaImage {
		read.MediaType = imageType(data)
	}
	if read.MediaType == "" {
		return read, "does not tell its format: set format in the context"
	}
	read.Data = base64.StdEncoding.EncodeToString(data)
	return read, ""
}

// mediaTypes are the media types of formats.
var mediaTypes = map[v1alpha1.MediaModality]map[string]string{
	v1alpha1.MediaImage: {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"},
	v1alpha1.MediaAudio: {"mp3": "audio/mpeg", "wav": "audio/wav"},
	v1alpha1.MediaVideo: {"mp4": "video/mp4", "mov": "video/quicktime", "webm": "video/webm"},
}

// canonicalTypes are the media types that are understood, by all their names.
var canonicalTypes = map[string]string{
	"image/png": "image/png", "image/jpeg": "image/jpeg", "image/jpg": "image/jpeg", "image/gif": "image/gif", "image/webp": "image/webp",
	"audio/mpeg": "audio/mpeg", "audio/mp3": "audio/mpeg", "audio/wav": "audio/wav", "audio/wave": "audio/wav", "audio/x-wav": "audio/wav",
	"audio/vnd.wave": "audio/wav", "video/mp4": "video/mp4", "video/quicktime": "video/quicktime", "video/webm": "video/webm",
}

func typesOf(modality v1alpha1.MediaModality) []string {
	var types []string
	for _, mediaType := range mediaTypes[modality] {
		types = append(types, mediaType)
	}
	return types
}
