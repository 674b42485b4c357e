// Package clip shortens texts to a number of bytes, for what has bounds: status fields, log lines, reports. What a text means, and how wide
// it is on a terminal, is not known here.
package clip

import "unicode/utf8"

const ellipsis = "…"

// Text returns a text that is longer than limit bytes without its end, in place of which stands an ellipsis. The result has at most limit
// bytes, but for limits below the three of the ellipsis, and whole characters.
func Text(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return Prefix(text, limit-len(ellipsis)) + ellipsis
}

// Prefix returns the longest beginning of a text that has at most limit bytes and ends with a whole character.
func Prefix(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := max(limit, 0)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
