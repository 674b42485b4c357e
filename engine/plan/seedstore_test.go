package plan_test

import (
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/plan"
)

func TestSeedsInBuckets(t *testing.T) {
	const field = "spec.seed.objectStore"
	for seed, want := range map[string]string{
		`objectStore: {url: "s3://sales/orders/*.parquet"}`:                                  "",
		`objectStore: {url: "s3://sales/orders.csv.gz", endpoint: "https://s3.example.com"}`: "",
		`objectStore: {url: "s3://sales/"}`:                                                  "",
		`objectStore: {url: "s3://sales/orders"}, format: CSV`:                               "",
		`objectStore: {url: "s3://sales/handbook/**"}, documents: {}`:                        "",
		`objectStore: {url: "s3://sales/orders"}`:                                            "",
		`objectStore: {url: "s3://sales/orders.data"}`:                                       "spec.seed.format: the ending of spec.seed.objectStore.url does not tell the format",
		`objectStore: {url: "https://user:secret@host/x.csv"}`:                               field + ".url: must be s3://BUCKET/KEY",
		`objectStore: {url: "s3://sales/../x.csv"}`:                                          field + ".url: must have no '..'",
		`objectStore: {url: "s3://sales//x.csv"}`:                                            field + ".url: must have no '..' and no second slash",
		`objectStore: {url: "s3://sales/{a.csv"}`:                                            field + ".url: is not a pattern",
		`objectStore: {url: "s3://sales/a.csv", endpoint: "https://me:secret@s3.test"}`:      field + ".endpoint: must not hold a user or a password",
		`objectStore: {url: "s3://sales/a.csv", region: "EU 1"}`:                             field + ".region: must be a name",
		`objectStore: {url: "s3://sales/a.csv", addressing: PathStyle}`:                      field + ".addressing: PathStyle has no effect",
		`objectStore: {url: "s3://sales/a.csv"}, http: {url: "https://a.test/x.csv"}`:        "exactly one of configMap, persistentVolumeClaim, objectStore, http, huggingFace, datasetRef must be set",
	} {
		var lines []string
		for _, violation := range plan.Validate(parse(t, `{numRecords: 9, output: {persistentVolumeClaim: {claimName: c}},
			columns: [{name: id, sampler: {type: UUID}}], seed: {`+seed+`}}`)) {
			lines = append(lines, violation.String())
		}
		got := strings.Join(lines, "\n")
		if want == "" && got != "" || !strings.Contains(got, want) || strings.Contains(got, "secret") {
			t.Errorf("%s: got %s, want %s", seed, got, want)
		}
	}
}

// How a bucket is reached is no part of what names a run; where it is, is.
func TestHowABucketIsReachedDoesNotNameTheRun(t *testing.T) {
	hash := func(store string) string {
		return plan.ConfigHash(parse(t, `{columns: [{name: id, sampler: {type: UUID}}], seed: {objectStore: {`+store+`}}}`))
	}
	same := hash(`url: "s3://sales/a.csv", endpoint: "https://s3.test"`)
	if same != hash(`url: "s3://sales/a.csv", endpoint: "https://s3.test", region: eu, addressing: VirtualHosted,
		credentialsSecretRef: {name: s}, caBundleConfigMapRef: {name: c, key: k}`) {
		t.Error("the credentials change the hash")
	}
	for _, other := range []string{
		`url: "s3://sales/b.csv", endpoint: "https://s3.test"`, `url: "s3://sales/a.csv", endpoint: "https://other.test"`,
	} {
		if hash(other) == same {
			t.Errorf("%s has the same hash", other)
		}
	}
}
