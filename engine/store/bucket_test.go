package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/store/s3"
	"seedloom.dev/seedloom/engine/store/s3/s3test"
	"seedloom.dev/seedloom/engine/table"
)

func init() {
	if err := os.Unsetenv("AWS_CA_BUNDLE"); err != nil { // to read it each time takes long
		panic(err)
	}
}

// bucketAt is a location in a bucket, whose requests go a way.
func bucketAt(t *testing.T, way http.RoundTripper) *s3.Location {
	t.Helper()
	directory := t.TempDir()
	for name, content := range map[string]string{s3.AccessKeyFile: s3test.AccessKey, s3.SecretKeyFile: s3test.SecretKey} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return &s3.Location{
		Bucket: s3test.Bucket, Endpoint: "http://store.test", CredentialsDirectory: directory, Transport: way,
		Patience: time.Second, Timeout: 10 * time.Second,
	}
}

// inBucket opens the dataset in a bucket.
func inBucket(t *testing.T, location *s3.Location) *store.Store {
	t.Helper()
	opened, err := store.OpenBucket(t.Context(), location, "ns/ds/0123", splitLayout(true))
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// checkBucketEnd checks a dataset that was finalized.
func checkBucketEnd(t *testing.T, server *s3test.Server, s *store.Store) {
	t.Helper()
	dataset, err := s.ReadDataset()
	if err != nil || len(dataset.Rows) != 20 || len(dataset.Forms) != 1 || len(dataset.Forms[0].Rows) != 20 || dataset.Metadata == nil {
		t.Fatalf("the dataset is %+v, %v", dataset, err)
	}
	if _, there := server.Object("ns/ds/0123/_SUCCESS"); !there {
		t.Fatal("it is not marked as whole")
	}
	for _, name := range server.Keys() {
		if strings.HasSuffix(name, ".next") || strings.Contains(name, "journal/") || strings.Contains(name, "fences/") {
			t.Errorf("%s is left over", name)
		}
	}
}

// TestAKillBetweenAnyTwoRequestsLeavesWholeRowGroups ends a process before and after each of its requests, as
// TestAnEndAtAnyOperationLeavesWholeRowGroups does on a file system.
func TestAKillBetweenAnyTwoRequestsLeavesWholeRowGroups(t *testing.T) {
	whole := s3test.New()
	way := &s3test.Way{Handler: whole}
	location := bucketAt(t, way)
	if err := newLife().live(inBucket(t, location)); err != nil {
		t.Fatal(err)
	}
	wantKeys, requests := whole.Keys(), way.Number()
	checkBucketEnd(t, whole, inBucket(t, location))
	t.Logf("%d requests", requests)
	// Each sixth of the ends, from another one on each time.
	for request := 1 + rand.IntN(6); request < 2*requests; request += 6 {
		server := s3test.New()
		killed := *location
		killed.Patience = 1 // a process that was killed tries nothing again
		killed.Transport = &s3test.Way{Handler: server, Meets: func(number int, _ *http.Request) s3test.Fate {
			switch {
			case number > request/2:
				return s3test.Fate{Before: s3test.ErrKilled}
			case number == request/2 && request%2 == 1:
				return s3test.Fate{After: s3test.ErrKilled}
			}
			return s3test.Fate{}
		}}
		first := newLife()
		if err := first.live(inBucket(t, &killed)); err == nil {
			t.Fatalf("request %d: the kill was not noticed", request)
		}
		alive := *location
		alive.Transport = &s3test.Way{Handler: server}
		s := inBucket(t, &alive)
		first.checkGroups(t, s)
		if err := newLife().live(s); err != nil {
			t.Fatalf("request %d, then again: %v", request, err)
		}
		checkBucketEnd(t, server, inBucket(t, &alive))
		if keys := server.Keys(); !slices.Equal(keys, wantKeys) {
			t.Errorf("request %d: in the end there are %q, want %q", request, keys, wantKeys)
		}
		if t.Failed() {
			t.Fatalf("request %d", request)
		}
	}
}

// ofProcess are records that say which process has made them.
func ofProcess(process string) []*table.Record {
	made := records(0, 5)
	for _, record := range made {
		record.Cells[0] = process
	}
	return made
}

// TestAProcessThatWasPausedAtAnyRequestHarmsNothing has a process lose its right at each of the requests of a commit, without knowing.
// Another one takes over and commits the same row group, up to any of its requests; then the first one goes on.
func TestAProcessThatWasPausedAtAnyRequestHarmsNothing(t *testing.T) {
	const enough = 40
	for paused := 1; paused < enough; paused++ {
		for taken := 1 + rand.IntN(4); taken < enough; taken += 4 {
			cameSoFar, over := pauseAndTakeOver(t, paused, taken)
			if t.Failed() {
				t.Fatalf("paused at request %d, then at request %d of the other", paused, taken)
			}
			if over {
				return
			}
			if !cameSoFar {
				break
			}
		}
	}
}

// pauseAndTakeOver pauses the first process at one of its requests, and the second one at one of its own while the first goes on. It says
// whether the second came so far, and whether the first was over before.
func pauseAndTakeOver(t *testing.T, pausedAt, takenAt int) (cameSoFar, over bool) {
	t.Helper()
	server := s3test.New()
	reached, goOn := make(chan struct{}), make(chan struct{})
	firstWay := &s3test.Way{Handler: server}
	first := inBucket(t, bucketAt(t, firstWay))
	take(t, first, 1, 0)
	begun := firstWay.Number()
	firstWay.Meets = func(number int, _ *http.Request) s3test.Fate {
		if number == begun+pausedAt {
			close(reached)
			<-goOn
		}
		return s3test.Fate{}
	}
	var firstErr error
	firstEnded := make(chan struct{})
	go func() {
		defer close(firstEnded)
		firstErr = first.Commit(manifest(0, 0, 5), store.Content{Records: ofProcess("first")})
	}()
	select {
	case <-reached:
	case <-firstEnded:
		return false, true
	}
	released := false
	release := func() {
		if !released {
			released = true
			close(goOn)
			<-firstEnded
		}
	}
	defer release()
	secondWay := &s3test.Way{Handler: server}
	second := inBucket(t, bucketAt(t, secondWay))
	take(t, second, 1, 0)
	if _, _, err := second.Group(0); err != nil {
		t.Fatal(err)
	}
	before := secondWay.Number()
	secondWay.Meets = func(number int, _ *http.Request) s3test.Fate {
		if number == before+takenAt {
			release()
		}
		return s3test.Fate{}
	}
	// Whoever commits tries it again when the store says that something is wrong.
	err := second.Commit(manifest(0, 0, 5), store.Content{Records: ofProcess("second")})
	if failed := failure.Of(err); err != nil && failed.Temporary && failed.Reason == v1alpha1.ReasonStorageFailed {
		err = second.Commit(manifest(0, 0, 5), store.Content{Records: ofProcess("second")})
	}
	if err != nil {
		t.Fatalf("the second: %v", err)
	}
	cameSoFar = released
	release()
	reasons := []string{v1alpha1.ReasonSuperseded, v1alpha1.ReasonStorageFailed}
	if firstErr != nil && !slices.Contains(reasons, failure.Of(firstErr).Reason) {
		t.Errorf("the first: %v", firstErr)
	}
	found, note, err := inBucket(t, bucketAt(t, &s3test.Way{Handler: server})).Group(0)
	if err != nil || found == nil || note != "" {
		t.Errorf("the row group is %+v, %q, %v", found, note, err)
		return cameSoFar, false
	}
	read, err := second.ReadRecords(found)
	if err != nil || len(read) != 5 || read[0].Cells[0] != "second" {
		t.Errorf("the rows are not those of the process that has the right: %v, %v", read, err)
	}
	return cameSoFar, false
}

// TestFencesHoldInABucket has each kind of process that takes over be noticed.
func TestFencesHoldInABucket(t *testing.T) {
	location := bucketAt(t, &s3test.Way{Handler: s3test.New()})
	first, second := inBucket(t, location), inBucket(t, location)
	take(t, first, 1, 0)
	commit(t, first, 0, 0, 10)
	take(t, second, 2, 1)
	err := first.Commit(manifest(1, 10, 20), store.Content{Records: records(10, 20)})
	if failed := failure.Of(err); failed == nil || failed.Reason != v1alpha1.ReasonSuperseded {
		t.Errorf("got %v", err)
	}
}

func TestAnUnfitBucketIsAFailureOfItsOwn(t *testing.T) {
	server := s3test.New()
	server.Unfit.Puts = true
	err := inBucket(t, bucketAt(t, &s3test.Way{Handler: server})).Probe()
	failed := failure.Of(err)
	if failed == nil || failed.Reason != v1alpha1.ReasonObjectStoreUnfit || failed.Temporary || !strings.Contains(failed.Error(), `"s3test"`) {
		t.Errorf("got %v", err)
	}
	if err := open(t, t.TempDir()).Probe(); err != nil {
		t.Errorf("a volume: %v", err)
	}
}

func TestAStoreThatRefusesIsSaidWithAdvice(t *testing.T) {
	server := s3test.New()
	server.Allowed = "theirs/"
	_, err := inBucket(t, bucketAt(t, &s3test.Way{Handler: server})).TakeFence("ds-1", 1, 0)
	failed := failure.Of(err)
	if failed == nil || failed.Reason != v1alpha1.ReasonStorageFailed || !errors.Is(err, os.ErrPermission) ||
		!strings.Contains(failed.Error(), "AccessDenied") || !strings.Contains(failed.Error(), "below the prefix") {
		t.Errorf("got %v", err)
	}
}

// TestDeletingABucketsDatasets deletes those of one resource, and of no other whose name begins alike.
func TestDeletingABucketsDatasets(t *testing.T) {
	server := s3test.New()
	for _, key := range []string{"ns/ds/0123/a", "ns/ds/latest", "ns/ds-2/0123/a", "ns/d", "other/ds/0123/a"} {
		server.Put(key, "")
	}
	location := bucketAt(t, &s3test.Way{Handler: server})
	for _, name := range []string{"", ".", "..", "a/b"} {
		if store.DeleteFromBucket(t.Context(), location, "ns", name) == nil || store.DeleteFromBucket(t.Context(), location, name, "ds") == nil {
			t.Errorf("%q was taken as a name", name)
		}
	}
	if err := store.DeleteFromBucket(t.Context(), location, "ns", "ds"); err != nil {
		t.Fatal(err)
	}
	if keys := fmt.Sprint(server.Keys()); keys != "[ns/d ns/ds-2/0123/a other/ds/0123/a]" {
		t.Errorf("there are %s", keys)
	}
}
