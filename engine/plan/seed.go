package plan

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/seed/files"
)

func (v *validation) seed() {
	seed := v.spec.Seed
	if seed == nil {
		return
	}
	sources := seedSources(seed)
	if len(sources) != 1 {
		v.add("spec.seed", ReasonInvalidUnion,
			"exactly one of configMap, persistentVolumeClaim, objectStore, http, huggingFace, datasetRef must be set, but %s", listSet(sources))
		return
	}
	v.rowsPerSeedRow(seed.RowsPerSeedRow)
	v.sampleRows(seed.SampleRows)
	if seed.HTTP != nil {
		v.requestHeaders("spec.seed.http.headers", seed.HTTP.Headers)
	}
	tells := true
	if volume := seed.PersistentVolumeClaim; volume != nil {
		tells = v.seedPaths(volume)
	}
	switch {
	case seed.AgentRollouts != nil:
		v.violations = append(v.violations, validateAgentRollouts(seed)...)
		return
	case seed.Files != nil:
		v.violations = append(v.violations, validateSeedFiles(seed)...)
		return
	case seed.Documents != nil:
		location, field := seedLocation(seed)
		v.documents(seed, location, field)
		return
	case seed.DatasetRef != nil:
		v.seedDataset(seed)
		return
	case !tells:
		return
	}
	if location, _ := seedLocation(seed); seed.HuggingFace != nil || seed.ObjectStore != nil && mayNameSeveral(location) {
		return // the names of the files that are found tell
	}
	if seedFormat(seed) == "" {
		_, field := seedLocation(seed)
		v.add("spec.seed.format", ReasonRequired,
			"the ending of %s does not tell the format (.csv, .tsv, .json, .jsonl, .ndjson, .parquet do, also with .gz, .zst or .bz2): set format",
			field)
	}
}

// seedSources are the sources of a seed that are set.
func seedSources(seed *v1alpha1.Seed) []string {
	var sources []string
	if seed.ConfigMap != nil {
		sources = append(sources, "configMap")
	}
	if seed.PersistentVolumeClaim != nil {
		sources = append(sources, "persistentVolumeClaim")
	}
	if seed.ObjectStore != nil {
		sources = append(sources, "objectStore")
	}
	if seed.HTTP != nil {
		sources = append(sources, "http")
	}
	if seed.HuggingFace != nil {
		sources = append(sources, "huggingFace")
	}
	if seed.DatasetRef != nil {
		sources = append(sources, "datasetRef")
	}
	return sources
}

// seedPaths checks the paths of files on a volume, and says whether their format is to be told from the first of them.
func (v *validation) seedPaths(volume *v1alpha1.PersistentVolumeClaimSeed) (tells bool) {
	const field = "spec.seed.persistentVolumeClaim"
	if (volume.Path != "") == (len(volume.Paths) > 0) {
		v.add(field, ReasonInvalidUnion, "exactly one of path and paths must be set")
		return false
	}
	tells = true
	for i, name := range volume.Patterns() {
		at := field + ".path"
		if volume.Path == "" {
			at = fmt.Sprintf("%s.paths[%d]", field, i)
		}
		switch {
		case strings.HasPrefix(name, "/") || slices.Contains(strings.Split(name, "/"), ".."):
			v.add(at, ReasonInvalidValue, "must be relative to the volume, without '..'")
		case !doublestar.ValidatePattern(name):
			v.add(at, ReasonInvalidValue, "%s", notAPattern)
		}
		if mayNameSeveral(name) {
			tells = false // the names of the files that are found do
		}
	}
	return tells
}

// mayNameSeveral says whether a name is one of several files, or may be: without an ending it may be that of a folder.
func mayNameSeveral(name string) bool { return files.NamesSeveral(name) || path.Ext(name) == "" }

// seedLocation is what the name of a seed's file is read from, and its field.
func seedLocation(seed *v1alpha1.Seed) (location, field string) {
	switch {
	case seed.ConfigMap != nil:
		return seed.ConfigMap.Key, "spec.seed.configMap.key"
	case seed.PersistentVolumeClaim != nil:
		if paths := seed.PersistentVolumeClaim.Paths; len(paths) > 0 {
			return paths[0], "spec.seed.persistentVolumeClaim.paths[0]"
		}
		return seed.PersistentVolumeClaim.Path, "spec.seed.persistentVolumeClaim.path"
	case seed.ObjectStore != nil:
		_, pattern := seed.ObjectStore.Bucket()
		return pattern, "spec.seed.objectStore.url"
	case seed.HTTP != nil:
		return seed.HTTP.URL, "spec.seed.http.url"
	}
	return "", "spec.seed"
}

// seedFormat is the format that a seed has by its setting, or by the ending of its name; empty where neither says it.
func seedFormat(seed *v1alpha1.Seed) v1alpha1.SeedFormat {
	if seed.Format != "" {
		return seed.Format
	}
	location, _ := seedLocation(seed)
	if parsed, err := url.Parse(location); err == nil {
		location = parsed.Path
	}
	location = strings.ToLower(location)
	for _, compressed := range []string{".gz", ".zst", ".bz2"} {
		location = strings.TrimSuffix(location, compressed)
	}
	switch path.Ext(location) {
	case ".csv", ".tsv", ".tab":
		return v1alpha1.SeedFormatCSV
	case ".json":
		return v1alpha1.SeedFormatJSON
	case ".jsonl", ".ndjson":
		return v1alpha1.SeedFormatJSONL
	case ".parquet", ".pq":
		return v1alpha1.SeedFormatParquet
	}
	return ""
}
