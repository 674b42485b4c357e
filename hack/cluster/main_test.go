package main

import (
	"context"
	"io"
	"strings"
	"testing"
)

func TestCommandLineMistakesAreNamed(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"frobnicate", `unknown command "frobnicate"`},
		{"volume", "volume needs --namespace and --name"},
		{"load-image --user 0 x", "load-image needs --name"},
		{"save-image --name a:b x", "save-image needs --output"},
		{"up now", `up takes no arguments, got ["now"]`},
		{"status --provider podman", `--provider "podman": want auto, kind, download or build`},
		{"down --size 1Mi", "flag provided but not defined: -size"},
	} {
		err := execute(context.Background(), strings.Fields(test.line), io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.line, err, test.want)
		}
	}
}

func TestKubectlArgumentsPassThrough(t *testing.T) {
	parsed, err := parse(&command{name: "kubectl", arguments: true}, strings.Fields("-- get pods -A -o name"), io.Discard)
	if got := strings.Join(parsed.arguments, " "); err != nil || got != "get pods -A -o name" {
		t.Errorf("arguments %q, %v", got, err)
	}
}
