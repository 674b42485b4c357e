package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/engine/plan"
)

const withTools = `
numRecords: 5
providers: [{name: local, type: OpenAI, endpoint: "http://vllm:8000/v1"}]
models: [{alias: writer, provider: local, model: m}]
toolServers:
- {name: search, type: StreamableHTTP, endpoint: "http://search:8000/mcp"}
- {name: files, type: Stdio, stdio: {image: files:1, command: [serve, /data],
    env: [{name: MODE, value: read}, {name: TOKEN, secretKeyRef: {name: s, key: k}}]}}
- {name: idle, type: SSE, endpoint: "http://idle/sse"}
tools:
- {alias: reading, servers: [search, files], allowTools: [find, read]}
- {alias: unused, servers: [idle]}
columns:
- {name: a, llmText: {model: writer, prompt: x, tools: reading}}
- {name: b, llmText: {model: writer, prompt: x}}
output: {persistentVolumeClaim: {claimName: c}}
`

func TestToolsInUse(t *testing.T) {
	spec := parse(t, withTools)
	if violations := plan.Validate(spec); len(violations) > 0 {
		t.Fatal(violations)
	}
	if used := spec.ToolServersInUse(); !slices.Equal(used, []int{0, 1}) {
		t.Errorf("the servers %v are used", used)
	}
	if !spec.UsesTools("reading") || spec.UsesTools("unused") || spec.UsesTools("") {
		t.Error("reading is used, unused is not")
	}
}

func TestEveryViolationOfToolsIsReported(t *testing.T) {
	spec := parse(t, `
numRecords: 1
providers: [{name: local, type: OpenAI, endpoint: "http://vllm:8000/v1"}]
models: [{alias: writer, provider: local, model: m}]
toolServers:
- {name: search, type: StreamableHTTP, endpoint: "http://user:pass-word@search"}
- {name: search, type: SSE, endpoint: "ftp://pass-word"}
- {name: files, type: Stdio, endpoint: "http://x", apiKeySecretRef: {name: s, key: k}, stdio: {image: i, command: [],
    env: [{name: A}, {name: A, value: x}]}}
- {name: bare, type: Stdio}
- {name: odd, type: Carrier, endpoint: "http://x"}
tools:
- {alias: reading, servers: [serch, files, files]}
- {alias: reading, servers: []}
columns:
- {name: a, llmText: {model: writer, prompt: x, tools: readin}}
output: {persistentVolumeClaim: {claimName: c}}
`)
	var got []string
	for _, violation := range plan.Validate(spec) {
		got = append(got, violation.Field+" "+violation.Reason)
		if strings.Contains(violation.Message, "pass-word") {
			t.Errorf("the endpoint is in %q", violation.Message)
		}
		if violation.Reason == plan.ReasonUnknownToolServer && !strings.Contains(violation.Message, `did you mean "search"?`) ||
			violation.Reason == plan.ReasonUnknownTools && !strings.Contains(violation.Message, `did you mean "reading"?`) {
			t.Errorf("got %q", violation.Message)
		}
	}
	want := []string{
		"spec.toolServers[0].endpoint InvalidValue",
		"spec.toolServers[1].name DuplicateToolServer", "spec.toolServers[1].endpoint InvalidValue",
		"spec.toolServers[2].endpoint InvalidValue", "spec.toolServers[2].apiKeySecretRef InvalidValue", "spec.toolServers[2].stdio.command Required",
		"spec.toolServers[2].stdio.env[0] InvalidUnion", "spec.toolServers[2].stdio.env[1].name InvalidValue",
		"spec.toolServers[3].stdio Required", "spec.toolServers[4].type InvalidValue",
		"spec.tools[0].servers[0] UnknownToolServer", "spec.tools[0].servers[2] InvalidValue",
		"spec.tools[1].alias DuplicateTools", "spec.tools[1].servers Required",
		"spec.columns[0].llmText.tools UnknownTools",
	}
	if difference := cmp.Diff(want, got); difference != "" {
		t.Error(difference)
	}
}

func TestTheHashLooksAtToolsAndNotAtTheirNames(t *testing.T) {
	base := plan.ConfigHash(parse(t, withTools))
	replaced := func(pairs []string) string {
		t.Helper()
		text := strings.NewReplacer(pairs...).Replace(withTools)
		if text == withTools {
			t.Fatalf("%q does not occur", pairs)
		}
		return plan.ConfigHash(parse(t, text))
	}
	for _, same := range [][]string{
		{"search,", "web,", "[search", "[web"}, {"reading", "books"}, {"[search, files]", "[files, search]"}, {"[find, read]", "[read, find]"},
		{"servers: [search", "maxTurns: 5, timeoutSeconds: 7, servers: [search"}, {"name: s, key: k", "name: s, key: l"},
		{"http://idle", "http://other"}, {"- {alias: unused, servers: [idle]}", ""},
		{"{name: MODE, value: read}, {name: TOKEN, secretKeyRef: {name: s, key: k}}", "{name: TOKEN, secretKeyRef: {name: s, key: k}}, {name: MODE, value: read}"},
		{`endpoint: "http://search:8000/mcp"`, `endpoint: "http://search:8000/mcp", apiKeySecretRef: {name: s, key: k}`},
	} {
		if replaced(same) != base {
			t.Errorf("%q changes the hash, and must not", same)
		}
	}
	for _, other := range [][]string{
		{"search:8000", "search:8001"}, {"type: StreamableHTTP", "type: SSE"}, {"files:1", "files:2"}, {"/data", "/other"}, {"value: read", "value: write"},
		{"name: MODE", "name: MODUS"}, {"[find, read]", "[find]"}, {", allowTools: [find, read]", ""}, {"servers: [search", "maxTurns: 4, servers: [search"},
		{"tools: reading", "tools: unused"}, {", tools: reading", ""}, {"[search, files]", "[files]"},
	} {
		if replaced(other) == base {
			t.Errorf("%q does not change the hash, and must", other)
		}
	}
}
