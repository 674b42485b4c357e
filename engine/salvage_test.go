package engine_test

import (
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/internal/runreport"
)

// manySizes is resizeSpec in one batch of rows that can be told apart, with a model before the resize and one after it.
func manySizes() string {
	return strings.NewReplacer(
		`"{{ sizes }}/{{ size }}"`, `"{{ id }} {{ size }}"`, "numRecords: 20", "numRecords: 40", "rowGroupSize: 8", "rowGroupSize: 40",
		"columns:", "columns:\n- {name: id, sampler: {type: UUID}}\n- {name: intro, llmText: {model: writer, prompt: \"first {{ id }}\"}}",
	).Replace(resizeSpec)
}

// ofTheBatch has the code that resizes number its records over the whole batch, and the model asked about these numbers.
func ofTheBatch() string {
	return strings.NewReplacer("made.append({\"_row\": row[\"_row\"], \"size\": size})",
		"made.append({\"_row\": row[\"_row\"], \"size\": \"%s %d of %d\" % (size, len(made), len(rows))})").Replace(manySizes())
}

// A sync run that ends in a batch keeps what is whole of it, as an async run does: rows with all the records that a resize has made of
// them.
func TestASyncRunThatEndsKeepsWholeRows(t *testing.T) {
	tokens := int64(75 * 5)
	for name, test := range map[string]struct {
		limits *v1alpha1.Limits
		// refused says that the server takes no more requests from the 80th on.
		refused bool
		outcome runreport.Outcome
		reason  string
	}{
		"a budget that is used up": {&v1alpha1.Limits{MaxTokens: &tokens}, false, runreport.OutcomePartial, v1alpha1.ReasonBudgetExhausted},
		"a key that is refused":    {nil, true, runreport.OutcomeFailed, v1alpha1.ReasonModelAuthentication},
	} {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			var answered atomic.Int64
			var healed atomic.Bool
			server := newEndpoint(t, func(prompt string, before int) (int, string) {
				if answered.Add(1) > 80 && test.refused && !healed.Load() {
					return http.StatusUnauthorized, ""
				}
				return echo(prompt, before)
			})
			w := newWorld(t, ofTheBatch(), server.URL)
			w.spec.Limits = test.limits
			w.spec.Models[0].MaxParallelRequests = new(int32(4))
			ending := w.generate(t.Context(), 0)
			records := ending.Result.Records
			if ending.Result.Outcome != test.outcome || ending.Result.Reason != test.reason || records.Actual == 0 || records.Missing == 0 {
				t.Fatalf("it ended as %s, %s with %+v: %s", ending.Result.Outcome, ending.Result.Reason, records, ending.Result.Message)
			}
			if records.Actual+records.Dropped+records.Missing+records.Filtered != records.Target+records.Added {
				t.Errorf("records don't add up: %+v", records)
			}
			if requests := ending.Result.Models[0].Succeeded; requests < 70 {
				t.Errorf("%d requests are counted", requests)
			}
			_, rows := w.rows()
			made := map[any]int64{}
			for _, row := range rows {
				made[row[0]]++
			}
			for _, row := range rows {
				if made[row[0]] != row[2] {
					t.Errorf("of the %v records of a row, %d are there", row[2], made[row[0]])
				}
			}

			// What is there stays, however soon another attempt ends.
			w.attempt++
			if again := w.generate(t.Context(), 0); again.Result.Records != records || again.Result.Reason != test.reason {
				t.Errorf("a second attempt leaves %+v of %+v: %s", again.Result.Records, records, again.Result.Message)
			}
			if _, rows = w.rows(); int64(len(rows)) != records.Actual {
				t.Errorf("a second attempt leaves %d rows", len(rows))
			}

			healed.Store(true)
			w.spec.Limits = nil
			w.attempt++
			if ending = w.generate(t.Context(), 0); ending.Result.Outcome != runreport.OutcomeComplete {
				t.Fatalf("the last attempt ended as %s: %s", ending.Result.Outcome, ending.Result.Message)
			}
			undisturbed := newWorld(t, ofTheBatch(), newEndpoint(t, echo).URL)
			want := undisturbed.generate(t.Context(), 0)
			if ending.Result.Records != want.Result.Records {
				t.Errorf("records %+v, of an undisturbed run %+v", ending.Result.Records, want.Result.Records)
			}
			_, rows = w.rows()
			if _, others := undisturbed.rows(); !reflect.DeepEqual(rows, others) {
				t.Errorf("the rows are %v, those of an undisturbed run %v", rows, others)
			}
			if different, all := server.sent(); all > different+12 {
				t.Errorf("%d requests for %d prompts were sent", all, different)
			}
		})
	}
}

// A key that is revoked while several shards use it: what they have made is described, with the cause.
func TestShardsWhoseKeyIsRefusedAreDescribed(t *testing.T) {
	var answered atomic.Int64
	server := newEndpoint(t, func(prompt string, before int) (int, string) {
		if answered.Add(1) > 15 {
			return http.StatusUnauthorized, ""
		}
		return echo(prompt, before)
	})
	w := newWorld(t, basicSpec, server.URL)
	w.shards = 2
	for shard := range w.shards {
		if ending := w.generate(t.Context(), shard); ending.ExitCode != runreport.ExitInvalid && shard > 0 {
			t.Errorf("shard %d ended as %s: %s", shard, ending.Result.Outcome, ending.Result.Message)
		}
	}
	ending := engine.Finalize(t.Context(), w.config(0))
	records := ending.Result.Records
	if ending.Result.Outcome != runreport.OutcomeFailed || ending.Result.Reason != v1alpha1.ReasonModelAuthentication || records.Actual < 10 ||
		records.Actual+records.Missing != 25 {
		t.Errorf("it ended as %s, %s with %+v: %s", ending.Result.Outcome, ending.Result.Reason, records, ending.Result.Message)
	}
	run := w.metadata()["run"].(map[string]any)
	if run["outcome"] != "Failed" || run["reason"] != v1alpha1.ReasonModelAuthentication || w.succeeded() {
		t.Errorf("the metadata say %v", run)
	}
}
