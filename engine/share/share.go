// Package share holds how much of what several engines may send to an endpoint at once is this engine's part. The operator tells it over
// HTTP; where it does not, the part is one that needs nobody: nothing here asks for anything, and no goroutine is started.
package share

import (
	"sync"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// Shares are the parts of an engine. All methods may be called from any goroutine.
type Shares struct {
	now       func() time.Time
	endpoints []string
	// started is when the engine began to wait, for as long as its patience, to be told its shares; without an operator it has none.
	started  time.Time
	patience time.Duration
	changed  chan struct{}

	mutex sync.Mutex
	// alone are the parts that need nobody, by endpoint; from the spec until the operator has told others.
	alone map[string]int
	// reported are those of the operator, nil until there are any, as of heard; sequence is that of its message.
	reported map[string]int
	heard    time.Time
	sequence int64
	// toldAlone is what Alone has said last.
	toldAlone bool
	// drivers counts those that send requests now, and states is what they have said last, by the position of the endpoint.
	drivers int
	states  []runreport.ShareState
}

// New returns the shares of an engine that makes one of so many shards. Where no operator divides what is shared, as on a command line, the
// engine has the part that needs nobody from the beginning.
func New(spec *v1alpha1.DatasetGenerationSpec, shards int32, operator bool, now func() time.Time) *Shares {
	result := &Shares{now: now, endpoints: spec.Endpoints(), started: now(), changed: make(chan struct{}, 1), alone: make(map[string]int)}
	if operator {
		result.patience = runreport.SharePatience
	}
	for endpoint, limit := range spec.SharedLimits() {
		result.alone[endpoint] = runreport.ShareAlone(limit, shards)
	}
	result.states = make([]runreport.ShareState, len(result.endpoints))
	return result
}

// Endpoints are those of the spec, each once, in the order of their providers. Positions are positions in it.
func (s *Shares) Endpoints() []string { return s.endpoints }

// Changed yields after the operator has told something. It is for one reader at a time.
func (s *Shares) Changed() <-chan struct{} { return s.changed }

// Limit is how many requests the engine may have under way at an endpoint; limited is false where nothing is shared.
func (s *Shares) Limit(position int) (limit int, limited bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.limit(position)
}

func (s *Shares) limit(position int) (limit int, limited bool) {
	endpoint := s.endpoints[position]
	if s.hasReport() {
		limit, limited = s.reported[endpoint]
		return limit, limited
	}
	limit, limited = s.alone[endpoint]
	if s.waits() {
		limit = 0
	}
	return limit, limited
}

// Any says whether the engine shares any endpoint.
func (s *Shares) Any() bool {
	for i := range s.endpoints {
		if _, limited := s.Limit(i); limited {
			return true
		}
	}
	return false
}

// hasReport says whether the operator has sent the shares lately, waits whether it may still do so for the first time.
func (s *Shares) hasReport() bool {
	return s.reported != nil && s.now().Sub(s.heard) < runreport.ShareValidity
}
func (s *Shares) waits() bool { return s.reported == nil && s.now().Sub(s.started) < s.patience }

// Alone says whether the engine shares an endpoint and has to do without the operator that divides it, and whether that is new since the
// last call.
func (s *Shares) Alone() (alone, changed bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	alone = s.patience > 0 && len(s.alone) > 0 && !s.hasReport() && !s.waits()
	changed = alone != s.toldAlone
	s.toldAlone = alone
	return alone, changed
}

// apply takes what the operator has told, unless something newer was told before, and returns the sequence of the newest.
func (s *Shares) apply(message *runreport.Shares) (newest int64) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if message.Ask || message.Sequence <= s.sequence {
		return s.sequence
	}
	s.sequence, s.heard = message.Sequence, s.now()
	s.reported, s.alone = make(map[string]int), make(map[string]int)
	for _, share := range message.Shares {
		s.reported[share.Endpoint], s.alone[share.Endpoint] = share.Limit, share.Alone
	}
	select {
	case s.changed <- struct{}{}:
	default: // the reader has not yet looked at what was told before
	}
	return s.sequence
}

// Begin notes that a driver sends requests from now on. What it calls when it sends none any more is returned.
func (s *Shares) Begin() (end func()) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.drivers++; s.drivers == 1 {
		clear(s.states)
	}
	return func() {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		s.drivers--
	}
}

// Note takes how many requests are under way at an endpoint, under which limit, and how many would be if there were none.
func (s *Shares) Note(position, limit int, limited bool, running, wanted int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.states[position] = runreport.ShareState{Endpoint: s.endpoints[position], Limit: limit, Limited: limited, Running: running,
		Wanted: wanted}
}

// report is what holds at all endpoints: what the driver has said, since it takes a moment to follow what was told, or what it would begin
// with.
func (s *Shares) report() []runreport.ShareState {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	states := make([]runreport.ShareState, len(s.endpoints))
	for i, endpoint := range s.endpoints {
		limit, limited := s.limit(i)
		states[i] = runreport.ShareState{Endpoint: endpoint, Limit: limit, Limited: limited}
		if s.drivers > 0 && s.states[i].Endpoint != "" {
			states[i] = s.states[i]
		}
	}
	return states
}
