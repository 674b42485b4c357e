package plan

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// The patterns of the custom resource; a spec that did not pass through the API server is held to them here.
var (
	revisionOfSeed    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]*$`)
	configurationName = regexp.MustCompile(`^[^<>:/\\|?*\x00-\x1f]+$`)
	splitName         = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
)

const maxPartName = 128

// validateSeedRepository returns what is wrong with a repository of a hub whose files are the seed.
func validateSeedRepository(field string, seed *v1alpha1.HuggingFaceSeed) []Violation {
	found := ValidateRepository(field, &v1alpha1.HuggingFaceRepository{Repository: seed.Repository, Endpoint: seed.Endpoint})
	add := func(member, format string, arguments ...any) {
		found = append(found, Violation{Field: field + "." + member, Reason: ReasonInvalidValue, Message: fmt.Sprintf(format, arguments...)})
	}
	if name := seed.Revision; name != "" && (len(name) > maxPartName || !revisionOfSeed.MatchString(name)) {
		add("revision", "must be a branch, a tag or a commit, such as main, v1.0 or refs/convert/parquet")
	}
	if name := seed.Config; name != "" && (len(name) > maxPartName || !configurationName.MatchString(name)) {
		add("config", "must be a name without any of <>:/\\|?* and at most %d bytes long", maxPartName)
	}
	if name := seed.Split; name != "" && (len(name) > maxPartName || !splitName.MatchString(name)) {
		add("split", "must be the name of one split, of letters, digits, '_', '.' and '-', such as train; spec.seed.selection takes a part of it")
	}
	if len(seed.Paths) > 0 && seed.Config+seed.Split != "" {
		found = append(found, Violation{Field: field, Reason: ReasonInvalidUnion, Message: "paths name the files: config and split can't be " +
			"set beside them"})
	}
	for i, name := range seed.Paths {
		switch at := fmt.Sprintf("paths[%d]", i); {
		case name == "" || strings.HasPrefix(name, "/") || slices.Contains(strings.Split(name, "/"), ".."):
			add(at, "must be relative to the repository, without '..'")
		case !doublestar.ValidatePattern(name):
			add(at, "%s", notAPattern)
		}
	}
	return found
}
