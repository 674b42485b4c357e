package runreport

import (
	"fmt"
	"strings"

	"seedloom.dev/seedloom/internal/clip"
)

// KindAgentRollouts is the kind of documents that are recorded sessions of agents.
const KindAgentRollouts = "AgentRollouts"

// Documents says what has become of the documents of a seed, or of the sessions of agents that are one.
type Documents struct {
	// Kind is KindAgentRollouts of recorded sessions, and empty of documents.
	Kind string `json:"kind,omitempty"`
	// Count is how many there are, Skipped how many of them were left out, and Chunks how many rows the others give.
	Count   int64 `json:"count"`
	Skipped int64 `json:"skipped"`
	Chunks  int64 `json:"chunks"`
	// PagesWithoutText is how many pages have no text and a picture, in which there may be some.
	PagesWithoutText int64 `json:"pagesWithoutText"`
	// FirstProblem is why the first of those that were left out was.
	FirstProblem string `json:"firstProblem,omitempty"`
}

// Note says what of it people should know when a run has ended with some records; empty where there is nothing.
func (d *Documents) Note(records int64) string {
	if d == nil {
		return ""
	}
	var notes []string
	things := "documents"
	if d.Kind == KindAgentRollouts {
		things = "recorded sessions"
	}
	if d.Skipped > 0 {
		notes = append(notes, fmt.Sprintf("%d of %d %s of the seed were left out, the first is %s", d.Skipped, d.Count, things,
			clip.Text(d.FirstProblem, 256)))
	}
	if d.PagesWithoutText > 0 {
		notes = append(notes, fmt.Sprintf("%d pages of the seed's documents are pictures without text", d.PagesWithoutText))
	}
	if d.Chunks > records {
		notes = append(notes, fmt.Sprintf("the documents of the seed have %d chunks, more than the %d records that are asked for", d.Chunks,
			records))
	}
	return strings.Join(notes, "; ")
}

// short is the same with a problem of at most some bytes.
func (d *Documents) short(bytes int) *Documents {
	if d == nil {
		return nil
	}
	shorter := *d
	shorter.FirstProblem = clip.Text(d.FirstProblem, bytes)
	return &shorter
}
