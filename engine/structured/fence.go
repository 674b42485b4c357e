package structured

import (
	"regexp"
	"strings"
)

// Fence is a fenced block of Markdown.
type Fence struct {
	// Language is the first word behind the fence, or empty.
	Language string
	Content  string
	// Before is the last line with words before the block, outside of other blocks; empty when there is none since the block before it.
	Before string
	// Closed says that the block ends before the text does.
	Closed bool
}

var (
	openingFence = regexp.MustCompile("^(\\s*(?:[-*>]\\s+)*)(`{3,}|~{3,})\\s*([^\\s`~]*)([^`]*)$")
	inlineFence  = regexp.MustCompile("^[^`]*[^`\\s][^`]*(`{3,})([A-Za-z0-9+#.:_-]+)\\s*$")
)

// Fences returns the fenced blocks of a text in their order. It forgives what models do and Markdown does not: a fence behind words on its
// line, and an end behind the last line of the block.
func Fences(text string) []Fence {
	var blocks []Fence
	var lines []string
	var fence, indent, before string
	inside := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if !inside {
			if match := openingFence.FindStringSubmatch(line); match != nil {
				indent, fence = match[1], match[2]
				blocks, lines, inside = append(blocks, Fence{Language: match[3], Before: before}), nil, true
			} else if match := inlineFence.FindStringSubmatch(line); match != nil {
				indent, fence = "", match[1]
				before, _, _ = strings.Cut(line, fence)
				blocks, lines, inside = append(blocks, Fence{Language: match[2], Before: before}), nil, true
			} else if strings.TrimSpace(line) != "" {
				before = line
			}
			continue
		}
		last, ends := closesFence(line, fence)
		if !ends || last != "" {
			lines = append(lines, strings.TrimPrefix(last, indent))
		}
		block := &blocks[len(blocks)-1]
		block.Content, block.Closed = strings.Join(lines, "\n"), ends
		inside, before = !ends, ""
	}
	return blocks
}

// closesFence says whether a line ends the block of a fence, and what of the line belongs to the block.
func closesFence(line, fence string) (rest string, closes bool) {
	trimmed := strings.TrimRight(line, " \t")
	rest = strings.TrimRight(trimmed, fence[:1])
	if len(trimmed)-len(rest) < len(fence) {
		return line, false
	}
	if strings.Contains(rest, fence) {
		return line, false
	}
	if strings.TrimSpace(rest) == "" {
		rest = ""
	}
	return rest, true
}
