// Package monitoring holds what is shipped for Prometheus and Grafana, and docs/metrics.md, to the metrics that there are.
package monitoring

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	// It registers the metrics of controllers.
	_ "sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/yaml"
)

const root = "../.."

// sources are the files in which the project's metrics are described, and how many there are at least.
var sources = map[string]int{"engine/progress/http.go": 10, "controllers/datasetgeneration/metrics.go": 4}

// ours are the project's metrics with their labels, as the code describes them.
func ours(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for path, least := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		before := len(found)
		ast.Inspect(file, func(node ast.Node) bool {
			call, is := node.(*ast.CallExpr)
			if !is {
				return true
			}
			if selected, is := call.Fun.(*ast.SelectorExpr); is && strings.HasPrefix(selected.Sel.Name, "New") {
				if name, labels := described(call); name != "" {
					found[name] = labels
				}
			}
			return true
		})
		if len(found)-before < least {
			t.Errorf("only %d metrics were found in %s", len(found)-before, path)
		}
	}
	return found
}

// described finds the name of a metric and its labels among the arguments of a call that describes one.
func described(call *ast.CallExpr) (name string, labels []string) {
	for _, argument := range call.Args {
		ast.Inspect(argument, func(node ast.Node) bool {
			if list, is := node.(*ast.CompositeLit); is && isStrings(list.Type) {
				for _, element := range list.Elts {
					labels = append(labels, text(element))
				}
				return false
			}
			if found := text(node); strings.HasPrefix(found, "seedloom_") {
				name = found
			}
			return true
		})
	}
	return name, labels
}

func isStrings(kind ast.Expr) bool {
	array, is := kind.(*ast.ArrayType)
	if !is {
		return false
	}
	element, is := array.Elt.(*ast.Ident)
	return is && element.Name == "string"
}

func text(node ast.Node) string {
	literal, is := node.(*ast.BasicLit)
	if !is || literal.Kind != token.STRING {
		return ""
	}
	unquoted, err := strconv.Unquote(literal.Value)
	if err != nil {
		return ""
	}
	return unquoted
}

// known are the names of all metrics that can be asked for: the project's, and those of controller-runtime and its client.
func known(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{"up": true}
	for name := range ours(t) {
		names[name] = true
	}
	descriptions := make(chan *prometheus.Desc, 10_000)
	registry, is := metrics.Registry.(*prometheus.Registry)
	if !is {
		t.Fatalf("the registry is a %T", metrics.Registry)
	}
	registry.Describe(descriptions)
	close(descriptions)
	pattern := regexp.MustCompile(`fqName: "([^"]+)"`)
	for description := range descriptions {
		names[pattern.FindStringSubmatch(description.String())[1]] = true
	}
	return names
}

// unknownIn lists what an expression of PromQL asks for and nobody has.
func unknownIn(expression string, names map[string]bool) []string {
	withoutLabels := regexp.MustCompile(`\{[^}]*\}|"[^"]*"|\b(?:by|without) \([^)]*\)|\[[^\]]*\]`).ReplaceAllString(expression, " ")
	var unknown []string
	for _, word := range regexp.MustCompile(`[a-z][a-z0-9_]*_[a-z0-9_]+\b|\bup\b`).FindAllString(withoutLabels, -1) {
		base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(word, "")
		if !names[word] && !names[base] && !slices.Contains(functions, word) {
			unknown = append(unknown, word)
		}
	}
	return unknown
}

// functions of PromQL that look like metrics.
var functions = []string{"histogram_quantile", "label_values", "clamp_min"}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestMetricsAreDocumented(t *testing.T) {
	page := string(read(t, "docs/metrics.md"))
	rows := regexp.MustCompile("(?m)^\\| `(seedloom_[a-z_]+)` \\| ([^|]*)\\|").FindAllStringSubmatch(page, -1)
	documented := map[string][]string{}
	for _, row := range rows {
		var labels []string
		for _, label := range regexp.MustCompile("`([a-z]+)`").FindAllStringSubmatch(row[2], -1) {
			labels = append(labels, label[1])
		}
		documented[row[1]] = labels
	}
	for name, labels := range ours(t) {
		// The page says once that all metrics of engines have it.
		labels = slices.DeleteFunc(slices.Clone(labels), func(label string) bool { return label == "shard" })
		if got, is := documented[name]; !is {
			t.Errorf("docs/metrics.md lacks %s", name)
		} else if !slices.Equal(got, labels) {
			t.Errorf("docs/metrics.md says that %s has the labels %q, and it has %q", name, got, labels)
		}
		delete(documented, name)
	}
	for name := range documented {
		t.Errorf("docs/metrics.md has %s, which is not there", name)
	}
}

// TestNoLabelNamesAResource holds the promise that the number of series does not grow with the number of resources, or of rows.
func TestNoLabelNamesAResource(t *testing.T) {
	// What each may be is bounded by a list in the code or, for columns, models and shards, by the API.
	bounded := []string{"reason", "outcome", "shard", "fate", "column", "model", "type", "version"}
	for name, labels := range ours(t) {
		for _, label := range labels {
			if !slices.Contains(bounded, label) {
				t.Errorf("%s has the label %s: say here what bounds it", name, label)
			}
		}
	}
}

func TestDashboardAsksForWhatThereIs(t *testing.T) {
	var dashboard struct {
		Panels []struct {
			ID      int
			Type    string
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct {
				Name       string
				Definition string
			}
		}
	}
	if err := json.Unmarshal(read(t, "config/monitoring/dashboard.json"), &dashboard); err != nil {
		t.Fatal(err)
	}
	names, asked, ids := known(t), map[string]bool{}, map[int]bool{}
	for _, panel := range dashboard.Panels {
		if ids[panel.ID] || panel.GridPos.X+panel.GridPos.W > 24 {
			t.Errorf("panel %q has the id of another, or is too wide", panel.Title)
		}
		ids[panel.ID] = true
		if panel.Type != "row" && len(panel.Targets) == 0 {
			t.Errorf("panel %q asks for nothing", panel.Title)
		}
		for _, target := range panel.Targets {
			for _, unknown := range unknownIn(target.Expr, names) {
				t.Errorf("panel %q asks for %s, which nobody has", panel.Title, unknown)
			}
			for name := range names {
				if strings.Contains(target.Expr, name) {
					asked[name] = true
				}
			}
		}
	}
	for _, variable := range dashboard.Templating.List {
		for _, unknown := range unknownIn(variable.Definition, names) {
			t.Errorf("variable %q asks for %s, which nobody has", variable.Name, unknown)
		}
	}
	for name := range ours(t) {
		if !asked[name] {
			t.Errorf("the dashboard does not show %s", name)
		}
	}
}

// ruleGroups are the groups of the PrometheusRule.
func ruleGroups(t *testing.T) (spec []byte, expressions map[string]string) {
	t.Helper()
	var resource struct {
		Spec struct {
			Groups []struct {
				Rules []struct{ Alert, Expr string }
			}
		}
	}
	var raw struct{ Spec map[string]any }
	data := read(t, "config/monitoring/rules.yaml")
	for _, into := range []any{&resource, &raw} {
		if err := yaml.Unmarshal(data, into); err != nil {
			t.Fatal(err)
		}
	}
	expressions = map[string]string{}
	for _, group := range resource.Spec.Groups {
		for _, rule := range group.Rules {
			expressions[rule.Alert] = rule.Expr
		}
	}
	spec, err := yaml.Marshal(raw.Spec)
	if err != nil {
		t.Fatal(err)
	}
	return spec, expressions
}

func TestAlertsAskForWhatThereIs(t *testing.T) {
	_, expressions := ruleGroups(t)
	names := known(t)
	tests, page := string(read(t, "config/monitoring/rules_test.yaml")), string(read(t, "docs/metrics.md"))
	for _, alert := range slices.Sorted(maps.Keys(expressions)) {
		for _, unknown := range unknownIn(expressions[alert], names) {
			t.Errorf("%s asks for %s, which nobody has", alert, unknown)
		}
		if !strings.Contains(tests, "alertname: "+alert+"\n") {
			t.Errorf("no test has %s fire", alert)
		}
		if !strings.Contains(page, "| `"+alert+"` |") {
			t.Errorf("docs/metrics.md lacks the alert %s", alert)
		}
	}
	if unknown := unknownIn(`sum(rate(seedloom_nothing_total{reason="a_b"}[5m])) by (le)`, names); len(unknown) != 1 {
		t.Errorf("of an expression with one unknown metric, %q are unknown", unknown)
	}
}

// TestAlerts runs promtool on the rules and their tests.
func TestAlerts(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("SEEDLOOM_TEST_PROMTOOL") != "" {
			t.Fatal(err)
		}
		t.Skip("promtool is not installed (Debian's package prometheus has it): the alerts are not run")
	}
	folder := t.TempDir()
	rules, _ := ruleGroups(t)
	for name, data := range map[string][]byte{"rules.yml": rules, "rules_test.yaml": read(t, "config/monitoring/rules_test.yaml")} {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, arguments := range [][]string{{"check", "rules", "rules.yml"}, {"test", "rules", "rules_test.yaml"}} {
		command := exec.Command(promtool, arguments...)
		command.Dir = folder
		if output, err := command.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(arguments, " "), err, output)
		}
	}
}
