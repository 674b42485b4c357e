package runreport

import (
	"cmp"
	"encoding/json"
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// unusableReasons are the causes of answers that were paid for and could not be used. One that is not among them counts as the first.
var unusableReasons = [...]string{
	v1alpha1.ReasonModelGenerationInvalid, v1alpha1.ReasonOutputTruncated, v1alpha1.ReasonContextOverflow, v1alpha1.ReasonContentRefused,
	v1alpha1.ReasonUnsupportedRequest, v1alpha1.ReasonToolFailed, v1alpha1.ReasonValidationFailed,
}

// Unusable counts answers that were paid for and could not be used, by their cause. Two that are equal count the same.
type Unusable [len(unusableReasons)]int64

// ReasonCount counts what has one cause.
type ReasonCount struct {
	Reason string
	Count  int64
}

// Count counts one answer more.
func (u *Unusable) Count(reason string) { u.add(reason, 1) }

func (u *Unusable) add(reason string, count int64) {
	index := max(0, slices.Index(unusableReasons[:], reason))
	u[index] = Sum(u[index], count)
}

// Add adds other answers.
func (u *Unusable) Add(other Unusable) {
	for i, count := range other {
		u[i] = Sum(u[i], count)
	}
}

// Total is how many answers there are.
func (u *Unusable) Total() int64 {
	var total int64
	for _, count := range u {
		total = Sum(total, count)
	}
	return total
}

// ByReason lists the causes that there are, the most frequent first.
func (u *Unusable) ByReason() []ReasonCount {
	var listed []ReasonCount
	for i, count := range u {
		if count > 0 {
			listed = append(listed, ReasonCount{unusableReasons[i], count})
		}
	}
	slices.SortStableFunc(listed, func(a, b ReasonCount) int { return cmp.Compare(b.Count, a.Count) })
	return listed
}

// Counts are the counts of the causes that there are, by their reasons; it is never nil.
func (u *Unusable) Counts() map[string]int64 {
	counts := map[string]int64{}
	for _, cause := range u.ByReason() {
		counts[cause.Reason] = cause.Count
	}
	return counts
}

// MarshalJSON writes an object with the counts by reason.
func (u Unusable) MarshalJSON() ([]byte, error) { return json.Marshal(u.Counts()) }

// UnmarshalJSON reads such an object. It never loses an answer: reasons of another version count as the most general one.
func (u *Unusable) UnmarshalJSON(data []byte) error {
	var counts map[string]int64
	if err := json.Unmarshal(data, &counts); err != nil {
		return err
	}
	*u = Unusable{}
	for reason, count := range counts {
		u.add(reason, count)
	}
	return nil
}
