package sampler_test

import (
	"regexp"
	"strconv"
	"testing"
)

func TestPatternsAreMatched(t *testing.T) {
	for pattern, kinds := range map[string]int{
		`[A-Z]{3}-[0-9]{4}`: 100, `(red|green|blue) (car|bike)`: 6, `\d{1,3}(\.\d{1,3}){3}`: 100, `a?b*c+`: 20, `^x.y$`: 50, `[^a-z\s]{2}`: 100,
		`(?i)abc`: 1, `\p{Greek}{4}`: 100, `(?:[01]\d|2[0-3]):[0-5]\d`: 100, `\w+@[a-z]+\.(com|org)`: 100, `(?P<year>19|20)\d\d`: 50, `ß€𝄞`: 1, `()`: 1,
	} {
		_, values := draws(t, `{type: Pattern, pattern: {regex: `+strconv.Quote(pattern)+`}}`, 400)
		whole := regexp.MustCompile(`^(?:` + pattern + `)$`)
		seen := map[any]bool{}
		for _, value := range values {
			if !whole.MatchString(value.(string)) {
				t.Fatalf("%s: %q doesn't match", pattern, value)
			}
			seen[value] = true
		}
		if len(seen) < kinds {
			t.Errorf("%s: only %d different texts", pattern, len(seen))
		}
	}
}

func TestSequencesCountTheRows(t *testing.T) {
	for text, want := range map[string][]any{
		`{type: Sequence}`: {int64(0), int64(1), int64(2)},
		`{type: Sequence, sequence: {start: 1000, step: 10}}`:                   {int64(1000), int64(1010), int64(1020)},
		`{type: Sequence, sequence: {step: -2}, convertTo: float}`:              {0.0, -2.0, -4.0},
		`{type: Sequence, sequence: {start: 1000000000000000}, convertTo: str}`: {"1000000000000000", "1000000000000001", "1000000000000002"},
	} {
		if _, values := draws(t, text, 3); values[0] != want[0] || values[1] != want[1] || values[2] != want[2] {
			t.Errorf("%s: %v, want %v", text, values, want)
		}
	}
}
