package column

import (
	"context"

	"seedloom.dev/seedloom/internal/runreport"
)

type unusableKey struct{}

// WithUnusable returns a context in which each answer that was paid for and can't be used is counted at once, by its column and the reason,
// and not only when its cell has come to an end. count may be called from many goroutines.
func WithUnusable(ctx context.Context, count func(column, reason string)) context.Context {
	return context.WithValue(ctx, unusableKey{}, count)
}

// Unusable counts an answer that was paid for and can't be used in the usage of its cell, and at once where somebody counts.
func Unusable(ctx context.Context, name, reason string, usage *runreport.Usage) {
	usage.Unusable.Count(reason)
	if count, counts := ctx.Value(unusableKey{}).(func(column, reason string)); counts {
		count(name, reason)
	}
}
