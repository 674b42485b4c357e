package schedule

import (
	"fmt"
	"slices"
	"time"

	"seedloom.dev/seedloom/engine/admission"
)

// randomLane is a lane of a model, with any of the limits that a lane may have.
func (s *simulated) randomLane() Lane {
	made := Lane{Limit: 1 + s.random.IntN(8), Endpoint: s.random.IntN(s.config.Endpoints), Adaptive: s.random.IntN(3) > 0, Pool: len(s.config.Pools)}
	if s.random.IntN(4) == 0 {
		made.Ramp = s.duration(20 * time.Second)
	}
	pool := admission.PoolConfig{Cap: made.Limit}
	if s.random.IntN(4) == 0 {
		pool.RequestsPerMinute = 1 + s.random.Int64N(600)
	}
	if s.random.IntN(4) == 0 {
		pool.TokensPerMinute = 1000 + s.random.Int64N(100_000)
	}
	s.config.Pools = append(s.config.Pools, pool)
	if len(s.config.Pools) > 1 && s.random.IntN(4) == 0 {
		made.Pool = s.random.IntN(len(s.config.Pools))
	}
	made.Ceiling = made.Endpoint
	return made
}

// share changes what may be under way at some endpoint, as an operator does.
func (s *simulated) share(least int) {
	ceiling, limit := s.random.IntN(s.config.Ceilings), least+s.random.IntN(6)
	limited := s.random.IntN(4) > 0
	s.say("may have %d (%t) under way at endpoint %d", limit, limited, ceiling)
	s.core.SetCeiling(ceiling, limit, limited)
}

// shut says whether nothing at all may be sent to some endpoint.
func (s *simulated) shut() bool {
	return slices.ContainsFunc(s.core.ceilings, func(ceiling admission.Ceiling) bool {
		limit, limited := ceiling.Limit()
		return limited && limit == 0
	})
}

// exceeds says that a task was started which the ceiling of its lane does not allow.
func (s *simulated) exceeds(lane int) []string {
	limit, shared := s.core.Share(lane)
	if !shared {
		return nil
	}
	running, wanted := s.core.Demand(s.config.Lanes[lane].Ceiling, s.now)
	if running > limit || wanted < running {
		return []string{fmt.Sprintf("lane %d starts a task as number %d of its endpoint (it would like %d), and may have %d", lane, running, wanted, limit)}
	}
	return nil
}
