package seed

import (
	"testing"
	"testing/synctest"
)

// TestFewLargeRowsAreReadAhead has rows of many numbers, of which some tens are a batch: what has no text takes memory too.
func TestFewLargeRowsAreReadAhead(t *testing.T) {
	embedding := make([]any, 4096)
	for i := range embedding {
		embedding[i] = float64(i)
	}
	synctest.Test(t, func(t *testing.T) {
		read := 0
		rows := func(yield func([]any, error) bool) {
			for range 10_000 {
				read++
				if !yield([]any{embedding}, nil) {
					return
				}
			}
		}
		for _, err := range rowsAhead(rows) {
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			break
		}
		if read > 100 {
			t.Errorf("%d rows of 4096 numbers were read before the second one was wanted", read)
		}
	})
}
