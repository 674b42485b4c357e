package runreport

import "seedloom.dev/seedloom/api/v1alpha1"

// Draws count what was drawn of a column that has constraints.
type Draws struct {
	// Accepted are those that met all constraints, and stand in a row; Rejected did not meet one of them, and were drawn again.
	Accepted int64 `json:"accepted,omitempty"`
	Rejected int64 `json:"rejected,omitempty"`
}

// Add adds the counts of others.
func (d *Draws) Add(other Draws) {
	d.Accepted = Sum(d.Accepted, other.Accepted)
	d.Rejected = Sum(d.Rejected, other.Rejected)
}

// Rate is the share of the draws that were accepted; zero where there were none.
func (d Draws) Rate() float64 {
	if d.Accepted == 0 {
		return 0
	}
	return float64(d.Accepted) / (float64(d.Accepted) + float64(d.Rejected))
}

// Status is how the API counts them; nil where there are none.
func (d Draws) Status() *v1alpha1.DrawCounts {
	if d == (Draws{}) {
		return nil
	}
	return &v1alpha1.DrawCounts{Accepted: d.Accepted, Rejected: d.Rejected}
}
