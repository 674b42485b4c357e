package plan_test

import (
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/plan"
)

func TestSeedsInWhichEachFileIsARow(t *testing.T) {
	const volume, field = `persistentVolumeClaim: {claimName: c, path: "notes/**"}, `, "spec.seed.files"
	for seed, want := range map[string]string{
		volume + `files: {}`: "",
		volume + `files: {content: Text, encoding: windows-1252}, columns: [{name: text, from: content}]`: "",
		`objectStore: {url: "s3://sales/notes"}, files: {content: Text}`:                                  "",
		volume + `files: {content: Bytes}`:                                                                field + `.content: must be None or Text, but is "Bytes"`,
		volume + `files: {encoding: utf-8}`:                                                               field + ".encoding: has no effect without content: Text",
		volume + `files: {content: Text, encoding: klingon}`:                                              field + ".encoding: must be one of [utf-8 ",
		volume + `files: {}, columns: [{name: content}]`:                                                  `rows of files have no column "content"; they have relative_path, file_name, `,
		volume + `files: {}, format: CSV`:                                                                 field + ": files are listed on a volume or in a bucket",
		volume + `files: {}, documents: {}`:                                                               field + ": files are listed on a volume or in a bucket",
		`configMap: {name: c, key: a.csv}, files: {}`:                                                     field + ": files are listed on a volume or in a bucket",
		`persistentVolumeClaim: {claimName: c, path: ../x}, files: {}`:                                    "spec.seed.persistentVolumeClaim.path: must be relative",
	} {
		var lines []string
		for _, violation := range plan.Validate(parse(t, `{numRecords: 9, output: {persistentVolumeClaim: {claimName: c}},
			columns: [{name: id, sampler: {type: UUID}}], seed: {`+seed+`}}`)) {
			lines = append(lines, violation.String())
		}
		if got := strings.Join(lines, "\n"); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %s", seed, got, want)
		}
	}
	hash := func(files string) string {
		return plan.ConfigHash(parse(t, `{columns: [{name: id, sampler: {type: UUID}}], seed: {`+volume+`files: {`+files+`}}}`))
	}
	text := hash("content: Text")
	if hash("") != hash("content: None") || text != hash("content: Text, encoding: utf-8") || hash("") == text {
		t.Error("the hash is not that of the defaults")
	}
}
