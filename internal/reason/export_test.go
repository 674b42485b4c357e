package reason

import (
	"maps"
	"slices"
)

// Names are the reasons of the table, in the order of the alphabet.
func Names() []string { return slices.Sorted(maps.Keys(table)) }
