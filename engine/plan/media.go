package plan

import (
	"fmt"
	"slices"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/table"
)

// paintersNames are parts of the names of models that have the endpoint for images only.
var paintersNames = []string{"dall-e-", "dalle", "stable-diffusion", "sd-", "sd_", "imagen", "gpt-image-"}

// ImagesByChat says whether the images of a column are asked for in a conversation with its model, and not at the endpoint for images.
func ImagesByChat(image *v1alpha1.Image, model *v1alpha1.Model) bool {
	switch image.API {
	case v1alpha1.ImageAPIChat:
		return true
	case v1alpha1.ImageAPIImages:
		return false
	}
	name := strings.ToLower(model.Model)
	return !slices.ContainsFunc(paintersNames, func(part string) bool { return strings.Contains(name, part) })
}

// embeddingType is the type of embeddings: the vectors, how many there are, and their length. The names are those that tools of the field
// know.
func embeddingType(*v1alpha1.Column) (table.Type, error) {
	number := table.Type{Kind: table.KindFloat}
	vector := table.Type{Kind: table.KindList, Element: &number}
	return table.Type{Kind: table.KindStruct, Fields: []table.Field{
		{Name: "embeddings", Type: table.Type{Kind: table.KindList, Element: &vector}},
		{Name: "num_embeddings", Type: table.Type{Kind: table.KindInt}},
		{Name: "dimension", Type: table.Type{Kind: table.KindInt}},
	}}, nil
}

// imageType is the type of images: their paths in the dataset.
func imageType(*v1alpha1.Column) (table.Type, error) {
	return table.Type{Kind: table.KindList, Element: &table.Type{Kind: table.KindString}}, nil
}

var mediaFormats = map[v1alpha1.MediaModality][]string{
	v1alpha1.MediaImage: {"png", "jpg", "jpeg", "gif", "webp"}, v1alpha1.MediaAudio: {"mp3", "wav"},
	v1alpha1.MediaVideo: {"mp4", "mov", "webm"},
}

func (v *validation) embeddingColumn(index int, field string) {
	embedding := v.spec.Columns[index].Embedding
	v.modelAlias(field+".model", embedding.Model)
	v.references[index] = append(v.references[index], reference{name: embedding.TargetColumn, field: field + ".targetColumn"})
}

func (v *validation) imageColumn(index int, field string) {
	image := v.spec.Columns[index].Image
	v.modelAlias(field+".model", image.Model)
	v.template(index, field+".prompt", image.Prompt)
	v.contexts(index, field+".context", image.Context)
	switch image.API {
	case "", v1alpha1.ImageAPIAuto, v1alpha1.ImageAPIChat, v1alpha1.ImageAPIImages:
	default:
		v.add(field+".api", ReasonInvalidValue, "must be Auto, Chat or Images, but is %q", image.API)
	}
	for i, context := range image.Context {
		if context.Modality != v1alpha1.MediaImage {
			v.add(fmt.Sprintf("%s.context[%d].modality", field, i), ReasonInvalidValue, "must be Image for an image column, but is %q",
				context.Modality)
		}
	}
	if model := v.spec.Model(image.Model); model != nil && len(image.Context) > 0 && !ImagesByChat(image, model) {
		v.add(field+".context", ReasonInvalidValue,
			"can't be sent to the endpoint for images, at which model %q is asked; set api to Chat if it understands conversations",
			image.Model)
	}
}

// contexts checks the media of a prompt, and notes the columns that they come from.
func (v *validation) contexts(index int, field string, contexts []v1alpha1.MediaContext) {
	for i, context := range contexts {
		at := fmt.Sprintf("%s[%d]", field, i)
		v.references[index] = append(v.references[index], reference{name: context.Column, field: at + ".column"})
		formats, known := mediaFormats[context.Modality]
		if !known {
			v.add(at+".modality", ReasonInvalidValue, "must be Image, Audio or Video, but is %q", context.Modality)
			continue
		}
		if context.Format != "" && !slices.Contains(formats, context.Format) {
			v.add(at+".format", ReasonInvalidValue, "%q is no format of the modality %s: use %s", context.Format, context.Modality,
				strings.Join(formats, ", "))
		}
		switch context.DataType {
		case "", v1alpha1.MediaDataAuto, v1alpha1.MediaDataURL:
		case v1alpha1.MediaDataBase64:
			if context.Format == "" {
				v.add(at+".format", ReasonRequired, "is needed when dataType is Base64")
			}
		case v1alpha1.MediaDataFile:
			v.mediaVolume(at, context.Volume)
		default:
			v.add(at+".dataType", ReasonInvalidValue, "must be Auto, URL, Base64 or File, but is %q", context.DataType)
		}
		if context.Volume != "" && context.DataType != v1alpha1.MediaDataFile {
			v.add(at+".volume", ReasonInvalidValue, "is for dataType File")
		}
	}
}

// mediaVolume checks where the files of a context lie: on the volume of the seed, or on one that has a name.
func (v *validation) mediaVolume(at, name string) {
	if name == "" {
		if v.spec.Seed == nil || v.spec.Seed.PersistentVolumeClaim == nil {
			v.add(at+".dataType", ReasonInvalidValue, "File needs a seed on a volume (spec.seed.persistentVolumeClaim), beside which the files "+
				"lie, or the name of one of spec.pod.volumes as volume")
		}
		return
	}
	volume := v.spec.PodVolume(name)
	switch {
	case volume == nil:
		var names []string
		if v.spec.Pod != nil {
			for i := range v.spec.Pod.Volumes {
				names = append(names, v.spec.Pod.Volumes[i].Name)
			}
		}
		v.add(at+".volume", ReasonUnknownReference, "no entry of spec.pod.volumes is called %q%s", name, suggestion(name, names))
	case volume.PersistentVolumeClaim == nil && volume.ConfigMap == nil:
		v.add(at+".volume", ReasonInvalidValue, "the volume %q must be a claim or a ConfigMap: files of others are not sent to models", name)
	}
}
