package plan_test

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
)

func seedFromHub(t *testing.T, seed string) *v1alpha1.DatasetGenerationSpec {
	t.Helper()
	var spec v1alpha1.DatasetGenerationSpec
	text := `{numRecords: 1, columns: [{name: a, expression: {expr: "{{ b }}"}}], seed: {` + seed + `}}`
	if err := yaml.UnmarshalStrict([]byte(text), &spec); err != nil {
		t.Fatal(err)
	}
	spec.Output.PersistentVolumeClaim = &v1alpha1.PersistentVolumeClaimOutput{ClaimName: "c"}
	return &spec
}

func TestSeedsOfAHubAreValidated(t *testing.T) {
	const at = "spec.seed.huggingFace"
	for seed, want := range map[string]string{
		`huggingFace: {repository: me/orders}`:                                             "",
		`huggingFace: {repository: me/orders, config: "all of it", split: train.clean}`:    "",
		`huggingFace: {repository: me/orders, revision: refs/convert/parquet}, csv: {}`:    "",
		`huggingFace: {repository: me/orders, paths: ["data/*.csv"]}, format: JSONL`:       "",
		`huggingFace: {repository: me/orders, paths: ["notes/*"]}, documents: {}`:          "",
		`huggingFace: {repository: orders}`:                                                at + ".repository: must be OWNER/NAME",
		`huggingFace: {repository: me/orders, revision: "../x"}`:                           at + ".revision: must be a branch, a tag or a commit",
		`huggingFace: {repository: me/orders, config: "a/b"}`:                              at + ".config: must be a name without",
		`huggingFace: {repository: me/orders, split: "train[:10]"}`:                        at + ".split: must be the name of one split",
		`huggingFace: {repository: me/orders, paths: ["../a"]}`:                            at + ".paths[0]: must be relative to the repository",
		`huggingFace: {repository: me/orders, paths: ["a", "[b"]}`:                         at + ".paths[1]: ",
		`huggingFace: {repository: me/orders, paths: [a.csv], split: train}`:               at + ": paths name the files",
		`huggingFace: {repository: me/orders, endpoint: "https://key:hunter2@hub"}`:        at + ".endpoint: must be an http or https URL",
		`huggingFace: {repository: me/orders}, documents: {}`:                              at + ".paths: documents of a repository",
		`huggingFace: {repository: me/orders, paths: [a]}, files: {}`:                      "spec.seed.files: files are listed on a volume or in a bucket",
		`huggingFace: {repository: me/orders}, http: {url: "https://a.test/x.csv"}`:        "spec.seed: exactly one of",
		`huggingFace: {repository: me/orders, tokenSecretRef: {name: hub, key: token}}`:    "",
		`huggingFace: {repository: me/orders, endpoint: "https://hub.example.com:8443/"}`:  "",
		`huggingFace: {repository: me/orders, split: "` + strings.Repeat("x", 129) + `"}`:  at + ".split: ",
		`huggingFace: {repository: me/orders, config: "` + strings.Repeat("x", 129) + `"}`: at + ".config: ",
	} {
		var found []string
		for _, violation := range plan.Validate(seedFromHub(t, seed)) {
			found = append(found, violation.Field+": "+violation.Message)
		}
		if got := strings.Join(found, "; "); (got == "") != (want == "") || !strings.HasPrefix(got, want) || strings.Contains(got, "hunter2") {
			t.Errorf("%s: got %q, want %q", seed, got, want)
		}
	}
}

// How a hub is reached is no part of what names a run; what is read is.
func TestTheIdentityOfASeedOfAHub(t *testing.T) {
	hash := func(seed string) string {
		return plan.ConfigHash(seedFromHub(t, "huggingFace: {repository: me/orders"+seed+"}"))
	}
	for _, same := range []string{
		", tokenSecretRef: {name: hub, key: token}", ", revision: main", `, endpoint: "https://huggingface.co/"`,
	} {
		if hash(same) != hash("") {
			t.Errorf("%s makes another run", same)
		}
	}
	for _, other := range []string{", revision: v2", `, endpoint: "https://hub.example.com"`, ", config: x", ", split: test", ", paths: [a.csv]"} {
		if hash(other) == hash("") {
			t.Errorf("%s makes no other run", other)
		}
	}
}
