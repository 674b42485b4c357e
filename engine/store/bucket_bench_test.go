package store_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/store/s3"
	"seedloom.dev/seedloom/engine/store/s3/s3test"
	"seedloom.dev/seedloom/engine/table"
)

// BenchmarkCommitInABucket commits row groups of 1000 rows to a store that answers after 10 ms, as many at once as its pace says. It
// reports the requests of a commit, and how many rows a second that is.
func BenchmarkCommitInABucket(b *testing.B) {
	const rows, delay = 1000, 10 * time.Millisecond
	directory := b.TempDir()
	for name, content := range map[string]string{s3.AccessKeyFile: s3test.AccessKey, s3.SecretKeyFile: s3test.SecretKey} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(content), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	way := &s3test.Way{Handler: s3test.New(), Meets: func(int, *http.Request) s3test.Fate { return s3test.Fate{Delay: delay} }}
	location := &s3.Location{Bucket: s3test.Bucket, Endpoint: "http://store.test", CredentialsDirectory: directory, Transport: way}
	s, err := store.OpenBucket(b.Context(), location, "ns/ds/0123", layout)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if _, err := s.TakeFence("ds-1", 1, 0); err != nil {
		b.Fatal(err)
	}
	for _, writers := range []int{1, s.Pace().Writers} {
		b.Run(fmt.Sprintf("%d at once", writers), func(b *testing.B) {
			indexes := make(chan int64)
			var all sync.WaitGroup
			for range writers {
				all.Go(func() {
					for index := range indexes {
						content := append([]*table.Record(nil), records(0, rows)...)
						if err := s.Commit(manifest(index, 0, rows), store.Content{Records: content}); err != nil {
							b.Error(err)
						}
					}
				})
			}
			before := way.Number()
			for index := int64(0); b.Loop(); index++ {
				indexes <- index
			}
			close(indexes)
			all.Wait()
			b.ReportMetric(float64(way.Number()-before)/float64(b.N), "requests/op")
			b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
