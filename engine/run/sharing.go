package run

import (
	"log/slog"
	"time"

	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/share"
)

// sharing keeps a driver's scheduler to the shares of the engine, and says what it does with them. It belongs to the driver's goroutine.
type sharing struct {
	logger *slog.Logger
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

func newSharing(shares *share.Shares, logger *slog.Logger) *sharing {
	if shares == nil {
		return &sharing{}
	}
	return &sharing{logger: logger, shares: shares, limits: make([]sharedLimit, len(shares.Endpoints())), changed: shares.Changed()}
}

// begin notes that requests are sent from now on, and returns what ends that.
func (s *sharing) begin(core *schedule.Core) (end func()) {
	if s.shares == nil {
		return func() {}
	}
	end = s.shares.Begin()
	s.follow(core, time.Now())
	return end
}

// follow sets the ceilings of the scheduler to the shares as they are now. What is under way at endpoints that are not shared is said here,
// now and then: whoever shares them next wants to know.
func (s *sharing) follow(core *schedule.Core, now time.Time) {
	for i := range s.limits {
		limit, limited := s.shares.Limit(i)
		s.limits[i] = sharedLimit{limit, limited}
		core.SetCeiling(i, limit, limited)
		if !limited {
			s.noteAt(i, core, now)
		}
	}
	if s.shares == nil {
		return
	}
	switch alone, changed := s.shares.Alone(); {
	case !changed:
	case alone:
		s.logger.Warn("the operator does not tell this Pod its share of maxParallelRequests; "+
			"it goes on with an equal part for each Pod of the run", slog.Group("shares", s.attributes()...))
	default:
		s.logger.Info("the operator tells this Pod its share of maxParallelRequests again", slog.Group("shares", s.attributes()...))
	}
}

// attributes are the limits by endpoint, for a line of the log.
func (s *sharing) attributes() []any {
	var attributes []any
	for i, endpoint := range s.shares.Endpoints() {
		if s.limits[i].limited {
			attributes = append(attributes, slog.Int(endpoint, s.limits[i].limit))
		}
	}
	return attributes
}

// note says what is under way at the endpoints that are shared.
func (s *sharing) note(core *schedule.Core, now time.Time) {
	for i, current := range s.limits {
		if current.limited {
			s.noteAt(i, core, now)
		}
	}
}

func (s *sharing) noteAt(position int, core *schedule.Core, now time.Time) {
	running, wanted := core.Demand(position, now)
	current := s.limits[position]
	s.shares.Note(position, current.limit, current.limited, running, wanted)
}
