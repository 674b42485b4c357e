package seed

import (
	"context"
	"sync"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/document"
	"seedloom.dev/seedloom/engine/document/process"
)

// outcome is a document that was read, or what kept it from that.
type outcome struct {
	from *sourceDocument
	read *document.Document
	err  error
}

// inOrder reads documents, some of them at once, and hands them over in their order until no more are wanted. It returns when all that it
// has begun has ended.
func inOrder(
	ctx context.Context, pool *process.Pool, documents []sourceDocument, hidden v1alpha1.HiddenText,
	take func(*sourceDocument, *document.Document, error) (bool, error),
) error {
	ctx, cancel := context.WithCancel(ctx)
	var readers sync.WaitGroup
	defer readers.Wait()
	defer cancel()
	// What is read ahead waits in memory.
	ahead := make(chan chan outcome, process.Places())
	readers.Go(func() {
		defer close(ahead)
		for i := range documents {
			one := make(chan outcome, 1)
			select {
			case ahead <- one:
			case <-ctx.Done():
				return
			}
			readers.Go(func() { one <- read(ctx, pool, &documents[i], hidden) })
		}
	})
	for one := range ahead {
		result := <-one
		if err := ctx.Err(); err != nil {
			return err
		}
		if more, err := take(result.from, result.read, result.err); err != nil || !more {
			return err
		}
	}
	return ctx.Err()
}

func read(ctx context.Context, pool *process.Pool, from *sourceDocument, hidden v1alpha1.HiddenText) outcome {
	data, err := from.read()
	if err != nil {
		return outcome{from: from, err: err}
	}
	found, err := pool.Read(ctx, from.format, data, hidden)
	return outcome{from, found, err}
}
