package seed

import (
	"iter"
	"sync"

	"seedloom.dev/seedloom/engine/table"
)

// Rows are read ahead in batches, the first of which are small, since a few rows may be all that is wanted.
const (
	firstBatch = 64
	maxBatch   = 1024
	// batchBytes is how much memory the values of a batch take at most, but for those of its last row.
	batchBytes = 1 << 20
	// boxBytes is about what a value takes beside its text or binary data.
	boxBytes = 24
	// batchesAhead is how many batches wait.
	batchesAhead = 2
)

// rowBatch are rows that follow each other, and what has ended them.
type rowBatch struct {
	rows [][]any
	err  error
}

// rowsAhead returns the same rows, the next of which are read while one is used.
func rowsAhead(rows iter.Seq2[[]any, error]) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		batches, quit := make(chan rowBatch, batchesAhead), make(chan struct{})
		var reading sync.WaitGroup
		defer reading.Wait()
		defer close(quit)
		reading.Go(func() {
			defer close(batches)
			readBatches(rows, func(batch rowBatch) bool {
				select {
				case batches <- batch:
					return true
				case <-quit:
					return false
				}
			})
		})
		for batch := range batches {
			for _, cells := range batch.rows {
				if !yield(cells, nil) {
					return
				}
			}
			if batch.err != nil {
				yield(nil, batch.err)
				return
			}
		}
	}
}

// readBatches hands out rows in batches, until no more are wanted.
func readBatches(rows iter.Seq2[[]any, error], hand func(rowBatch) bool) {
	var batch rowBatch
	most, size := firstBatch, int64(0)
	for cells, err := range rows {
		if err != nil {
			batch.err = err
			break
		}
		batch.rows = append(batch.rows, cells)
		size += memoryOf(cells)
		if len(batch.rows) < most && size < batchBytes {
			continue
		}
		if !hand(batch) {
			return
		}
		most, size = min(2*most, maxBatch), 0
		batch.rows = make([][]any, 0, most)
	}
	hand(batch)
}

// memoryOf is about how much memory a value takes, with what lies below it.
func memoryOf(value any) int64 {
	items, isList := value.([]any)
	if !isList {
		return boxBytes + table.Bytes(value)
	}
	size := int64(boxBytes)
	for _, item := range items {
		size += memoryOf(item)
	}
	return size
}
