package datasetgeneration

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/clip"
	"seedloom.dev/seedloom/internal/runreport"
)

// addModelsAnswered says what the models have answered to the question before the first row. Where no Pod says anything of it, as in an
// attempt that goes on from rows that are there, what was heard before stands.
func (s *situation) addModelsAnswered(conditions *conditionSet) {
	check := s.modelCheck()
	switch {
	case check == nil:
		if recorded := s.resource.Status.Run; recorded != nil && recorded.ConfigHash == s.run.ConfigHash {
			conditions.keep(s.resource.Status.Conditions, v1alpha1.ConditionModelsAnswered)
		}
	case len(check.Problems) == 0:
		message := "the model has answered the question before the first row, as its columns will ask it"
		if check.Asked > 1 {
			message = "all models have answered the question before the first row, as their columns will ask them"
		}
		conditions.add(v1alpha1.ConditionModelsAnswered, metav1.ConditionTrue, v1alpha1.ReasonAnswered, message)
	default:
		conditions.add(v1alpha1.ConditionModelsAnswered, metav1.ConditionFalse, modelReason(check.Problems[0].Reason),
			"asked before the first row, as the columns will ask: "+problemsOf(check))
	}
}

// modelCheck joins what all Pods of the attempt have heard, running or ended, in an order that does not change; nil where none has asked.
func (s *situation) modelCheck() *runreport.ModelCheck {
	var heard []*runreport.ModelCheck
	for i := range s.workload.generating {
		if progress, found := s.progress[s.workload.generating[i].UID]; found {
			heard = append(heard, progress.ModelCheck)
		}
	}
	for _, end := range s.observed.shards {
		heard = append(heard, end.result.ModelCheck)
	}
	if s.observed.dataset != nil {
		heard = append(heard, s.observed.dataset.ModelCheck)
	}
	var joined *runreport.ModelCheck
	for _, check := range heard {
		if check == nil {
			continue
		}
		if joined == nil {
			joined = &runreport.ModelCheck{}
		}
		joined.Asked = max(joined.Asked, check.Asked)
		joined.Problems = append(joined.Problems, check.Problems...)
	}
	if joined == nil {
		return nil
	}
	slices.SortFunc(joined.Problems, func(a, b runreport.ModelProblem) int {
		return cmp.Or(strings.Compare(a.Alias, b.Alias), strings.Compare(a.Reason, b.Reason), strings.Compare(a.Message, b.Message))
	})
	// Shards may have heard the same in other words.
	joined.Problems = slices.CompactFunc(joined.Problems, func(a, b runreport.ModelProblem) bool {
		return a.Alias == b.Alias && a.Reason == b.Reason
	})
	return joined
}

// problemsOf lists what is wrong with models, as far as a condition tells it.
func problemsOf(check *runreport.ModelCheck) string {
	var problems []string
	for _, problem := range check.Problems[:min(len(check.Problems), maxTroubles)] {
		problems = append(problems, fmt.Sprintf("model %q (%s): %s", clip.Text(problem.Alias, 256), modelReason(problem.Reason),
			clip.Text(problem.Message, maxMessage)))
	}
	if more := len(check.Problems) - len(problems); more > 0 {
		problems = append(problems, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(problems, "; ")
}

// modelReason is a reason of the engine, or the most general one of models where it is none that the API takes.
func modelReason(reason string) string {
	if reasonPattern.MatchString(reason) {
		return reason
	}
	return v1alpha1.ReasonModelGenerationInvalid
}
