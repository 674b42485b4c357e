package progress_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/internal/runreport"
)

var review = []progress.ColumnOf{{Name: "review", Model: "writer"}}

func counts(done, dropped int64) progress.Counts {
	return progress.Counts{
		Records: runreport.Records{Actual: done, Dropped: dropped},
		Columns: []runreport.Column{{Name: "review", Succeeded: done, Failed: dropped}, {Name: "unknown", Succeeded: 99}},
		Models:  []runreport.Model{{Alias: "writer", Usage: runreport.Usage{Succeeded: done, OutputTokens: 2 * done}}},
		Dropped: []runreport.Drop{{Reason: "RequestRejected", Column: "review", Count: dropped}},
	}
}

func TestTheRateIsThatOfTheLastTime(t *testing.T) {
	now := time.Unix(1000, 0)
	tracker := progress.NewTracker(review, []string{"writer"}, func() time.Time { return now })
	tracker.Begin()
	if rate := tracker.Snapshot().RecordsPerSecond; rate != 0 {
		t.Errorf("the rate is %g before anything has happened", rate)
	}
	// A minute at 10 records a second, then half a minute at 2.
	for second := range 90 {
		tracker.Sample()
		now = now.Add(time.Second)
		if second < 60 {
			tracker.Add(counts(10, 0))
		} else {
			tracker.Add(counts(1, 1))
		}
	}
	if rate := tracker.Snapshot().RecordsPerSecond; rate < 1.9 || rate > 2.5 {
		t.Errorf("the rate is %g, want about 2", rate)
	}
}

func TestWhatIsTakenBackIsGone(t *testing.T) {
	tracker := progress.NewTracker(review, nil, time.Now)
	tracker.Add(counts(5, 3))
	tracker.Add(counts(0, -3))
	snapshot := tracker.Snapshot()
	if snapshot.Records != (runreport.Records{Actual: 5}) || len(snapshot.Dropped) != 0 || snapshot.Columns[0].Accounted() != (runreport.Column{Name: "review", Succeeded: 5}) {
		t.Errorf("got %+v", snapshot)
	}
}

func TestTheDocumentsAreServedWhileCounting(t *testing.T) {
	tracker := progress.NewTracker(review, []string{"writer"}, time.Now)
	server := httptest.NewServer(tracker.Handler(progress.Identity{RunID: "r", Attempt: 2, Shard: 3}))
	defer server.Close()
	var counting sync.WaitGroup
	counting.Go(func() {
		for range 500 {
			tracker.Add(counts(1, 0))
			tracker.SetWork(&progress.Work{InFlight: 7})
		}
	})
	get := func(path string) string {
		t.Helper()
		response, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		data, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v", path, response.Status, err)
		}
		return string(data)
	}
	last := int64(-1)
	for range 20 {
		read, err := runreport.ParseProgress([]byte(get(runreport.ProgressPath)))
		if err != nil {
			t.Fatal(err)
		}
		if read.Sequence < last || read.Records.Actual != read.Columns[0].Succeeded {
			t.Errorf("got %+v after sequence %d", read, last)
		}
		last = read.Sequence
	}
	counting.Wait()
	var read map[string]any
	if err := json.Unmarshal([]byte(get(runreport.ProgressPath)), &read); err != nil || read["runID"] != "r" || read["shard"] != 3.0 ||
		read["attempt"] != 2.0 {
		t.Errorf("got %v, %v", read, err)
	}
	metrics := get(runreport.MetricsPath)
	for _, line := range []string{
		`seedloom_records{fate="written",shard="3"} 500`, `seedloom_model_tokens_total{model="writer",shard="3",type="output"} 1000`, `seedloom_tasks_in_flight{shard="3"} 7`,
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("missing: %s", line)
		}
	}
}

func TestUnusableAnswersAreCountedAsTheyCome(t *testing.T) {
	tracker := progress.NewTracker([]progress.ColumnOf{{Name: "a", Model: "m"}}, []string{"m"}, time.Now)
	for range 3 {
		tracker.Unusable("a", "OutputTruncated")
	}
	tracker.Unusable("b", "ModelGenerationInvalid")
	snapshot := tracker.Snapshot()
	count, most := snapshot.UnusableAnswers()
	if want := (runreport.Drop{Reason: "OutputTruncated", Column: "a", Count: 3}); count != 4 || most != want {
		t.Errorf("%d answers, most of them %+v", count, most)
	}
	recorder := httptest.NewRecorder()
	tracker.Handler(progress.Identity{}).ServeHTTP(recorder, httptest.NewRequest("GET", runreport.ProgressPath, nil))
	read, err := runreport.ParseProgress(recorder.Body.Bytes())
	if err != nil || len(read.Unusable) != 2 || read.Unusable[0].Count != 3 {
		t.Errorf("the document has %+v, %v", read, err)
	}
}
