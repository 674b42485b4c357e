package progress

import "time"

// rateWindow is the time over which rates are taken.
const rateWindow = 30 * time.Second

// samples are counts of the last half minute, about one a second, the oldest first. Their memory is used again.
type samples struct {
	kept            []sample
	columns, models int
}

type sample struct {
	at      time.Time
	records int64
	columns []int64
	models  []modelSample
}

type modelSample struct{ requests, input, output int64 }

func (s *samples) reset(columns, models int) { *s = samples{columns: columns, models: models} }

// next returns a new sample to be filled in. Those that are too old are given up, but for one.
func (s *samples) next(now time.Time) *sample {
	var reused sample
	for len(s.kept) > 1 && now.Sub(s.kept[1].at) >= rateWindow {
		reused = s.kept[0]
		copy(s.kept, s.kept[1:])
		s.kept = s.kept[:len(s.kept)-1]
	}
	if reused.columns == nil {
		reused = sample{columns: make([]int64, s.columns), models: make([]modelSample, s.models)}
	}
	reused.at = now
	s.kept = append(s.kept, reused)
	return &s.kept[len(s.kept)-1]
}

// oldest returns the sample from which rates are taken, and its age; a sample without anything when there is none.
func (s *samples) oldest(now time.Time) (sample, time.Duration) {
	if len(s.kept) == 0 {
		return sample{}, 0
	}
	return s.kept[0], now.Sub(s.kept[0].at)
}

// rate is never negative, and never infinite. What is taken back because it is made again makes it smaller.
func rate(count int64, over time.Duration) float64 {
	if over <= 0 || count <= 0 {
		return 0
	}
	return float64(count) / over.Seconds()
}
