package plan_test

import (
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/plan"
)

func TestSeedsOfRecordedSessions(t *testing.T) {
	const volume, field = `persistentVolumeClaim: {claimName: c, path: "sessions/**"}, `, "spec.seed.agentRollouts"
	const elsewhere = field + ": agentRollouts are in a ConfigMap, on a volume or in a bucket, and format, csv, documents and files"
	for seed, want := range map[string]string{
		volume + `agentRollouts: {format: ClaudeCode}`:                                                   "",
		volume + `agentRollouts: {format: ATIF, onError: Fail}, columns: [{name: said, from: messages}]`: "",
		`objectStore: {url: "s3://sales/sessions/**"}, agentRollouts: {format: Codex}`:                   "",
		`configMap: {name: c, key: session_1.json}, agentRollouts: {format: HermesAgent}`:                "",
		`configMap: {name: c, key: session_1.json}, agentRollouts: {format: Codex}`:                      "spec.seed.configMap.key: is no name of a file with a session of Codex: these are called rollout-*.jsonl",
		volume + `agentRollouts: {format: codex}`:                                                        field + ".format: must be one of [ATIF ClaudeCode Codex HermesAgent PiCodingAgent], but is \"codex\"",
		volume + `agentRollouts: {}`:                                                                     field + `.format: must be one of`,
		volume + `agentRollouts: {format: Codex, onError: Ignore}`:                                       field + `.onError: must be Fail or Skip, but is "Ignore"`,
		volume + `agentRollouts: {format: Codex}, columns: [{name: text}]`:                               `spec.seed.columns[0]: recorded sessions have no column "text"; they have trace_id, source_kind, `,
		volume + `agentRollouts: {format: Codex}, format: JSONL`:                                         elsewhere,
		volume + `agentRollouts: {format: Codex}, documents: {}`:                                         elsewhere,
		volume + `agentRollouts: {format: Codex}, files: {}`:                                             "can't be set beside them",
		`http: {url: "https://example.com/a.jsonl"}, agentRollouts: {format: Codex}`:                     elsewhere,
		`persistentVolumeClaim: {claimName: c, path: ../x}, agentRollouts: {format: Codex}`:              "spec.seed.persistentVolumeClaim.path: must be relative",
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
	hash := func(rollouts string) string {
		return plan.ConfigHash(parse(t, `{columns: [{name: id, sampler: {type: UUID}}], seed: {`+volume+`agentRollouts: {`+rollouts+`}}}`))
	}
	if hash("format: Codex") != hash("format: Codex, onError: Skip") || hash("format: Codex") == hash("format: ATIF") {
		t.Error("the hash is not that of the defaults")
	}
}
