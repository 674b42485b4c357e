package schedule

import (
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
	return made
}
