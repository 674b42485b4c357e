//go:build !linux

package pdf

import "context"

// withMemory leaves the memory of a module to the one who runs it.
func withMemory(ctx context.Context) context.Context { return ctx }
