package plan_test

import (
	"slices"
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/plan"
)

const admitted = `
numRecords: 5
providers: [{name: local, type: OpenAI, endpoint: "http://vllm:8000/v1"}]
models:
- {alias: a, provider: local, model: m, admission: {policy: Adaptive, startupRampSeconds: 30,
    requestsPerMinute: 600, tokensPerMinute: 100000}}
- {alias: b, provider: local, model: m, admission: {policy: Adaptive}}
- {alias: c, provider: local, model: n, admission: {policy: Fixed}}
columns:
- {name: one, weight: 3, llmText: {model: a, prompt: hello}}
- {name: two, llmText: {model: b, prompt: hello}}
output: {persistentVolumeClaim: {claimName: c}}
`

func TestWhatIsWrongWithAdmissionIsSaid(t *testing.T) {
	if violations := plan.Validate(parse(t, admitted)); len(violations) > 0 {
		t.Fatalf("a good spec has violations: %v", violations)
	}
	for name, test := range map[string]struct{ from, to, want string }{
		"no such policy":       {"policy: Fixed", "policy: Loose", `spec.models[2].admission.policy: must be Adaptive or Fixed, but is "Loose"`},
		"two policies":         {"{policy: Adaptive}", "{policy: Fixed}", "spec.models[1].admission.policy: is Fixed, but spec.models[0] is the same model of the same provider and has Adaptive; give both the same policy"},
		"a long ramp":          {"Seconds: 30", "Seconds: 3601", "spec.models[0].admission.startupRampSeconds: must be from 0 to 3600, but is 3601"},
		"no requests":          {"requestsPerMinute: 600", "requestsPerMinute: 0", "spec.models[0].admission.requestsPerMinute: must be at least 1, but is 0"},
		"no tokens":            {"tokensPerMinute: 100000", "tokensPerMinute: -1", "spec.models[0].admission.tokensPerMinute: must be at least 1, but is -1"},
		"nothing in parallel":  {"alias: c,", "alias: c, maxParallelRequests: 0,", "spec.models[2].maxParallelRequests: must be at least 1, but is 0"},
		"nothing shared":       {"endpoint:", "maxParallelRequests: 0, endpoint:", "spec.providers[0].maxParallelRequests: must be at least 1, but is 0"},
		"no weight":            {"weight: 3", "weight: 0", "spec.columns[0].weight: must be from 1 to 1000, but is 0"},
		"weight without model": {"{name: two, llmText: {model: b, prompt: hello}}", "{name: two, weight: 2, expression: {expr: one}}", "spec.columns[1].weight: is a share of a model's requests, and this column has no model; remove it"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, violation := range plan.Validate(parse(t, strings.Replace(admitted, test.from, test.to, 1))) {
				got = append(got, violation.String())
			}
			if !slices.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAdmissionIsNotInTheHash(t *testing.T) {
	base := plan.ConfigHash(parse(t, admitted))
	for _, replacement := range [][2]string{{"weight: 3, ", ""}, {"weight: 3", "weight: 4"}, {"requestsPerMinute: 600, ", ""}, {", admission: {policy: Adaptive}", ""},
		{"endpoint:", "maxParallelRequests: 9, endpoint:"}} {
		changed := strings.Replace(admitted, replacement[0], replacement[1], 1)
		if changed == admitted || plan.ConfigHash(parse(t, changed)) != base {
			t.Errorf("%q instead of %q changes the hash, or nothing", replacement[1], replacement[0])
		}
	}
}
