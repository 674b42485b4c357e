package llm

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/structured"
)

// codeRecipe takes the last fenced block of the language that is no example of how to use the code.
type codeRecipe struct{ language language }

func (r codeRecipe) instructions() string {
	return fmt.Sprintf("Write the answer as code in %s, and follow the best practices of the language. Put all of it into a single fenced "+
		"block that begins with "+
		"```%s and ends with ```; write no other fenced block.", r.language.title, r.language.tag)
}

func (codeRecipe) prepare(*model.Request) {}

func (codeRecipe) otherCalls(answer *model.Answer) []model.ToolCall { return answer.ToolCalls }

// takesPart is never true: a block of code that is cut off is not read.
func (codeRecipe) takesPart(*model.Answer) bool { return false }

func (r codeRecipe) read(answer *model.Answer) (any, error) {
	blocks := structured.Fences(answer.Text)
	cut := answer.Finish != model.FinishStop
	switch {
	case strings.TrimSpace(answer.Text) == "":
		return nil, noText(answer)
	case len(blocks) == 0:
		return nil, &structured.AnswerError{
			Message:   fmt.Sprintf("there is no fenced block of code in the answer; put the code between ```%s and ```", r.language.tag),
			Truncated: cut,
		}
	}
	own := r.own(blocks)
	if len(own) == 0 {
		return nil, &structured.AnswerError{
			Message:   fmt.Sprintf("no fenced block is marked as %s; begin it with ```%s", r.language.tag, r.language.tag),
			Truncated: cut && !blocks[len(blocks)-1].Closed,
		}
	}
	block := chosen(own)
	code := strings.TrimSpace(block.Content)
	switch {
	case !block.Closed && cut:
		return nil, &structured.AnswerError{Message: "the fenced block of code does not end", Truncated: true}
	case code == "":
		return nil, &structured.AnswerError{Message: "the fenced block of code is empty"}
	}
	return code, nil
}

// own are the blocks that are marked as the language; where there are none, those without a mark.
func (r codeRecipe) own(blocks []structured.Fence) []structured.Fence {
	var marked, unmarked []structured.Fence
	for _, block := range blocks {
		switch {
		case block.Language == "":
			unmarked = append(unmarked, block)
		case r.language.has(block.Language):
			marked = append(marked, block)
		}
	}
	if len(marked) > 0 {
		return marked
	}
	return unmarked
}

// chosen is the last block that defines something, or else the last one of all: models write the code, and then how to use it. A later
// block that only uses what an earlier one defines, or that is announced as an example, is no answer.
func chosen(blocks []structured.Fence) structured.Fence {
	last := len(blocks) - 1
	for ; last > 0 && isUsage(blocks[last], blocks[:last]); last-- {
		continue
	}
	return blocks[last]
}

var (
	definition = regexp.MustCompile(`(?mi)^[\t ]*(?:export\s+|default\s+|pub(?:\([a-z]+\))?\s+|public\s+|private\s+|protected\s+|` +
		`static\s+|final\s+|abstract\s+|` +
		`async\s+|inline\s+|open\s+|data\s+|sealed\s+|override\s+|unsafe\s+|const\s+|virtual\s+)*` +
		`(?:def|func|fn|fun|function|class|struct|interface|trait|enum|module|object|record|impl|protocol|type|namespace|` +
		`create\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+)?(?:table|view|function|procedure|index|trigger)(?:\s+if\s+not\s+exists)?|` +
		`program-id\.)` +
		`\s+(?:\([^)\n]*\)\s*)?["\x60\[]?([\pL_$][\pL\pN_$.]*)`)
	assigned = regexp.MustCompile(`(?m)^[\t ]*(?:export\s+)?(?:const|let|var|val)\s+` +
		`([\pL_$][\pL\pN_$]*)\s*(?::[^=\n]*)?=\s*(?:async\s*)?(?:\(|function|[\pL_$][\pL\pN_$]*\s*=>)`)
	// A function of C and its kin, or of a shell: a name, parentheses and a brace.
	braced = regexp.MustCompile(`(?m)^[\t ]*(?:[\pL_][\pL\pN_:<>,*&\[\]\s]*[\s*&])?` +
		`([\pL_][\pL\pN_]*)\s*\([^;{}]*\)\s*(?:const\s*)?(?:throws\s+[\pL\pN_.,\s]+)?\{`)
	announced = regexp.MustCompile(`(?i)\b(?:examples?|usage|outputs?|prints?|how to (?:use|run|call)|` +
		`(?:use|call|run|test|try|invoke|execute|import) (?:it|this|the))\b`)
)

// keywords are words before parentheses and a brace that define nothing.
var keywords = []string{"if", "for", "while", "switch", "catch", "else", "return", "match", "foreach", "using", "lock", "with", "until",
	"when"}

// defined are the names that code defines.
func defined(code string) []string {
	var names []string
	for _, pattern := range []*regexp.Regexp{definition, assigned, braced} {
		for _, match := range pattern.FindAllStringSubmatch(code, -1) {
			if name := match[1]; !slices.Contains(keywords, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// isUsage says whether a block shows how to use what the blocks before it define.
func isUsage(block structured.Fence, before []structured.Fence) bool {
	own := defined(block.Content)
	for _, name := range own {
		if name != "main" && name != "Main" {
			return false
		}
	}
	if announced.MatchString(block.Before) {
		return true
	}
	for _, earlier := range before {
		for _, name := range defined(earlier.Content) {
			if mentions(block.Content, name) {
				return true
			}
		}
	}
	return false
}

// mentions says whether code has a name as a word.
func mentions(code, name string) bool {
	at := 0
	for {
		next := strings.Index(code[at:], name)
		if next < 0 {
			return false
		}
		start, end := at+next, at+next+len(name)
		if (start == 0 || !isNameByte(code[start-1])) && (end == len(code) || !isNameByte(code[end])) {
			return true
		}
		at = end
	}
}

func isNameByte(char byte) bool {
	return char == '_' || char >= '0' && char <= '9' || char >= 'a' && char <= 'z' || char >= 'A' && char <= 'Z' || char >= 0x80
}
