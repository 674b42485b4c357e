package rollout

import (
	"time"

	"seedloom.dev/seedloom/engine/table"
)

// span is the time from the earliest to the latest moment of a session, as the file writes them; nil where it says none.
type span struct {
	startedAt, endedAt *string
	first, last        time.Time
}

// seen notes a moment of the session. Without a zone it counts as one of UTC, and what is no moment does not count.
func (s *span) seen(text *string) {
	if text == nil {
		return
	}
	moment, _, err := table.ParseTimestamp(*text)
	if err != nil {
		return
	}
	if s.startedAt == nil || moment.Before(s.first) {
		s.first, s.startedAt = moment, text
	}
	if s.endedAt == nil || moment.After(s.last) {
		s.last, s.endedAt = moment, text
	}
}
