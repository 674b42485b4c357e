package datasetgeneration

import (
	"fmt"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/reason"
	"seedloom.dev/seedloom/internal/runreport"
)

// verdict is what the end of an attempt means.
type verdict struct {
	complete        bool
	reason, message string
	// partialReason is empty when no record is missing.
	partialReason, partialMessage string
}

// judge applies the completion policy to an attempt that has ended. records are those of the dataset, dropped says why
// records are missing.
func judge(spec *v1alpha1.DatasetGenerationSpec, end ending, dataset *runreport.Result, records v1alpha1.RecordsStatus) verdict {
	minimum := spec.MinRecords()
	// What allowResize columns added or took away on purpose is neither a gain nor a loss.
	accounted := records.Actual - records.Added + records.Filtered
	lost := max(records.Target-accounted, 0)
	var v verdict
	if lost > 0 {
		v.partialReason = v1alpha1.ReasonRowsDropped
		if end.reason != "" {
			v.partialReason = end.reason
		} else if dataset != nil && records.Missing > 0 && reasonPattern.MatchString(dataset.Reason) {
			v.partialReason = dataset.Reason
		}
		v.partialMessage = fmt.Sprintf("%d of %d records are in the output: %d dropped, %d not generated%s",
			records.Actual, records.Target, records.Dropped, max(lost-records.Dropped, 0), whereCauses("; ", records, ""))
	}
	engine := ""
	if dataset != nil && dataset.Message != "" {
		engine = " " + withStop(clip(dataset.Message, maxMessage))
	}
	// What a processor has not seen is no part of what was asked for, however many records there are.
	unprocessed := reason.Of(end.reason).LeavesUnprocessed
	switch {
	case end.reason != "" && (end.final || unprocessed || dataset == nil || accounted < minimum || records.Actual == 0):
		v.reason = end.reason
		v.message = fmt.Sprintf("%s %d of %d records are in the output.", withStop(end.message), records.Actual, records.Target)
	case records.Actual == 0:
		v.reason = v1alpha1.ReasonNoRecords
		if dataset != nil && reasonPattern.MatchString(dataset.Reason) {
			v.reason = dataset.Reason
		}
		v.message = fmt.Sprintf("The run ended without a single one of %d records.%s%s", records.Target, engine, whereCauses(" ", records, "."))
	case accounted < minimum:
		v.reason = v1alpha1.ReasonCompletionPolicyNotMet
		if dataset != nil && dataset.Outcome == runreport.OutcomeFailed && reasonPattern.MatchString(dataset.Reason) {
			v.reason = dataset.Reason
		}
		v.message = fmt.Sprintf("%d of %d records are in the output, and spec.completionPolicy asks for at least %d.%s Lower minRecords or mend the cause, and %s",
			records.Actual, records.Target, minimum, engine, howToRetry)
	case lost > 0:
		v.complete, v.reason = true, v1alpha1.ReasonCompletionPolicyMet
		v.message = fmt.Sprintf("%d of %d records are in the output; spec.completionPolicy asks for at least %d", records.Actual, records.Target, minimum)
	default:
		v.complete, v.reason = true, v1alpha1.ReasonAllRecords
		v.message = fmt.Sprintf("all %d records are in the output", records.Actual)
		if records.Added > 0 || records.Filtered > 0 {
			v.message = fmt.Sprintf("%d records are in the output: %d were asked for, allowResize columns added %d and took away %d",
				records.Actual, records.Target, records.Added, records.Filtered)
		}
	}
	return v
}

// whereCauses says where the causes of dropped records stand, where there are any.
func whereCauses(before string, records v1alpha1.RecordsStatus, after string) string {
	if records.Dropped == 0 {
		return ""
	}
	return before + "status.droppedReasons says why" + after
}
