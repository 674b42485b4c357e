package engine

import (
	"context"
	"fmt"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/reason"
	"seedloom.dev/seedloom/internal/runreport"
)

// Ending is how a call has ended.
type Ending struct {
	Result   runreport.Result
	ExitCode int
	// Progress is what was known at the end; the zero value of a run that could not begin.
	Progress progress.Snapshot
	// columns are those of the records, whose types say more than files do: which texts are documents. Nil where the run could not begin.
	columns *table.Schema
}

// ending describes what is in the output, and how it came to that.
func (p *prepared) ending(cause *failure.Error, summary *store.Summary, outcome runreport.Outcome, reason, message string) Ending {
	result := newResult(p.config, p.role)
	result.Mode = string(p.plan.Mode)
	result.Outcome, result.Reason, result.Message = outcome, reason, message
	result.Records, result.Output = summary.Records, summary.Output
	result.Columns, result.Models, result.Dropped = summary.Columns, summary.Models, summary.Dropped
	result.ModelCheck = p.modelCheck
	if found := p.documents; found != nil {
		result.Documents = &runreport.Documents{
			Kind: found.Kind, Count: found.Count, Skipped: found.Skipped, Chunks: found.Chunks, PagesWithoutText: found.PagesWithoutText,
			FirstProblem: firstProblem(found),
		}
	}
	if outcome == runreport.OutcomePartial {
		p.config.Logger.Warn("the dataset is partial", "target", summary.Records.Target, "records", summary.Records.Actual,
			"dropped", summary.Records.Dropped, "missing", summary.Records.Missing, "message", message)
	}
	return Ending{Result: result, ExitCode: exitCode(cause, outcome), columns: p.plan.Schema}
}

func newResult(config Config, role string) runreport.Result {
	return runreport.Result{
		Version: runreport.Version, RunID: config.Run.RunID, Attempt: config.Run.Attempt, Shard: config.Shard, Role: role, Engine: config.Version,
	}
}

// unprepared describes a run that could not even begin. What earlier attempts have written is counted where it can be.
func unprepared(config Config, role string, cause *failure.Error) Ending {
	result := newResult(config, role)
	result.Outcome, result.Reason, result.Message = runreport.OutcomeFailed, cause.Reason, cause.Error()
	if cause.Traits().AskedToStop {
		result.Outcome = runreport.OutcomeInterrupted
	}
	config.Logger.Error("the run can't go on", "reason", cause.Reason, "error", cause.Error())
	ending := Ending{Result: result, ExitCode: exitCode(cause, result.Outcome)}
	spec, err := decodeSpec(config.Run)
	if err != nil {
		return ending
	}
	ending.Result.Mode = string(spec.ExecutionMode())
	counts := countsOf(spec)
	shards, target, groups := max(1, config.Run.Shards), spec.NumRecords, counts.RowGroups()
	include := func(int64) bool { return true }
	if shards > 1 && role == runreport.RoleGenerate {
		target = counts.ShardRows(config.Shard, shards)
		include = func(index int64) bool { return plan.Owns(config.Shard, shards, index) }
	}
	ending.Result.Records = runreport.Records{Target: target, Missing: target}
	if config.ObjectStore != nil && cause.Traits().Subject == reason.SubjectVolume {
		return ending // where nothing can be written, to read takes as long to fail
	}
	opened, err := config.openOutput(context.Background(), nil)
	if err != nil {
		return ending
	}
	defer func() { _ = opened.Close() }() // was only read
	if summary, err := opened.Summarize(target, groups, counts.RowGroupSize, include); err == nil {
		ending.Result.Records, ending.Result.Output = summary.Records, summary.Output
		ending.Result.Columns, ending.Result.Models, ending.Result.Dropped = summary.Columns, summary.Models, summary.Dropped
	}
	return ending
}

// judge says how a run, or a shard of it, has ended. Only of a whole run can be said that it has no records.
func judge(ending *failure.Error, summary *store.Summary, whole bool) (outcome runreport.Outcome, reason, message string) {
	records := summary.Records
	switch {
	case ending != nil && ending.Traits().AskedToStop:
		return runreport.OutcomeInterrupted, ending.Reason, fmt.Sprintf(
			"asked to stop with %d of %d records written; what is missing is made when it is started again", records.Actual, records.Target)
	case ending != nil && ending.Traits().KeepsDataset && (records.Actual > 0 || !whole):
		return runreport.OutcomePartial, ending.Reason,
			fmt.Sprintf("%s (%d of %d records are written)", ending.Error(), records.Actual, records.Target)
	case ending != nil:
		return runreport.OutcomeFailed, ending.Reason,
			fmt.Sprintf("%s (%d of %d records are written)", ending.Error(), records.Actual, records.Target)
	case whole && records.Actual == 0 && records.Filtered > 0:
		lost := ""
		if records.Dropped > 0 {
			lost = fmt.Sprintf("; %d were dropped%s", records.Dropped, mostFrequent(summary))
		}
		return runreport.OutcomeFailed, v1alpha1.ReasonNoRecords,
			fmt.Sprintf("the dataset is empty: %s%s; correct what they keep", records.Changed(), lost)
	case whole && records.Actual == 0 && records.Dropped > 0:
		return runreport.OutcomeFailed, v1alpha1.ReasonNoRecords,
			fmt.Sprintf("all %d records were dropped%s", records.Dropped, mostFrequent(summary))
	case whole && records.Actual == 0 && records.Target > 0:
		return runreport.OutcomeFailed, v1alpha1.ReasonNoRecords, fmt.Sprintf("not one of %d records was made", records.Target)
	case records.Missing > 0:
		return runreport.OutcomePartial, v1alpha1.ReasonShardFailed,
			fmt.Sprintf("%d of %d records are missing and %d were dropped%s", records.Missing, records.Target, records.Dropped,
				mostFrequent(summary))
	case records.Dropped > 0:
		return runreport.OutcomePartial, v1alpha1.ReasonRowsDropped,
			fmt.Sprintf("%d of %d records were dropped%s", records.Dropped, records.Target, mostFrequent(summary))
	}
	return runreport.OutcomeComplete, "", ""
}

func mostFrequent(summary *store.Summary) string {
	if len(summary.Dropped) == 0 {
		return ""
	}
	drop := summary.Dropped[0]
	where := ""
	if drop.Column != "" {
		where = fmt.Sprintf(" in column %q", drop.Column)
	}
	return fmt.Sprintf(", %d of them by %s%s: %s", drop.Count, drop.Reason, where, drop.Message)
}

// exitCode says to whatever started the engine whether starting it again may help.
func exitCode(cause *failure.Error, outcome runreport.Outcome) int {
	switch {
	case outcome == runreport.OutcomeInterrupted:
		return runreport.ExitInterrupted
	case cause == nil && outcome == runreport.OutcomeFailed:
		return runreport.ExitFailed
	case cause == nil, cause.Traits().PartialIsDone && outcome == runreport.OutcomePartial:
		return runreport.ExitOK
	case cause.Temporary && cause.Traits().Exit != runreport.ExitStorage:
		return runreport.ExitRetry
	}
	return cause.Traits().Exit
}
