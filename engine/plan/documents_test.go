package plan_test

import (
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
)

const seedOfDocuments = `
numRecords: 1
seed: {SEED}
columns: [{name: a, expression: {expr: "x"}}]
output: {persistentVolumeClaim: {claimName: c}}
`

func documentSeedOf(t *testing.T, seed string) *v1alpha1.DatasetGenerationSpec {
	t.Helper()
	var spec v1alpha1.DatasetGenerationSpec
	if err := yaml.UnmarshalStrict([]byte(strings.ReplaceAll(seedOfDocuments, "SEED", seed)), &spec); err != nil {
		t.Fatal(err)
	}
	return &spec
}

func TestSeedsOfDocumentsAreValidated(t *testing.T) {
	const volume = "persistentVolumeClaim: {claimName: c, path: 'handbook/**'}, "
	for seed, want := range map[string]string{
		volume + "documents: {}":                                          "",
		volume + "documents: {chunk: {by: Headings}}":                     "",
		volume + "documents: {chunk: {by: Tokens, size: 10, overlap: 5}}": "",
		volume + "documents: {chunk: {by: Tokens, size: 10, overlap: 6}}": "spec.seed.documents.chunk.overlap: 6 is more than half of size, which is 10",
		volume + "documents: {chunk: {by: Headings, overlap: 6}}":         "spec.seed.documents.chunk.overlap: 6 is more than half of size, which is 0",
		volume + "documents: {chunk: {by: Sentences}}":                    "spec.seed.documents.chunk.size: say how many Sentences",
		volume + "documents: {}, format: CSV":                             "spec.seed.documents: documents are read as what they are",
		"datasetRef: {name: a}, documents: {}":                            "spec.seed.documents: documents are read as what they are",
		volume + "documents: {}, columns: [{name: passage, from: text}]":  "",
		volume + "documents: {}, columns: [{name: content}]":              `spec.seed.columns[0]: chunks of documents have no column "content"`,
		"configMap: {name: c, key: a.md}, documents: {}":                  "",
		"configMap: {name: c, key: a.csv}, documents: {}":                 "spec.seed.configMap.key: its ending tells no format of documents",
		"http: {url: 'http://a.test/b.html?c=d'}, documents: {}":          "",
		"http: {url: 'http://a.test/b'}, documents: {}":                   "spec.seed.http.url: its ending tells no format of documents",
	} {
		var found []string
		for _, violation := range plan.Validate(documentSeedOf(t, seed)) {
			found = append(found, violation.String())
		}
		if want == "" && len(found) > 0 || want != "" && !slices.ContainsFunc(found, func(s string) bool { return strings.HasPrefix(s, want) }) {
			t.Errorf("%s: got %q, want %q", seed, found, want)
		}
	}
}

func TestDefaultsOfDocumentsChangeNoHash(t *testing.T) {
	const volume = "persistentVolumeClaim: {claimName: c, path: a.md}, "
	short := plan.ConfigHash(documentSeedOf(t, volume+"documents: {chunk: {by: Tokens, size: 10}}"))
	long := volume + "documents: {chunk: {by: Tokens, size: 10, overlap: 0}, hiddenText: Omit, onError: Fail}"
	if plan.ConfigHash(documentSeedOf(t, long)) != short {
		t.Error("defaults that are written out change the hash")
	}
	for _, other := range []string{"chunk: {by: Tokens, size: 11}", "chunk: {by: Tokens, size: 10}, hiddenText: Mark", "chunk: {by: Tokens, size: 10}, onError: Skip"} {
		if plan.ConfigHash(documentSeedOf(t, volume+"documents: {"+other+"}")) == short {
			t.Errorf("%s does not change the hash", other)
		}
	}
}
