package visibility

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/andybalholm/cascadia"
	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/css"
	"golang.org/x/net/html"
)

const (
	// mostMatches bounds how often an element is compared with a selector: what can be done in a few seconds.
	mostMatches = 10_000_000
	// mostSelectors bounds what rules inside of rules can become.
	mostSelectors = 50_000
	// deepest is how deep rules may stand in each other; browsers' limits are higher, but people write three or four.
	deepest = 32
	// longestSelector is how many bytes a selector may have; longer ones are none that people write.
	longestSelector = 1024
	// screen is how many pixels wide the screen is for which queries of media are answered.
	screen = 1280
)

// looked are the properties that can hide a text.
var looked = []string{
	"display", "visibility", "opacity", "font-size", "position", "left", "top", "text-indent", "margin-left", "color", "background",
	"background-color", "background-image", "background-clip", "-webkit-background-clip", "clip", "clip-path",
}

// A declaration gives a property its value.
type declaration struct {
	name, value string
	important   bool
}

// A rule gives the elements that a selector names their properties.
type rule struct {
	selector     cascadia.Sel
	key          string
	declarations []declaration
}

func (r rule) apply(elements []*html.Node, into properties, important bool) {
	wanted := slices.DeleteFunc(slices.Clone(r.declarations), func(declared declaration) bool { return declared.important != important })
	if len(wanted) == 0 {
		return
	}
	for _, element := range elements {
		if !r.selector.Match(element) {
			continue
		}
		for _, declared := range wanted {
			into.set(element, declared)
		}
	}
}

// byKey has elements by what selectors end in: ".class", "#id", "name", and all of them for "".
func byKey(elements []*html.Node) map[string][]*html.Node {
	by := map[string][]*html.Node{}
	for _, element := range elements {
		keys := []string{"", element.Data}
		if id, is := attribute(element, "id"); is {
			keys = append(keys, "#"+id)
		}
		classes, _ := attribute(element, "class")
		for name := range strings.FieldsSeq(classes) {
			keys = append(keys, "."+name)
		}
		slices.Sort(keys)
		for _, key := range slices.Compact(keys) {
			by[key] = append(by[key], element)
		}
	}
	return by
}

// keyOf is one thing that each element has which a selector names, or empty where none is known: what is after its last combinator.
func keyOf(selector string) (key string) {
	all := tokens(selector)
	depth := 0
	for at, one := range all {
		switch one.kind {
		case css.FunctionToken, css.LeftParenthesisToken, css.LeftBracketToken:
			depth++
		case css.RightParenthesisToken, css.RightBracketToken:
			depth--
		case css.WhitespaceToken:
			key = ""
		case css.HashToken:
			if depth == 0 {
				key = one.text
			}
		case css.DelimToken:
			if strings.Contains(">+~", one.text) && depth == 0 {
				key = ""
			}
		case css.IdentToken:
			switch {
			case depth > 0 || strings.HasPrefix(key, ".") || strings.HasPrefix(key, "#"):
			case at > 0 && all[at-1].text == ".":
				key = "." + one.text
			case at == 0 || all[at-1].text != ":":
				key = strings.ToLower(one.text)
			}
		}
	}
	if strings.Contains(key, `\`) {
		return ""
	}
	return key
}

// sheets returns the rules of the style sheets in a page that can hide a text, the weaker before the stronger, and where there are any the
// elements by the keys of rules.
func sheets(elements []*html.Node) ([]rule, map[string][]*html.Node, error) {
	var s sheet
	for _, element := range elements {
		if element.Data != "style" || element.FirstChild == nil {
			continue
		}
		kind, _ := attribute(element, "type")
		media, _ := attribute(element, "media")
		if (kind == "" || strings.EqualFold(kind, "text/css")) && applies(media) {
			s.block(nil, tokens(element.FirstChild.Data))
		}
	}
	if len(s.rules) == 0 {
		return nil, nil, nil
	}
	by := byKey(elements)
	matches := 0
	for _, rule := range s.rules {
		matches += len(by[rule.key])
	}
	if len(s.rules) > mostSelectors || matches > mostMatches {
		return nil, nil, fmt.Errorf("its style sheets have %d selectors for %d elements: too many to see what they hide", len(s.rules),
			len(elements))
	}
	slices.SortStableFunc(s.rules, func(a, b rule) int {
		x, y := a.selector.Specificity(), b.selector.Specificity()
		return slices.Compare(x[:], y[:])
	})
	return s.rules, by, nil
}

type token struct {
	kind css.TokenType
	text string
}

func tokens(text string) (all []token) {
	lexer := css.NewLexer(parse.NewInputString(text))
	for {
		kind, data := lexer.Next()
		switch kind {
		case css.ErrorToken:
			return all
		case css.CommentToken, css.CDOToken, css.CDCToken:
		default:
			all = append(all, token{kind, string(data)})
		}
	}
}

func textOf(all []token) string {
	var text strings.Builder
	for _, one := range all {
		text.WriteString(one.text)
	}
	return strings.TrimSpace(text.String())
}

// end is the place of the first token, outside of brackets, that is one of some kinds, or the number of tokens.
func end(all []token, kinds ...css.TokenType) int {
	var open []css.TokenType
	for at, one := range all {
		if len(open) == 0 && slices.Contains(kinds, one.kind) {
			return at
		}
		switch one.kind {
		case css.FunctionToken, css.LeftParenthesisToken:
			open = append(open, css.RightParenthesisToken)
		case css.LeftBracketToken:
			open = append(open, css.RightBracketToken)
		case css.LeftBraceToken:
			open = append(open, css.RightBraceToken)
		default:
			if len(open) > 0 && one.kind == open[len(open)-1] {
				open = open[:len(open)-1]
			}
		}
	}
	return len(all)
}

type sheet struct {
	rules []rule
	depth int
}

// block reads what is between braces: declarations for the selectors around it, and rules inside of rules.
func (s *sheet) block(around []string, all []token) {
	if s.depth++; s.depth > deepest {
		all = nil
	}
	defer func() { s.depth-- }()
	var own []declaration
	var within [][2][]token
	for len(all) > 0 {
		at := end(all, css.SemicolonToken, css.LeftBraceToken)
		if at == len(all) || all[at].kind == css.SemicolonToken {
			own = append(own, declarations(all[:at])...)
			all = all[min(at+1, len(all)):]
			continue
		}
		inside := all[at+1:]
		length := end(inside, css.RightBraceToken)
		within = append(within, [2][]token{all[:at], inside[:length]})
		all = inside[min(length+1, len(inside)):]
	}
	s.add(around, own)
	for _, rule := range within {
		s.inner(around, textOf(rule[0]), rule[1])
	}
}

// inner reads a rule, or a rule about rules such as those of a medium.
func (s *sheet) inner(around []string, before string, body []token) {
	if at, is := strings.CutPrefix(before, "@"); is {
		name, condition, _ := strings.Cut(strings.ToLower(at), " ")
		name, media, _ := strings.Cut(name, "(")
		if media != "" {
			condition = "(" + media + " " + condition
		}
		if name == "media" && applies(condition) || name == "layer" || name == "supports" && !strings.HasPrefix(condition, "not") {
			s.block(around, body)
		}
		return
	}
	s.block(nested(around, split(before)), body)
}

// nested are the selectors of a rule that stands in another: '&' is one of the other's, which else comes before.
func nested(around, own []string) (selectors []string) {
	if len(around) == 0 {
		return own
	}
	for _, one := range own {
		for _, outer := range around {
			if len(selectors) > mostSelectors {
				return selectors
			}
			if strings.Contains(one, "&") {
				selectors = append(selectors, strings.ReplaceAll(one, "&", outer))
			} else {
				selectors = append(selectors, outer+" "+one)
			}
		}
	}
	return selectors
}

// split cuts a list of selectors at its commas.
func split(list string) (selectors []string) {
	all := tokens(list)
	for len(all) > 0 {
		at := end(all, css.CommaToken)
		selectors = append(selectors, textOf(all[:at]))
		all = all[min(at+1, len(all)):]
	}
	return selectors
}

// add has the selectors give what is declared. One that can't be read, or that is of a state such as hover, names nothing.
func (s *sheet) add(selectors []string, declared []declaration) {
	if len(declared) == 0 || len(s.rules) > mostSelectors {
		return
	}
	for _, text := range selectors {
		if len(text) > longestSelector {
			continue
		}
		if selector, err := cascadia.Parse(text); err == nil {
			s.rules = append(s.rules, rule{selector, keyOf(text), declared})
		}
	}
}

// declarations are those of properties that can hide a text.
func declarations(all []token) (declared []declaration) {
	for len(all) > 0 {
		at := end(all, css.SemicolonToken)
		name, value, _ := strings.Cut(textOf(all[:at]), ":")
		all = all[min(at+1, len(all)):]
		name = plain(name)
		if !slices.Contains(looked, name) {
			continue
		}
		if name == "background" {
			value = withoutLayout(value)
		}
		value, important := strings.CutSuffix(plain(value), "!important")
		declared = append(declared, declaration{name, value, important})
	}
	return declared
}

// withoutLayout leaves of a background its color and its picture.
func withoutLayout(value string) string {
	return strings.Join(slices.DeleteFunc(strings.Fields(strings.ToLower(value)), func(part string) bool {
		return slices.Contains([]string{
			"none", "repeat", "no-repeat", "repeat-x", "repeat-y", "scroll", "fixed", "left", "right", "top", "bottom", "center", "0", "0%",
		}, part)
	}), " ")
}

// applies says whether a list of queries of media holds for a screen of a desk.
func applies(list string) bool {
	if strings.TrimSpace(list) == "" {
		return true
	}
	for query := range strings.SplitSeq(strings.ToLower(list), ",") {
		query, not := strings.CutPrefix(strings.TrimSpace(query), "not ")
		holds := true
		for part := range strings.SplitSeq(strings.TrimPrefix(query, "only "), " and ") {
			holds = holds && feature(plain(part))
		}
		if holds != not {
			return true
		}
	}
	return false
}

// feature says whether one part of a query holds.
func feature(part string) bool {
	switch part {
	case "all", "screen", "(prefers-color-scheme:light)", "(hover:hover)", "(prefers-reduced-motion:no-preference)":
		return true
	}
	name, value, _ := strings.Cut(strings.Trim(part, "()"), ":")
	digits := strings.TrimRight(value, "abcdefghijklmnopqrstuvwxyz")
	width, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return false
	}
	if unit := value[len(digits):]; unit == "em" || unit == "rem" {
		width *= 16
	}
	return name == "min-width" && width <= screen || name == "max-width" && width >= screen
}
