// Package suggest says, at the end of a message about an unknown name, which known name may be meant. It knows nothing of what the
// names stand for.
package suggest

import (
	"strconv"
	"strings"
)

// listedCandidates is how many names a message lists when none of them is close.
const listedCandidates = 8

// Name is the end of a message about an unknown name: the closest of the candidates, or which ones there are.
func Name(name string, candidates []string) string {
	best, bestDistance := "", len(name)/3+2
	for _, candidate := range candidates {
		distance := editDistance(strings.ToLower(name), strings.ToLower(candidate))
		if distance < bestDistance && distance < len(candidate) {
			best, bestDistance = candidate, distance
		}
	}
	if best != "" {
		return "; did you mean " + strconv.Quote(best) + "?"
	}
	if len(candidates) == 0 {
		return "; there are none"
	}
	listed := make([]string, 0, listedCandidates)
	for _, candidate := range candidates[:min(len(candidates), listedCandidates)] {
		listed = append(listed, strconv.Quote(candidate))
	}
	text := "; there are " + strings.Join(listed, ", ")
	if more := len(candidates) - len(listed); more > 0 {
		text += " and " + strconv.Itoa(more) + " more"
	}
	return text
}

// editDistance is the number of bytes to insert, delete, replace or swap with their neighbour to get from one name to the other.
func editDistance(from, to string) int {
	before, above, current := make([]int, len(to)+1), make([]int, len(to)+1), make([]int, len(to)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(from); i++ {
		current[0] = i
		for j := 1; j <= len(to); j++ {
			cost := 1
			if from[i-1] == to[j-1] {
				cost = 0
			}
			current[j] = min(above[j]+1, current[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && from[i-1] == to[j-2] && from[i-2] == to[j-1] {
				current[j] = min(current[j], before[j-2]+1)
			}
		}
		before, above, current = above, current, before
	}
	return above[len(to)]
}
