package datasetgeneration

import (
	"fmt"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/clip"
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

// judge applies the completion policy to an attempt that has ended with so many records in the dataset.
func (s *situation) judge(records v1alpha1.RecordsStatus) verdict {
	end, dataset := *s.observed.ending, s.observed.dataset
	minimum := s.resource.Spec.MinRecords()
	// What allowResize columns added or took away on purpose is neither a gain nor a loss.
	accounted := records.Actual - records.Added + records.Filtered
	lost := max(records.Target-accounted, 0)
	var v verdict
	if lost > 0 {
		v.partialReason, v.partialMessage = losses(end, dataset, records, lost)
	}
	engineSays := ""
	if dataset != nil && dataset.Message != "" {
		engineSays = " " + withStop(clip.Text(dataset.Message, maxMessage))
	}
	// What a processor has not seen is no part of what was asked for, however many records there are.
	unprocessed := reason.Of(end.reason).LeavesUnprocessed
	switch {
	case end.reason != "" && (end.final || unprocessed || dataset == nil || accounted < minimum || records.Actual == 0):
		v.reason = end.reason
		v.message = fmt.Sprintf("%s %d of %d records are in the output.", withStop(end.message), records.Actual, records.Target)
	case records.Actual == 0:
		v.reason = reasonOf(dataset, v1alpha1.ReasonNoRecords)
		v.message = fmt.Sprintf("The run ended without a single one of %d records.%s%s",
			records.Target, engineSays, whereCauses(" ", records, "."))
	case accounted < minimum:
		v.reason = v1alpha1.ReasonCompletionPolicyNotMet
		if dataset != nil && dataset.Outcome == runreport.OutcomeFailed {
			v.reason = reasonOf(dataset, v.reason)
		}
		v.message = fmt.Sprintf("%d of %d records are in the output, and spec.completionPolicy asks for at least %d.%s "+
			"Lower minRecords or mend the cause, and %s", records.Actual, records.Target, minimum, engineSays, howToRetry(s.resource))
	case lost > 0:
		v.complete, v.reason = true, v1alpha1.ReasonCompletionPolicyMet
		v.message = fmt.Sprintf("%d of %d records are in the output; spec.completionPolicy asks for at least %d",
			records.Actual, records.Target, minimum)
	default:
		v.complete, v.reason, v.message = true, v1alpha1.ReasonAllRecords, allRecords(records)
	}
	if v.complete {
		v.message += truncatedKept(dataset) + ofDocuments(dataset, records)
	}
	if v.complete && end.message != "" && v.partialReason != "" {
		v.partialMessage += ". " + end.message
	}
	return v
}

// truncatedKept says of which columns texts were cut off and kept; empty where there are none.
func truncatedKept(dataset *runreport.Result) string {
	if dataset == nil {
		return ""
	}
	var counts []string
	for _, column := range dataset.Columns {
		if kept := column.Usage.TruncatedKept; kept > 0 && len(counts) < maxNamedColumns {
			counts = append(counts, fmt.Sprintf("%d of column %s", kept, clip.Text(column.Name, 128)))
		}
	}
	if len(counts) == 0 {
		return ""
	}
	return "; texts were cut off by the limit of tokens, and kept: " + strings.Join(counts, ", ")
}

// ofDocuments says what of the documents of the seed people should know; empty where there is nothing.
func ofDocuments(dataset *runreport.Result, records v1alpha1.RecordsStatus) string {
	if dataset == nil {
		return ""
	}
	note := dataset.Documents.Note(records.Target)
	if note == "" {
		return ""
	}
	return "; " + note
}

// maxNamedColumns bounds the columns that a message names.
const maxNamedColumns = 4

// losses says why records are missing.
func losses(end ending, dataset *runreport.Result, records v1alpha1.RecordsStatus, lost int64) (reason, message string) {
	reason = v1alpha1.ReasonRowsDropped
	if end.reason != "" {
		reason = end.reason
	} else if records.Missing > 0 {
		reason = reasonOf(dataset, reason)
	}
	changed := changedBy(records)
	if changed != "" {
		changed = "; " + changed
	}
	return reason, fmt.Sprintf("%d of %d records are in the output: %d dropped, %d not generated%s%s",
		records.Actual, records.Target, records.Dropped, max(lost-records.Dropped, 0), changed, whereCauses("; ", records, ""))
}

// allRecords says what is in the output when nothing that was asked for is missing.
func allRecords(records v1alpha1.RecordsStatus) string {
	changed := changedBy(records)
	switch {
	case changed != "":
		return fmt.Sprintf("%d records are in the output: %d were asked for, and %s", records.Actual, records.Target, changed)
	case records.Actual > records.Target:
		return fmt.Sprintf("%d records are in the output, of which %d are asked for; the others are of the time when it were more",
			records.Actual, records.Target)
	}
	return fmt.Sprintf("all %d records are in the output", records.Actual)
}

// changedBy says by how much the number of records was changed on purpose, in the words of the engine and the command line.
func changedBy(records v1alpha1.RecordsStatus) string {
	return runreport.Records{Target: records.Target, Added: records.Added, Filtered: records.Filtered}.Changed()
}

// reasonOf is the engine's reason, or another where it has none that the API takes.
func reasonOf(dataset *runreport.Result, otherwise string) string {
	if dataset != nil && reasonPattern.MatchString(dataset.Reason) {
		return dataset.Reason
	}
	return otherwise
}

// whereCauses says where the causes of dropped records stand, where there are any.
func whereCauses(before string, records v1alpha1.RecordsStatus, after string) string {
	if records.Dropped == 0 {
		return ""
	}
	return before + "status.droppedReasons says why" + after
}
