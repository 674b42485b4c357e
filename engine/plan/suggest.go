package plan

import "seedloom.dev/seedloom/internal/suggest"

// suggestion is the end of a message about an unknown name: the closest of the candidates, or which ones there are.
func suggestion(name string, candidates []string) string { return suggest.Name(name, candidates) }

// Suggestion is the end of a message about a name that is not one of the candidates: the closest of them, or which ones there are.
func Suggestion(name string, candidates []string) string { return suggest.Name(name, candidates) }
