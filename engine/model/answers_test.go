package model

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// used is what all answers have, beside what each has for itself.
func (a *answers) inUse() (bytes int64, holders int) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return a.used, len(a.holders)
}

// Many endless answers at once, whole and in pieces, have no more memory than there is for all of them, and one that is the oldest; and all
// come to an end.
func TestEndlessAnswersShareTheirMemory(t *testing.T) {
	const limit, requests = 8 << 20, 10
	block := []byte(strings.Repeat("x", 256<<10))
	for _, streaming := range []v1alpha1.StreamingPolicy{v1alpha1.StreamingDisabled, v1alpha1.StreamingEnabled} {
		server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) {
			if streaming == v1alpha1.StreamingEnabled {
				writer.Header().Set("Content-Type", "text/event-stream")
			}
			for {
				if _, err := writer.Write(block); err != nil {
					return
				}
			}
		}))
		set := NewSet(&v1alpha1.DatasetGenerationSpec{
			Providers: []v1alpha1.Provider{{Name: "p", Type: v1alpha1.ProviderOpenAI, Endpoint: server.URL}},
			Models:    []v1alpha1.Model{{Alias: "m", Provider: "p", Model: "m", Streaming: streaming, MaxParallelRequests: new(int32(requests))}},
		}, func(int) string { return "" })
		client := set.Client("m")
		client.answers = newAnswers(limit)
		var highest atomic.Int64
		var asking, watching sync.WaitGroup
		done := make(chan struct{})
		watching.Go(func() {
			for {
				used, _ := client.answers.inUse()
				highest.Store(max(highest.Load(), used))
				select {
				case <-done:
					return
				default:
				}
			}
		})
		for range requests {
			asking.Go(func() {
				if _, _, err := client.Chat(t.Context(), Request{Messages: []Message{{Role: RoleUser, Content: "x"}}}); err == nil {
					t.Error("an endless answer is one")
				}
			})
		}
		asking.Wait()
		close(done)
		watching.Wait()
		if most := highest.Load(); most > limit+3*maxAnswerBytes {
			t.Errorf("%d answers had %d MiB at once", requests, most>>20)
		}
		if used, holders := client.answers.inUse(); used != 0 || holders != 0 {
			t.Errorf("%d bytes of %d answers were not given back", used, holders)
		}
		set.Close()
		server.Close()
	}
}

func TestTheOldestAnswerNeverWaits(t *testing.T) {
	shared := newAnswers(1 << 20)
	oldest, waiting := shared.open(), shared.open()
	if err := oldest.grow(t.Context(), 4<<20); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := waiting.grow(ended, 1<<20); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := waiting.grow(ended, ownBytes); err != nil {
		t.Errorf("its own: %v", err)
	}
	got := make(chan error)
	go func() { got <- waiting.grow(t.Context(), 1<<20) }()
	oldest.release()
	if err := <-got; err != nil {
		t.Error(err)
	}
	waiting.release()
	if used, holders := shared.inUse(); used != 0 || holders != 0 {
		t.Errorf("%d bytes, %d holders", used, holders)
	}
}
