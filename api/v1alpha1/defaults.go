package v1alpha1

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/intstr"
)

// Defaults that may change with versions: they are applied where a value is read and never written into a spec.
const (
	defaultParallelism           int32 = 1
	defaultMaxParallelRequests   int32 = 16
	defaultTimeoutSeconds        int32 = 60
	defaultHedgeQuantile               = 0.95
	defaultHedgeMaxExtra               = 0.02
	defaultRowGroupSize          int32 = 1000
	defaultMaxRowAttempts        int32 = 2
	defaultMaxRequestAttempts    int32 = 8
	defaultBackoffLimit          int32 = 3
	defaultStartupTimeoutSeconds int32 = 120
	defaultErrorWindow           int32 = 50
	defaultSlowRequestSeconds    int32 = 30
	defaultConversationRestarts  int32 = 5
	defaultToolTurns             int32 = 5
	defaultToolTimeoutSeconds    int32 = 60
	defaultColumnWeight          int32 = 1
)

// defaultErrorRate is the share of failed cells above which a run ends.
const defaultErrorRate = 0.5

// defaultMinRecords is the completion policy of a spec that has none.
const defaultMinRecords = "90%"

func valueOr[T any](pointer *T, fallback T) T {
	if pointer == nil {
		return fallback
	}
	return *pointer
}

// EffectiveParallelism is the number of shards.
func (s *DatasetGenerationSpec) EffectiveParallelism() int32 {
	return valueOr(s.Parallelism, defaultParallelism)
}

// IsSuspended says whether the run is to be suspended.
func (s *DatasetGenerationSpec) IsSuspended() bool { return valueOr(s.Suspend, false) }

// ResizeColumns lists the columns that may change the number of rows, in configuration order.
func (s *DatasetGenerationSpec) ResizeColumns() []string {
	var names []string
	for _, column := range s.Columns {
		if valueOr(column.AllowResize, false) {
			names = append(names, column.Name)
		}
	}
	return names
}

// ExecutionMode is the one place that chooses between async and sync, for the controller and the engine alike.
func (s *DatasetGenerationSpec) ExecutionMode() ExecutionMode {
	if len(s.ResizeColumns()) > 0 {
		return ExecutionSync
	}
	return ExecutionAsync
}

// EffectiveRowGroupSize is the number of rows in a row group.
func (s *DatasetGenerationSpec) EffectiveRowGroupSize() int64 {
	if s.Run == nil {
		return int64(defaultRowGroupSize)
	}
	return int64(valueOr(s.Run.RowGroupSize, defaultRowGroupSize))
}

// EffectiveMaxRowAttempts is how often a row is tried before it is dropped.
func (s *DatasetGenerationSpec) EffectiveMaxRowAttempts() int {
	if s.Run == nil {
		return int(defaultMaxRowAttempts)
	}
	return int(valueOr(s.Run.MaxRowAttempts, defaultMaxRowAttempts))
}

// EffectiveSlowRequestThreshold is after how long a request is warned about; 0 is never.
func (s *DatasetGenerationSpec) EffectiveSlowRequestThreshold() time.Duration {
	seconds := defaultSlowRequestSeconds
	if s.Run != nil {
		seconds = valueOr(s.Run.SlowRequestThresholdSeconds, seconds)
	}
	return time.Duration(seconds) * time.Second
}

// EffectiveMaxRequestAttempts is how often a request is sent before its cell is given up.
func (s *DatasetGenerationSpec) EffectiveMaxRequestAttempts() int {
	if s.Run == nil {
		return int(defaultMaxRequestAttempts)
	}
	return int(valueOr(s.Run.MaxRequestAttempts, defaultMaxRequestAttempts))
}

// EffectiveBackoffLimit is how often a failed shard is started again.
func (s *DatasetGenerationSpec) EffectiveBackoffLimit() int32 {
	if s.Limits == nil {
		return defaultBackoffLimit
	}
	return valueOr(s.Limits.BackoffLimit, defaultBackoffLimit)
}

// EffectiveStartupTimeoutSeconds is after how long Pods that cannot start are reported.
func (s *DatasetGenerationSpec) EffectiveStartupTimeoutSeconds() int32 {
	if s.Limits == nil {
		return defaultStartupTimeoutSeconds
	}
	return valueOr(s.Limits.StartupTimeoutSeconds, defaultStartupTimeoutSeconds)
}

// MinRecords is the least number of records of a complete run: never less than 1 and never more than numRecords.
func (s *DatasetGenerationSpec) MinRecords() int64 {
	policy := intstr.FromString(defaultMinRecords)
	if s.CompletionPolicy != nil && s.CompletionPolicy.MinRecords != nil {
		policy = *s.CompletionPolicy.MinRecords
	}
	var minimum int64
	if policy.Type == intstr.Int {
		minimum = int64(policy.IntVal)
	} else {
		// Admission lets only "0%" to "100%" through; rounding up keeps "90%" of 5 from meaning 4.
		percent, err := intstr.GetScaledValueFromIntOrPercent(&policy, 100, true)
		if err != nil {
			percent = 100
		}
		minimum = (s.NumRecords*int64(percent) + 99) / 100
	}
	return min(max(minimum, 1), s.NumRecords)
}

// EffectiveMaxParallelRequests is the largest number of requests in flight from one Pod.
func (m *Model) EffectiveMaxParallelRequests() int {
	return int(valueOr(m.MaxParallelRequests, defaultMaxParallelRequests))
}

// EffectiveTimeoutSeconds is how long a whole request may take.
func (m *Model) EffectiveTimeoutSeconds() int32 {
	return valueOr(m.TimeoutSeconds, defaultTimeoutSeconds)
}

// StartupRamp is the time over which the number of requests in flight grows when a run begins.
func (a *Admission) StartupRamp() time.Duration {
	return time.Duration(valueOr(a.StartupRampSeconds, 0)) * time.Second
}

// EffectiveQuantile is the share of a column's requests than which one is slower when another is sent.
func (h *Hedge) EffectiveQuantile() float64 {
	if h.Quantile == nil {
		return defaultHedgeQuantile
	}
	return h.Quantile.Float64()
}

// EffectiveMaxExtra is the share of additional requests.
func (h *Hedge) EffectiveMaxExtra() float64 {
	percent, err := strconv.ParseFloat(strings.TrimSuffix(h.MaxExtra, "%"), 64)
	if h.MaxExtra == "" || err != nil {
		return defaultHedgeMaxExtra
	}
	return percent / 100
}

// EffectiveLoc is what is added to the draws of a distribution.
func (d *DistributionSampler) EffectiveLoc() float64 {
	if d.Loc == nil {
		return 0
	}
	return d.Loc.Float64()
}

// EffectiveScale is what the draws of a distribution are multiplied by.
func (d *DistributionSampler) EffectiveScale() float64 {
	if d.Scale == nil {
		return 1
	}
	return d.Scale.Float64()
}

// EffectiveStart is the value of the first row.
func (s *SequenceSampler) EffectiveStart() int64 { return valueOr(s.Start, 0) }

// EffectiveStep is what each row has more than the one before it.
func (s *SequenceSampler) EffectiveStep() int64 { return valueOr(s.Step, 1) }

// EffectiveGaps is how many steps are left out for each row on average.
func (s *SequenceSampler) EffectiveGaps() int64 { return valueOr(s.Gaps, 0) }

// TakesValues says whether the values are those of a column, and were not read yet.
func (c *CategorySampler) TakesValues() bool {
	return c != nil && c.ValuesOf != "" && len(c.Values) == 0
}

// IsBalanced says whether each value is in as many rows as its weight says.
func (c *CategorySampler) IsBalanced() bool { return c != nil && c.Balance == BalanceExact }

// MaxRequestsPerMinute is a budget; 0 is none.
func (a *Admission) MaxRequestsPerMinute() int64 { return valueOr(a.RequestsPerMinute, 0) }

// MaxTokensPerMinute is a budget; 0 is none.
func (a *Admission) MaxTokensPerMinute() int64 { return valueOr(a.TokensPerMinute, 0) }

// Prompt returns what a column of a model has in common with others; nil for a column in which no model writes.
func (c *Column) Prompt() *LLMPrompt {
	switch {
	case c.LLMText != nil:
		return &c.LLMText.LLMPrompt
	case c.LLMCode != nil:
		return &c.LLMCode.LLMPrompt
	case c.LLMStructured != nil:
		return &c.LLMStructured.LLMPrompt
	case c.LLMJudge != nil:
		return &c.LLMJudge.LLMPrompt
	}
	return nil
}

// ModelAlias returns a pointer to the alias of the column's model; nil for a column without a model.
func (c *Column) ModelAlias() *string {
	switch prompt := c.Prompt(); {
	case prompt != nil:
		return &prompt.Model
	case c.Embedding != nil:
		return &c.Embedding.Model
	case c.Image != nil:
		return &c.Image.Model
	}
	return nil
}

// EffectiveWeight is the column's share of a model's requests, in relation to other columns.
func (c *Column) EffectiveWeight() int { return int(valueOr(c.Weight, defaultColumnWeight)) }

// IsDropped says whether the column is left out of the dataset.
func (c *Column) IsDropped() bool { return valueOr(c.Drop, false) }

// PropagatesSkip says whether a cell is skipped when one that it reads was.
func (c *Column) PropagatesSkip() bool { return valueOr(c.PropagateSkip, true) }

// ExtractsReasoning says whether the reasoning of the model has a column of its own.
func (p *LLMPrompt) ExtractsReasoning() bool { return valueOr(p.ExtractReasoning, false) }

// EffectiveEarlyShutdown is when the run ends early.
func (s *DatasetGenerationSpec) EffectiveEarlyShutdown() EarlyShutdownRule {
	rule := EarlyShutdownRule{Enabled: true, ErrorRate: defaultErrorRate, ErrorWindow: int(defaultErrorWindow)}
	if s.Run == nil || s.Run.EarlyShutdown == nil {
		return rule
	}
	shutdown := s.Run.EarlyShutdown
	rule.Enabled = shutdown.Policy != EarlyShutdownDisabled
	if shutdown.ErrorRate != nil {
		rule.ErrorRate = shutdown.ErrorRate.Float64()
	}
	rule.ErrorWindow = int(valueOr(shutdown.ErrorWindow, defaultErrorWindow))
	return rule
}

// EffectiveConversationRestarts is how often a conversation is begun anew.
func (s *DatasetGenerationSpec) EffectiveConversationRestarts() int {
	if s.Run == nil {
		return int(defaultConversationRestarts)
	}
	return int(valueOr(s.Run.MaxConversationRestarts, defaultConversationRestarts))
}

// EffectiveConversationCorrectionSteps is how often a model is told what is wrong with its answer.
func (s *DatasetGenerationSpec) EffectiveConversationCorrectionSteps() int {
	if s.Run == nil {
		return 0
	}
	return int(valueOr(s.Run.MaxConversationCorrectionSteps, 0))
}

// EffectiveStallDeadline is after how long without progress a run ends; 0 is never.
func (s *DatasetGenerationSpec) EffectiveStallDeadline() time.Duration {
	if s.Run == nil {
		return 0
	}
	return time.Duration(valueOr(s.Run.StallDeadlineSeconds, 0)) * time.Second
}

// IsTraced says whether the tasks of a run are traced.
func (s *DatasetGenerationSpec) IsTraced() bool { return s.Run != nil && s.Run.Trace == TraceEnabled }

// PreservesDroppedColumns says whether columns that are dropped are kept in files of their own.
func (s *DatasetGenerationSpec) PreservesDroppedColumns() bool {
	return s.Run == nil || valueOr(s.Run.PreserveDroppedColumns, true)
}

// HasRowColumn says whether the dataset has a column with the numbers of its rows.
func (s *DatasetGenerationSpec) HasRowColumn() bool {
	return s.Run != nil && s.Run.RowColumn == RowColumnEnabled
}

// ProcessesAfterGeneration says whether processors work on the whole dataset, once it is generated.
func (s *DatasetGenerationSpec) ProcessesAfterGeneration() bool {
	return slices.ContainsFunc(s.Processors, func(processor Processor) bool {
		return processor.Starlark != nil && processor.Starlark.Stage == ProcessorAfterGeneration
	})
}

// EffectiveMaxTurns is how often a model may call tools before it must answer.
func (t *ToolSet) EffectiveMaxTurns() int { return int(valueOr(t.MaxTurns, defaultToolTurns)) }

// EffectiveTimeout is how long all calls of one turn may take together.
func (t *ToolSet) EffectiveTimeout() time.Duration {
	return time.Duration(valueOr(t.TimeoutSeconds, defaultToolTimeoutSeconds)) * time.Second
}

// EffectiveOffset is how many rows at the beginning are passed over.
func (s *SeedSelection) EffectiveOffset() int64 { return valueOr(s.Offset, 0) }

// Number is the number of the part, from 0.
func (p *SeedPartition) Number() int64 { return int64(valueOr(p.Index, 0)) }
