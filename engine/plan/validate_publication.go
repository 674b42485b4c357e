package plan

import (
	"fmt"
	"regexp"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// The patterns of the custom resource, to which a spec is held here that did not pass through the API server.
var (
	repositoryName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$`)
	revisionName      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	hubAddress        = regexp.MustCompile(`^https?://[^/?#@\s]+/?$`)
	licenseIdentifier = regexp.MustCompile(`^[a-z0-9][a-z0-9.+-]*$`)
	tagText           = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 _.:-]*$`)
)

const (
	maxRepositoryName = 96
	maxTag            = 64
)

// ValidateRepository returns what is wrong with a repository of a hub.
func ValidateRepository(field string, repository *v1alpha1.HuggingFaceRepository) []Violation {
	var found []Violation
	add := func(member, format string, arguments ...any) {
		found = append(found, Violation{Field: field + "." + member, Reason: ReasonInvalidValue, Message: fmt.Sprintf(format, arguments...)})
	}
	if name := repository.Repository; len(name) > maxRepositoryName || !repositoryName.MatchString(name) {
		add("repository", "must be OWNER/NAME, of letters, digits, '.', '_' and '-', such as my-team/reviews")
	}
	if revision := repository.Revision; revision != "" && (len(revision) > maxRepositoryName || !revisionName.MatchString(revision)) {
		add("revision", "must be the name of a branch, of letters, digits, '.', '_' and '-', such as main")
	}
	if endpoint := repository.Endpoint; endpoint != "" && !hubAddress.MatchString(endpoint) {
		// It is not quoted: somebody may have written a password into it.
		add("endpoint", "must be an http or https URL with a host and nothing else, like %s", v1alpha1.DefaultHub)
	}
	if license := repository.License; license != "" && (len(license) > maxTag || !licenseIdentifier.MatchString(license)) {
		add("license", "must be an identifier of the hub, such as apache-2.0 or cc-by-4.0, but is %q", license)
	}
	for i, tag := range repository.Tags {
		if len(tag) > maxTag || !tagText.MatchString(tag) {
			add(fmt.Sprintf("tags[%d]", i), "must have letters, digits, blanks, '_', '.', ':' and '-', at most %d of them", maxTag)
		}
	}
	return found
}
