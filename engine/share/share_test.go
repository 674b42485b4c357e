package share_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/share"
	"seedloom.dev/seedloom/internal/runreport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	first  = "http://vllm:8000/v1"
	second = "https://api.example.com"
)

func spec(t *testing.T) *v1alpha1.DatasetGenerationSpec {
	t.Helper()
	var parsed v1alpha1.DatasetGenerationSpec
	if err := yaml.UnmarshalStrict([]byte(`
numRecords: 1
providers:
- {name: one, type: OpenAI, endpoint: "http://vllm:8000/v1", maxParallelRequests: 40}
- {name: same, type: OpenAI, endpoint: "HTTP://VLLM:8000/v1/", maxParallelRequests: 10}
- {name: other, type: Anthropic, endpoint: "https://api.example.com:443"}
columns: [{name: a, expression: {expr: "1"}}]
output: {persistentVolumeClaim: {claimName: c}}
`), &parsed); err != nil {
		t.Fatal(err)
	}
	return &parsed
}

var pod = runreport.PodIdentity{UID: "uid", RunID: "run", Attempt: 2, Shard: 1}

// tell tells shares as an operator does, and returns the answer.
func tell(t *testing.T, shares *share.Shares, message runreport.Shares) (*runreport.SharesReport, int) {
	t.Helper()
	data, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	shares.Handler(pod).ServeHTTP(answer, httptest.NewRequest(http.MethodPost, runreport.SharesPath, bytes.NewReader(data)))
	if answer.Code != http.StatusOK {
		return nil, answer.Code
	}
	report, err := runreport.ParseSharesReport(answer.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return report, answer.Code
}

func told(sequence int64, limit, alone int) runreport.Shares {
	return runreport.Shares{Version: runreport.Version, Pod: pod, Sequence: sequence, Shares: []runreport.Share{{Endpoint: first, Limit: limit, Alone: alone}}}
}

// expect says what may be sent to the two endpoints; -1 stands for any number.
func expect(t *testing.T, shares *share.Shares, when string, want ...int) {
	t.Helper()
	var got []int
	for i := range shares.Endpoints() {
		limit, limited := shares.Limit(i)
		if !limited {
			limit = -1
		}
		got = append(got, limit)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", when, got, want)
	}
}

func TestEqualEndpointsShareTheLeastLimit(t *testing.T) {
	shares := share.New(spec(t), 1, false, time.Now)
	if want := []string{first, second}; !slices.Equal(shares.Endpoints(), want) {
		t.Errorf("%q, want %q", shares.Endpoints(), want)
	}
	expect(t, shares, "without an operator", 10, -1)
	expect(t, share.New(spec(t), 4, false, time.Now), "one of four shards", 2, -1)
	expect(t, share.New(spec(t), 40, false, time.Now), "one of forty shards", 1, -1)
}

func TestSharesInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shares := share.New(spec(t), 4, true, time.Now)
		alone := func(when string, want, wantChanged bool) {
			t.Helper()
			if got, changed := shares.Alone(); got != want || changed != wantChanged {
				t.Errorf("%s: alone %t, which is new: %t; want %t, %t", when, got, changed, want, wantChanged)
			}
		}
		expect(t, shares, "before the operator has said anything", 0, -1)
		alone("while it waits", false, false)
		if report, _ := tell(t, shares, runreport.Shares{Version: runreport.Version, Pod: pod, Sequence: 1, Ask: true}); len(report.Endpoints) != 2 ||
			report.Endpoints[0] != (runreport.ShareState{Endpoint: first, Limited: true}) || report.Endpoints[1] != (runreport.ShareState{Endpoint: second}) {
			t.Errorf("asked, it answers %+v", report)
		}
		time.Sleep(runreport.SharePatience)
		expect(t, shares, "when it has not for long", 2, -1)
		alone("then", true, true)
		alone("asked again", true, false)
		tell(t, shares, told(7, 5, 3))
		<-shares.Changed()
		expect(t, shares, "told", 5, -1)
		alone("told", false, true)
		if report, _ := tell(t, shares, told(6, 9, 9)); report.Sequence != 7 {
			t.Errorf("told something old, it answers %+v", report)
		}
		expect(t, shares, "told something old", 5, -1)
		tell(t, shares, told(8, 0, 3))
		expect(t, shares, "told to wait", 0, -1)
		time.Sleep(runreport.ShareValidity)
		expect(t, shares, "told nothing for long", 3, -1)
		tell(t, shares, runreport.Shares{Version: runreport.Version, Pod: pod, Sequence: 9})
		expect(t, shares, "told that nothing is shared any more", -1, -1)
		time.Sleep(runreport.ShareValidity)
		expect(t, shares, "and nothing for long", -1, -1)
	})
}

func TestOnlyTheDriverKnowsWhatHolds(t *testing.T) {
	shares := share.New(spec(t), 1, true, time.Now)
	end := shares.Begin()
	shares.Note(0, 4, true, 3, 16)
	report, _ := tell(t, shares, told(1, 1, 1))
	if got, want := report.Endpoints[0], (runreport.ShareState{Endpoint: first, Limit: 4, Limited: true, Running: 3, Wanted: 16}); got != want {
		t.Errorf("before the driver has followed, it says %+v, want %+v", got, want)
	}
	end()
	report, _ = tell(t, shares, told(2, 1, 1))
	if got, want := report.Endpoints[0], (runreport.ShareState{Endpoint: first, Limit: 1, Limited: true}); got != want {
		t.Errorf("without a driver it says %+v, want %+v", got, want)
	}
}

func TestStrangersTellNothing(t *testing.T) {
	for name, change := range map[string]func(*runreport.Shares){
		"another Pod":     func(m *runreport.Shares) { m.Pod.UID = "other" },
		"another attempt": func(m *runreport.Shares) { m.Pod.Attempt = 3 },
		"another version": func(m *runreport.Shares) { m.Version = 9 },
		"nobody":          func(m *runreport.Shares) { m.Pod.UID = "" },
		"less than none":  func(m *runreport.Shares) { m.Shares[0].Limit = -1 },
		"too much":        func(m *runreport.Shares) { m.Shares[0].Endpoint = strings.Repeat("x", runreport.MaxSharesBytes) },
	} {
		t.Run(name, func(t *testing.T) {
			shares := share.New(spec(t), 1, true, time.Now)
			message := told(1, 5, 5)
			change(&message)
			if _, status := tell(t, shares, message); status < 400 {
				t.Errorf("status %d", status)
			}
			expect(t, shares, "afterwards", 0, -1)
		})
	}
}

func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var waited []string
		tells := func(endpoint string) { waited = append(waited, endpoint) }
		shares := share.New(spec(t), 1, true, time.Now)
		started := time.Now()
		go func() {
			time.Sleep(3500 * time.Millisecond)
			tell(t, shares, told(1, 1, 1))
		}()
		if err := shares.Await(t.Context(), tells); err != nil || time.Since(started) != 3500*time.Millisecond || !slices.Equal(waited, []string{first}) {
			t.Errorf("after %s: %v, waiting for %q", time.Since(started), err, waited)
		}
		if err := shares.Await(t.Context(), tells); err != nil || len(waited) != 1 {
			t.Errorf("it waits though it has a share: %v", err)
		}
		if err := share.New(spec(t), 1, true, time.Now).Await(t.Context(), tells); err != nil {
			t.Errorf("it waits for ever for an operator: %v", err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		stopped := errors.New("stopped")
		cancel(stopped)
		if err := share.New(spec(t), 1, true, time.Now).Await(ctx, tells); !errors.Is(err, stopped) {
			t.Errorf("stopped while it waits: %v", err)
		}
	})
}
