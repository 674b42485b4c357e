package datasetgeneration

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/internal/clip"
	"seedloom.dev/seedloom/internal/runreport"
)

// progressWriteInterval is the least time between two writes of a status in which nothing but counts has changed.
const progressWriteInterval = 10 * time.Second

// The most that the status holds of each list.
const (
	maxDroppedReasons = 16
	maxModels         = 64
	maxColumns        = 256
)

// totals are the counts of several shards together.
type totals struct {
	records runreport.Records
	columns []runreport.Column
	models  []runreport.Model
	dropped []runreport.Drop
	rate    float64
	// truncated says that columns may have been left out, where a result was too long.
	truncated bool
}

func (t *totals) add(records runreport.Records, columns []runreport.Column, models []runreport.Model, dropped []runreport.Drop) {
	t.records.Add(runreport.Records{
		Actual: max(records.Actual, 0), Dropped: max(records.Dropped, 0), Missing: max(records.Missing, 0),
		Added: max(records.Added, 0), Filtered: max(records.Filtered, 0),
	})
	t.columns = runreport.AddColumns(t.columns, columns...)
	t.models = runreport.AddModels(t.models, models...)
	t.dropped = runreport.AddDrops(t.dropped, dropped...)
}

// totals adds up what is known of each shard: its result when it has ended, else what its running Pod reports. Each of them
// is cumulative over all attempts of the run, so that each shard is counted once.
func (s *situation) totals() totals {
	var t totals
	running := map[int32]bool{}
	for i := range s.workload.generating {
		pod := &s.workload.generating[i]
		if progress, found := s.progress[pod.UID]; found && enginepods.IsRunning(pod) && !running[progress.Shard] {
			running[progress.Shard] = true
			t.add(progress.Records, progress.Columns, progress.Models, progress.Dropped)
			if !math.IsNaN(progress.RecordsPerSecond) && !math.IsInf(progress.RecordsPerSecond, 0) {
				t.rate += max(progress.RecordsPerSecond, 0)
			}
		}
	}
	for shard := range s.run.Parallelism {
		if end, found := s.observed.shards[shard]; found && !running[shard] {
			t.add(end.result.Records, end.result.Columns, end.result.Models, end.result.Dropped)
			t.truncated = t.truncated || end.result.Truncated
		}
	}
	return t
}

// showProgress brings the counts of a live attempt into the status. They never go back within an attempt.
func (s *situation) showProgress(status *v1alpha1.DatasetGenerationStatus) {
	if status.Records == nil {
		status.Records = &v1alpha1.RecordsStatus{}
	}
	if status.Progress == nil {
		status.Progress = &v1alpha1.ProgressStatus{}
	}
	records, progress := status.Records, status.Progress
	records.Target = s.run.Target
	t := s.totals()
	before := records.Actual + records.Dropped
	changed := t.records.Actual > records.Actual || t.records.Dropped > records.Dropped || t.records.Filtered > records.Filtered
	// When all Pods have ended, the counts are the last ones, and the conditions that tell of the end should stand beside them.
	ended := s.observed.running == 0 && len(s.observed.shards) >= int(s.run.Parallelism)
	tooSoon := false
	if last := progress.LastProgressTime; last != nil && !ended && !s.isStopped() {
		// A clock that was set back makes no difference: the last time would be in the future for long.
		since := s.now.Sub(last.Time)
		tooSoon = since >= 0 && since < progressWriteInterval
	}
	if !changed && worsened(status, t) {
		s.showLists(status, t)
	}
	if changed && !tooSoon {
		records.Actual = max(records.Actual, t.records.Actual)
		records.Dropped = max(records.Dropped, t.records.Dropped)
		records.Added = max(records.Added, t.records.Added)
		records.Filtered = max(records.Filtered, t.records.Filtered)
		s.showLists(status, t)
		progress.RecordsPerSecond = fmt.Sprintf("%.1f", t.rate)
		progress.EstimatedCompletion = nil
		// An estimate of more than a hundred years helps nobody.
		if left := float64(records.Target - accounted(records)); t.rate > 0 && left > 0 && left/t.rate < 3e9 {
			seconds := time.Duration(left / t.rate * float64(time.Second)).Round(time.Second)
			progress.EstimatedCompletion = &metav1.Time{Time: s.now.Add(seconds)}
		}
		if records.Actual+records.Dropped > before {
			progress.LastProgressTime = &metav1.Time{Time: s.now}
		}
	}
	// A number that only moves a little is no reason to write the status.
	slow, shown := s.slowRequests(), progress.SlowRequests
	if changed && !tooSoon || (slow == 0) != (shown == 0) || max(slow-shown, shown-slow) > shown/10 {
		progress.SlowRequests = slow
	}
	progress.Percent = percent(records)
	records.Summary = fmt.Sprintf("%d/%d", records.Actual, records.Target)
}

// worsened says whether so many more answers could not be used than the status shows that it is worth a write though no record has met its
// fate: a column that never gets an answer should not be silent until its run ends. A number that only moves a little is no reason.
func worsened(status *v1alpha1.DatasetGenerationStatus, t totals) bool {
	var shown, now int64
	for _, column := range status.Columns {
		for _, cause := range column.UnusableAnswers {
			shown = runreport.Sum(shown, cause.Count)
		}
	}
	for _, column := range t.columns {
		now = runreport.Sum(now, column.Usage.Unusable.Total())
	}
	return now > shown && now-shown >= shown/4
}

// showResult brings the counts of an attempt that has ended into the status. The result for the whole dataset is
// authoritative; without it, the shards' results are what is known.
func (s *situation) showResult(status *v1alpha1.DatasetGenerationStatus) {
	t := s.totals()
	dataset := s.observed.dataset
	if dataset != nil {
		t.records = dataset.Records
		if len(dataset.Columns) > 0 {
			t.columns, t.truncated = dataset.Columns, dataset.Truncated
		}
		if len(dataset.Models) > 0 {
			t.models = dataset.Models
		}
		if len(dataset.Dropped) > 0 {
			t.dropped = dataset.Dropped
		}
	}
	known := dataset != nil || len(s.observed.shards) > 0
	if !known && status.Records != nil {
		t.records.Actual, t.records.Dropped = status.Records.Actual, status.Records.Dropped
	}
	records := v1alpha1.RecordsStatus{
		Target: s.run.Target, Actual: t.records.Actual, Dropped: t.records.Dropped,
		Added: t.records.Added, Filtered: t.records.Filtered,
	}
	records.Missing = max(records.Target-accounted(&records), 0)
	records.Summary = fmt.Sprintf("%d/%d", records.Actual, records.Target)
	status.Records = &records
	s.showLists(status, t)
	progress := &v1alpha1.ProgressStatus{Percent: percent(&records)}
	if status.Progress != nil {
		progress.LastProgressTime = status.Progress.LastProgressTime
	}
	status.Progress = progress
	if dataset != nil {
		s.showOutput(status, dataset)
	}
}

func (s *situation) showOutput(status *v1alpha1.DatasetGenerationStatus, dataset *runreport.Result) {
	// The path is the controller's own: what a Pod says is not followed.
	path := runreport.Folder(s.resource.Namespace, s.resource.Name, s.run.ConfigHash)
	if place := placeOf(&s.resource.Spec.Output); place != "" {
		status.Output = &v1alpha1.OutputStatus{
			URL: place + "/" + path, Format: "Parquet", Files: dataset.Output.Files, Bytes: dataset.Output.Bytes,
			RowsDigest: clip.Text(dataset.Output.RowsDigest, 80),
		}
	}
	status.Metadata = &v1alpha1.DatasetMetadata{
		SchemaVersion:       runreport.Version,
		ExecutionMode:       s.resource.Spec.ExecutionMode(),
		Outcome:             clip.Text(string(dataset.Outcome), 32),
		TargetNumRecords:    dataset.Records.Target,
		ActualNumRecords:    dataset.Records.Actual,
		TotalNumBatches:     dataset.Output.RowGroups,
		NumCompletedBatches: dataset.Output.CompletedRowGroups,
		RowGroupSize:        dataset.Output.RowGroupSize,
		EngineVersion:       clip.Text(dataset.Engine, 64),
		Path:                path + "/metadata.json",
	}
}

// showLists copies the bounded lists. An empty list keeps what is known: a result leaves lists out to stay small.
func (s *situation) showLists(status *v1alpha1.DatasetGenerationStatus, t totals) {
	spec := &s.resource.Spec
	if len(t.models) > 0 {
		status.Models = nil
		for _, model := range t.models[:min(len(t.models), maxModels)] {
			used := v1alpha1.ModelUsage{
				Alias:     clip.Text(model.Alias, 63),
				Requests:  v1alpha1.RequestCounts{Succeeded: model.Succeeded, Failed: model.Failed},
				Tokens:    model.Tokens(),
				ToolCalls: model.ToolCalls, Images: model.Images,
			}
			if spec.PriceOf(model.Alias) != nil {
				used.Cost = clip.Text(runreport.Cost(spec, model).String(), 32)
			}
			status.Models = append(status.Models, used)
		}
		status.Usage = usageOf(spec, t.models)
	}
	if len(t.columns) > 0 {
		if !t.truncated {
			status.Columns = nil
		}
		for _, column := range t.columns {
			status.Columns = withColumn(status.Columns, columnStatus(spec, column))
		}
	}
	if t.records.Dropped == 0 && len(t.dropped) == 0 {
		status.DroppedReasons = nil
		return
	}
	if len(t.dropped) > 0 {
		slices.SortStableFunc(t.dropped, func(a, b runreport.Drop) int { return cmp.Compare(b.Count, a.Count) })
		status.DroppedReasons = nil
		for _, drop := range t.dropped[:min(len(t.dropped), maxDroppedReasons)] {
			status.DroppedReasons = append(status.DroppedReasons, v1alpha1.DroppedReason{
				Reason: clip.Text(drop.Reason, 64), Column: clip.Text(drop.Column, 128), Count: drop.Count, Message: clip.Text(drop.Message, 512),
			})
		}
	}
}

// withColumn replaces the counts of a column, or adds them where there is room.
func withColumn(columns []v1alpha1.ColumnStatus, counted v1alpha1.ColumnStatus) []v1alpha1.ColumnStatus {
	index := slices.IndexFunc(columns, func(known v1alpha1.ColumnStatus) bool { return known.Name == counted.Name })
	switch {
	case index >= 0:
		columns[index] = counted
	case len(columns) < maxColumns:
		columns = append(columns, counted)
	}
	return columns
}

// columnStatus is what the status says of a column.
func columnStatus(spec *v1alpha1.DatasetGenerationSpec, column runreport.Column) v1alpha1.ColumnStatus {
	counted := v1alpha1.ColumnStatus{
		Name: clip.Text(column.Name, 128), Succeeded: column.Succeeded, Failed: column.Failed, Dropped: column.Dropped, Skipped: column.Skipped,
		Requests: v1alpha1.RequestCounts{Succeeded: column.Usage.Succeeded, Failed: column.Usage.Failed},
		Tokens:   column.Usage.Tokens(), TruncatedAnswersKept: column.Usage.TruncatedKept,
		Corrections: column.Usage.Corrections.Status(), HedgedRequests: column.Usage.Hedged, Draws: column.Draws.Status(),
	}
	for _, cause := range column.Usage.Unusable.ByReason() {
		counted.UnusableAnswers = append(counted.UnusableAnswers, v1alpha1.UnusableAnswers{Reason: cause.Reason, Count: cause.Count})
	}
	if spec.PriceOfColumn(column.Name) != nil {
		counted.Cost = clip.Text(runreport.ColumnCost(spec, column).String(), 32)
	}
	return counted
}

// usageOf adds up what all models have used.
func usageOf(spec *v1alpha1.DatasetGenerationSpec, models []runreport.Model) *v1alpha1.UsageStatus {
	var all runreport.Usage
	for _, model := range models {
		all.Add(model.Usage)
	}
	usage := &v1alpha1.UsageStatus{Requests: v1alpha1.RequestCounts{Succeeded: all.Succeeded, Failed: all.Failed}, Tokens: all.Tokens()}
	if spec.HasPrices() {
		usage.Cost = clip.Text(runreport.Cost(spec, models...).String(), 32)
	}
	return usage
}

// accounted is how many of the records that were asked for have met their fate: what was added was not asked for, and what was taken
// away was.
func accounted(records *v1alpha1.RecordsStatus) int64 {
	return records.Actual - records.Added + records.Filtered + records.Dropped
}

// percent is the share of records whose fate is known, rounded down.
func percent(records *v1alpha1.RecordsStatus) int32 {
	if records.Target <= 0 {
		return 0
	}
	return int32(min(max(accounted(records), 0)*100/records.Target, 100))
}
