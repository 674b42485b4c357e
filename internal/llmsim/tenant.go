package llmsim

import (
	"context"
	"net/http"
	"sort"
	"strings"
	"sync"
	"time"
)

const (
	// maxModelsCounted bounds how many models have counts of their own.
	maxModelsCounted = 1000
	// promptTextBytes is how much of a prompt's text is remembered.
	promptTextBytes = 120
)

// tenant has a configuration, counters and queues of its own. One lock makes all counters of one moment agree; it is held for
// microseconds, twice a request.
type tenant struct {
	limits Limits

	mutex    sync.Mutex
	config   Config
	script   script
	counters Counters
	// generation tells requests of before a reset from later ones: the former change no counter any more.
	generation int
	models     map[string]*modelState
	prompts    map[uint64]*Prompt
	// log is a ring: the record of request number n is at (n-1) modulo the limit.
	log []Record
}

// modelState has the counts and the queue of one model.
type modelState struct {
	counts Counts
	// serving counts across resets what the limit is about.
	serving int
	// waiting has the requests without a turn, in order of arrival. Closing the channel gives the turn.
	waiting []chan struct{}
}

// call is one request in flight.
type call struct {
	*request
	tenant     *tenant
	state      *modelState
	behaviour  Model
	fault      *Fault
	generation int
	number     int
	start      time.Time
	latency    time.Duration
	// turn is closed when the request may be served; nil when that needed no waiting.
	turn    chan struct{}
	serving bool
	ended   bool
	outcome string
	// completionTokens is what was counted at the end.
	completionTokens int
}

func newTenant(config Config, limits Limits) *tenant {
	t := &tenant{limits: limits, models: map[string]*modelState{}}
	t.configure(config)
	t.reset()
	return t
}

// configure replaces the configuration and starts its script; requests that wait go on under the new limits.
func (t *tenant) configure(config Config) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.config = config
	t.script = newScript(config.Faults, time.Now())
	for name, state := range t.models {
		t.admit(state, t.config.model(name).MaxConcurrent)
	}
}

func (t *tenant) currentConfig() Config {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.config
}

// reset forgets all counts and starts the script again. Requests in flight go on, uncounted.
func (t *tenant) reset() {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.generation++
	t.counters = Counters{Since: time.Now(), FaultsInjected: map[string]int{}}
	t.prompts = map[uint64]*Prompt{}
	t.log = nil
	t.script = newScript(t.config.Faults, time.Now())
	for name, state := range t.models {
		state.counts = Counts{}
		if state.serving == 0 && len(state.waiting) == 0 {
			delete(t.models, name)
		}
	}
}

// begin counts an arrived request, and decides its fault and its place in the model's queue. reason is set where the request is
// refused: its status is to be sent, and it has ended.
func (t *tenant) begin(request *request, header http.Header, problem error) (c *call, reason string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	c = &call{request: request, tenant: t, generation: t.generation, start: time.Now()}
	c.state = t.state(request.model)
	t.counters.arrive()
	c.state.counts.arrive()
	c.number = t.counters.Requests
	t.remember(request)
	path := "chat"
	if request.messages {
		path = "messages"
	}
	switch {
	case request.embeddings:
		path = "embeddings"
	case request.images:
		path = "images"
	}
	t.append(Record{
		Number: c.number, Model: request.model, Path: path, Start: c.start, PromptHash: string(appendHex(nil, request.promptHash)),
		Stream: request.stream, PromptTokens: request.promptTokens,
	})
	if problem != nil {
		return c, FailedBadRequest
	}
	if !authorized(header, t.config.APIKeys) {
		return c, FailedUnauthorized
	}
	c.behaviour = t.config.model(request.model)
	c.latency = c.behaviour.Latency.draw(request.hash)
	t.record(c).LatencyMillis = millis(c.latency)
	c.fault = t.script.next(request, c.start)
	if c.fault == nil {
		c.fault = c.behaviour.Always
	}
	if c.fault != nil && c.fault.immediate() {
		t.inject(c)
		return c, ""
	}
	limit := c.behaviour.MaxConcurrent
	if limit == 0 || c.state.serving < limit && len(c.state.waiting) == 0 {
		t.serve(c)
	} else if queue := c.behaviour.MaxQueued; queue != nil && len(c.state.waiting) >= *queue {
		return c, FailedRateLimited
	} else {
		c.turn = make(chan struct{})
		c.state.waiting = append(c.state.waiting, c.turn)
	}
	t.inject(c)
	return c, ""
}

// inject counts the fault. The caller holds the lock.
func (t *tenant) inject(c *call) {
	if c.fault != nil {
		t.counters.FaultsInjected[string(c.fault.Kind)]++
		t.record(c).Fault = string(c.fault.Kind)
	}
}

// serve counts a request that has got its turn; the caller holds the lock.
func (t *tenant) serve(c *call) {
	if c.turn == nil {
		c.state.serving++
	}
	c.serving = true
	if c.generation == t.generation {
		t.counters.serve()
		c.state.counts.serve()
	}
}

// admit gives turns to waiting requests while the limit allows; the caller holds the lock.
func (t *tenant) admit(state *modelState, limit int) {
	for len(state.waiting) > 0 && (limit == 0 || state.serving < limit) {
		close(state.waiting[0])
		state.waiting = state.waiting[1:]
		state.serving++
	}
}

// wait returns when the request has its turn; false when the client went away first.
func (c *call) wait(ctx context.Context) bool {
	if c.turn == nil {
		return ctx.Err() == nil
	}
	select {
	case <-c.turn:
	case <-ctx.Done():
	}
	t := c.tenant
	t.mutex.Lock()
	defer t.mutex.Unlock()
	select {
	case <-c.turn: // Also where both happened: the turn was taken and has to be given back.
		t.serve(c)
		return ctx.Err() == nil
	default:
	}
	for index, turn := range c.state.waiting {
		if turn == c.turn {
			c.state.waiting = append(c.state.waiting[:index], c.state.waiting[index+1:]...)
			break
		}
	}
	return false
}

// end counts the outcome and gives the turn to the next request. It comes just before the last byte is sent, so that whoever has read
// a whole answer finds it counted; a second call corrects the outcome.
func (c *call) end(outcome string, status, completionTokens int) {
	t := c.tenant
	t.mutex.Lock()
	defer t.mutex.Unlock()
	counted := c.generation == t.generation
	if c.ended {
		if !counted || outcome == c.outcome {
			return
		}
		c.count(-1)
	} else {
		if c.serving {
			c.state.serving--
			t.admit(c.state, t.config.model(c.model).MaxConcurrent)
		}
		if !counted {
			c.ended = true
			return
		}
		for _, counts := range []*Counts{&t.counters.Counts, &c.state.counts} {
			counts.InFlight--
			if c.serving {
				counts.Serving--
			}
		}
	}
	c.ended, c.outcome, c.completionTokens = true, outcome, completionTokens
	c.count(1)
	record := t.record(c)
	record.DurationMillis = millis(time.Since(c.start))
	record.Status, record.Outcome, record.Cancelled = status, outcome, outcome == OutcomeCancelled
	record.CompletionTokens = completionTokens
}

// count adds the outcome and the tokens of a good answer, or takes them back with a weight of -1. The caller holds the lock.
func (c *call) count(weight int) {
	for _, counts := range []*Counts{&c.tenant.counters.Counts, &c.state.counts} {
		counts.end(c.outcome, weight)
		if c.outcome == OutcomeSucceeded {
			counts.PromptTokens += weight * c.promptTokens
			counts.CompletionTokens += weight * c.completionTokens
		}
	}
}

// state returns the model's state, made on first use; the caller holds the lock.
func (t *tenant) state(model string) *modelState {
	state, ok := t.models[model]
	if !ok && len(t.models) >= maxModelsCounted {
		model = otherModels
		state, ok = t.models[model]
	}
	if !ok {
		state = &modelState{}
		t.models[strings.Clone(model)] = state
	}
	return state
}

// remember counts the prompt; the caller holds the lock.
func (t *tenant) remember(request *request) {
	if prompt, ok := t.prompts[request.promptHash]; ok {
		if prompt.Count == 1 {
			t.counters.PromptsRepeated++
		}
		prompt.Count++
		t.counters.Repetitions++
		return
	}
	if request.promptHash == 0 {
		return // The body could not be read.
	}
	if len(t.prompts) >= t.limits.Prompts {
		t.counters.PromptsUntracked++
		return
	}
	text := request.prompt()
	if len(text) > promptTextBytes {
		text = strings.ToValidUTF8(text[:promptTextBytes], "")
	}
	t.prompts[request.promptHash] = &Prompt{Text: strings.Clone(text), Hash: string(appendHex(nil, request.promptHash)), Count: 1}
	t.counters.PromptsSeen++
}

// append adds to the log; the caller holds the lock.
func (t *tenant) append(record Record) {
	if len(t.log) < t.limits.Records {
		t.log = append(t.log, record)
		return
	}
	t.log[(record.Number-1)%t.limits.Records] = record
}

// record returns the call's record, or one that nobody reads where the ring has overwritten it or a reset has dropped it.
func (t *tenant) record(c *call) *Record {
	if c.generation == t.generation {
		if record := &t.log[(c.number-1)%t.limits.Records]; record.Number == c.number {
			return record
		}
	}
	return &Record{}
}

// snapshot returns the counters of one moment.
func (t *tenant) snapshot() Counters {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	result := t.counters
	result.Counts = t.counters.snapshot()
	result.FaultsInjected = make(map[string]int, len(t.counters.FaultsInjected))
	for kind, count := range t.counters.FaultsInjected {
		result.FaultsInjected[kind] = count
	}
	result.Models = make(map[string]Counts, len(t.models))
	for name, state := range t.models {
		result.Models[name] = state.counts.snapshot()
	}
	return result
}

// requests returns the log, oldest first; a model narrows it where it is not empty.
func (t *tenant) requests(model string) RequestLog {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	result := RequestLog{ByModel: map[string]int{}, Dropped: t.counters.Requests - len(t.log), Requests: []Record{}}
	for name, state := range t.models {
		result.ByModel[name] = state.counts.Requests
	}
	for offset := range t.log {
		record := t.log[(t.counters.Requests+offset)%len(t.log)]
		if model == "" || record.Model == model {
			result.Requests = append(result.Requests, record)
		}
	}
	return result
}

// listPrompts returns the prompts that came at least so often, sorted by text.
func (t *tenant) listPrompts(least int) []Prompt {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	result := []Prompt{}
	for _, prompt := range t.prompts {
		if prompt.Count >= least {
			result = append(result, *prompt)
		}
	}
	sort.Slice(result, func(a, b int) bool {
		return result[a].Text < result[b].Text || result[a].Text == result[b].Text && result[a].Hash < result[b].Hash
	})
	return result
}

func millis(duration time.Duration) float64 { return float64(duration.Microseconds()) / 1000 }
