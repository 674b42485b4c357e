package model

import (
	"log/slog"
	"sync"

	"seedloom.dev/seedloom/internal/runreport"
)

const (
	// mostTokens is how many tokens of a request are believed, of each kind: ten times as many as any model takes. Who says more is wrong,
	// and what it says must not use up a budget, or turn it off.
	mostTokens = 100_000_000
	// bytesOfToken is about how long a token is.
	bytesOfToken = 4
)

// warnings tell once of each thing that is wrong with a model's answers, and not with any single one.
type warnings struct {
	mutex  sync.Mutex
	logger *slog.Logger
	warned map[string]bool
}

// once logs a warning, unless it has done so before. Without a logger there is none.
func (w *warnings) once(text string, attributes ...any) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.logger == nil || w.warned[text] {
		return
	}
	if w.warned == nil {
		w.warned = map[string]bool{}
	}
	w.warned[text] = true
	w.logger.Warn(text, attributes...)
}

// believe puts an estimate in the place of numbers of tokens that can't be true: by the sizes of the request and of the answer.
func (c *Client) believe(usage *runreport.Usage, received *received) {
	c.believeSized(usage, len(received.sent.body), len(received.data))
}

func (c *Client) believeSized(usage *runreport.Usage, requestBytes, answerBytes int) {
	reported := max(usage.InputTokens, usage.OutputTokens, usage.CachedInputTokens, usage.ReasoningTokens)
	if reported <= mostTokens {
		return
	}
	c.warnings.once("a provider reports more tokens than a request can have; they are estimated from the lengths of such requests and answers",
		"model", c.alias, "provider", c.provider, "reported", reported)
	if usage.InputTokens > mostTokens {
		usage.InputTokens = int64(requestBytes) / bytesOfToken
	}
	if usage.OutputTokens > mostTokens {
		usage.OutputTokens = int64(answerBytes) / bytesOfToken
	}
	usage.CachedInputTokens = min(usage.CachedInputTokens, usage.InputTokens)
	usage.ReasoningTokens = min(usage.ReasoningTokens, usage.OutputTokens)
}
