package llmsim

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// slowLatency is the latency of models named slow.
const slowLatency = 2 * time.Second

// namedBehaviours lists the names that have a meaning without configuration; GET /v1/models shows them.
var namedBehaviours = []string{
	"slow", "always-invalid", "always-refusal", "always-empty-choices", "always-wrong-json", "always-hang", "always-reset", "always-429",
	"always-500",
	callsTools, alwaysCallsTools, "reasons", "draws",
}

// model returns the behaviour of a model: its own entry, or the meaning of its name after the last slash, or the defaults.
func (c *Config) model(name string) Model {
	if model, ok := c.Models[name]; ok {
		return model
	}
	behaviour := c.Defaults
	name = name[strings.LastIndexByte(name, '/')+1:]
	if name == "slow" {
		behaviour.Latency = Latency{Value: Duration(slowLatency)}
		return behaviour
	}
	behaviour.Reasoning = behaviour.Reasoning || name == "reasons"
	behaviour.Images = behaviour.Images || name == "draws"
	always, ok := strings.CutPrefix(name, "always-")
	if !ok {
		return behaviour
	}
	kinds := map[string]FaultKind{
		"invalid": FaultInvalid, "refusal": FaultRefusal, "empty-choices": FaultEmptyChoices,
		"wrong-json": FaultWrongJSON, "hang": FaultHang, "reset": FaultResetBeforeHeaders,
	}
	if kind, ok := kinds[always]; ok {
		behaviour.Always = &Fault{Kind: kind}
	} else if status, err := strconv.Atoi(always); err == nil && status >= 400 && status <= 599 {
		behaviour.Always = &Fault{Kind: FaultStatus, Status: status}
	}
	return behaviour
}

// draw returns the time until the answer starts, as a function of the request's hash.
func (l *Latency) draw(requestHash uint64) time.Duration {
	if l.Value == 0 && l.Max == 0 {
		return 0
	}
	random := newRandom(requestHash ^ latencyStream)
	value := float64(l.Value)
	switch l.Distribution {
	case Uniform:
		return time.Duration(float64(l.Min) + random.float()*float64(l.Max-l.Min))
	case Exponential:
		value *= -math.Log(1 - random.float())
	case Lognormal:
		value *= math.Exp(l.Sigma * random.normal())
	case Beta:
		alpha, beta := random.gamma(l.Alpha), random.gamma(l.Beta)
		return time.Duration(float64(l.Max) * alpha / (alpha + beta))
	}
	if l.Max > 0 {
		value = min(value, float64(l.Max))
	}
	return time.Duration(min(value, float64(math.MaxInt64/2)))
}

// script is the running state of a configuration's faults. Its tenant's lock guards it.
type script struct {
	faults []Fault
	// matched counts, for each fault, the requests that its models and its text matched.
	matched []int
	since   time.Time
}

func newScript(faults []Fault, now time.Time) script {
	return script{faults: faults, matched: make([]int, len(faults)), since: now}
}

// next counts the request and returns the fault that happens to it, or nil.
func (s *script) next(request *request, now time.Time) *Fault {
	var found *Fault
	for index := range s.faults {
		fault := &s.faults[index]
		if !fault.matches(request) {
			continue
		}
		s.matched[index]++
		if found == nil && fault.happens(s.matched[index], now.Sub(s.since), request.hash, index) {
			found = fault
		}
	}
	return found
}

func (f *Fault) matches(request *request) bool {
	if len(f.Models) > 0 {
		found := false
		for _, name := range f.Models {
			found = found || name == request.model
		}
		if !found {
			return false
		}
	}
	if f.PromptContains == "" {
		return true
	}
	for _, text := range request.texts {
		if strings.Contains(text, f.PromptContains) {
			return true
		}
	}
	return false
}

func (f *Fault) happens(number int, elapsed time.Duration, requestHash uint64, index int) bool {
	first := max(f.FromRequest, 1)
	if number < first || f.ToRequest > 0 && number > f.ToRequest {
		return false
	}
	if f.Every > 1 && (number-first)%f.Every != 0 {
		return false
	}
	if elapsed < time.Duration(f.After) || f.Until > 0 && elapsed >= time.Duration(f.Until) {
		return false
	}
	if f.Probability > 0 {
		random := newRandom(requestHash ^ faultStream ^ uint64(index)<<32)
		return random.float() < f.Probability
	}
	return true
}

// immediate says that the fault happens instead of an answer and needs no turn among the model's concurrent requests.
func (f *Fault) immediate() bool {
	return f.Kind == FaultStatus || f.Kind == FaultResetBeforeHeaders || f.Kind == FaultCloseBeforeHeaders
}
