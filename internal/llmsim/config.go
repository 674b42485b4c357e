package llmsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"time"

	"sigs.k8s.io/yaml"
)

// Config says how the server behaves. The zero value answers every request well and at once.
type Config struct {
	// APIKeys are the accepted bearer tokens. Without any, no key is asked for.
	APIKeys []string `json:"apiKeys,omitempty"`
	// Defaults is the behaviour of each model that Models does not name and whose name has no meaning of its own.
	Defaults Model `json:"defaults,omitempty"`
	// Models has the behaviour of single models by their whole name. An entry replaces Defaults and the meaning of the name.
	Models map[string]Model `json:"models,omitempty"`
	// Faults is the script: for each request, the first fault that applies is done.
	Faults []Fault `json:"faults,omitempty"`
}

// Model is the behaviour of one model.
type Model struct {
	// Latency is the time until the answer starts.
	Latency Latency `json:"latency,omitempty"`
	// MaxConcurrent is how many requests are served at once; 0 is no limit.
	MaxConcurrent int `json:"maxConcurrent,omitempty"`
	// MaxQueued is how many requests beyond MaxConcurrent wait for their turn, first come first served; each further one is answered
	// 429. Absent: all wait. 0: none waits.
	MaxQueued *int `json:"maxQueued,omitempty"`
	// RetryAfter is sent with each 429, in whole seconds, rounded up. The default is one second.
	RetryAfter Duration `json:"retryAfter,omitempty"`
	// Refusal is the message of each 429, which then has no Retry-After but that which is set: with some providers, the message alone says
	// when to come again, and with others nothing does.
	Refusal string `json:"refusal,omitempty"`
	// Reasoning has the model think before it answers.
	Reasoning bool `json:"reasoning,omitempty"`
	// PromptCache reports the tokens of the system's message as those of a cache.
	PromptCache bool `json:"promptCache,omitempty"`
	// Images has the model answer chat completions with an image instead of a text.
	Images bool `json:"images,omitempty"`
	// Always is a fault that happens to every request that the script leaves alone.
	Always *Fault `json:"always,omitempty"`
}

// Latency is a distribution. Each request's draw is a function of the request's content.
type Latency struct {
	// Distribution is Constant (the default), Uniform, Exponential, Lognormal or Beta.
	Distribution Distribution `json:"distribution,omitempty"`
	// Value is the Constant latency, the mean of Exponential, and the median of Lognormal.
	Value Duration `json:"value,omitempty"`
	// Min is the lower bound of Uniform.
	Min Duration `json:"min,omitempty"`
	// Max is the upper bound of Uniform and of Beta; for the other distributions, where set, draws above it are cut to it.
	Max Duration `json:"max,omitempty"`
	// Sigma is the standard deviation of the logarithm of Lognormal.
	Sigma float64 `json:"sigma,omitempty"`
	// Alpha and Beta are the parameters of Beta, both at least 1.
	Alpha float64 `json:"alpha,omitempty"`
	Beta  float64 `json:"beta,omitempty"`
	// PerToken is added for each token of the answer; a streamed answer is spread over that time.
	PerToken Duration `json:"perToken,omitempty"`
}

// Distribution is the shape of a latency.
type Distribution string

// The distributions of latencies.
const (
	Constant    Distribution = "Constant"
	Uniform     Distribution = "Uniform"
	Exponential Distribution = "Exponential"
	Lognormal   Distribution = "Lognormal"
	Beta        Distribution = "Beta"
)

// Fault is one entry of the script: which requests it happens to, and what happens. All conditions that are set must hold.
type Fault struct {
	// Kind is what happens.
	Kind FaultKind `json:"kind"`
	// Models are the names of the models; without any, every model.
	Models []string `json:"models,omitempty"`
	// PromptContains is a text that one of the messages (or inputs) must contain.
	PromptContains string `json:"promptContains,omitempty"`
	// FromRequest and ToRequest are numbers, from 1 and inclusive, among the requests that hold Models and PromptContains, counted
	// from the last PUT of the configuration or reset. 0 is no bound.
	FromRequest int `json:"fromRequest,omitempty"`
	ToRequest   int `json:"toRequest,omitempty"`
	// Every picks each n-th of the numbered requests, the first one being FromRequest.
	Every int `json:"every,omitempty"`
	// After and Until are a window of time, counted from the last PUT of the configuration or reset. Until 0 is no bound.
	After Duration `json:"after,omitempty"`
	Until Duration `json:"until,omitempty"`
	// Probability is the share of requests, picked by their content: the same request always has the same fate. 0 is all.
	Probability float64 `json:"probability,omitempty"`

	// Delay is waited before the fault; the model's latency is too where the fault is in the answer (see FaultKind).
	Delay Duration `json:"delay,omitempty"`
	// Status is the code of a Status fault; the default is 500.
	Status int `json:"status,omitempty"`
	// Body is sent by a Status fault instead of an error in OpenAI's format, by ErrorObject likewise, and by WrongJSON instead of half an
	// answer.
	Body string `json:"body,omitempty"`
	// RetryAfter is sent as a header by a Status fault, in whole seconds, rounded up.
	RetryAfter Duration `json:"retryAfter,omitempty"`
	// Headers are sent by a Status fault, as they stand here.
	Headers map[string]string `json:"headers,omitempty"`
	// Interval and Bytes are the speed of Trickle: so many bytes at once, and the time between. The defaults are 100ms and 1.
	Interval Duration `json:"interval,omitempty"`
	Bytes    int      `json:"bytes,omitempty"`
}

// FaultKind is what happens to a request.
type FaultKind string

// The faults. Status, ResetBeforeHeaders, CloseBeforeHeaders and Hang happen at once; the others happen to the answer, after the model's
// latency.
const (
	// FaultStatus answers with a status code and a body.
	FaultStatus FaultKind = "Status"
	// FaultResetBeforeHeaders resets the connection (TCP RST) without a byte of an answer.
	FaultResetBeforeHeaders FaultKind = "ResetBeforeHeaders"
	// FaultCloseBeforeHeaders closes the connection in order, without a byte of an answer.
	FaultCloseBeforeHeaders FaultKind = "CloseBeforeHeaders"
	// FaultResetMidBody sends headers and half of the body, then resets the connection.
	FaultResetMidBody FaultKind = "ResetMidBody"
	// FaultTruncatedBody sends a Content-Length larger than the body, then closes the connection in order.
	FaultTruncatedBody FaultKind = "TruncatedBody"
	// FaultBadChunk sends half of the body in chunks, then one whose size is no number, and closes the connection in order.
	FaultBadChunk FaultKind = "BadChunk"
	// FaultTrickle sends a good answer, slowly.
	FaultTrickle FaultKind = "Trickle"
	// FaultHang sends nothing until the client gives up.
	FaultHang FaultKind = "Hang"
	// FaultWrongJSON answers 200 with a body that is no JSON.
	FaultWrongJSON FaultKind = "WrongJSON"
	// FaultHTML answers 200 with a page, as proxies do in front of a server that is down.
	FaultHTML FaultKind = "HTML"
	// FaultErrorObject answers 200 with an error in the place of an answer.
	FaultErrorObject FaultKind = "ErrorObject"
	// FaultEmptyChoices answers 200 without a choice (embeddings: without data).
	FaultEmptyChoices FaultKind = "EmptyChoices"
	// FaultInvalid answers 200 with an empty content (embeddings: empty vectors).
	FaultInvalid FaultKind = "Invalid"
	// FaultRefusal answers 200 with a refusal and no content. Embeddings have no such answer; they get FaultInvalid's.
	FaultRefusal FaultKind = "Refusal"
)

var faultKinds = map[FaultKind]bool{
	FaultStatus: true, FaultResetBeforeHeaders: true, FaultResetMidBody: true, FaultTruncatedBody: true, FaultTrickle: true,
	FaultCloseBeforeHeaders: true, FaultBadChunk: true, FaultHTML: true, FaultErrorObject: true,
	FaultHang: true, FaultWrongJSON: true, FaultEmptyChoices: true, FaultInvalid: true, FaultRefusal: true,
}

// Duration is a time.Duration that is written as text, such as "250ms".
type Duration time.Duration

// MarshalJSON writes the duration as text.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON reads text such as "1.5s".
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("a duration is a text such as \"250ms\", not %s", data)
	}
	value, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is not a duration such as \"250ms\"", text)
	}
	*d = Duration(value)
	return nil
}

// ParseConfig reads YAML or JSON, refuses unknown fields, and names everything that is wrong with the values.
func ParseConfig(data []byte) (Config, error) {
	var config Config
	if err := yaml.UnmarshalStrict(data, &config); err != nil {
		return Config{}, fmt.Errorf("the configuration can't be read: %w", err)
	}
	return config, config.Validate()
}

// Validate names everything that is wrong, each with its field path.
func (c *Config) Validate() error {
	var problems []error
	report := func(path, format string, values ...any) {
		problems = append(problems, fmt.Errorf("%s: %s", path, fmt.Sprintf(format, values...)))
	}
	c.Defaults.validate("defaults", report)
	names := make([]string, 0, len(c.Models))
	for name := range c.Models {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		model := c.Models[name]
		model.validate(fmt.Sprintf("models[%s]", name), report)
	}
	for index := range c.Faults {
		c.Faults[index].validate(fmt.Sprintf("faults[%d]", index), report)
	}
	return errors.Join(problems...)
}

type reporter func(path, format string, values ...any)

func (m *Model) validate(path string, report reporter) {
	if m.MaxConcurrent < 0 {
		report(path+".maxConcurrent", "%d is negative", m.MaxConcurrent)
	}
	if m.MaxQueued != nil && *m.MaxQueued < 0 {
		report(path+".maxQueued", "%d is negative", *m.MaxQueued)
	}
	switch m.Latency.Distribution {
	case "", Constant, Exponential:
	case Uniform:
		if m.Latency.Min > m.Latency.Max {
			report(path+".latency.min", "is above max")
		}
	case Lognormal:
		if m.Latency.Sigma <= 0 {
			report(path+".latency.sigma", "must be positive")
		}
	case Beta:
		if m.Latency.Alpha < 1 || m.Latency.Beta < 1 || m.Latency.Max <= 0 {
			report(path+".latency", "Beta needs alpha and beta of at least 1, and a max")
		}
	default:
		report(path+".latency.distribution", "%q is not one of Constant, Uniform, Exponential, Lognormal, Beta", m.Latency.Distribution)
	}
	for _, duration := range []struct {
		name  string
		value Duration
	}{
		{"latency.value", m.Latency.Value}, {"latency.min", m.Latency.Min}, {"latency.max", m.Latency.Max},
		{"latency.perToken", m.Latency.PerToken}, {"retryAfter", m.RetryAfter},
	} {
		if duration.value < 0 {
			report(path+"."+duration.name, "is negative")
		}
	}
	if m.Always != nil {
		m.Always.validate(path+".always", report)
	}
}

func (f *Fault) validate(path string, report reporter) {
	if !faultKinds[f.Kind] {
		report(path+".kind", "%q is not a fault; see the list in cmd/llmsim/README.md", f.Kind)
	}
	if f.FromRequest < 0 || f.ToRequest < 0 || f.Every < 0 || f.Bytes < 0 {
		report(path, "fromRequest, toRequest, every and bytes can't be negative")
	}
	if f.ToRequest > 0 && f.ToRequest < f.FromRequest {
		report(path+".toRequest", "%d is before fromRequest %d", f.ToRequest, f.FromRequest)
	}
	if f.After < 0 || f.Until < 0 || f.Delay < 0 || f.Interval < 0 || f.RetryAfter < 0 {
		report(path, "after, until, delay, interval and retryAfter can't be negative")
	}
	if f.Until > 0 && f.Until <= f.After {
		report(path+".until", "is not later than after")
	}
	if f.Probability < 0 || f.Probability > 1 {
		report(path+".probability", "%v is not between 0 and 1", f.Probability)
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		report(path+".status", "%d is not an HTTP status between 200 and 599", f.Status)
	}
}
