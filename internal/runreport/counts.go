package runreport

import (
	"fmt"
	"math"
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// Records counts records of what the document describes: a shard's part, or after finalizing the whole dataset.
type Records struct {
	Target   int64 `json:"target"`
	Actual   int64 `json:"actual"`
	Dropped  int64 `json:"dropped"`
	Missing  int64 `json:"missing,omitempty"`
	Added    int64 `json:"added,omitempty"`
	Filtered int64 `json:"filtered,omitempty"`
}

// Add adds the counts of other records.
func (r *Records) Add(other Records) {
	r.Target = Sum(r.Target, other.Target)
	r.Actual = Sum(r.Actual, other.Actual)
	r.Dropped = Sum(r.Dropped, other.Dropped)
	r.Missing = Sum(r.Missing, other.Missing)
	r.Added = Sum(r.Added, other.Added)
	r.Filtered = Sum(r.Filtered, other.Filtered)
}

// Changed says by how much processors and columns with allowResize have changed the number of records; nothing where they have not.
func (r Records) Changed() string {
	switch {
	case r.Filtered > 0 && r.Added > 0:
		return fmt.Sprintf("processors or allowResize columns have filtered out %d records and added %d", r.Filtered, r.Added)
	case r.Filtered > 0:
		return fmt.Sprintf("processors or allowResize columns have filtered out %d of %d records", r.Filtered, r.Target)
	case r.Added > 0:
		return fmt.Sprintf("processors or allowResize columns have added %d records", r.Added)
	}
	return ""
}

// Usage counts requests to models, and what they have used.
type Usage struct {
	Succeeded    int64 `json:"succeeded"`
	Failed       int64 `json:"failed,omitempty"`
	InputTokens  int64 `json:"inputTokens,omitempty"`
	OutputTokens int64 `json:"outputTokens,omitempty"`
	// CachedInputTokens are those of InputTokens that the provider had in its cache, ReasoningTokens those of OutputTokens for thinking.
	CachedInputTokens int64 `json:"cachedInputTokens,omitempty"`
	ReasoningTokens   int64 `json:"reasoningTokens,omitempty"`
	ToolCalls         int64 `json:"toolCalls,omitempty"`
	Images            int64 `json:"images,omitempty"`
	// Unusable are those of Succeeded whose answers could not be used, TruncatedKept those whose texts were cut off and taken all the same.
	Unusable      Unusable `json:"unusable,omitzero"`
	TruncatedKept int64    `json:"truncatedKept,omitempty"`
	// Corrections are those of values that were not valid.
	Corrections Corrections `json:"corrections,omitzero"`
	// Hedged counts the requests whose cells had their values from others first: what was cancelled, and what was answered too late. Only
	// the latter are in Succeeded.
	Hedged int64 `json:"hedged,omitempty"`
}

// Add adds what other requests have used.
func (u *Usage) Add(other Usage) {
	u.Succeeded = Sum(u.Succeeded, other.Succeeded)
	u.Failed = Sum(u.Failed, other.Failed)
	u.InputTokens = Sum(u.InputTokens, other.InputTokens)
	u.OutputTokens = Sum(u.OutputTokens, other.OutputTokens)
	u.CachedInputTokens = Sum(u.CachedInputTokens, other.CachedInputTokens)
	u.ReasoningTokens = Sum(u.ReasoningTokens, other.ReasoningTokens)
	u.ToolCalls = Sum(u.ToolCalls, other.ToolCalls)
	u.Images = Sum(u.Images, other.Images)
	u.Unusable.Add(other.Unusable)
	u.TruncatedKept = Sum(u.TruncatedKept, other.TruncatedKept)
	u.Corrections.Add(other.Corrections)
	u.Hedged = Sum(u.Hedged, other.Hedged)
}

// Tokens are the tokens, as the API counts them.
func (u *Usage) Tokens() v1alpha1.TokenCounts {
	return v1alpha1.TokenCounts{
		Input: u.InputTokens, Output: u.OutputTokens, CachedInput: u.CachedInputTokens, Reasoning: u.ReasoningTokens,
	}
}

// Cost is what the use of models has cost at the prices of a spec.
func Cost(spec *v1alpha1.DatasetGenerationSpec, models ...Model) v1alpha1.Cost {
	var sum v1alpha1.Cost
	for _, model := range models {
		sum = sum.Plus(spec.PriceOf(model.Alias).Cost(model.Tokens(), model.Images))
	}
	return sum
}

// ColumnCost is what the requests of a column have cost at the prices of a spec.
func ColumnCost(spec *v1alpha1.DatasetGenerationSpec, column Column) v1alpha1.Cost {
	return spec.PriceOfColumn(column.Name).Cost(column.Usage.Tokens(), column.Usage.Images)
}

// Column counts the cells of one column, and what its requests have used, those of dropped rows among them.
type Column struct {
	Name      string `json:"name"`
	Succeeded int64  `json:"succeeded"`
	Failed    int64  `json:"failed,omitempty"`
	Dropped   int64  `json:"dropped,omitempty"`
	// Skipped counts the cells that were left out by skip.
	Skipped int64 `json:"skipped,omitempty"`
	Usage   Usage `json:"usage,omitzero"`
	// Draws are those of a column with constraints.
	Draws Draws `json:"draws,omitzero"`
}

// Cells is the number of all cells that are counted.
func (c *Column) Cells() int64 { return c.Succeeded + c.Failed + c.Dropped + c.Skipped }

// Add adds the counts of other cells of the same column.
func (c *Column) Add(other Column) {
	c.Succeeded = Sum(c.Succeeded, other.Succeeded)
	c.Failed = Sum(c.Failed, other.Failed)
	c.Dropped = Sum(c.Dropped, other.Dropped)
	c.Skipped = Sum(c.Skipped, other.Skipped)
	c.Usage.Add(other.Usage)
	c.Draws.Add(other.Draws)
}

// Model counts the use of one model.
type Model struct {
	Alias string `json:"alias"`
	Usage
}

// AddColumns adds counts to a list with one entry for each column.
func AddColumns(columns []Column, added ...Column) []Column {
	return addEntries(columns, added, func(c *Column) string { return c.Name }, (*Column).Add)
}

// AddModels adds usage to a list with one entry for each model.
func AddModels(models []Model, added ...Model) []Model {
	add := func(to *Model, other Model) { to.Usage.Add(other.Usage) }
	return addEntries(models, added, func(m *Model) string { return m.Alias }, add)
}

// addEntries copies no entry to compare it: entries are large, and are added for each request.
func addEntries[T any](list, added []T, name func(*T) string, add func(*T, T)) []T {
next:
	for i := range added {
		for known := range list {
			if name(&list[known]) == name(&added[i]) {
				add(&list[known], added[i])
				continue next
			}
		}
		list = append(list, added[i])
	}
	return list
}

// Drop counts the records dropped for one reason in one column.
type Drop struct {
	Reason  string `json:"reason"`
	Column  string `json:"column,omitempty"`
	Count   int64  `json:"count"`
	Message string `json:"message,omitempty"`
}

// concerns says whether two counts are of the same reason in the same column.
func (d Drop) concerns(other Drop) bool { return d.Reason == other.Reason && d.Column == other.Column }

// AddDrops adds counts to a list with one entry for each reason and column, which keeps its first message. Counts may be negative, where
// rows are made again; an entry without a count left goes away. The list is changed.
func AddDrops(drops []Drop, added ...Drop) []Drop {
	for _, drop := range added {
		index := slices.IndexFunc(drops, drop.concerns)
		switch {
		case index >= 0:
			if drops[index].Count = Sum(drops[index].Count, drop.Count); drops[index].Count <= 0 {
				drops = slices.Delete(drops, index, index+1)
			}
		case drop.Count > 0:
			drops = append(drops, drop)
		}
	}
	return drops
}

// CountOf is how many records a list has of the reason and the column of a drop.
func CountOf(drops []Drop, drop Drop) int64 {
	if index := slices.IndexFunc(drops, drop.concerns); index >= 0 {
		return drops[index].Count
	}
	return 0
}

// Sum adds two counts. What is beyond the numbers stays at the last of them: a count that a server makes up must not become its opposite.
func Sum(a, b int64) int64 {
	switch sum := a + b; {
	case a > 0 && b > 0 && sum < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && sum >= 0:
		return math.MinInt64
	default:
		return sum
	}
}
