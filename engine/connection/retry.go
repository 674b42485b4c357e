package connection

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter is the longest wish that is passed on; longer ones, which a duration can't hold, are cut.
const maxRetryAfter = 10_000 * time.Hour

// RetryAfter reads how long the server asks to wait: in milliseconds, in seconds, as a duration such as 1m30s, or as a date of HTTP or of RFC 3339.
func RetryAfter(header http.Header, now time.Time) time.Duration {
	if milliseconds, err := strconv.ParseFloat(strings.TrimSpace(header.Get("Retry-After-Ms")), 64); err == nil && milliseconds > 0 {
		return inSeconds(milliseconds / 1000)
	}
	text := strings.TrimSpace(header.Get("Retry-After"))
	if text == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		return inSeconds(seconds)
	}
	if duration, err := time.ParseDuration(text); err == nil {
		return inSeconds(duration.Seconds())
	}
	if sent, err := http.ParseTime(header.Get("Date")); err == nil {
		// The clocks of the two sides may differ.
		now = sent
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

func inSeconds(seconds float64) time.Duration {
	// It may be no number at all.
	if !(seconds > 0) {
		return 0
	}
	return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second))
}
