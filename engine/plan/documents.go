package plan

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/document/columns"
	"seedloom.dev/seedloom/engine/document/format"
	"seedloom.dev/seedloom/engine/seed/rollout"
)

// documents checks how documents become rows, which lie at a location that a field says.
func (v *validation) documents(seed *v1alpha1.Seed, location, of string) {
	const field = "spec.seed.documents"
	if seed.DatasetRef != nil || seed.Format != "" || seed.CSV != nil {
		v.add(field, ReasonInvalidUnion, "documents are read as what they are: format, csv and datasetRef can't be set beside them")
		return
	}
	if repository := seed.HuggingFace; repository != nil && len(repository.Paths) == 0 {
		v.add("spec.seed.huggingFace.paths", ReasonRequired, "documents of a repository are those that paths name: name them")
	}
	if seed.PersistentVolumeClaim == nil && seed.ObjectStore == nil && seed.HuggingFace == nil {
		if parsed, err := url.Parse(location); err == nil {
			location = parsed.Path
		}
		if format.Of(location) == "" {
			v.add(of, ReasonInvalidValue, "its ending tells no format of documents: it must be %s", format.Endings)
		}
	}
	v.violations = append(v.violations, unknownColumns(seed, "chunks of documents", columns.Names())...)
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
	documents.HiddenText, documents.PageMargins = documents.EffectiveHiddenText(), documents.EffectivePageMargins()
	if documents.OnError == "" {
		documents.OnError = v1alpha1.DocumentErrorFail
	}
	if documents.Chunk != nil && documents.Chunk.EffectiveOverlap() == 0 {
		documents.Chunk.Overlap = nil
	}
}

// validateSeedFiles returns what is wrong with a seed in which each file is a row.
func validateSeedFiles(seed *v1alpha1.Seed) []Violation {
	const field = "spec.seed.files"
	var found []Violation
	add := func(field, reason, format string, arguments ...any) {
		found = append(found, Violation{Field: field, Reason: reason, Message: fmt.Sprintf(format, arguments...)})
	}
	asked := seed.Files
	if seed.Format != "" || seed.CSV != nil || seed.Documents != nil || seed.PersistentVolumeClaim == nil && seed.ObjectStore == nil {
		add(field, ReasonInvalidUnion, "files are listed on a volume or in a bucket, and format, csv and documents can't be set beside them")
		return found
	}
	if content := asked.EffectiveContent(); content != v1alpha1.SeedFileNone && content != v1alpha1.SeedFileText {
		add(field+".content", ReasonInvalidValue, "must be %s or %s, but is %q", v1alpha1.SeedFileNone, v1alpha1.SeedFileText, content)
	}
	switch {
	case asked.Encoding != "" && !asked.HasText():
		add(field+".encoding", ReasonInvalidValue, "has no effect without content: %s", v1alpha1.SeedFileText)
	case !slices.Contains(v1alpha1.SeedEncodings, asked.EffectiveEncoding()):
		add(field+".encoding", ReasonInvalidValue, "must be one of %v, but is %q", v1alpha1.SeedEncodings, asked.Encoding)
	}
	return append(found, unknownColumns(seed, "rows of files", asked.FileColumns())...)
}

// validateAgentRollouts returns what is wrong with a seed in which each recorded session of an agent is a row.
func validateAgentRollouts(seed *v1alpha1.Seed) []Violation {
	const field = "spec.seed.agentRollouts"
	asked := seed.AgentRollouts
	isElsewhere := seed.ConfigMap == nil && seed.PersistentVolumeClaim == nil && seed.ObjectStore == nil
	if isElsewhere || seed.Format != "" || seed.CSV != nil || seed.Documents != nil || seed.Files != nil {
		return []Violation{{Field: field, Reason: ReasonInvalidUnion,
			Message: "agentRollouts are in a ConfigMap, on a volume or in a bucket, and format, csv, documents and files can't be set beside them"}}
	}
	var found []Violation
	add := func(field, reason, format string, arguments ...any) {
		found = append(found, Violation{Field: field, Reason: reason, Message: fmt.Sprintf(format, arguments...)})
	}
	if !slices.Contains(v1alpha1.AgentRolloutFormats, asked.Format) {
		add(field+".format", ReasonInvalidValue, "must be one of %v, but is %q", v1alpha1.AgentRolloutFormats, asked.Format)
		return found
	}
	if one := seed.ConfigMap; one != nil && !rollout.Handles(asked.Format, one.Key) {
		add("spec.seed.configMap.key", ReasonInvalidValue, "is no name of a file with a session of %s: these are called %s", asked.Format,
			rollout.Files(asked.Format))
	}
	if policy := asked.EffectiveOnError(); policy != v1alpha1.DocumentErrorSkip && policy != v1alpha1.DocumentErrorFail {
		add(field+".onError", ReasonInvalidValue, "must be %s or %s, but is %q", v1alpha1.DocumentErrorFail, v1alpha1.DocumentErrorSkip, policy)
	}
	return append(found, unknownColumns(seed, "recorded sessions", rollout.Columns())...)
}

// unknownColumns returns the columns of a seed that its rows, which are so called, don't have by these names.
func unknownColumns(seed *v1alpha1.Seed, rows string, names []string) (found []Violation) {
	for i := range seed.Columns {
		if source := seed.Columns[i].Source(); !slices.Contains(names, source) {
			found = append(found, Violation{
				Field: fmt.Sprintf("spec.seed.columns[%d]", i), Reason: ReasonUnknownReference,
				Message: fmt.Sprintf("%s have no column %q; they have %s", rows, source, strings.Join(names, ", ")),
			})
		}
	}
	return found
}
