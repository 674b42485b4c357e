package plan

import (
	"fmt"
	"slices"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// seedFiles checks a seed in which each file is a row.
func (v *validation) seedFiles(seed *v1alpha1.Seed) {
	const field = "spec.seed.files"
	asked := seed.Files
	if seed.Format != "" || seed.CSV != nil || seed.Documents != nil || seed.PersistentVolumeClaim == nil && seed.ObjectStore == nil {
		v.add(field, ReasonInvalidUnion, "files are listed on a volume or in a bucket, and format, csv and documents can't be set beside them")
		return
	}
	if content := asked.EffectiveContent(); content != v1alpha1.SeedFileNone && content != v1alpha1.SeedFileText {
		v.add(field+".content", ReasonInvalidValue, "must be %s or %s, but is %q", v1alpha1.SeedFileNone, v1alpha1.SeedFileText, content)
	}
	switch {
	case asked.Encoding != "" && !asked.HasText():
		v.add(field+".encoding", ReasonInvalidValue, "has no effect without content: %s", v1alpha1.SeedFileText)
	case !slices.Contains(v1alpha1.SeedEncodings, asked.EffectiveEncoding()):
		v.add(field+".encoding", ReasonInvalidValue, "must be one of %v, but is %q", v1alpha1.SeedEncodings, asked.Encoding)
	}
	names := asked.FileColumns()
	for i := range seed.Columns {
		if source := seed.Columns[i].Source(); !slices.Contains(names, source) {
			v.add(fmt.Sprintf("spec.seed.columns[%d]", i), ReasonUnknownReference, "rows of files have no column %q; they have %s", source,
				strings.Join(names, ", "))
		}
	}
}
