package schedule_test

import (
	"fmt"
	"testing"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
)

// BenchmarkWholeGroups takes a row group of a column and a batch of all its rows through the scheduler (P12): once with every row, and once
// with half of the rows dropped before the batch. The cost of a row is to be the same for any number of rows.
func BenchmarkWholeGroups(b *testing.B) {
	for _, drop := range []bool{false, true} {
		for _, rows := range []int{1_000, 8_000, 64_000} {
			b.Run(fmt.Sprintf("dropped-%t/%d-rows", drop, rows), func(b *testing.B) {
				invalid := failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow, "invalid")
				now := time.Unix(1_000_000, 0)
				for group := int64(0); b.Loop(); group++ {
					core := schedule.New(schedule.Config{
						Columns: []schedule.Column{{Parts: []string{"a"}, Lane: 1}, {Parts: []string{"b"}, Requires: []int{0}, Batch: true}},
						Lanes:   []schedule.Lane{{Limit: 2, Endpoint: -1}, {Limit: 256, Endpoint: -1}}, MaxRowAttempts: 1, MaxRequestAttempts: 1,
						Gate:      schedule.GateConfig{ErrorRate: 0.5, Window: 50},
						NewRecord: func(row table.RowIndex, attempt int32) *table.Record { return table.NewRecord(schema, row, attempt) },
						Jitter:    func(int, *table.Record, int) float64 { return 0.5 },
					})
					core.Add(0, todo(0, rows))
					made := 0
					for lane := 1; lane >= 0; lane-- {
						for task, found := core.Next(lane, now); found; task, found = core.Next(lane, now) {
							if drop && lane == 1 && made%2 == 1 {
								core.Failed(task, invalid, now)
							} else {
								core.Succeeded(task, now)
							}
							made++
						}
					}
					if finished := core.Take().Finished; len(finished) != 1 {
						b.Fatalf("%d row groups are finished", len(finished))
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
			})
		}
	}
}
