package plan

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// objectStoreURL and region are the patterns of the custom resource; a spec that did not pass through the API server is held to them here.
var (
	objectStoreURL    = regexp.MustCompile(`^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_][A-Za-z0-9_.=-]*)*/?$`)
	objectStoreRegion = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)
)

// ValidateObjectStore returns what is wrong with a place in a bucket.
func ValidateObjectStore(field string, store *v1alpha1.ObjectStoreOutput) []Violation {
	var found []Violation
	add := func(member, format string, arguments ...any) {
		found = append(found, Violation{Field: field + "." + member, Reason: ReasonInvalidValue, Message: fmt.Sprintf(format, arguments...)})
	}
	if !objectStoreURL.MatchString(store.URL) {
		// It is not quoted: somebody may have written a password into it.
		add("url", "must be s3://BUCKET or s3://BUCKET/PREFIX, with a prefix of letters, digits, _, ., = and -")
	}
	if problem := objectStoreEndpointProblem(store.Endpoint); problem != "" {
		add("endpoint", "%s", problem)
	}
	if store.Region != "" && !objectStoreRegion.MatchString(store.Region) {
		add("region", "must be a name such as eu-central-1, but is %q", store.Region)
	}
	switch store.Addressing {
	case "", v1alpha1.AddressingVirtualHosted:
	case v1alpha1.AddressingPathStyle:
		if store.Endpoint == "" {
			add("addressing", "%s has no effect without an endpoint", store.Addressing)
		}
	default:
		add("addressing", "must be %s or %s, but is %q", v1alpha1.AddressingPathStyle, v1alpha1.AddressingVirtualHosted, store.Addressing)
	}
	if store.CABundleConfigMapRef != nil && store.Endpoint == "" {
		add("caBundleConfigMapRef", "has no effect without an endpoint")
	}
	if encryption := store.ServerSideEncryption; encryption != nil {
		switch {
		case encryption.Algorithm != v1alpha1.EncryptionAES256 && encryption.Algorithm != v1alpha1.EncryptionKMS:
			add("serverSideEncryption.algorithm", "must be %s or %s, but is %q", v1alpha1.EncryptionAES256, v1alpha1.EncryptionKMS,
				encryption.Algorithm)
		case encryption.KeyID != "" && encryption.Algorithm != v1alpha1.EncryptionKMS:
			add("serverSideEncryption.keyID", "is for the algorithm %s alone", v1alpha1.EncryptionKMS)
		}
	}
	return found
}

// seedObjects is the beginning of the URL of objects; what stands behind it may be a pattern.
var seedObjects = regexp.MustCompile(`^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/`)

// validateSeedStore returns what is wrong with objects in a bucket.
func validateSeedStore(field string, store *v1alpha1.ObjectStoreSeed) []Violation {
	_, pattern := store.Bucket()
	problem := ""
	switch {
	case !seedObjects.MatchString(store.URL):
		// It is not quoted: somebody may have written a password into it.
		problem = "must be s3://BUCKET/KEY, with a key, a folder or a pattern"
	case strings.HasPrefix(pattern, "/") || slices.Contains(strings.Split(pattern, "/"), ".."):
		problem = "must have no '..' and no second slash behind the bucket"
	case !doublestar.ValidatePattern(pattern):
		problem = notAPattern
	}
	found := slices.DeleteFunc(ValidateObjectStore(field, store.Store()), func(one Violation) bool { return one.Field == field+".url" })
	if problem != "" {
		found = append(found, Violation{Field: field + ".url", Reason: ReasonInvalidValue, Message: problem})
	}
	return found
}

// objectStoreEndpointProblem says what is wrong with the URL of a store, and never quotes it; empty where nothing is, or there is none.
func objectStoreEndpointProblem(endpoint string) string {
	if endpoint == "" {
		return ""
	}
	parsed, err := url.Parse(endpoint)
	switch {
	case err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https":
		return "must be an http or https URL with a host, like https://s3.example.com"
	case parsed.User != nil:
		return "must not hold a user or a password; credentials belong into the Secret that credentialsSecretRef names"
	case parsed.Path != "" && parsed.Path != "/" || parsed.RawQuery != "" || parsed.Fragment != "":
		return "must not have a path, a query or a fragment: the bucket and the prefix are in url"
	}
	return ""
}

// The patterns of repositories, for the same reason.
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
