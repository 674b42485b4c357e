package jinja

// Vars gives a template its variables.
type Vars interface {
	// Lookup returns the value of a variable, one of the types listed at Value, and whether it exists.
	Lookup(name string) (Value, bool)
}

// MapVars is a Vars made of a map.
type MapVars map[string]Value

// Lookup returns the value of a key.
func (m MapVars) Lookup(name string) (Value, bool) {
	value, found := m[name]
	return value, found
}

// UndefinedMode says what happens with names that do not exist.
type UndefinedMode int

const (
	// undefinedLenient prints nothing for a missing name; going deeper into it is an error. Jinja's default.
	undefinedLenient UndefinedMode = iota
	// UndefinedStrict makes every use of a missing name an error, but for the test "is defined" and the filter "default".
	UndefinedStrict
)

// Limits are the budgets of one rendering. A zero field means its default.
type Limits struct {
	// Steps bounds evaluated nodes and iterated items.
	Steps int
	// Depth bounds nested macro calls, recursive loops and nested values.
	Depth int
	// OutputBytes bounds the rendered text.
	OutputBytes int
	// MemoryBytes bounds what all intermediate values together allocate, roughly counted; freed memory counts too.
	MemoryBytes int
}

// DefaultLimits returns the budgets that hold where none are given.
func DefaultLimits() Limits {
	return Limits{Steps: 1_000_000, Depth: 100, OutputBytes: 4 << 20, MemoryBytes: 64 << 20}
}

// Options are the settings of one rendering.
type Options struct {
	Undefined UndefinedMode
	Limits    Limits
	// Random returns a number in [0, n) for the filter "random", which fails without it: rendering is deterministic.
	Random func(n int) int
}
