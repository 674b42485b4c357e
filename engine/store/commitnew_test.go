package store_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/store/memory"
	"seedloom.dev/seedloom/engine/store/objects"
	"seedloom.dev/seedloom/engine/store/s3"
	"seedloom.dev/seedloom/engine/store/s3/s3test"
)

// asked notes what is asked of a store.
type asked struct {
	mutex    sync.Mutex
	requests []string
}

func (a *asked) meets(_ int, request *http.Request) s3test.Fate {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	text := request.Method + " " + strings.TrimPrefix(request.URL.Path, "/"+s3test.Bucket+"/ns/ds/0123/")
	for _, header := range []string{"If-None-Match", "If-Match", "X-Amz-Copy-Source"} {
		if request.Header.Get(header) != "" {
			text += " " + header
		}
	}
	a.requests = append(a.requests, text)
	return s3test.Fate{}
}

// since returns the requests from a number on, without those of the fence, and how many those are.
func (a *asked) since(number int) (requests []string, ofTheFence int) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	requests = slices.DeleteFunc(slices.Clone(a.requests[number:]), func(text string) bool { return strings.Contains(text, "fences/") })
	return requests, len(a.requests) - number - len(requests)
}

func (a *asked) number() int {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return len(a.requests)
}

// TestWhatACommitInABucketAsksFor holds commits to their requests: a row group that is new is written once, and its fence looked at once;
// one that takes the place of another is written beside it, and copied.
func TestWhatACommitInABucketAsksFor(t *testing.T) {
	log := &asked{}
	s := inBucket(t, bucketAt(t, &s3test.Way{Handler: s3test.New(), Meets: log.meets}))
	take(t, s, 1, 0)
	before := log.number()
	commit(t, s, 0, 0, 5)
	requests, ofTheFence := log.since(before)
	want := []string{
		"PUT .seedloom/row-groups/00000.json If-None-Match", "PUT dropped-columns-parquet-files/batch_00000.parquet If-None-Match",
		"PUT parquet-files/batch_00000.parquet If-None-Match",
	}
	if !slices.Equal(requests, want) || ofTheFence != 2 {
		t.Errorf("a new row group asks for %q, and %d times for the fence", requests, ofTheFence)
	}
	if found, note, err := s.Group(0); found == nil || note != "" || err != nil {
		t.Fatalf("it is %v, %q, %v", found, note, err)
	}
	before = log.number()
	commit(t, s, 0, 0, 10)
	if requests, ofTheFence = log.since(before); len(requests) != 10 || ofTheFence != 4 {
		t.Errorf("one that is there asks for %q, and %d times for the fence", requests, ofTheFence)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// slow answers each read with what was there a second before.
type slow struct {
	objects.Volume
	reads atomic.Int32
}

func (s *slow) Get(name string) ([]byte, error) {
	s.reads.Add(1)
	data, err := s.Volume.Get(name)
	time.Sleep(time.Second)
	return data, err
}

// TestThoseThatWaitShareALookAtTheFence has many look at once: each meets one that is under way, and shares the next.
func TestThoseThatWaitShareALookAtTheFence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		volume := &slow{Volume: memory.NewBucket().Open()}
		fence := take(t, store.On(volume, "ns/ds/0123", layout), 1, 0)
		volume.reads.Store(0)
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				if err := fence.Check(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if reads := volume.reads.Load(); reads > 4 {
			t.Errorf("%d objects were read for two looks", reads)
		}
	})
}

// TestALookAtTheFenceThatHasBegunIsNotSharedByLaterOnes has another process take over while somebody looks: who asks after that is told.
func TestALookAtTheFenceThatHasBegunIsNotSharedByLaterOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := memory.NewBucket()
		first, second := store.On(&slow{Volume: disk.Open()}, "ns/ds/0123", layout), store.On(disk.Open(), "ns/ds/0123", layout)
		fence := take(t, first, 1, 0)
		errs := make([]error, 3)
		var all sync.WaitGroup
		all.Go(func() { errs[0] = fence.Check() })
		time.Sleep(100 * time.Millisecond)
		take(t, second, 2, 1)
		for i := range errs[1:] {
			all.Go(func() { errs[1+i] = fence.Check() })
		}
		all.Wait()
		if errs[0] != nil {
			t.Errorf("who asked before: %v", errs[0])
		}
		for _, err := range errs[1:] {
			if failed := failure.Of(err); failed == nil || failed.Reason != v1alpha1.ReasonSuperseded {
				t.Errorf("who asked after: %v", err)
			}
		}
	})
}

// TestARowGroupWithoutItsFileDoesNotCount kills a process between the manifest of a new row group and its file. The run ends without it,
// then goes on.
func TestARowGroupWithoutItsFileDoesNotCount(t *testing.T) {
	server := s3test.New()
	location := bucketAt(t, &s3test.Way{Handler: server})
	commit(t, inBucket(t, location), 0, 0, 10)
	killed := *location
	killed.Patience, killed.Transport = 1, &s3test.Way{Handler: server, Meets: func(_ int, request *http.Request) s3test.Fate {
		if strings.Contains(request.URL.Path, "parquet-files/") {
			return s3test.Fate{Before: s3test.ErrKilled}
		}
		return s3test.Fate{}
	}}
	if err := inBucket(t, &killed).Commit(manifest(1, 10, 20), store.Content{Records: records(10, 20)}); err == nil {
		t.Fatal("the kill was not noticed")
	}
	if _, there := server.Object("ns/ds/0123/.seedloom/row-groups/00001.json"); !there {
		t.Fatal("its manifest was not written")
	}
	s := inBucket(t, location)
	input := finalizeInput(complete)
	input.Target, input.RowGroups = 20, 2
	if summary, err := s.Finalize(t.Context(), input); err != nil || summary.Records.Actual != 10 || summary.Records.Missing != 10 {
		t.Errorf("it ends with %+v, %v", summary, err)
	}
	if part, err := s.Summarize(20, 2, 10, func(int64) bool { return true }); err != nil || part.Output.CompletedRowGroups != 1 {
		t.Errorf("a shard counts %+v, %v", part, err)
	}
	if dataset, err := s.ReadDataset(); err != nil || len(dataset.Rows) != 10 {
		t.Errorf("a reader meets %+v, %v", dataset, err)
	}
	rows, err := store.OpenRowsInBucket(t.Context(), location, "ns/ds/0123", "")
	if err != nil || len(rows.Files) != 1 {
		t.Fatalf("as a seed it has %+v, %v", rows, err)
	}
	if found, note, err := s.Group(1); found != nil || note != "" || err != nil {
		t.Errorf("the row group is %+v, %q, %v", found, note, err)
	}
	commit(t, s, 1, 10, 20)
	if summary, err := s.Finalize(t.Context(), input); errors.Join(err, rows.Close(), s.Close()) != nil || summary.Records.Actual != 20 {
		t.Errorf("it ends with %+v, %v", summary, err)
	}
}

// TestACommitThatWasCutOffLeavesNothing kills a process before the last file of a row group: the end of the run removes the others.
func TestACommitThatWasCutOffLeavesNothing(t *testing.T) {
	server := s3test.New()
	location := bucketAt(t, &s3test.Way{Handler: server})
	commit(t, inBucket(t, location), 0, 0, 10)
	killed := *location
	killed.Patience, killed.Transport = 1, &s3test.Way{Handler: server, Meets: func(_ int, request *http.Request) s3test.Fate {
		if strings.Contains(request.URL.Path, "/0123/parquet-files/") {
			return s3test.Fate{Before: s3test.ErrKilled}
		}
		return s3test.Fate{}
	}}
	if err := inBucket(t, &killed).Commit(manifest(1, 10, 20), store.Content{Records: records(10, 20)}); err == nil {
		t.Fatal("the kill was not noticed")
	}
	if _, there := server.Object("ns/ds/0123/dropped-columns-parquet-files/batch_00001.parquet"); !there {
		t.Fatal("its first file was not written")
	}
	s := inBucket(t, location)
	input := finalizeInput(complete)
	input.Target, input.RowGroups = 20, 2
	if summary, err := s.Finalize(t.Context(), input); errors.Join(err, s.Close()) != nil || summary.Records.Actual != 10 {
		t.Errorf("it ends with %+v, %v", summary, err)
	}
	for _, key := range server.Keys() {
		if strings.Contains(key, "00001.") {
			t.Errorf("there is %s", key)
		}
	}
}

// TestAFileThatIsGoneFromAFinishedDatasetIsMissed has people delete files of a dataset: without those of dropped columns it has all rows,
// and without one that has rows nobody takes the others for all.
func TestAFileThatIsGoneFromAFinishedDatasetIsMissed(t *testing.T) {
	location := bucketAt(t, &s3test.Way{Handler: s3test.New()})
	s := inBucket(t, location)
	commit(t, s, 0, 0, 10)
	commit(t, s, 1, 10, 20)
	input := finalizeInput(complete)
	input.Target, input.RowGroups = 20, 2
	if summary, err := s.Finalize(t.Context(), input); err != nil || summary.Records.Actual != 20 {
		t.Fatalf("it ends with %+v, %v", summary, err)
	}
	remove := func(folder string) {
		if err := s3.RemoveTree(t.Context(), location, "ns/ds/0123/"+folder); err != nil {
			t.Fatal(err)
		}
	}
	remove("dropped-columns-parquet-files")
	if rows, err := store.OpenRowsInBucket(t.Context(), location, "ns/ds/0123", ""); err != nil || len(rows.Files) != 2 {
		t.Errorf("without the dropped columns it has %+v, %v", rows, err)
	} else if err := rows.Close(); err != nil {
		t.Error(err)
	}
	remove("parquet-files")
	if dataset, err := s.ReadDataset(); err == nil {
		t.Errorf("without its rows it is %+v", dataset)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
