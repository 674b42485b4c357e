package media

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/model"
)

// MaxFileBytes bounds a file of a volume: it is sent whole, with each request that has it.
const MaxFileBytes = 20 << 20

// volumeFile reads a file of a volume. Its name tells the format where the context does not.
func (c *Contexts) volumeFile(spec v1alpha1.MediaContext, name string) (model.Media, string) {
	volume := "the volume of the seed"
	if spec.Volume != "" {
		volume = "the volume " + spec.Volume
	}
	read := model.Media{Modality: spec.Modality, MediaType: mediaTypes[spec.Modality][spec.Format]}
	if !filepath.IsLocal(name) {
		return read, "is no path within " + volume + ": it must be relative, without '..'"
	}
	if read.MediaType == "" {
		read.MediaType = mediaTypes[spec.Modality][strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))]
	}
	if c.files == nil {
		return read, "is a path, and there are no files here"
	}
	data, err := c.files.ReadFile(spec.Volume, name, MaxFileBytes+1)
	switch {
	case err != nil:
		return read, "is a path at which " + volume + " has no file that can be read; paths are relative to it"
	case len(data) > MaxFileBytes:
		return read, fmt.Sprintf("is a path of a file with more than %d MiB", MaxFileBytes>>20)
	case len(data) == 0:
		return read, "is a path of an empty file"
	}
	return embedded(read, data)
}
