// Package gitops runs what is shipped for Argo CD and Flux on every situation that a DatasetGeneration can be in, as the tests of the
// controller have written them down.
package gitops

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	lua "github.com/yuin/gopher-lua"
	"sigs.k8s.io/yaml"
)

const root = "../.."

// situation is a resource, and what kstatus says of it.
type situation struct {
	Name     string         `json:"name"`
	Kstatus  string         `json:"kstatus"`
	Resource map[string]any `json:"resource"`
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// situations are those of the controller's tests, and some that a tool sees before and after the operator does.
func situations(t *testing.T) []situation {
	t.Helper()
	var found []situation
	if err := yaml.UnmarshalStrict(read(t, "controllers/datasetgeneration/testdata/situations.yaml"), &found); err != nil {
		t.Fatal(err)
	}
	if len(found) < 20 {
		t.Fatalf("there are only %d situations", len(found))
	}
	done := map[string]any{}
	for _, one := range found {
		if one.Name == "success" {
			done = one.Resource
		}
	}
	metadata, _ := done["metadata"].(map[string]any)
	status, _ := done["status"].(map[string]any)
	with := func(metadataChange, status map[string]any) map[string]any {
		changed := maps.Clone(metadata)
		maps.Copy(changed, metadataChange)
		return map[string]any{"apiVersion": done["apiVersion"], "kind": done["kind"], "metadata": changed, "status": status}
	}
	return append(found,
		situation{"not looked at yet", "InProgress", with(nil, map[string]any{"observedGeneration": float64(-1)})},
		situation{"edited after its end", "InProgress", with(map[string]any{"generation": float64(9)}, status)},
	)
}

// isSuspended says whether the condition Suspended is True.
func isSuspended(resource map[string]any) bool {
	status, _ := resource["status"].(map[string]any)
	conditions, _ := status["conditions"].([]any)
	for _, one := range conditions {
		if condition, _ := one.(map[string]any); condition["type"] == "Suspended" && condition["status"] == "True" {
			return true
		}
	}
	return false
}

func TestArgoCD(t *testing.T) {
	script := string(read(t, "config/argocd/health.lua"))
	seen := map[string]int{}
	for _, one := range situations(t) {
		want := map[string]string{"InProgress": "Progressing", "Current": "Healthy", "Failed": "Degraded"}[one.Kstatus]
		if want == "Progressing" && isSuspended(one.Resource) {
			want = "Suspended"
		}
		status, message := health(t, script, one.Resource)
		if status != want || message == "" {
			t.Errorf("%s: Argo CD shows %s (%s), want %s", one.Name, status, message, want)
		}
		seen[status]++
	}
	if len(seen) != 4 {
		t.Errorf("the situations have %v", seen)
	}
	deleted := situations(t)[0].Resource
	deleted["metadata"].(map[string]any)["deletionTimestamp"] = "2026-11-24T12:00:00Z"
	if status, message := health(t, script, deleted); status != "Progressing" || !strings.Contains(message, "deleted") {
		t.Errorf("of one that is being deleted, Argo CD shows %s (%s)", status, message)
	}
	if status, _ := health(t, script, map[string]any{"metadata": map[string]any{"generation": float64(1)}}); status != "Progressing" {
		t.Errorf("of one without a status, Argo CD shows %s", status)
	}
}

// health runs the script as Argo CD does: the resource is the global obj, and there are no libraries but the basic ones.
func health(t *testing.T, script string, resource map[string]any) (status, message string) {
	t.Helper()
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable} {
		state.Push(state.NewFunction(open))
		state.Push(lua.LString(name))
		state.Call(1, 0)
	}
	state.SetGlobal("obj", tableOf(state, resource))
	if err := state.DoString(script); err != nil {
		t.Fatal(err)
	}
	result, is := state.Get(-1).(*lua.LTable)
	if !is {
		t.Fatalf("the script returns %s", state.Get(-1).Type())
	}
	return result.RawGetString("status").String(), result.RawGetString("message").String()
}

// tableOf is a value of JSON as a value of Lua.
func tableOf(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case map[string]any:
		table := state.NewTable()
		for key, item := range value {
			table.RawSetString(key, tableOf(state, item))
		}
		return table
	case []any:
		table := state.NewTable()
		for _, item := range value {
			table.Append(tableOf(state, item))
		}
		return table
	case string:
		return lua.LString(value)
	case float64:
		return lua.LNumber(value)
	case bool:
		return lua.LBool(value)
	}
	return lua.LNil
}

// expressions are those of the snippet for a Kustomization of Flux.
type expressions struct {
	HealthCheckExprs []struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		InProgress string `json:"inProgress"`
		Failed     string `json:"failed"`
		Current    string `json:"current"`
	} `json:"healthCheckExprs"`
}

func TestFlux(t *testing.T) {
	var snippet expressions
	if err := yaml.UnmarshalStrict(read(t, "config/flux/health-check-exprs.yaml"), &snippet); err != nil {
		t.Fatal(err)
	}
	if len(snippet.HealthCheckExprs) != 1 {
		t.Fatalf("the snippet is %+v", snippet)
	}
	one := snippet.HealthCheckExprs[0]
	programs := []struct {
		result  string
		program cel.Program
	}{{"InProgress", compile(t, one.InProgress)}, {"Failed", compile(t, one.Failed)}, {"Current", compile(t, one.Current)}}
	for _, situation := range situations(t) {
		if situation.Resource["apiVersion"] != one.APIVersion || situation.Resource["kind"] != one.Kind {
			t.Errorf("%s: the expressions are not for a %s", situation.Name, situation.Resource["kind"])
		}
		want := situation.Kstatus
		if want == "InProgress" && isSuspended(situation.Resource) {
			want = "Current"
		}
		got := "InProgress"
		for _, each := range programs {
			value, _, err := each.program.Eval(map[string]any(integers(t, situation.Resource)))
			if err != nil {
				t.Fatalf("%s: %s: %v", situation.Name, each.result, err)
			}
			if value.Value() == true {
				got = each.result
				break
			}
		}
		if got != want {
			t.Errorf("%s: Flux sees %s, want %s", situation.Name, got, want)
		}
	}
}

// compile makes a program of an expression that reads the fields of a resource by their names.
func compile(t *testing.T, expression string) cel.Program {
	t.Helper()
	environment, err := cel.NewEnv(cel.Variable("metadata", cel.DynType), cel.Variable("status", cel.DynType))
	if err != nil {
		t.Fatal(err)
	}
	parsed, issues := environment.Compile(expression)
	if issues.Err() != nil {
		t.Fatal(issues.Err())
	}
	program, err := environment.Program(parsed)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// integers is a resource with whole numbers, as a client of the API has it.
func integers(t *testing.T, resource map[string]any) map[string]any {
	t.Helper()
	data, err := json.Marshal(resource)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	var decoded map[string]any
	if err := decoder.Decode(&decoded); err != nil {
		t.Fatal(err)
	}
	return withIntegers(decoded).(map[string]any)
}

func withIntegers(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, item := range value {
			value[key] = withIntegers(item)
		}
	case []any:
		for i, item := range value {
			value[i] = withIntegers(item)
		}
	case json.Number:
		if whole, err := value.Int64(); err == nil {
			return whole
		}
	}
	return value
}

// TestSnippetsInThePage holds docs/gitops.md to the files.
func TestSnippetsInThePage(t *testing.T) {
	page := string(read(t, "docs/gitops.md"))
	snippet := string(read(t, "config/flux/health-check-exprs.yaml"))
	for _, line := range strings.Split(strings.TrimSpace(snippet), "\n") {
		if !strings.HasPrefix(line, "#") && !strings.Contains(page, strings.TrimSpace(line)) {
			t.Errorf("docs/gitops.md lacks the line %q of config/flux", line)
		}
	}
}
