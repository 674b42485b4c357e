package main

import (
	"context"
	"fmt"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/seed"
)

// countSeed says how many rows the seed of a manifest has, where that is no number that a file tells: of documents, of files and of
// recorded sessions, as far as they are at hand. What of them can't be used is a problem of the manifest.
func (c *chainColumns) countSeed(ctx context.Context, one *manifest) error {
	from := one.resource.Spec.Seed
	unit := seedUnit(from)
	if unit == "" || len(filesOf(from)) == 0 {
		return nil
	}
	folder, remove, err := c.options.seed(one, c.all)
	if err != nil && c.options.seedFile == "" && c.options.seedDirectory == "" {
		return nil // it was not asked for
	}
	if err != nil {
		return err
	}
	defer remove()
	leftOut := 0
	data, err := seed.Load(ctx, from, seed.Options{Directory: folder, Document: func(result seed.DocumentResult) {
		if result.Problem != "" {
			leftOut++
		}
	}})
	if err != nil {
		one.report(severityError, "spec.seed", err.Error())
		return nil
	}
	defer func() { _ = data.Close() }() // was only read
	if _, err := seed.NewSamples(&one.resource.Spec, data.Len()); err != nil {
		one.report(severityError, "spec.seed", err.Error())
		return nil
	}
	one.counted = "; its seed has " + counted(data.Len(), unit)
	if leftOut > 0 {
		one.counted += fmt.Sprintf(", and %s left out", counted(leftOut, "file"))
	}
	return nil
}

// seedUnit is what a row of a seed is that is no row of a table; empty where it is one.
func seedUnit(from *v1alpha1.Seed) string {
	switch {
	case from == nil:
		return ""
	case from.Documents != nil && from.Documents.Chunk == nil:
		return "document"
	case from.Documents != nil:
		return "chunk"
	case from.Files != nil:
		return "file"
	case from.AgentRollouts != nil:
		return "recorded session"
	}
	return ""
}
