package configuration_test

import (
	"strings"
	"testing"

	"seedloom.dev/seedloom/controllers/configuration"
)

func TestParse(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"nothing": {"", nil},
		"settings of Pods": {`
pod:
  nodeSelector: {pool: batch}
  tolerations: [{key: batch, operator: Exists}]
  resources: {requests: {cpu: 500m}, limits: {memory: 4Gi}}
`, nil},
		"an unknown field":      {"pods: {}", []string{`unknown field "pods"`}},
		"an unknown field deep": {"pod: {nodeSelectors: {a: b}}", []string{`unknown field "pod.nodeSelectors"`}},
		"what is allowed":       {"endpoints: {allowed: [\"*.models.svc\", 10.0.0.0/8]}\nsecrets: {policy: Labelled}", nil},
		"what can't be":         {"endpoints: {allowed: [http://x]}\nsecrets: {policy: Some}", []string{`endpoints.allowed: "http://x" is no host`, `secrets.policy: must be Any or Labelled, but is "Some"`}},
		"several violations": {`
pod:
  labels: {seedloom.dev/run: mine}
  env: [{name: SEEDLOOM_ALLOWED_ADDRESSES, value: 0.0.0.0/0}]
  resources: {requests: {memory: 2Gi}, limits: {memory: 1Gi}}
`, []string{"pod.labels[seedloom.dev/run]: is not for users", "pod.env[0].name: SEEDLOOM_ALLOWED_ADDRESSES is a variable",
			"pod.resources.requests[memory]: is 2Gi, which is more than the limit of 1Gi"}},
	} {
		_, err := configuration.Parse([]byte(test.text))
		if (err == nil) != (test.want == nil) {
			t.Errorf("%s: error %v", name, err)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is missing in: %v", name, want, err)
			}
		}
	}
}

func TestRead(t *testing.T) {
	if read, err := configuration.Read(""); err != nil || read.Pod != nil {
		t.Errorf("without a file: %+v, %v", read, err)
	}
	if _, err := configuration.Read("/no/such/file"); err == nil || !strings.Contains(err.Error(), "/no/such/file") {
		t.Errorf("a file that is not there: %v", err)
	}
}
