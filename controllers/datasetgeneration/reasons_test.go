package datasetgeneration

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"strconv"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// apiReasons are the constants of the API's reasons by their names: those that the controller finds, and those that engines report.
func apiReasons() (controller, engine map[string]string, err error) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../api/v1alpha1/conditions.go", nil, 0)
	if err != nil {
		return nil, nil, err
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
		maps.Copy(into, found)
	}
	if len(controller) < 30 || len(engine) < 20 {
		return nil, nil, fmt.Errorf("found %d reasons of the controller, and %d of engines", len(controller), len(engine))
	}
	return controller, engine, nil
}

func reasonsOf(t *testing.T) (controller, engine map[string]string) {
	t.Helper()
	controller, engine, err := apiReasons()
	if err != nil {
		t.Fatal(err)
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
