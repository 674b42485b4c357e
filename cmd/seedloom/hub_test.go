package main

import (
	"net/http/httptest"
	"strings"
	"testing"

	"seedloom.dev/seedloom/internal/hubsim"
	"seedloom.dev/seedloom/internal/llmsim"
)

const seedFromHub = `
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: reviews}
spec:
  numRecords: 2
  seed: {huggingFace: {repository: me/orders, SETTINGS}}
  columns: [{name: b, expression: {expr: "{{ a }}!"}}]
  output: {persistentVolumeClaim: {claimName: c}}
`

// The hub and its token are those of the environment; a hub that nothing but the manifest names gets no token but that of the flag.
func TestTheHubOfASeedIsThatOfTheEnvironment(t *testing.T) {
	hub := startHub(t)
	hub.Create("me/orders", true, map[string]string{"train.csv": "a\n1\n2\n"})
	other := hubsim.New()
	other.Create("me/orders", false, map[string]string{"train.csv": "a\n1\n2\n"})
	server := httptest.NewServer(other)
	defer server.Close()
	elsewhere := `endpoint: "` + server.URL + `"`
	for name, test := range map[string]struct {
		settings string
		flags    []string
		token    string
		want     string
	}{
		"the token of the environment":       {"split: train", nil, hubsim.Token, "complete: 2 records"},
		"no token for what needs one":        {"tokenSecretRef: {name: hub, key: token}", nil, "", "needs a token: set HF_TOKEN"},
		"a wrong token":                      {"split: train", nil, "hf_wrong", "see that the token is right"},
		"the token of a flag":                {"split: train", []string{"--seed-token", "MINE"}, "hf_wrong", "complete: 2 records"},
		"a flag without a token":             {"split: train", []string{"--seed-token", "NOBODYS"}, "", "NOBODYS, which is to hold the token"},
		"a hub of the manifest":              {elsewhere, nil, hubsim.Token, "complete: 2 records"},
		"a hub of the manifest with a token": {elsewhere + ", tokenSecretRef: {name: hub, key: token}", nil, hubsim.Token, "as in --seed-token MY_TOKEN"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, strings.ReplaceAll(seedFromHub, "SETTINGS", test.settings), llmsim.Config{})
			t.Setenv("HF_TOKEN", test.token)
			t.Setenv("MINE", hubsim.Token)
			code, out, log := w.run(append([]string{"run", "-f", "reviews.yaml", "--output", "out"}, test.flags...)...)
			if (code == exitOK) != strings.HasPrefix(test.want, "complete") || !strings.Contains(out+log, test.want) ||
				strings.Contains(out+log, hubsim.Token) || strings.Contains(out+log, "hf_wrong") {
				t.Errorf("exit code %d: %s%s", code, out, log)
			}
		})
	}
	for _, request := range other.Requests("") {
		if request.Authorization != "" {
			t.Errorf("the hub that the manifest names has got the token with %s %s", request.Method, request.Path)
		}
	}
}

// The token of a flag goes to one hub: a chain has one seed from a hub at most, and manifests with several are not run together.
func TestTheTokenOfAFlagGoesToOneHub(t *testing.T) {
	hub, other := startHub(t), hubsim.New()
	server := httptest.NewServer(other)
	defer server.Close()
	for _, each := range []*hubsim.Hub{hub, other} {
		each.Create("me/orders", false, map[string]string{"train.csv": "a\n1\n2\n"})
	}
	first := strings.ReplaceAll(seedFromHub, "SETTINGS", "split: train")
	second := strings.ReplaceAll(seedFromHub, "SETTINGS", `endpoint: "`+server.URL+`"`)
	second = strings.ReplaceAll(second, "{name: reviews}", "{name: answers}")
	third := strings.ReplaceAll(second, "seed: {", "seed: {datasetRef: {name: reviews}, ")
	for name, test := range map[string]struct{ manifests, want string }{
		"two seeds from hubs":          {first + "---" + second, "only those that need each other's datasets are run together"},
		"a seed from a hub in a chain": {first + "---" + third, "exactly one of"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, test.manifests, llmsim.Config{})
			t.Setenv("MINE", hubsim.Token)
			code, out, log := w.run("run", "-f", "reviews.yaml", "--output", "out", "--seed-token", "MINE")
			if code == exitOK || !strings.Contains(out+log, test.want) {
				t.Errorf("exit code %d: %s%s", code, out, log)
			}
		})
	}
	for _, each := range []*hubsim.Hub{hub, other} {
		for _, request := range each.Requests("") {
			if request.Authorization != "" {
				t.Errorf("a hub has got the token with %s %s", request.Method, request.Path)
			}
		}
	}
}
