package admission

import "time"

// unknownTokens is what a request is taken to use before any has come back.
const unknownTokens = 1000

// PoolConfig has the limits that all limiters of one model share; 0 is none.
type PoolConfig struct {
	// Cap is the largest number of requests under way.
	Cap int
	// RequestsPerMinute and TokensPerMinute are budgets.
	RequestsPerMinute, TokensPerMinute int64
}

// Pool has what all limiters of one model share.
type Pool struct {
	config           PoolConfig
	running          int
	requests, tokens bucket
	// estimate is how many tokens a request uses, a moving average.
	estimate float64
}

// NewPool returns a pool.
func NewPool(config PoolConfig) *Pool {
	pool := &Pool{config: config}
	if limit := float64(config.RequestsPerMinute); limit > 0 {
		// A tenth of a second's worth may be sent at once, so that a late timer costs nothing. With it, no minute has more than the limit.
		burst := max(1, limit/600)
		pool.requests = bucket{rate: (limit - burst + 1) / 60, burst: burst, level: burst}
	}
	if limit := float64(config.TokensPerMinute); limit > 0 {
		burst := max(1, limit/60)
		pool.tokens = bucket{rate: limit / 60, burst: burst, level: burst}
	}
	return pool
}

func (p *Pool) room(now time.Time) Wait {
	if p.config.Cap > 0 && p.running >= p.config.Cap {
		return Wait{Reason: Limit}
	}
	if p.requests.rate > 0 {
		if until := p.requests.due(now, 1); !until.IsZero() {
			return Wait{Requests, until}
		}
	}
	if p.tokens.rate > 0 {
		if until := p.tokens.due(now, p.expected()); !until.IsZero() {
			return Wait{Tokens, until}
		}
	}
	return Wait{}
}

func (p *Pool) expected() float64 {
	if p.estimate == 0 {
		return unknownTokens
	}
	return p.estimate
}

// start takes a request out of the budgets, and returns how many tokens were taken.
func (p *Pool) start(now time.Time) float64 {
	p.running++
	if p.requests.rate > 0 {
		p.requests.fill(now)
		p.requests.level--
	}
	if p.tokens.rate == 0 {
		return 0
	}
	p.tokens.fill(now)
	expected := p.expected()
	p.tokens.level -= expected
	return expected
}

// done replaces what was expected of a request by what it has used.
func (p *Pool) done(now time.Time, expected float64, result Result) {
	used := result.Tokens
	p.running--
	if p.requests.rate > 0 && result.Requests > 1 {
		// What was sent on the way, such as corrections, is saved up for afterwards.
		p.requests.fill(now)
		p.requests.level -= float64(result.Requests - 1)
	}
	if p.tokens.rate == 0 {
		return
	}
	p.tokens.fill(now)
	p.tokens.level = min(p.tokens.burst, p.tokens.level+expected-float64(used))
	switch {
	case used <= 0:
	case p.estimate == 0:
		p.estimate = float64(used)
	default:
		p.estimate += (float64(used) - p.estimate) / 16
	}
}

// bucket fills at a rate, and is overdrawn by what turns out to need more than was expected.
type bucket struct {
	// rate is a second's worth.
	rate, burst, level float64
	at                 time.Time
}

func (b *bucket) fill(now time.Time) {
	if !b.at.IsZero() && now.After(b.at) {
		b.level = min(b.burst, b.level+b.rate*now.Sub(b.at).Seconds())
	}
	if now.After(b.at) {
		b.at = now
	}
}

// due returns when there is enough in the bucket, or as much as it can hold; zero stands for now.
func (b *bucket) due(now time.Time, need float64) time.Time {
	b.fill(now)
	missing := min(need, b.burst) - b.level
	if missing <= 1e-6 {
		return time.Time{}
	}
	return now.Add(max(time.Microsecond, time.Duration(missing/b.rate*float64(time.Second))+1))
}
