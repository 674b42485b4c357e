package watch

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"seedloom.dev/seedloom/engine/progress"
)

// AtWork is the work on many rows that is under way, the oldest first. The list is not changed any more: later ones take its place.
func (w *Watch) AtWork() []progress.Batch { return w.atWork }

// BeginBatch notes work on many rows at once, and returns the number by which it ends.
func (w *Watch) BeginBatch(name string, rows int, now time.Time) int64 {
	w.last++
	w.batches[w.last] = progress.Batch{Name: name, Rows: rows, Since: now}
	w.list()
	return w.last
}

// Ended notes the end of a request, or of work on many rows.
func (w *Watch) Ended(number int64) {
	delete(w.pending, number)
	if _, isBatch := w.batches[number]; isBatch {
		delete(w.batches, number)
		w.list()
	}
}

// list lists the work on many rows, the oldest first. The progress may have the list that was there before.
func (w *Watch) list() {
	w.atWork = nil
	for _, number := range slices.Sorted(maps.Keys(w.batches)) {
		w.atWork = append(w.atWork, w.batches[number])
	}
}

// linesOf are batches as lines of text, those that have been at work for so long at least.
func linesOf(batches []progress.Batch, now time.Time, least time.Duration) []string {
	var lines []string
	for _, batch := range batches[:min(len(batches), maxHeartbeatEntries)] {
		if age := now.Sub(batch.Since); age >= least {
			lines = append(lines, fmt.Sprintf("%s, %d rows, for %s", batch.Name, batch.Rows, age.Round(time.Second)))
		}
	}
	return lines
}
