package connection

import (
	"encoding/json"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter is the longest wish that is passed on; longer ones, such as a date in another century, are cut.
const maxRetryAfter = 10_000 * time.Hour

// gatewayPrefix stands before the headers of a provider that a gateway (LiteLLM) passes on.
const gatewayPrefix = "Llm_provider-"

// RetryAfter reads from the headers of an answer how long the server asks to wait: Retry-After and retry-after-ms in all their forms, also
// as a gateway passes them on.
func RetryAfter(header http.Header, now time.Time) time.Duration {
	now = sentAt(header, now)
	for _, prefix := range []string{"", gatewayPrefix} {
		milliseconds, err := strconv.ParseFloat(strings.TrimSpace(header.Get(prefix+"Retry-After-Ms")), 64)
		if err == nil && milliseconds > 0 {
			return inSeconds(milliseconds / 1000)
		}
		if wait := waitOf(header.Get(prefix+"Retry-After"), now); wait > 0 {
			return wait
		}
	}
	return 0
}

// UntilReset reads from the headers of a refusal when the limit is whole again that has led to it; 0 where they don't say.
func UntilReset(header http.Header, now time.Time) time.Duration {
	now = sentAt(header, now)
	for _, prefix := range []string{"", gatewayPrefix} {
		if wait := untilReset(header, prefix, now); wait > 0 {
			return wait
		}
	}
	return 0
}

// sentAt is when an answer was sent by the clock of the server, which may differ from ours.
func sentAt(header http.Header, now time.Time) time.Time {
	if sent, err := http.ParseTime(header.Get("Date")); err == nil {
		return sent
	}
	return now
}

// waitOf reads a time to wait: seconds, a duration such as 1m30s, a date of HTTP or of RFC 3339, or a moment as a number of seconds or
// milliseconds since 1970.
func waitOf(text string, now time.Time) time.Duration {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		return inSeconds(sinceNow(seconds, now))
	}
	if duration, err := time.ParseDuration(text); err == nil {
		return inSeconds(duration.Seconds())
	}
	date, err := http.ParseTime(text)
	if err != nil {
		date, err = time.Parse(time.RFC3339, text)
	}
	if err != nil {
		return 0
	}
	return min(max(0, date.Sub(now)), maxRetryAfter)
}

// Numbers in this range are moments near today, in seconds and in milliseconds since 1970: nobody asks to be left alone for thirty years.
const (
	firstMoment = 1e9
	lastMoment  = 1e10
)

// sinceNow turns a moment into seconds from now; what is no moment stays as it is.
func sinceNow(seconds float64, now time.Time) float64 {
	switch {
	case seconds >= firstMoment && seconds < lastMoment:
		return seconds - float64(now.UnixMilli())/1000
	case seconds >= 1000*firstMoment && seconds < 1000*lastMoment:
		return (seconds - float64(now.UnixMilli())) / 1000
	}
	return seconds
}

// limits are the headers in which servers say what is left of a limit, and when it is whole again.
var limits = []struct{ remaining, reset string }{
	{"X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests"},
	{"X-Ratelimit-Remaining-Tokens", "X-Ratelimit-Reset-Tokens"},
	{"X-Ratelimit-Remaining", "X-Ratelimit-Reset"},
	{"Ratelimit-Remaining", "Ratelimit-Reset"},
	{"Anthropic-Ratelimit-Requests-Remaining", "Anthropic-Ratelimit-Requests-Reset"},
	{"Anthropic-Ratelimit-Tokens-Remaining", "Anthropic-Ratelimit-Tokens-Reset"},
	{"Anthropic-Ratelimit-Input-Tokens-Remaining", "Anthropic-Ratelimit-Input-Tokens-Reset"},
	{"Anthropic-Ratelimit-Output-Tokens-Remaining", "Anthropic-Ratelimit-Output-Tokens-Reset"},
}

// untilReset is until all limits are whole again of which nothing is left. Where something is left of each, the next to be whole may be the
// one that was too small.
func untilReset(header http.Header, prefix string, now time.Time) time.Duration {
	var exhausted, next time.Duration
	for _, limit := range limits {
		wait := waitOf(header.Get(prefix+limit.reset), now)
		if wait <= 0 {
			continue
		}
		left := strings.TrimSpace(header.Get(prefix + limit.remaining))
		if count, err := strconv.ParseFloat(left, 64); left != "" && err == nil && count > 0 {
			if next == 0 || wait < next {
				next = wait
			}
			continue
		}
		exhausted = max(exhausted, wait)
	}
	if exhausted > 0 {
		return exhausted
	}
	return next
}

// inWords finds where a text of a server may say when to come again: "try again in 1.9s", "retry after 20 seconds", "Please wait 350ms".
var inWords = regexp.MustCompile(`(?i)\b(?:try|retry|wait|available|resets?)\b[^.\d\n]{0,60}?(\d)`)

// amount is a number with its unit at the beginning of a text.
var amount = regexp.MustCompile(`^(?:[\s,]|and\s)*(\d+(?:\.\d+)?)\s*([a-zA-Z]+)`)

var units = map[string]float64{
	"ms": 0.001, "msec": 0.001, "msecs": 0.001, "millisecond": 0.001, "milliseconds": 0.001,
	"s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1,
	"m": 60, "min": 60, "mins": 60, "minute": 60, "minutes": 60,
	"h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "hours": 3600,
	"d": 86400, "day": 86400, "days": 86400,
}

// RetryAfterInText reads from the text of an error how long the server asks to wait; 0 where it says nothing of it.
func RetryAfterInText(text string) time.Duration {
	for _, found := range inWords.FindAllStringSubmatchIndex(text, -1) {
		seconds, rest := 0.0, text[found[2]:]
		for {
			part := amount.FindStringSubmatch(rest)
			if len(part) == 0 || units[strings.ToLower(part[2])] == 0 {
				break
			}
			// What the expression has found is a number.
			number, _ := strconv.ParseFloat(part[1], 64)
			seconds += number * units[strings.ToLower(part[2])]
			rest = rest[len(part[0]):]
		}
		if seconds > 0 {
			return inSeconds(seconds)
		}
	}
	return 0
}

// members are those in which documents of errors say how long to wait, with the unit of their numbers.
var members = map[string]float64{
	"retrydelay": 1, "retry_delay": 1, "retry_after": 1, "retryafter": 1, "retry-after": 1, "retry_after_seconds": 1,
	"retryafterseconds": 1,
	"retry_after_ms":    0.001, "retryafterms": 0.001, "retry-after-ms": 0.001,
}

// RetryAfterInDocument reads from the document of an error how long the server asks to wait: google.rpc.RetryInfo, and members with the
// names of the headers, at any depth; 0 where it says nothing of it.
func RetryAfterInDocument(document []byte, now time.Time) time.Duration {
	var root any
	if json.Unmarshal(document, &root) != nil {
		return 0
	}
	return min(inDocument(root, now, 0), maxRetryAfter)
}

// maxDepth is how deep a hint may lie.
const maxDepth = 8

func inDocument(value any, now time.Time, depth int) time.Duration {
	longest := time.Duration(0)
	switch typed := value.(type) {
	case []any:
		for _, item := range typed {
			if depth < maxDepth {
				longest = max(longest, inDocument(item, now, depth+1))
			}
		}
	case map[string]any:
		for name, member := range typed {
			if unit, hint := members[strings.ToLower(name)]; hint {
				longest = max(longest, inMember(member, unit, now))
			} else if depth < maxDepth {
				longest = max(longest, inDocument(member, now, depth+1))
			}
		}
		if headers, found := typed["headers"].(map[string]any); found {
			longest = max(longest, inHeaders(headers, now))
		}
	}
	return longest
}

// inHeaders reads the headers that a gateway has put into the document.
func inHeaders(headers map[string]any, now time.Time) time.Duration {
	header := http.Header{}
	for name, value := range headers {
		if text, isText := value.(string); isText {
			header.Set(name, text)
		}
	}
	if wait := RetryAfter(header, now); wait > 0 {
		return wait
	}
	return UntilReset(header, now)
}

func inMember(value any, unit float64, now time.Time) time.Duration {
	switch typed := value.(type) {
	case float64:
		return inSeconds(sinceNow(typed, now) * unit)
	case string:
		if number, err := strconv.ParseFloat(typed, 64); err == nil {
			return inSeconds(sinceNow(number, now) * unit)
		}
		return waitOf(typed, now)
	case map[string]any:
		// A duration of Google's in its parts.
		seconds, _ := typed["seconds"].(float64)
		nanoseconds, _ := typed["nanos"].(float64)
		return inSeconds(seconds + nanoseconds/1e9)
	}
	return 0
}

func inSeconds(seconds float64) time.Duration {
	// It may be no number at all.
	if math.IsNaN(seconds) || seconds <= 0 {
		return 0
	}
	return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second))
}
