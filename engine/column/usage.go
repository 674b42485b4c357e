package column

// Usage counts what a cell cost. It is valid beside an error too.
type Usage struct {
	Succeeded, Failed         int64 // requests
	InputTokens, OutputTokens int64
	// CachedInputTokens are those of InputTokens that the provider had in its cache, ReasoningTokens those of OutputTokens that the model has
	// used for thinking.
	CachedInputTokens, ReasoningTokens int64
	// ToolCalls counts the calls of tools, Images the images that were made.
	ToolCalls, Images int64
}

// Add adds what another request cost.
func (u *Usage) Add(other Usage) {
	u.Succeeded += other.Succeeded
	u.Failed += other.Failed
	u.InputTokens += other.InputTokens
	u.OutputTokens += other.OutputTokens
	u.CachedInputTokens += other.CachedInputTokens
	u.ReasoningTokens += other.ReasoningTokens
	u.ToolCalls += other.ToolCalls
	u.Images += other.Images
}
