package plan

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/document/columns"
	"seedloom.dev/seedloom/engine/document/format"
)

// documents checks how documents become rows, which lie at a location that a field says.
func (v *validation) documents(seed *v1alpha1.Seed, location, of string) {
	const field = "spec.seed.documents"
	if seed.DatasetRef != nil || seed.Format != "" || seed.CSV != nil {
		v.add(field, ReasonInvalidUnion, "documents are read as what they are: format, csv and datasetRef can't be set beside them")
		return
	}
	if seed.PersistentVolumeClaim == nil && seed.ObjectStore == nil {
		if parsed, err := url.Parse(location); err == nil {
			location = parsed.Path
		}
		if format.Of(location) == "" {
			v.add(of, ReasonInvalidValue, "its ending tells no format of documents: it must be %s", format.Endings)
		}
	}
	for i := range seed.Columns {
		if source := seed.Columns[i].Source(); !slices.Contains(columns.Names(), source) {
			v.add(fmt.Sprintf("spec.seed.columns[%d]", i), ReasonUnknownReference, "chunks of documents have no column %q; they have %s", source,
				strings.Join(columns.Names(), ", "))
		}
	}
	rules := seed.Documents.Chunk
	if rules == nil {
		return
	}
	if rules.Size == nil && rules.By != v1alpha1.ChunkByHeadings {
		v.add(field+".chunk.size", ReasonRequired, "say how many %s a chunk may have", rules.By)
	}
	if rules.Overlap != nil && 2*rules.EffectiveOverlap() > rules.EffectiveSize() {
		v.add(field+".chunk.overlap", ReasonInvalidValue, "%d is more than half of size, which is %d", *rules.Overlap, rules.EffectiveSize())
	}
}

// writeDocumentDefaults sets the defaults, so that writing one out changes no hash.
func writeDocumentDefaults(documents *v1alpha1.SeedDocuments) {
	if documents == nil {
		return
	}
	documents.HiddenText = documents.EffectiveHiddenText()
	if documents.OnError == "" {
		documents.OnError = v1alpha1.DocumentErrorFail
	}
	if documents.Chunk != nil && documents.Chunk.EffectiveOverlap() == 0 {
		documents.Chunk.Overlap = nil
	}
}
