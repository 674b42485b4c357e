package jinja

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// What Jinja2 takes for an address, in its own words.
var (
	webAddress = regexp.MustCompile(`(?i)^((https?://|www\.)(([\pL\pN_%-]+\.)+)?([a-z]{2,63}|xn--[\pL\pN_%]{2,59})|` +
		`([\pL\pN_%-]{2,63}\.)+(com|net|int|edu|gov|org|info|mil)|` +
		`(https?://)((([\d]{1,3})(\.[\d]{1,3}){3})|(\[([\da-f]{0,4}:){2}([\da-f]{0,4}:?){1,6}])))` +
		`(?::[\d]{1,5})?(?:[/?#]\S*)?$`)
	mailAddress   = regexp.MustCompile(`^\S+@[\pL\pN_][\pL\pN_.-]*\.[\pL\pN_]+$`)
	addressScheme = regexp.MustCompile(`^([\pL\pN_.+-]{2,}:(/){0,2})$`)
	whiteSpace    = regexp.MustCompile(`\s+`)
	openingMarks  = regexp.MustCompile(`^([(<]|&lt;)+`)
	closingMarks  = regexp.MustCompile(`([)>.,\n]|&gt;)+$`)
)

// linkStyle is how addresses become links.
type linkStyle struct {
	// limit is how many letters of an address are shown; below zero all of them.
	limit      int64
	attributes string
	schemes    []string
}

// filterURLize makes links of the addresses in a text, as Jinja2 does: the text is escaped for HTML.
func filterURLize(e *evaluation, value Value, p *parameters) (Value, error) {
	style := linkStyle{limit: -1}
	if limit := p.value("trim_url_limit", nil); limit != nil {
		style.limit, _ = asSmall(limit)
	}
	noFollow := p.boolean("nofollow", false)
	target, rel := p.value("target", nil), p.value("rel", nil)
	schemes := p.value("extra_schemes", nil)
	relations := []string{"noopener"}
	if Truthy(rel) {
		relations = append(relations, strings.Fields(Str(rel))...)
	}
	if noFollow {
		relations = append(relations, "nofollow")
	}
	slices.Sort(relations)
	style.attributes = ` rel="` + escapeHTML(strings.Join(slices.Compact(relations), " ")) + `"`
	if Truthy(target) {
		style.attributes += ` target="` + escapeHTML(Str(target)) + `"`
	}
	if schemes != nil {
		listed, err := e.items(schemes)
		if err != nil {
			return nil, err
		}
		for _, scheme := range listed {
			if !addressScheme.MatchString(Str(scheme)) {
				return nil, fail(KindValue, "%s is not a valid URI scheme prefix.", Repr(scheme))
			}
			style.schemes = append(style.schemes, Str(scheme))
		}
	}
	text, err := e.print(value)
	if err != nil {
		return nil, err
	}
	if err := e.step(len(text) / 8); err != nil {
		return nil, err
	}
	return e.links(escapeHTML(text), style)
}

func (e *evaluation) links(text string, style linkStyle) (Value, error) {
	var result strings.Builder
	last := 0
	add := func(word string) error {
		linked := style.link(word)
		result.WriteString(linked)
		return e.allocate(len(linked))
	}
	for _, space := range whiteSpace.FindAllStringIndex(text, -1) {
		if err := add(text[last:space[0]]); err != nil {
			return nil, err
		}
		result.WriteString(text[space[0]:space[1]])
		last = space[1]
	}
	if err := add(text[last:]); err != nil {
		return nil, err
	}
	return e.text(result.String())
}

// link makes a link of a word that is an address; brackets around it, and points behind it, are no part of it.
func (s *linkStyle) link(word string) string {
	head := openingMarks.FindString(word)
	middle := word[len(head):]
	tail := closingMarks.FindString(middle)
	middle = middle[:len(middle)-len(tail)]
	for _, pair := range [][2]string{{"(", ")"}, {"<", ">"}, {"&lt;", "&gt;"}} {
		opened := strings.Count(middle, pair[0])
		if opened <= strings.Count(middle, pair[1]) {
			continue
		}
		for range min(opened, strings.Count(tail, pair[1])) {
			end := strings.Index(tail, pair[1]) + len(pair[1])
			middle, tail = middle+tail[:end], tail[end:]
		}
	}
	return head + s.address(middle) + tail
}

func (s *linkStyle) address(text string) string {
	switch {
	case webAddress.MatchString(text):
		scheme := "https://"
		if strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://") {
			scheme = ""
		}
		return `<a href="` + scheme + text + `"` + s.attributes + `>` + s.shown(text) + `</a>`
	case strings.HasPrefix(text, "mailto:") && mailAddress.MatchString(text[len("mailto:"):]):
		return `<a href="` + text + `">` + text[len("mailto:"):] + `</a>`
	case strings.Contains(text, "@") && !strings.HasPrefix(text, "www.") && !strings.HasPrefix(text, "@") && !strings.Contains(text, ":") &&
		mailAddress.MatchString(text):
		return `<a href="mailto:` + text + `">` + text + `</a>`
	}
	for _, scheme := range s.schemes {
		if text != scheme && strings.HasPrefix(text, scheme) {
			text = `<a href="` + text + `"` + s.attributes + `>` + text + `</a>`
		}
	}
	return text
}

func (s *linkStyle) shown(text string) string {
	if s.limit < 0 || int64(utf8.RuneCountInString(text)) <= s.limit {
		return text
	}
	return truncateRunes(text, int(s.limit)) + "..."
}
