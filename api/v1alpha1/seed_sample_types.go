package v1alpha1

// SeedSample is a column with further rows of the seed, as a list of structs with the columns of the seed.
type SeedSample struct {
	// name is the name of the column.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Za-z][A-Za-z0-9_]*$`
	// +required
	Name string `json:"name,omitempty"`

	// count is how many rows it holds. The seed must have more.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	// +required
	Count int32 `json:"count,omitempty"`

	// from says which rows it holds. Defaults to Random.
	// +optional
	From SeedSampleOrigin `json:"from,omitempty"`
}

// SeedSampleOrigin says which further rows of the seed a row has.
// +kubebuilder:validation:Enum=Random;Next
type SeedSampleOrigin string

const (
	// SeedSampleRandom draws rows, none twice and never the row's own. The draw depends on randomSeed, the name of the column and the number
	// of the row alone.
	SeedSampleRandom SeedSampleOrigin = "Random"
	// SeedSampleNext takes the rows that follow the row's own in the seed, and after the last one the first.
	SeedSampleNext SeedSampleOrigin = "Next"
)

// MaxSeedSample is how many further rows of the seed a column holds at most.
const MaxSeedSample = 100

// EffectiveFrom is from with its default.
func (s *SeedSample) EffectiveFrom() SeedSampleOrigin {
	if s.From == "" {
		return SeedSampleRandom
	}
	return s.From
}
