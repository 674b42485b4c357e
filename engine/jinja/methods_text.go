package jinja

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// textMethod makes a method of a function from text to text.
func textMethod(convert func(string) string) method {
	return func(e *evaluation, object Value, _ *parameters) (Value, error) {
		if err := e.step(len(object.(string)) / 256); err != nil {
			return nil, err
		}
		return e.text(convert(object.(string)))
	}
}

// testMethod makes a method that is true when the text is not empty and all of its characters are of a kind.
func testMethod(is func(rune) bool) method {
	return func(_ *evaluation, object Value, _ *parameters) (Value, error) {
		text := object.(string)
		return text != "" && strings.IndexFunc(text, func(r rune) bool { return !is(r) }) < 0, nil
	}
}

// caseMethod makes isupper or islower: there is a letter with a case, and none of the other.
func caseMethod(is, other func(rune) bool) method {
	return func(_ *evaluation, object Value, _ *parameters) (Value, error) {
		text := object.(string)
		return strings.IndexFunc(text, is) >= 0 && strings.IndexFunc(text, other) < 0, nil
	}
}

func stripMethod(trim func(text, cut string) string, trimSpace func(string) string) method {
	return func(e *evaluation, object Value, p *parameters) (Value, error) {
		characters := p.value("chars", nil)
		if characters == nil {
			return e.text(trimSpace(object.(string)))
		}
		cut, ok := characters.(string)
		if !ok {
			return nil, fail(KindType, "strip arg must be None or str")
		}
		return e.text(trim(object.(string), cut))
	}
}

func trimLeftSpace(text string) string  { return strings.TrimLeftFunc(text, unicode.IsSpace) }
func trimRightSpace(text string) string { return strings.TrimRightFunc(text, unicode.IsSpace) }

// alignMethod makes ljust, rjust and center.
func alignMethod(left func(space int) int) method {
	return func(e *evaluation, object Value, p *parameters) (Value, error) {
		width, fill := p.integer("width", 0), p.string("fillchar", " ")
		return e.align(object.(string), width, fill, left)
	}
}

func (e *evaluation) align(text string, width int64, fill string, left func(space int) int) (Value, error) {
	if width > int64(e.limits.MemoryBytes) {
		return nil, e.allocate(e.limits.MemoryBytes + 1)
	}
	space := int(width) - utf8.RuneCountInString(text)
	if space <= 0 {
		return text, nil
	}
	if err := e.allocate(len(text) + space*len(fill)); err != nil {
		return nil, err
	}
	before := left(space)
	return strings.Repeat(fill, before) + text + strings.Repeat(fill, space-before), nil
}

// affixMethod makes startswith and endswith, which take a text or a tuple of texts.
func affixMethod(has func(text, affix string) bool) method {
	return func(_ *evaluation, object Value, p *parameters) (Value, error) {
		switch affix := p.required("affix").(type) {
		case string:
			return has(object.(string), affix), nil
		case Tuple:
			for _, item := range affix {
				if text, ok := item.(string); ok && has(object.(string), text) {
					return true, nil
				}
			}
			return false, nil
		}
		return nil, fail(KindType, "the argument must be a str or a tuple of str")
	}
}

// findMethod makes find, rfind, index and rindex; positions count characters.
func findMethod(find func(text, part string) int, must bool) method {
	return func(_ *evaluation, object Value, p *parameters) (Value, error) {
		text := object.(string)
		at := find(text, p.string("sub", ""))
		if at < 0 {
			if must {
				return nil, fail(KindValue, "substring not found")
			}
			return int64(-1), nil
		}
		return int64(utf8.RuneCountInString(text[:at])), nil
	}
}

func partitionMethod(find func(text, part string) int, last bool) method {
	return func(_ *evaluation, object Value, p *parameters) (Value, error) {
		text, separator := object.(string), p.string("sep", "")
		if separator == "" {
			return nil, fail(KindValue, "empty separator")
		}
		at := find(text, separator)
		switch {
		case at >= 0:
			return Tuple{text[:at], separator, text[at+len(separator):]}, nil
		case last:
			return Tuple{"", "", text}, nil
		}
		return Tuple{text, "", ""}, nil
	}
}

var stringMethods = map[string]method{
	"upper":      textMethod(pythonUpper),
	"lower":      textMethod(strings.ToLower),
	"casefold":   textMethod(strings.ToLower),
	"title":      textMethod(pythonTitle),
	"capitalize": textMethod(capitalize),
	"swapcase": textMethod(func(text string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsUpper(r) {
				return unicode.ToLower(r)
			}
			return unicode.ToUpper(r)
		}, text)
	}),
	"strip":      stripMethod(strings.Trim, strings.TrimSpace),
	"lstrip":     stripMethod(strings.TrimLeft, trimLeftSpace),
	"rstrip":     stripMethod(strings.TrimRight, trimRightSpace),
	"ljust":      alignMethod(func(int) int { return 0 }),
	"rjust":      alignMethod(func(space int) int { return space }),
	"startswith": affixMethod(strings.HasPrefix),
	"endswith":   affixMethod(strings.HasSuffix),
	"find":       findMethod(strings.Index, false),
	"rfind":      findMethod(strings.LastIndex, false),
	"index":      findMethod(strings.Index, true),
	"rindex":     findMethod(strings.LastIndex, true),
	"partition":  partitionMethod(strings.Index, false),
	"rpartition": partitionMethod(strings.LastIndex, true),
	"isdigit":    testMethod(unicode.IsDigit),
	"isdecimal":  testMethod(unicode.IsDigit),
	"isnumeric":  testMethod(unicode.IsNumber),
	"isalpha":    testMethod(unicode.IsLetter),
	"isalnum":    testMethod(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }),
	"isspace":    testMethod(unicode.IsSpace),
	"isupper":    caseMethod(unicode.IsUpper, unicode.IsLower),
	"islower":    caseMethod(unicode.IsLower, unicode.IsUpper),
	"istitle": func(_ *evaluation, object Value, _ *parameters) (Value, error) {
		text := object.(string)
		return strings.IndexFunc(text, unicode.IsLetter) >= 0 && pythonTitle(text) == text, nil
	},
	"center": func(e *evaluation, object Value, p *parameters) (Value, error) {
		width := p.integer("width", 0)
		return e.align(object.(string), width, p.string("fillchar", " "), func(space int) int {
			// CPython's rule for the odd space.
			return space/2 + (space & int(width) & 1)
		})
	},
	"zfill": func(e *evaluation, object Value, p *parameters) (Value, error) {
		text, width := object.(string), p.integer("width", 0)
		sign := ""
		if strings.HasPrefix(text, "-") || strings.HasPrefix(text, "+") {
			sign, text = text[:1], text[1:]
		}
		filled, err := e.align(text, width-int64(len(sign)), "0", func(space int) int { return space })
		if err != nil {
			return nil, err
		}
		return sign + filled.(string), nil
	},
	"replace": func(e *evaluation, object Value, p *parameters) (Value, error) {
		return e.replace(object.(string), p.string("old", ""), p.string("new", ""), p.integer("count", -1))
	},
	"count": func(_ *evaluation, object Value, p *parameters) (Value, error) {
		return int64(strings.Count(object.(string), p.string("sub", ""))), nil
	},
	"join": func(e *evaluation, object Value, p *parameters) (Value, error) {
		items, err := e.items(p.required("iterable"))
		if err != nil {
			return nil, err
		}
		parts := make([]string, len(items))
		for i, item := range items {
			text, ok := item.(string)
			if !ok {
				return nil, fail(KindType, "sequence item %d: expected str instance, %s found", i, typeName(item))
			}
			parts[i] = text
		}
		return e.join(parts, object.(string))
	},
	"split":  splitMethod(false),
	"rsplit": splitMethod(true),
	"splitlines": func(e *evaluation, object Value, p *parameters) (Value, error) {
		return e.splitLines(object.(string), p.boolean("keepends", false))
	},
	"removeprefix": func(_ *evaluation, object Value, p *parameters) (Value, error) {
		return strings.TrimPrefix(object.(string), p.string("prefix", "")), nil
	},
	"removesuffix": func(_ *evaluation, object Value, p *parameters) (Value, error) {
		return strings.TrimSuffix(object.(string), p.string("suffix", "")), nil
	},
}

func init() {
	// Added here, since formats reach attributes, and through them this table.
	stringMethods["format"] = func(e *evaluation, object Value, p *parameters) (Value, error) {
		value, err := e.braceFormat(object.(string), p.call)
		p.at = len(p.call.positional)
		for _, text := range p.call.names {
			p.value(text, nil)
		}
		return value, err
	}
}

func (e *evaluation) replace(text, old, replacement string, count int64) (Value, error) {
	found := strings.Count(text, old)
	if count >= 0 {
		found = min(found, int(min(count, int64(len(text)+1))))
	}
	if err := e.allocate(len(text)); err != nil {
		return nil, err
	}
	if growth := len(replacement) - len(old); growth > 0 && found > 0 {
		if growth > e.limits.MemoryBytes/found {
			return nil, e.allocate(e.limits.MemoryBytes + 1)
		}
		if err := e.allocate(growth * found); err != nil {
			return nil, err
		}
	}
	return strings.Replace(text, old, replacement, found), nil
}

func (e *evaluation) join(parts []string, separator string) (Value, error) {
	size := 0
	for _, part := range parts {
		size += len(part) + len(separator)
	}
	if err := e.allocate(size); err != nil {
		return nil, err
	}
	return strings.Join(parts, separator), nil
}

func splitMethod(fromRight bool) method {
	return func(e *evaluation, object Value, p *parameters) (Value, error) {
		text := object.(string)
		separator, limit := p.value("sep", nil), p.integer("maxsplit", -1)
		if err := e.allocate(len(text)); err != nil {
			return nil, err
		}
		var parts []string
		switch s := Unwritten(separator).(type) {
		case nil:
			parts = splitSpace(text, limit, fromRight)
		case string:
			if s == "" {
				return nil, fail(KindValue, "empty separator")
			}
			parts = splitText(text, s, limit, fromRight)
		default:
			return nil, fail(KindType, "must be str or None, not %s", typeName(separator))
		}
		return e.texts(parts)
	}
}

func (e *evaluation) texts(parts []string) (Value, error) {
	items := make([]Value, len(parts))
	for i, part := range parts {
		items[i] = part
	}
	return e.list(items)
}

func splitText(text, separator string, limit int64, fromRight bool) []string {
	parts := strings.Split(text, separator)
	if limit < 0 || int64(len(parts)) <= limit+1 {
		return parts
	}
	if fromRight {
		head := len(parts) - int(limit)
		return append([]string{strings.Join(parts[:head], separator)}, parts[head:]...)
	}
	return append(parts[:limit:limit], strings.Join(parts[limit:], separator))
}

func splitSpace(text string, limit int64, fromRight bool) []string {
	if limit < 0 {
		return strings.Fields(text)
	}
	var parts []string
	if fromRight {
		rest := trimRightSpace(text)
		for rest != "" && limit > 0 {
			at := strings.LastIndexFunc(rest, unicode.IsSpace)
			if at < 0 {
				break
			}
			_, size := utf8.DecodeRuneInString(rest[at:])
			parts = append([]string{rest[at+size:]}, parts...)
			rest = trimRightSpace(rest[:at])
			limit--
		}
		if rest != "" {
			parts = append([]string{rest}, parts...)
		}
		return parts
	}
	rest := trimLeftSpace(text)
	for rest != "" && limit > 0 {
		at := strings.IndexFunc(rest, unicode.IsSpace)
		if at < 0 {
			break
		}
		parts = append(parts, rest[:at])
		rest = trimLeftSpace(rest[at:])
		limit--
	}
	if rest != "" {
		parts = append(parts, rest)
	}
	return parts
}

func (e *evaluation) splitLines(text string, keepEnds bool) (Value, error) {
	return e.texts(splitLineEnds(text, keepEnds))
}

// splitLineEnds is str.splitlines().
func splitLineEnds(text string, keepEnds bool) []string {
	var parts []string
	for text != "" {
		at := strings.IndexAny(text, "\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029")
		if at < 0 {
			parts = append(parts, text)
			break
		}
		_, size := utf8.DecodeRuneInString(text[at:])
		if strings.HasPrefix(text[at:], "\r\n") {
			size = 2
		}
		if keepEnds {
			parts = append(parts, text[:at+size])
		} else {
			parts = append(parts, text[:at])
		}
		text = text[at+size:]
	}
	return parts
}

// pythonUpper is str.upper(), which also knows the one letter of everyday text whose capital is two letters.
func pythonUpper(text string) string {
	return strings.ReplaceAll(strings.ToUpper(text), "ß", "SS")
}

// pythonTitle is str.title(): every run of letters starts with a capital.
func pythonTitle(text string) string {
	inWord := false
	return strings.Map(func(r rune) rune {
		letter := unicode.IsLetter(r)
		defer func() { inWord = letter }()
		if letter && !inWord {
			return unicode.ToTitle(r)
		}
		return unicode.ToLower(r)
	}, text)
}

// capitalize is str.capitalize().
func capitalize(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return ""
	}
	return string(unicode.ToTitle(first)) + strings.ToLower(text[size:])
}
