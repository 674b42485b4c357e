package v1alpha1

// EarlyShutdownRule is when a run ends early: where more than a share of a column's latest cells have failed.
//
// +kubebuilder:object:generate=false
type EarlyShutdownRule struct {
	Enabled   bool
	ErrorRate float64
	// ErrorWindow is how many cells are looked at.
	ErrorWindow int
}
