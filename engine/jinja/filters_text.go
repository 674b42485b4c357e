package jinja

import (
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// filterText makes a filter of a function from text to text.
func filterText(convert func(string) string) filterFunction {
	return func(e *evaluation, value Value, _ *parameters) (Value, error) {
		text, err := e.print(value)
		if err != nil {
			return nil, err
		}
		if err := e.allocate(len(text)); err != nil {
			return nil, err
		}
		return e.text(convert(text))
	}
}

// jinjaTitle capitalises what follows white space, a hyphen or an opening bracket; unlike str.title() it leaves "they're" alone.
func jinjaTitle(text string) string {
	start := true
	return strings.Map(func(r rune) rune {
		first := start
		start = unicode.IsSpace(r) || strings.ContainsRune("-({[<", r)
		if first && !start {
			return unicode.ToTitle(r)
		}
		return unicode.ToLower(r)
	}, text)
}

func filterTrim(e *evaluation, value Value, p *parameters) (Value, error) {
	characters := p.value("chars", nil)
	text, err := e.print(value)
	if err != nil {
		return nil, err
	}
	if characters == nil {
		return e.text(strings.TrimSpace(text))
	}
	return e.text(strings.Trim(text, Str(characters)))
}

func filterReplace(e *evaluation, value Value, p *parameters) (Value, error) {
	old, replacement, count := Str(p.required("old")), Str(p.required("new")), p.value("count", nil)
	text, err := e.print(value)
	if err != nil {
		return nil, err
	}
	limit := int64(-1)
	if count != nil {
		limit, _ = asSmall(count)
	}
	return e.replace(text, old, replacement, limit)
}

func filterCenter(e *evaluation, value Value, p *parameters) (Value, error) {
	width := p.integer("width", 80)
	text, err := e.print(value)
	if err != nil {
		return nil, err
	}
	return e.align(text, width, " ", func(space int) int { return space/2 + (space & int(width) & 1) })
}

func filterIndent(e *evaluation, value Value, p *parameters) (Value, error) {
	width, first, blank := p.value("width", int64(4)), p.boolean("first", false), p.boolean("blank", false)
	text, err := e.print(value)
	if err != nil {
		return nil, err
	}
	indention, isText := width.(string)
	if !isText {
		count, _ := asSmall(width)
		padded, err := e.align("", count, " ", func(space int) int { return space })
		if err != nil {
			return nil, err
		}
		indention = padded.(string)
	}
	lines := splitLineEnds(text+"\n", false)
	for i, line := range lines {
		// As Jinja2 does, the first line is indented even where it is blank.
		if i == 0 && first || i > 0 && (line != "" || blank) {
			if err := e.allocate(len(indention) + len(line)); err != nil {
				return nil, err
			}
			lines[i] = indention + line
		}
	}
	return e.text(strings.Join(lines, "\n"))
}

func filterTruncate(e *evaluation, value Value, p *parameters) (Value, error) {
	length, kill, end, leeway := p.integer("length", 255), p.boolean("killwords", false), p.string("end", "..."), p.integer("leeway", 5)
	text, err := e.print(value)
	if err != nil {
		return nil, err
	}
	if int64(utf8.RuneCountInString(text)) <= length+leeway {
		return text, nil
	}
	keep := length - int64(utf8.RuneCountInString(end))
	if keep < 0 {
		return nil, fail(KindValue, "filter 'truncate': the length %d is below that of the end, %d", length, utf8.RuneCountInString(end))
	}
	head := truncateRunes(text, int(keep))
	if !kill {
		if at := strings.LastIndexByte(head, ' '); at >= 0 {
			head = head[:at]
		}
	}
	return e.text(head + end)
}

func filterWordCount(e *evaluation, value Value, _ *parameters) (Value, error) {
	text, err := e.print(value)
	if err != nil {
		return nil, err
	}
	words := strings.FieldsFunc(text, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsNumber(r) })
	return int64(len(words)), e.step(len(text) / 256)
}

func filterWordWrap(e *evaluation, value Value, p *parameters) (Value, error) {
	width, long, separator, hyphens := p.integer("width", 79), p.boolean("break_long_words", true), p.value("wrapstring", nil),
		p.boolean("break_on_hyphens", true)
	text, err := e.print(value)
	if err != nil {
		return nil, err
	}
	if width < 1 {
		return nil, fail(KindValue, "filter 'wordwrap': the width must be at least 1")
	}
	newline := "\n"
	if separator != nil {
		newline = Str(separator)
	}
	if err := e.allocate(2*len(text) + len(newline)*len(text)/int(min(width, 1<<20))); err != nil {
		return nil, err
	}
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		lines = append(lines, strings.Join(wrapLine(line, int(min(width, 1<<30)), long, hyphens), newline))
	}
	return e.join(lines, newline)
}

// wrapLine breaks a line at white space, or behind hyphens, so that no part is longer than the width.
func wrapLine(line string, width int, breakLong, hyphens bool) []string {
	var lines []string
	current := ""
	flush := func() {
		lines = append(lines, trimRightSpace(current))
		current = ""
	}
	for _, chunk := range wrapChunks(line, hyphens) {
		size := utf8.RuneCountInString(chunk)
		if utf8.RuneCountInString(current)+size > width && current != "" {
			if strings.TrimSpace(chunk) == "" {
				flush()
				continue
			}
			flush()
		}
		if current == "" && strings.TrimSpace(chunk) == "" && len(lines) > 0 {
			continue
		}
		for breakLong && utf8.RuneCountInString(chunk) > width {
			head := truncateRunes(chunk, width)
			current = head
			flush()
			chunk = chunk[len(head):]
		}
		current += chunk
	}
	if strings.TrimSpace(current) != "" {
		flush()
	}
	return lines
}

func wrapChunks(line string, hyphens bool) []string {
	var chunks []string
	start, space := 0, false
	for at, r := range line {
		if at > start && unicode.IsSpace(r) != space {
			chunks = append(chunks, line[start:at])
			start = at
		} else if hyphens && at > start+1 && line[at-1] == '-' && unicode.IsLetter(r) && !space {
			chunks = append(chunks, line[start:at])
			start = at
		}
		space = unicode.IsSpace(r)
	}
	if start < len(line) {
		chunks = append(chunks, line[start:])
	}
	return chunks
}

// stripTags removes markup and folds white space.
func stripTags(text string) string {
	var out strings.Builder
	for text != "" {
		at := strings.IndexByte(text, '<')
		if at < 0 {
			out.WriteString(text)
			break
		}
		out.WriteString(text[:at])
		closing := ">"
		if strings.HasPrefix(text[at:], "<!--") {
			closing = "-->"
		}
		end := strings.Index(text[at:], closing)
		if end < 0 {
			out.WriteString(text[at:])
			break
		}
		text = text[at+end+len(closing):]
	}
	unescaped := strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&quot;", `"`, "&#39;", "'", "&amp;", "&").Replace(out.String())
	return strings.Join(strings.Fields(unescaped), " ")
}

func escapeHTML(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "'", "&#39;", `"`, "&#34;").Replace(text)
}

func filterFormat(e *evaluation, value Value, p *parameters) (Value, error) {
	text, ok := value.(string)
	if !ok {
		return nil, badFilterValue("format", value)
	}
	rest := p.rest()
	if len(rest.names) == 0 {
		return e.percentFormat(text, Tuple(rest.positional))
	}
	if len(rest.positional) > 0 {
		return nil, fail(KindType, "filter 'format' takes either positional or named arguments, not both")
	}
	dict := NewDict()
	for i, key := range rest.names {
		if err := dict.Set(key, rest.named[i]); err != nil {
			return nil, err
		}
	}
	return e.percentFormat(text, dict)
}

func filterURLEncode(e *evaluation, value Value, _ *parameters) (Value, error) {
	quote := func(value Value, plus bool) (string, error) {
		text, err := e.print(value)
		if err != nil {
			return "", err
		}
		if err := e.allocate(3 * len(text)); err != nil {
			return "", err
		}
		escaped := url.QueryEscape(text)
		if plus {
			return escaped, nil
		}
		return strings.NewReplacer("+", "%20", "%2F", "/").Replace(escaped), nil
	}
	var pairs Value
	switch v := value.(type) {
	case *Dict:
		var err error
		if pairs, err = e.pairs(v); err != nil {
			return nil, err
		}
	case *List:
		pairs = v
	default:
		text, err := quote(value, false)
		return text, err
	}
	var parts []string
	for _, item := range pairs.(*List).Items {
		pair, err := e.items(item)
		if err != nil {
			return nil, err
		}
		if len(pair) != 2 {
			return nil, fail(KindValue, "filter 'urlencode' needs pairs")
		}
		key, err := quote(pair[0], true)
		if err != nil {
			return nil, err
		}
		text, err := quote(pair[1], true)
		if err != nil {
			return nil, err
		}
		parts = append(parts, key+"="+text)
	}
	return e.join(parts, "&")
}

func filterXMLAttributes(e *evaluation, value Value, p *parameters) (Value, error) {
	space := p.boolean("autospace", true)
	dict, ok := value.(*Dict)
	if !ok {
		return nil, badFilterValue("xmlattr", value)
	}
	var parts []string
	for i, key := range dict.keys {
		switch Unwritten(dict.values[i]).(type) {
		case nil, Undefined:
			continue
		}
		name := Str(key)
		if strings.ContainsAny(name, " \t\n\f\r/>=") {
			return nil, fail(KindValue, "filter 'xmlattr': '%s' is not the name of an attribute", name)
		}
		text, err := e.print(dict.values[i])
		if err != nil {
			return nil, err
		}
		parts = append(parts, escapeHTML(name)+`="`+escapeHTML(text)+`"`)
	}
	joined := strings.Join(parts, " ")
	if space && joined != "" {
		joined = " " + joined
	}
	return e.text(joined)
}

func filterToJSON(e *evaluation, value Value, p *parameters) (Value, error) {
	indent := p.value("indent", nil)
	if err := e.measure(value, 0); err != nil {
		return nil, err
	}
	writer := &jsonWriter{evaluation: e}
	if indent != nil {
		width, ok := asSmall(indent)
		if !ok || width < 0 || width > 64 {
			return nil, fail(KindValue, "filter 'tojson': the indent must be from 0 to 64")
		}
		writer.indent, writer.pretty = strings.Repeat(" ", int(width)), true
	}
	if err := writer.write(value, 0); err != nil {
		return nil, err
	}
	return e.text(writer.out.String())
}

// filterFromJSON reads a text that holds JSON. It is no filter of Jinja2, but of those that use it.
func filterFromJSON(e *evaluation, value Value, _ *parameters) (Value, error) {
	switch value.(type) {
	case *List, Tuple, *Dict:
		// A document needs no reading.
		return value, nil
	}
	text, isText := value.(string)
	if !isText {
		return nil, badFilterValue("fromjson", value)
	}
	if err := e.allocate(len(text) * jsonValueBytes / 2); err != nil {
		return nil, err
	}
	if err := e.step(len(text) / 8); err != nil {
		return nil, err
	}
	if err := shallow(text); err != nil {
		return nil, err
	}
	document, err := DecodeDocument([]byte(text))
	if err != nil {
		return nil, fail(KindValue, "filter 'fromjson': the text is not JSON: %v", err)
	}
	return document, nil
}

// jsonValueBytes is about what a value takes that two bytes of JSON may stand for, such as an item of a list.
const jsonValueBytes = 48

// shallow refuses JSON that is nested deeper than values can be printed.
func shallow(text string) error {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch char := text[i]; {
		case quoted && char == '\\':
			i++
		case char == '"':
			quoted = !quoted
		case quoted:
		case char == '[' || char == '{':
			if depth++; depth > maxPrintDepth {
				return fail(KindLimit, "filter 'fromjson': the text is nested more than %d levels deep", maxPrintDepth)
			}
		case char == ']' || char == '}':
			depth--
		}
	}
	return nil
}

// jsonWriter writes JSON as Jinja does: sorted keys, ", " and ": ", ASCII only, and <, >, & and ' escaped.
type jsonWriter struct {
	evaluation *evaluation
	out        strings.Builder
	indent     string
	pretty     bool
}

func (w *jsonWriter) newline(depth int) error {
	if !w.pretty {
		return nil
	}
	if err := w.evaluation.allocate(1 + depth*len(w.indent)); err != nil {
		return err
	}
	w.out.WriteByte('\n')
	w.out.WriteString(strings.Repeat(w.indent, depth))
	return nil
}

func (w *jsonWriter) write(value Value, depth int) error {
	if depth > maxPrintDepth {
		return fail(KindLimit, "values are nested too deeply for JSON")
	}
	switch v := value.(type) {
	case nil:
		w.out.WriteString("null")
	case bool:
		fmt.Fprint(&w.out, v)
	case int64:
		fmt.Fprint(&w.out, v)
	case *big.Int:
		w.out.WriteString(v.String())
	case Written:
		if v.unscaled == nil {
			return w.write(v.value, depth)
		}
		w.out.WriteString(plainDecimal(v.unscaled, v.scale))
	case float64:
		w.out.WriteString(strings.NewReplacer("nan", "NaN", "inf", "Infinity").Replace(floatRepr(v)))
	case string:
		w.text(v)
	case *List:
		return w.items("[", "]", len(v.Items), depth, func(i int) error { return w.write(v.Items[i], depth+1) })
	case Tuple:
		return w.items("[", "]", len(v), depth, func(i int) error { return w.write(v[i], depth+1) })
	case *Dict:
		order := sortedKeys(v)
		return w.items("{", "}", len(order), depth, func(i int) error {
			w.text(jsonKey(v.keys[order[i]]))
			w.out.WriteString(": ")
			return w.write(v.values[order[i]], depth+1)
		})
	default:
		return fail(KindType, "Object of type %s is not JSON serializable", typeName(value))
	}
	return nil
}

func jsonKey(key Value) string {
	switch v := key.(type) {
	case nil:
		return "null"
	case bool:
		return strings.ToLower(Str(v))
	}
	return Str(key)
}

func (w *jsonWriter) items(open, closing string, count, depth int, write func(i int) error) error {
	w.out.WriteString(open)
	for i := range count {
		if i > 0 {
			w.out.WriteByte(',')
			if !w.pretty {
				w.out.WriteByte(' ')
			}
		}
		if err := w.newline(depth + 1); err != nil {
			return err
		}
		if err := write(i); err != nil {
			return err
		}
	}
	if count > 0 {
		if err := w.newline(depth); err != nil {
			return err
		}
	}
	w.out.WriteString(closing)
	return nil
}

func (w *jsonWriter) text(text string) {
	w.out.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			w.out.WriteByte('\\')
			w.out.WriteRune(r)
		case r == '\n':
			w.out.WriteString(`\n`)
		case r == '\r':
			w.out.WriteString(`\r`)
		case r == '\t':
			w.out.WriteString(`\t`)
		case r == '\b':
			w.out.WriteString(`\b`)
		case r == '\f':
			w.out.WriteString(`\f`)
		case r > 0xffff:
			high, low := 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff
			fmt.Fprintf(&w.out, `\u%04x\u%04x`, high, low)
		case r < 0x20 || r > 0x7e || strings.ContainsRune("<>&'", r):
			fmt.Fprintf(&w.out, `\u%04x`, r)
		default:
			w.out.WriteRune(r)
		}
	}
	w.out.WriteByte('"')
}
