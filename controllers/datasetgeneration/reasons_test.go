package datasetgeneration

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// reasonsOf are the constants of the API's reasons by their names: those that the controller finds, and those that engines report.
func reasonsOf(t *testing.T) (controller, engine map[string]string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../api/v1alpha1/conditions.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	controller, engine = map[string]string{}, map[string]string{}
	for _, declaration := range file.Decls {
		block, is := declaration.(*ast.GenDecl)
		if !is || block.Tok != token.CONST {
			continue
		}
		found := map[string]string{}
		for _, spec := range block.Specs {
			value := spec.(*ast.ValueSpec)
			if name := value.Names[0].Name; strings.HasPrefix(name, "Reason") {
				found[name], _ = strconv.Unquote(value.Values[0].(*ast.BasicLit).Value)
			}
		}
		// The block of the engine's reasons begins with that for a spec that it refuses.
		into := controller
		if found["ReasonConfigInvalid"] != "" {
			into = engine
		}
		for name, value := range found {
			into[name] = value
		}
	}
	if len(controller) < 30 || len(engine) < 20 {
		t.Fatalf("found %d reasons of the controller, and %d of engines", len(controller), len(engine))
	}
	return controller, engine
}

// TestEveryReasonOfTheEngineIsShown has a Pod give up for every reason that there is.
func TestEveryReasonOfTheEngineIsShown(t *testing.T) {
	_, engine := reasonsOf(t)
	engine["ReasonEarlyShutdown"] = v1alpha1.ReasonEarlyShutdown
	// An engine that has a result without a reason.
	engine["ReasonShardFailed"] = v1alpha1.ReasonShardFailed
	for name, reason := range engine {
		result := recordsOf(0, 0)
		result.Outcome, result.Reason, result.Message = runreport.OutcomeFailed, reason, "the engine says why"
		if reason == v1alpha1.ReasonShardFailed {
			result.Reason = ""
		}
		resource := fixture{
			spec: newSpec(), jobEnd: jobCondition(batchv1.JobFailed, batchv1.JobReasonFailedIndexes),
			pods: []corev1.Pod{endedPod(runreport.ExitFailed, result)},
		}.reconcile()
		failed := meta.FindStatusCondition(resource.Status.Conditions, v1alpha1.ConditionFailed)
		if failed == nil || failed.Reason != reason || !strings.Contains(failed.Message, "the engine says why") {
			t.Errorf("%s: the condition Failed is %+v", name, failed)
		}
		ready := meta.FindStatusCondition(resource.Status.Conditions, v1alpha1.ConditionReady)
		if ready == nil || ready.Reason != v1alpha1.ReasonFailed || !strings.HasPrefix(ready.Message, reason+": ") {
			t.Errorf("%s: the condition Ready is %+v", name, ready)
		}
		events := announcements(&v1alpha1.DatasetGenerationStatus{}, &resource.Status)
		if len(events) == 0 || events[0].reason != reason || events[0].eventType != "Warning" {
			t.Errorf("%s: the events are %+v", name, events)
		}
	}
}

// TestEveryReasonOfTheControllerIsExpectedSomewhere holds that there is a test which provokes each of the others, and expects it.
func TestEveryReasonOfTheControllerIsExpectedSomewhere(t *testing.T) {
	controller, _ := reasonsOf(t)
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if path != "reasons_test.go" {
			lines = append(lines, strings.Split(string(text), "\n")...)
		}
	}
	expectation := regexp.MustCompile(`Equal|ContainElement|ConsistOf|HaveField|want|!=|==|"(True|False|Unknown)/|", \[\]string`)
	for name, value := range controller {
		if name == "ReasonEarlyShutdown" || name == "ReasonShardFailed" {
			continue
		}
		named := regexp.MustCompile(`v1alpha1\.` + name + `\b|["/]` + value + `\b`)
		found := false
		for _, line := range lines {
			found = found || named.MatchString(line) && expectation.MatchString(line)
		}
		if !found {
			t.Errorf("no test expects %s (%q): provoke it in one of this package", name, value)
		}
	}
}
