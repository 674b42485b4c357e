package trace

import (
	"testing"
	"time"

	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
)

// tracing does with one cell what a driver does.
func tracing(t *Tracer, one Step, task schedule.Task) {
	if t != nil {
		t.group(0).ready[one.cellOf(task.Records[0])] = time.Time{}
	}
	t.Returned(t.Admitted(task, one, "local", time.Time{}), Outcome{}, false)
	t.Done(0)
}

func localTask(tb testing.TB) (Step, schedule.Task) {
	tb.Helper()
	one := Step{Columns: "text"}
	schema := table.NewSchema(table.Field{Name: "text"})
	core := schedule.New(schedule.Config{
		Columns: []schedule.Column{{Parts: []string{"text"}}}, Lanes: []schedule.Lane{{Limit: 1, Endpoint: -1}}, MaxRowAttempts: 1,
		NewRecord: func(row table.RowIndex, attempt int32) *table.Record { return table.NewRecord(schema, row, attempt) },
	})
	core.Add(0, []schedule.Todo{{}})
	task, found := core.Next(0, time.Time{})
	if !found {
		tb.Fatal("there is no task")
	}
	return one, task
}

func TestATraceThatIsOffAllocatesNothing(t *testing.T) {
	one, task := localTask(t)
	off := NewTracer(nil, 1000)
	if off.Ready([]Step{one}) != nil {
		t.Error("the scheduler would tell of every cell")
	}
	if allocations := testing.AllocsPerRun(1000, func() { tracing(off, one, task) }); allocations != 0 {
		t.Errorf("a cell costs %v allocations", allocations)
	}
	ring := NewRing(10)
	tracing(NewTracer(ring, 1000), one, task)
	if len(ring.Spans()) != 1 {
		t.Error("the same with a sink gives no span, so this test shows nothing")
	}
}

func BenchmarkTrace(b *testing.B) {
	one, task := localTask(b)
	for name, traced := range map[string]*Tracer{"off": NewTracer(nil, 1000), "on": NewTracer(NewRing(1000), 1000)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				tracing(traced, one, task)
			}
		})
	}
}
