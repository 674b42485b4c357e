package progress

import (
	"encoding/json"
	"math"
	"time"

	"seedloom.dev/seedloom/internal/runreport"
)

// Snapshot is what is known at one moment: all its counts are of that same moment. It is a value of its own; nothing changes it afterwards.
type Snapshot struct {
	At       time.Time `json:"at"`
	Phase    string    `json:"phase"`
	Sequence int64     `json:"sequence"`
	// Elapsed is the time since this process began to make rows.
	Elapsed time.Duration     `json:"elapsedNanoseconds"`
	Records runreport.Records `json:"records"`
	// Initial are the records, written or dropped, that earlier processes have left. They count in no rate.
	Initial int64 `json:"initialRecords"`
	// RecordsPerSecond is the rate of the last half minute, AverageRecordsPerSecond that since the beginning.
	RecordsPerSecond        float64  `json:"recordsPerSecond"`
	AverageRecordsPerSecond float64  `json:"averageRecordsPerSecond"`
	Remaining               Estimate `json:"remainingSeconds"`
	// InFlight are the tasks that run, Deferred the cells that wait for their next try.
	InFlight int64 `json:"inFlight"`
	Deferred int64 `json:"deferred"`
	// Batches are work on many rows at once that is under way, the oldest first.
	Batches []Batch `json:"batches,omitempty"`
	// SlowRequests are requests of models that are under way for longer than they should.
	SlowRequests int64 `json:"slowRequests"`
	// Troubles are what keeps the run from going on as it could.
	Troubles runreport.Troubles `json:"troubles"`
	Columns  []Column           `json:"columns"`
	Models   []Model            `json:"models"`
	Dropped  []runreport.Drop   `json:"dropped"`
	// Unusable are the answers that were paid for and could not be used, as they have come; of most of them there will be another one.
	Unusable []runreport.Drop `json:"unusable,omitempty"`
}

// Column is what is known of a configured column. Succeeded, Failed, Dropped and Skipped add up to Completed, which is never more than
// Total.
type Column struct {
	Name string `json:"name"`
	// Model is the alias of the model that makes the column, and empty for any other.
	Model     string `json:"model,omitempty"`
	Total     int64  `json:"total"`
	Completed int64  `json:"completed"`
	Succeeded int64  `json:"succeeded"`
	// Failed are the cells that have cost a row, Dropped those of rows that were dropped for another column.
	Failed  int64 `json:"failed"`
	Dropped int64 `json:"dropped"`
	// Skipped are the cells of accounted rows that were left out by skip.
	Skipped int64 `json:"skipped"`
	// Open are those of Succeeded whose row has not met its fate yet; cells that were left out are among them until then.
	Open int64 `json:"open"`
	// Initial are those of Completed that earlier processes have made.
	Initial  int64 `json:"initial"`
	InFlight int64 `json:"inFlight"`
	Deferred int64 `json:"deferred"`
	// PerSecond is the rate of the last half minute, AveragePerSecond that since the beginning.
	PerSecond        float64 `json:"perSecond"`
	AveragePerSecond float64 `json:"averagePerSecond"`

	accounted runreport.Column
}

// Accounted are the counts of the accounted rows alone.
func (c *Column) Accounted() runreport.Column { return c.accounted }

// Model is the use of a model, over all processes of the run; its rates are those of the last half minute.
type Model struct {
	runreport.Model
	RequestsPerMinute     float64 `json:"requestsPerMinute"`
	InputTokensPerSecond  float64 `json:"inputTokensPerSecond"`
	OutputTokensPerSecond float64 `json:"outputTokensPerSecond"`
	// InFlight are the requests that run, Limit is how many may.
	InFlight int64 `json:"inFlight"`
	Limit    int64 `json:"limit"`
}

// Estimate is how long something will take, if that is known.
type Estimate struct {
	Known bool
	Time  time.Duration
}

// MarshalJSON writes seconds, or null.
func (e Estimate) MarshalJSON() ([]byte, error) {
	if !e.Known {
		return []byte("null"), nil
	}
	return json.Marshal(e.Time.Seconds())
}

// Expected are the records that there are to be, resizes included.
func (s *Snapshot) Expected() int64 { return expected(s.Records) }

func expected(records runreport.Records) int64 {
	return max(0, records.Target+records.Added-records.Filtered)
}

// Accounted are the records whose fate is known.
func (s *Snapshot) Accounted() int64 { return s.Records.Actual + s.Records.Dropped }

// UnusableAnswers is how many answers could not be used, and the most frequent of their causes.
func (s *Snapshot) UnusableAnswers() (count int64, most runreport.Drop) {
	for _, unusable := range s.Unusable {
		count = runreport.Sum(count, unusable.Count)
		if unusable.Count > most.Count {
			most = unusable
		}
	}
	return count, most
}

// Percent says how much of the records is accounted for, from 0 to 100.
func (s *Snapshot) Percent() float64 { return percent(s.Accounted(), s.Expected()) }

// Percent says how much of the column is completed, from 0 to 100.
func (c *Column) Percent() float64 { return percent(c.Completed, c.Total) }

func percent(part, whole int64) float64 {
	if whole <= 0 {
		return 100
	}
	return max(0, min(100, 100*float64(part)/float64(whole)))
}

// minSamples is how many cells must have been made before an estimate is worth anything.
const minSamples = 20

// estimate says when the slowest of the models' columns will be done at its present rate. Without such columns it is the records that
// count.
func (s *Snapshot) estimate() Estimate {
	if s.Accounted() >= s.Expected() {
		return Estimate{Known: true}
	}
	if s.Phase != runreport.PhaseRunning {
		return Estimate{}
	}
	longest, models := 0.0, false
	for i := range s.Columns {
		column := &s.Columns[i]
		if column.Model == "" {
			continue
		}
		models = true
		seconds, known := remaining(column.Total-column.Completed, column.Completed-column.Initial, column.PerSecond,
			column.AveragePerSecond)
		if !known {
			return Estimate{}
		}
		longest = max(longest, seconds)
	}
	if !models {
		seconds, known := remaining(s.Expected()-s.Accounted(), s.Accounted()-s.Initial, s.RecordsPerSecond, s.AverageRecordsPerSecond)
		if !known {
			return Estimate{}
		}
		longest = seconds
	}
	return Estimate{Known: true, Time: time.Duration(min(longest*float64(time.Second), math.MaxInt64/2))}
}

func remaining(left, samples int64, now, average float64) (seconds float64, known bool) {
	if left <= 0 {
		return 0, true
	}
	rate := now
	if rate <= 0 {
		rate = average
	}
	if samples < minSamples || rate <= 0 {
		return 0, false
	}
	return float64(left) / rate, true
}
