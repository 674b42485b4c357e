package custom

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/sandbox"
	"seedloom.dev/seedloom/engine/table"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func limited(t *testing.T, source string, bounds sandbox.Limits) *Generator {
	t.Helper()
	made, err := New("out", &v1alpha1.Custom{Starlark: &v1alpha1.Starlark{Source: source}}, table.Type{}, workersOf(t))
	if err != nil {
		t.Fatal(err)
	}
	made.limits = bounds
	return made
}

func workersOf(t *testing.T) *sandbox.Workers {
	t.Helper()
	workers := sandbox.NewWorkers()
	t.Cleanup(workers.Close)
	return workers
}

func records(n int) []*table.Record {
	schema := table.NewSchema(table.Field{Name: "out"})
	rows := make([]*table.Record, n)
	for i := range rows {
		rows[i] = table.NewRecord(schema, table.RowIndex(i), 0)
	}
	return rows
}

const text = "def generate(rows):\n    return [{'_row': r['_row'], 'out': 'abcde'} for r in rows]\n"

func TestLimitsEndTheCall(t *testing.T) {
	roomy := sandbox.Limits{Steps: 100_000, Values: 4, Bytes: 20}
	for name, test := range map[string]struct {
		source string
		rows   int
		want   string
	}{
		"within all":     {text, 4, ""},
		"steps":          {"def generate(rows):\n    for i in range(1000000000):\n        pass\n    return []\n", 1, "needed more than 100000 steps for 1 rows"},
		"steps at first": {"x = [i for i in range(1000000000)]\n" + text, 1, "needed more than 100000 steps"},
		"values":         {strings.Replace(text, "abcde", "", 1), 5, "at most 4 values"},
		"bytes":          {strings.Replace(text, "abcde", "abcdef", 1), 4, "20 bytes of text"},
	} {
		t.Run(name, func(t *testing.T) {
			values, err := limited(t, test.source, roomy).GenerateBatch(t.Context(), records(test.rows), false)
			if test.want == "" {
				if err != nil || len(values) != test.rows {
					t.Errorf("got %v, %v", values, err)
				}
				return
			}
			if failed := failure.Of(err); failed == nil || failed.Reason != v1alpha1.ReasonCustomCodeError || failed.Consequence != failure.EndRun ||
				!strings.Contains(failed.Message, test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestACancelledCallEndsAndIsNoFailureOfTheCode(t *testing.T) {
	// Without the cancellation, the steps would take far longer than a test may.
	endless := "def generate(rows):\n    for i in range(1000000000000):\n        pass\n    return []\n"
	ctx, cancel := context.WithCancel(t.Context())
	made := limited(t, endless, sandbox.Limits{Steps: 1 << 62, Values: 1, Bytes: 1, Processor: time.Hour, Wall: time.Hour})
	done := make(chan error, 1)
	go func() {
		_, err := made.GenerateBatch(ctx, records(1), false)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || failure.Of(err).Reason != v1alpha1.ReasonInterrupted {
		t.Errorf("got %v", err)
	}
}
