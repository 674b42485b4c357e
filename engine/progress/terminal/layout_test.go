package terminal

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/rivo/uniseg"

	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/internal/runreport"
)

func TestNumbersKeepTheirWidth(t *testing.T) {
	for rate, want := range map[float64]string{
		0: "0", 0.001: "<0.01", 0.04: "0.04", 9.999: "10.00", 12.34: "12.3", 99.96: "100.0", 9999.4: "9999", 9999.9: "10000", 10_000: "10.0k", 123_456: "123k",
		999_900: "1.0M", 1e6: "1.0M", 1e9: "1.0G", 1e18: "1.0E", 1e21: ">999E", math.Inf(1): ">999E", math.Inf(-1): "-", -3: "-", math.MaxFloat64: ">999E",
	} {
		if got := formatRate(rate); got != want || len(got) > rateWidth {
			t.Errorf("%g is written %q, want %q in at most %d", rate, got, want, rateWidth)
		}
	}
	if got := formatRate(math.NaN()); got != "-" {
		t.Errorf("NaN is written %q", got)
	}
	for count, want := range map[int64]string{0: "0", 999_999: "999999", 1_000_000: "1.0M", 123_456_789: "123M", math.MaxInt64: "9.2E", -1: "-"} {
		if got := formatCount(count); got != want || len(got) > countWidth {
			t.Errorf("%d is written %q, want %q in at most %d", count, got, want, countWidth)
		}
	}
	for duration, want := range map[time.Duration]string{
		0: "0s", -time.Second: "0s", 59*time.Second + 600*time.Millisecond: "1m00s", 3599 * time.Second: "59m59s", 25 * time.Hour: "1d01h",
		99*24*time.Hour + 23*time.Hour: "99d23h", 100 * 24 * time.Hour: ">99d", math.MaxInt64: ">99d",
	} {
		if got := formatTime(duration); got != want || len(got) > timeWidth {
			t.Errorf("%s is written %q, want %q in at most %d", duration, got, want, timeWidth)
		}
	}
	source := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		rate := math.Float64frombits(source.Uint64())
		if got := formatRate(rate); len(got) > rateWidth {
			t.Fatalf("%g is written %q", rate, got)
		}
		if got := formatCount(int64(source.Uint64() >> source.Uint64N(64))); len(got) > countWidth {
			t.Fatalf("a count is written %q", got)
		}
	}
}

// names are those that a table must survive.
var names = []string{
	"review", "", "a_very_long_name_of_a_column_that_nobody_would_ever_write_but_somebody_will", "映画の感想文", "e\u0301te\u0301", "👩‍👩‍👧‍👦 family", "\x1b[31mred\x1b[0m",
	"two\nlines", "\u202edrawkcab", "tab\there", "\xff\xfe", strings.Repeat("🎬", 40), "क्षि", "\u200b\u200b",
}

var strange = []float64{0, 0.04, 12.5, 9999.9, 1e9, math.NaN(), math.Inf(1), math.Inf(-1), -1}

// anySnapshot is a snapshot with whatever may come.
func anySnapshot(source *rand.Rand) progress.Snapshot {
	rate := func() float64 { return strange[source.IntN(len(strange))] }
	count := func() int64 { return source.Int64() >> source.UintN(64) }
	snapshot := progress.Snapshot{
		Phase: []string{runreport.PhaseRunning, runreport.PhaseDraining}[source.IntN(2)], Elapsed: 1 + time.Duration(count())/2,
		Records: runreport.Records{Target: count(), Actual: count(), Dropped: count()}, Initial: count(), RecordsPerSecond: rate(),
		Remaining: progress.Estimate{Known: source.IntN(2) == 0, Time: time.Duration(count())}, SlowRequests: count() % 3,
	}
	for range source.IntN(30) {
		snapshot.Columns = append(snapshot.Columns, progress.Column{
			Name: names[source.IntN(len(names))], Model: "m", Total: count(), Completed: count(), Failed: count(), Dropped: count(), InFlight: count(),
			Deferred: count(), Skipped: count() % 2, PerSecond: rate(), AveragePerSecond: rate(),
		})
	}
	for range source.IntN(10) {
		snapshot.Models = append(snapshot.Models, progress.Model{
			Model: runreport.Model{Alias: names[source.IntN(len(names))]}, RequestsPerMinute: rate(), InputTokensPerSecond: rate(),
			OutputTokensPerSecond: rate(), InFlight: count(), Limit: count(),
		})
	}
	return snapshot
}

func TestNoLineIsWiderThanTheTerminal(t *testing.T) {
	source := rand.New(rand.NewPCG(3, 4))
	for width := 20; width <= 300; width++ {
		for range 20 {
			height := 4 + source.IntN(60)
			snapshot := anySnapshot(source)
			lines := layout(&snapshot, names[source.IntN(len(names))], width, height)
			if len(lines) > height-1 {
				t.Fatalf("%d lines on a terminal with %d", len(lines), height)
			}
			if (width < minWidth || height < minHeight) != (len(lines) == 0) {
				t.Fatalf("%d lines on a terminal of %d×%d", len(lines), width, height)
			}
			for _, line := range lines {
				if got := uniseg.StringWidth(line); got > width || strings.IndexFunc(line, unicode.IsControl) >= 0 {
					t.Fatalf("on a terminal of %d the line takes %d: %q", width, got, line)
				}
			}
		}
	}
}

func sampleSnapshot() progress.Snapshot {
	column := func(name string, completed, failed int64, now float64) progress.Column {
		return progress.Column{
			Name: name, Model: "writer", Total: 10_000, Completed: completed, Succeeded: completed - failed, Failed: failed, InFlight: 16, Deferred: 2,
			PerSecond: now, AveragePerSecond: now + 1,
		}
	}
	return progress.Snapshot{
		Phase: runreport.PhaseRunning, Elapsed: 62 * time.Second, Records: runreport.Records{Target: 10_000, Actual: 1200, Dropped: 34},
		RecordsPerSecond: 18.2, Remaining: progress.Estimate{Known: true, Time: 480 * time.Second}, SlowRequests: 2,
		Columns: []progress.Column{column("review", 1500, 30, 24.3), {Name: "stars"}, column("summary", 1234, 4, 18.1)},
		Models: []progress.Model{
			{Model: runreport.Model{Alias: "writer", Usage: runreport.Usage{Failed: 7}}, RequestsPerMinute: 2544, InputTokensPerSecond: 12_500, OutputTokensPerSecond: 850, InFlight: 16, Limit: 16},
			{Model: runreport.Model{Alias: "unused"}},
		},
	}
}

func TestThePanel(t *testing.T) {
	snapshot := sampleSnapshot()
	for width, want := range map[int]string{
		120: `movie-reviews: 1200/10000 records (12%), 18.2/s, 8m00s left, 1m02s elapsed, 34 dropped
[##############........................................................................................................]
column     done      of     %   now/s   avg/s  running  waiting  failed  dropped
review     1500   10000   15%    24.3    25.3       16        2      30        0  [###.................]
summary    1234   10000   12%    18.1    19.1       16        2       4        0  [##..................]
model   requests/min  tokens/s in     out  running   limit  failed
writer          2544        12.5k     850       16      16       7
2 requests are slow`,
		40: `1200/10000 records (12%), 18.2/s
[####..................................]
column     done     %   now/s  failed
review     1500   15%    24.3      30
summary    1234   12%    18.1       4
model   requests/min     out  running
writer          2544     850       16
2 requests are slow`,
	} {
		if got := strings.Join(layout(&snapshot, "movie-reviews", width, 24), "\n"); got != want {
			t.Errorf("at a width of %d, got\n%s\nwant\n%s", width, got, want)
		}
	}
	early := snapshot
	early.Elapsed = 0
	if lines := layout(&early, "movie-reviews", 120, 24); len(lines) > 0 {
		t.Errorf("before rows are made, got\n%s", strings.Join(lines, "\n"))
	}
	snapshot.Columns[0].Skipped = 7
	if got := strings.Join(layout(&snapshot, "movie-reviews", 120, 24), "\n"); !strings.Contains(got, " dropped  skipped\n") ||
		!strings.Contains(got, "      0        7  [") {
		t.Errorf("with skipped cells, got\n%s", got)
	}
	for i := range 40 {
		snapshot.Columns = append(snapshot.Columns, progress.Column{Name: fmt.Sprintf("column_%d", i), Model: "writer"})
	}
	if got := strings.Join(layout(&snapshot, "movie-reviews", 80, 16), "\n"); !strings.Contains(got, "and 35 more columns") ||
		!strings.Contains(got, "writer") {
		t.Errorf("with many columns, got\n%s", got)
	}
}
