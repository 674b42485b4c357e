package sampler

import (
	"fmt"
	"regexp/syntax"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

var patterns = family{
	name: v1alpha1.SamplerPattern, member: "pattern", isSet: func(s *v1alpha1.Sampler) bool { return s.Pattern != nil },
	validate: validatePattern, kind: always(table.KindString),
	draws: func(s *v1alpha1.Sampler, _ site) drawFunc {
		expression, _ := syntax.Parse(s.Pattern.Regex, syntax.Perl) // as the validation has
		return func(stream *random.Stream, _ *table.Record) (any, error) {
			var text strings.Builder
			appendMatch(&text, stream, expression)
			return text.String(), nil
		}
	},
}

const (
	// openRepeats is how many more repetitions than it needs one without an upper bound has at most.
	openRepeats = 8
	// The printable characters of ASCII.
	firstPrintable, lastPrintable = ' ', '~'
)

func validatePattern(sampler *v1alpha1.Sampler) []Violation {
	if sampler.Pattern.Regex == "" {
		return []Violation{{"pattern", "regex is required"}}
	}
	expression, err := syntax.Parse(sampler.Pattern.Regex, syntax.Perl)
	if err != nil {
		return []Violation{{"pattern.regex", fmt.Sprintf("is no regular expression of RE2: %v", err)}}
	}
	if problem := undrawable(expression, true, true); problem != "" {
		return []Violation{{"pattern.regex", problem}}
	}
	return nil
}

// undrawable says why no text can be drawn from an expression, or nothing. first and last say whether it is the beginning, and the end, of
// the whole.
func undrawable(expression *syntax.Regexp, first, last bool) string {
	switch expression.Op {
	case syntax.OpNoMatch:
		return "matches nothing"
	case syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return `\b and \B can't be drawn: write the characters around them`
	case syntax.OpBeginLine, syntax.OpBeginText:
		if !first {
			return "^ can only stand at the beginning"
		}
	case syntax.OpEndLine, syntax.OpEndText:
		if !last {
			return "$ can only stand at the end"
		}
	case syntax.OpConcat:
		for i, part := range expression.Sub {
			if problem := undrawable(part, first && i == 0, last && i == len(expression.Sub)-1); problem != "" {
				return problem
			}
		}
	case syntax.OpStar, syntax.OpPlus, syntax.OpRepeat:
		return undrawable(expression.Sub[0], false, false)
	default:
		for _, part := range expression.Sub {
			if problem := undrawable(part, first, last); problem != "" {
				return problem
			}
		}
	}
	return ""
}

// appendMatch appends a text that an expression matches.
func appendMatch(text *strings.Builder, stream *random.Stream, expression *syntax.Regexp) {
	repeat := func(low, high int) {
		if high < 0 {
			high = low + openRepeats
		}
		for range low + int(stream.Below(uint64(high-low+1))) {
			appendMatch(text, stream, expression.Sub[0])
		}
	}
	switch expression.Op {
	case syntax.OpLiteral:
		for _, char := range expression.Rune {
			text.WriteRune(char)
		}
	case syntax.OpCharClass:
		text.WriteRune(charOf(stream, expression.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		text.WriteRune(charOf(stream, []rune{firstPrintable, lastPrintable}))
	case syntax.OpStar:
		repeat(0, -1)
	case syntax.OpPlus:
		repeat(1, -1)
	case syntax.OpQuest:
		repeat(0, 1)
	case syntax.OpRepeat:
		repeat(expression.Min, expression.Max)
	case syntax.OpAlternate:
		appendMatch(text, stream, expression.Sub[stream.Below(uint64(len(expression.Sub)))])
	default: // a group or a concatenation; of anchors and what is empty there is nothing to append
		for _, part := range expression.Sub {
			appendMatch(text, stream, part)
		}
	}
}

// charOf draws one of the characters of some ranges, each equally likely: the printable ones of ASCII, where there are any.
func charOf(stream *random.Stream, ranges []rune) rune {
	count := func(low, high rune) uint64 { return uint64(max(0, high-low+1)) }
	printable, all := uint64(0), uint64(0)
	for i := 0; i < len(ranges); i += 2 {
		printable += count(max(ranges[i], firstPrintable), min(ranges[i+1], lastPrintable))
		all += count(ranges[i], ranges[i+1])
	}
	low, high, at := rune(firstPrintable), rune(lastPrintable), stream.Below(printable)
	if printable == 0 {
		low, high, at = 0, ranges[len(ranges)-1], stream.Below(all)
	}
	for i := 0; i < len(ranges); i += 2 {
		start, end := max(ranges[i], low), min(ranges[i+1], high)
		if size := count(start, end); at >= size {
			at -= size
			continue
		}
		return start + rune(at)
	}
	return low // no class is empty
}
