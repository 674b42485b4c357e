package run

import (
	"time"

	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/share"
)

// sharing keeps a driver's scheduler to the shares of the engine, and says what it does with them. It belongs to the driver's goroutine.
type sharing struct {
	shares *share.Shares
	// limits are those that were set last, by the position of the endpoint.
	limits []sharedLimit
	// changed yields when the shares have changed; nil where there are none.
	changed <-chan struct{}
}

type sharedLimit struct {
	limit   int
	limited bool
}

func newSharing(shares *share.Shares) *sharing {
	if shares == nil {
		return &sharing{}
	}
	return &sharing{shares: shares, limits: make([]sharedLimit, len(shares.Endpoints())), changed: shares.Changed()}
}

// begin notes that requests are sent from now on, and returns what ends that.
func (s *sharing) begin(core *schedule.Core) (end func()) {
	if s.shares == nil {
		return func() {}
	}
	end = s.shares.Begin()
	s.follow(core)
	return end
}

// follow sets the ceilings of the scheduler to the shares as they are now.
func (s *sharing) follow(core *schedule.Core) {
	for i := range s.limits {
		limit, limited := s.shares.Limit(i)
		s.limits[i] = sharedLimit{limit, limited}
		core.SetCeiling(i, limit, limited)
	}
}

// note says what is under way at the endpoints that are shared.
func (s *sharing) note(core *schedule.Core, now time.Time) {
	for i, current := range s.limits {
		if current.limited {
			running, wanted := core.Demand(i, now)
			s.shares.Note(i, current.limit, true, running, wanted)
		}
	}
}
