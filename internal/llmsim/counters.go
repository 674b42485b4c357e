package llmsim

import "time"

// The reasons of failures that no fault of the script causes; they stand beside the kinds of faults in Counts.Failed.
const (
	FailedRateLimited  = "RateLimited"
	FailedUnauthorized = "Unauthorized"
	FailedBadRequest   = "BadRequest"
)

// OutcomeSucceeded and OutcomeCancelled are, besides the reasons of failures, the outcomes in the log.
const (
	OutcomeSucceeded = "Succeeded"
	OutcomeCancelled = "Cancelled"
)

// otherModels collects the counts of models beyond the limit on how many are told apart.
const otherModels = "(other models)"

// Counts tells what happened to requests. At any moment Requests = Succeeded + Cancelled + all of Failed + InFlight.
type Counts struct {
	Requests  int `json:"requests"`
	Succeeded int `json:"succeeded"`
	// Failed counts by reason: a kind of fault, or RateLimited, Unauthorized, BadRequest.
	Failed map[string]int `json:"failed"`
	// Cancelled counts requests whose client went away before the last byte of the answer.
	Cancelled int `json:"cancelled"`
	// InFlight counts requests that arrived and have not ended, those that wait for their turn included.
	InFlight          int `json:"inFlight"`
	InFlightHighWater int `json:"inFlightHighWater"`
	// Serving counts requests that have their turn under the limit on concurrency.
	Serving          int `json:"serving"`
	ServingHighWater int `json:"servingHighWater"`
	PromptTokens     int `json:"promptTokens"`
	CompletionTokens int `json:"completionTokens"`
}

func (c *Counts) arrive() {
	c.Requests++
	c.InFlight++
	c.InFlightHighWater = max(c.InFlightHighWater, c.InFlight)
}

func (c *Counts) serve() {
	c.Serving++
	c.ServingHighWater = max(c.ServingHighWater, c.Serving)
}

// end counts the outcome, or takes it back with a weight of -1.
func (c *Counts) end(outcome string, weight int) {
	switch outcome {
	case OutcomeSucceeded:
		c.Succeeded += weight
	case OutcomeCancelled:
		c.Cancelled += weight
	default:
		if c.Failed == nil {
			c.Failed = map[string]int{}
		}
		c.Failed[outcome] += weight
		if c.Failed[outcome] == 0 {
			delete(c.Failed, outcome)
		}
	}
}

// snapshot returns a copy that the running counts no longer change.
func (c *Counts) snapshot() Counts {
	result := *c
	result.Failed = make(map[string]int, len(c.Failed))
	for reason, count := range c.Failed {
		result.Failed[reason] = count
	}
	return result
}

// Counters is the answer of GET /_sim/counters: all requests, and the same by model.
type Counters struct {
	// Since is the time of the start or of the last reset.
	Since time.Time `json:"since"`
	Counts
	// PromptsSeen is how many different prompts came, PromptsRepeated how many of them came more than once, and Repetitions how many
	// requests came with a prompt that had come before.
	PromptsSeen     int `json:"promptsSeen"`
	PromptsRepeated int `json:"promptsRepeated"`
	Repetitions     int `json:"repetitions"`
	// PromptsUntracked counts requests whose prompt was new after the limit on remembered prompts; 0 means that the three are exact.
	PromptsUntracked int `json:"promptsUntracked"`
	// FaultsInjected counts by kind what the script did, also to requests that the client cancelled.
	FaultsInjected map[string]int    `json:"faultsInjected"`
	Models         map[string]Counts `json:"models"`
}

// Record is one request in the log.
type Record struct {
	// Number is the order of arrival since the last reset, from 1.
	Number int    `json:"number"`
	Model  string `json:"model"`
	// Path is "chat", "messages", "embeddings" or "images".
	Path  string    `json:"path"`
	Start time.Time `json:"start"`
	// DurationMillis is the time from the arrival to the end; 0 while in flight.
	DurationMillis float64 `json:"durationMillis"`
	// LatencyMillis is the latency that was drawn, without the time per token.
	LatencyMillis float64 `json:"latencyMillis"`
	// Status is the HTTP status that was sent, 0 where none was.
	Status int `json:"status"`
	// Outcome is Succeeded, Cancelled, a reason as in Counts.Failed, or empty while in flight.
	Outcome string `json:"outcome"`
	// Fault is the kind of fault that was injected.
	Fault            string `json:"fault,omitempty"`
	PromptHash       string `json:"promptHash"`
	Cancelled        bool   `json:"cancelled"`
	Stream           bool   `json:"stream,omitempty"`
	PromptTokens     int    `json:"promptTokens"`
	CompletionTokens int    `json:"completionTokens"`
}

// RequestLog is the answer of GET /_sim/requests.
type RequestLog struct {
	// ByModel counts all requests, also those that the log no longer has.
	ByModel map[string]int `json:"byModel"`
	// Dropped is how many of the oldest requests the log no longer has.
	Dropped  int      `json:"dropped"`
	Requests []Record `json:"requests"`
}

// Prompt is one entry of GET /_sim/prompts.
type Prompt struct {
	// Text is the beginning of the last message (or of the first input).
	Text  string `json:"text"`
	Hash  string `json:"hash"`
	Count int    `json:"count"`
}
