package share

import (
	"context"
	"time"
)

const (
	// lookInterval is how often an engine that waits for a share looks whether its patience has ended.
	lookInterval = time.Second
	// tellInterval is how often it says that it still waits.
	tellInterval = 30 * time.Second
)

// Await returns when the engine may send something to each endpoint, or with the error of the context. What it waits for is told when it
// begins to wait, and every half minute.
func (s *Shares) Await(ctx context.Context, tell func(endpoint string)) error {
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	var warned time.Time
	for {
		endpoint, waits := s.closed()
		if !waits {
			return nil
		}
		if warned.IsZero() || s.now().Sub(warned) >= tellInterval {
			warned = s.now()
			tell(endpoint)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.changed:
		case <-ticker.C:
		}
	}
}

// closed returns the first endpoint to which nothing may be sent now.
func (s *Shares) closed() (endpoint string, found bool) {
	for i, endpoint := range s.endpoints {
		if limit, limited := s.Limit(i); limited && limit == 0 {
			return endpoint, true
		}
	}
	return "", false
}
