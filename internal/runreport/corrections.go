package runreport

import "seedloom.dev/seedloom/api/v1alpha1"

// Corrections count the values of a model's column that a validation has found not valid, and for which the model was asked again.
type Corrections struct {
	// Corrected are valid in the end.
	Corrected int64 `json:"corrected,omitempty"`
	// GivenUp were not valid after all corrections: their cells have failed.
	GivenUp int64 `json:"givenUp,omitempty"`
	// Kept were not valid after all corrections either, and are there all the same.
	Kept int64 `json:"kept,omitempty"`
}

// Add adds the counts of others.
func (c *Corrections) Add(other Corrections) {
	c.Corrected = Sum(c.Corrected, other.Corrected)
	c.GivenUp = Sum(c.GivenUp, other.GivenUp)
	c.Kept = Sum(c.Kept, other.Kept)
}

// Status is how the API counts them; nil where there are none.
func (c Corrections) Status() *v1alpha1.CorrectionCounts {
	if c == (Corrections{}) {
		return nil
	}
	return &v1alpha1.CorrectionCounts{Corrected: c.Corrected, GivenUp: c.GivenUp, Kept: c.Kept}
}
