package llmsim

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp/syntax"
	"slices"
	"sort"
	"strings"
	"time"
)

const (
	// maxSchemaDepth stops recursive schemas: below it, what is optional is left out.
	maxSchemaDepth = 8
	// maxSchemaStarts bounds how many opening braces of a prompt are tried as the beginning of a schema.
	maxSchemaStarts = 64
)

// findSchema returns the JSON Schema in the last of the texts that has one, and whether the answer should be fenced as the schema was.
func findSchema(texts []string) (schema map[string]any, fenced bool) {
	for index := len(texts) - 1; index >= 0; index-- {
		text := texts[index]
		if !strings.Contains(text, `"type"`) && !strings.Contains(text, `"properties"`) {
			continue
		}
		if schema := schemaIn(text); schema != nil {
			return schema, strings.Contains(text, "```json")
		}
	}
	return nil, false
}

// schemaIn tries every object of the text, so that fenced and bare schemas are found alike.
func schemaIn(text string) map[string]any {
	for range maxSchemaStarts {
		start := strings.IndexByte(text, '{')
		if start < 0 {
			return nil
		}
		text = text[start:]
		var object map[string]any
		decoder := json.NewDecoder(strings.NewReader(text))
		if decoder.Decode(&object) == nil {
			if isSchema(object) {
				return object
			}
			text = text[decoder.InputOffset():]
			continue
		}
		text = text[1:]
	}
	return nil
}

func isSchema(object map[string]any) bool {
	if _, ok := object["properties"].(map[string]any); ok {
		return true
	}
	name, ok := object["type"].(string)
	return ok && slices.Contains([]string{"object", "array", "string", "number", "integer", "boolean", "null"}, name)
}

// schemaWriter makes a document that satisfies a schema, from the draws of one request.
type schemaWriter struct {
	root  map[string]any
	draws *random
}

func (w *schemaWriter) value(schema any, depth int) any {
	object, ok := schema.(map[string]any)
	if !ok {
		return w.words(3)
	}
	object = w.resolve(object, depth)
	if constant, ok := object["const"]; ok {
		return constant
	}
	if values, ok := object["enum"].([]any); ok && len(values) > 0 {
		return values[w.draws.below(len(values))]
	}
	for _, name := range []string{"anyOf", "oneOf"} {
		if choices, ok := object[name].([]any); ok && len(choices) > 0 {
			return w.value(w.choose(choices, object, name, depth), depth+1)
		}
	}
	switch w.typeOf(object) {
	case "object":
		return w.object(object, depth)
	case "array":
		return w.array(object, depth)
	case "integer":
		return int64(w.number(object, true))
	case "number":
		return w.number(object, false)
	case "boolean":
		return w.draws.below(2) == 0
	case "null":
		return nil
	}
	return w.text(object)
}

// resolve follows references and merges allOf.
func (w *schemaWriter) resolve(object map[string]any, depth int) map[string]any {
	for range maxSchemaDepth {
		reference, ok := object["$ref"].(string)
		if !ok {
			break
		}
		var target any = w.root
		for _, step := range strings.Split(strings.TrimPrefix(reference, "#"), "/")[1:] {
			step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
			container, _ := target.(map[string]any)
			target = container[step]
		}
		resolved, ok := target.(map[string]any)
		if !ok {
			break
		}
		object = merge(object, resolved, "$ref")
	}
	parts, ok := object["allOf"].([]any)
	if !ok || depth > 2*maxSchemaDepth {
		return object
	}
	merged := merge(object, nil, "allOf")
	for _, part := range parts {
		if sub, ok := part.(map[string]any); ok {
			merged = merge(merged, w.resolve(sub, depth+1), "")
		}
	}
	return merged
}

// merge returns both schemas as one, without the key dropped. Properties and required add up; for the rest, the first one wins.
func merge(first, second map[string]any, dropped string) map[string]any {
	merged := make(map[string]any, len(first)+len(second))
	for key, value := range second {
		merged[key] = value
	}
	for key, value := range first {
		if key == dropped {
			continue
		}
		switch known := merged[key].(type) {
		case map[string]any:
			if mine, ok := value.(map[string]any); ok && key == "properties" {
				value = merge(mine, known, "")
			}
		case []any:
			if mine, ok := value.([]any); ok && key == "required" {
				value = append(slices.Clone(mine), known...)
			}
		}
		merged[key] = value
	}
	return merged
}

// choose prefers null below the depth limit, so that recursive optional fields end.
func (w *schemaWriter) choose(choices []any, object map[string]any, name string, depth int) any {
	chosen := choices[w.draws.below(len(choices))]
	if depth >= maxSchemaDepth {
		for _, choice := range choices {
			if sub, ok := choice.(map[string]any); ok && sub["type"] == "null" {
				chosen = choice
			}
		}
	}
	if sub, ok := chosen.(map[string]any); ok {
		return merge(sub, merge(object, nil, name), "")
	}
	return chosen
}

func (w *schemaWriter) typeOf(object map[string]any) string {
	switch name := object["type"].(type) {
	case string:
		return name
	case []any:
		if len(name) > 0 {
			chosen, _ := name[w.draws.below(len(name))].(string)
			return chosen
		}
	}
	switch {
	case object["properties"] != nil:
		return "object"
	case object["items"] != nil || object["prefixItems"] != nil:
		return "array"
	case object["minimum"] != nil || object["maximum"] != nil:
		return "number"
	}
	return "string"
}

func (w *schemaWriter) object(object map[string]any, depth int) any {
	properties, _ := object["properties"].(map[string]any)
	required, _ := object["required"].([]any)
	names := make([]string, 0, len(properties))
	for name := range properties {
		if depth < maxSchemaDepth || slices.Contains(required, any(name)) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	document := make(map[string]any, len(names))
	if depth > 3*maxSchemaDepth {
		return document // Nothing finite satisfies a schema that requires itself.
	}
	for _, name := range names {
		document[name] = w.value(properties[name], depth+1)
	}
	additional := object["additionalProperties"]
	for _, name := range required {
		if key, ok := name.(string); ok && properties[key] == nil {
			document[key] = w.value(additional, depth+1)
		}
	}
	for number := 1; len(document) < int(bound(object, "minProperties", 0)) && number < 100; number++ {
		document[fmt.Sprintf("field_%d", number)] = w.value(additional, depth+1)
	}
	return document
}

func (w *schemaWriter) array(object map[string]any, depth int) any {
	low := int(bound(object, "minItems", 0))
	high := int(bound(object, "maxItems", math.Max(float64(low), 3)))
	if _, ok := object["minItems"]; !ok {
		low = min(1, high)
	}
	low = min(low, 1000)
	length := low
	if depth < maxSchemaDepth && high > low {
		length += w.draws.below(min(high-low, 3) + 1)
	} else if depth >= maxSchemaDepth {
		length = min(low, int(bound(object, "minItems", 0)))
	}
	prefix, _ := object["prefixItems"].([]any)
	items := make([]any, 0, length)
	seen := map[string]bool{}
	for tries := 0; len(items) < length && tries < 50*length; tries++ {
		schema := object["items"]
		if len(items) < len(prefix) {
			schema = prefix[len(items)]
		}
		item := w.value(schema, depth+1)
		if object["uniqueItems"] == true {
			key, _ := json.Marshal(item)
			if seen[string(key)] {
				continue
			}
			seen[string(key)] = true
		}
		items = append(items, item)
	}
	return items
}

func (w *schemaWriter) number(object map[string]any, whole bool) float64 {
	step := bound(object, "multipleOf", 0)
	unit := step
	if unit <= 0 {
		unit = 0.01
		if whole {
			unit = 1
		}
	}
	low := bound(object, "minimum", math.Inf(-1))
	high := bound(object, "maximum", math.Inf(1))
	if exclusive, ok := object["exclusiveMinimum"].(float64); ok {
		low = math.Max(low, exclusive+unit/2)
	}
	if exclusive, ok := object["exclusiveMaximum"].(float64); ok {
		high = math.Min(high, exclusive-unit/2)
	}
	switch {
	case math.IsInf(low, -1) && math.IsInf(high, 1):
		low, high = 0, 100
	case math.IsInf(low, -1):
		low = high - 100*unit
	case math.IsInf(high, 1):
		high = low + 100*unit
	}
	first, last := math.Ceil(low/unit), math.Floor(high/unit)
	if last < first { // No multiple of the default unit lies between the bounds.
		return (low + high) / 2
	}
	count := math.Min(last-first+1, 1<<40)
	value := (first + math.Floor(w.draws.float()*count)) * unit
	if step <= 0 && !whole {
		value = math.Min(high, math.Max(low, math.Round(value*100)/100))
	}
	return value
}

func bound(object map[string]any, name string, otherwise float64) float64 {
	if value, ok := object[name].(float64); ok {
		return value
	}
	return otherwise
}

func (w *schemaWriter) words(count int) string {
	words := make([]string, count)
	for index := range words {
		list := adjectives
		if index == count-1 {
			list = nouns
		}
		words[index] = list[w.draws.below(len(list))]
	}
	return strings.Join(words, " ")
}

func (w *schemaWriter) text(object map[string]any) string {
	if pattern, ok := object["pattern"].(string); ok {
		if parsed, err := syntax.Parse(pattern, syntax.Perl); err == nil {
			return w.matching(parsed.Simplify())
		}
	}
	moment := time.Date(2000+w.draws.below(30), 1, 1+w.draws.below(365), w.draws.below(24), w.draws.below(60), w.draws.below(60), 0, time.UTC)
	switch object["format"] {
	case "date":
		return moment.Format(time.DateOnly)
	case "time":
		return moment.Format("15:04:05Z")
	case "date-time":
		return moment.Format(time.RFC3339)
	case "email":
		return w.words(1) + "@example.com"
	case "uri", "url":
		return "https://example.com/" + w.words(1)
	case "uuid":
		id := string(appendHex(appendHex(nil, w.draws.next()), w.draws.next()))
		return id[:8] + "-" + id[8:12] + "-4" + id[13:16] + "-a" + id[17:20] + "-" + id[20:]
	case "ipv4":
		return fmt.Sprintf("192.0.2.%d", w.draws.below(256))
	}
	text := w.words(1 + w.draws.below(4))
	if least := int(min(bound(object, "minLength", 0), maxRequestBytes)); len(text) < least {
		text = w.longer(text, least)
	}
	if limit := int(bound(object, "maxLength", float64(len(text)))); len(text) > limit {
		text = text[:max(limit, 0)]
	}
	return text
}

// longer appends words to a text until it has at least so many bytes.
func (w *schemaWriter) longer(text string, least int) string {
	var longer strings.Builder
	longer.Grow(least + 16)
	longer.WriteString(text)
	for longer.Len() < least {
		longer.WriteByte(' ')
		longer.WriteString(w.words(1))
	}
	return longer.String()
}

// matching returns a text that the expression matches; repetitions without an upper bound get at most three more than they need.
func (w *schemaWriter) matching(expression *syntax.Regexp) string {
	repeat := func(low, high int) string {
		if high < 0 {
			high = low + 3
		}
		var text strings.Builder
		for range low + w.draws.below(high-low+1) {
			text.WriteString(w.matching(expression.Sub[0]))
		}
		return text.String()
	}
	switch expression.Op {
	case syntax.OpLiteral:
		return string(expression.Rune)
	case syntax.OpCharClass:
		return w.oneOf(expression.Rune)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "a"
	case syntax.OpCapture:
		return w.matching(expression.Sub[0])
	case syntax.OpConcat:
		var text strings.Builder
		for _, part := range expression.Sub {
			text.WriteString(w.matching(part))
		}
		return text.String()
	case syntax.OpAlternate:
		return w.matching(expression.Sub[w.draws.below(len(expression.Sub))])
	case syntax.OpStar:
		return repeat(0, -1)
	case syntax.OpPlus:
		return repeat(1, -1)
	case syntax.OpQuest:
		return repeat(0, 1)
	case syntax.OpRepeat:
		return repeat(expression.Min, expression.Max)
	}
	return "" // Anchors and empty matches.
}

// oneOf picks from the class's ranges: a printable ASCII character where there is one.
func (w *schemaWriter) oneOf(ranges []rune) string {
	var printable []rune
	for index := 0; index+1 < len(ranges); index += 2 {
		for c := max(ranges[index], ' '); c <= min(ranges[index+1], '~'); c++ {
			printable = append(printable, c)
		}
	}
	if len(printable) == 0 {
		if len(ranges) == 0 {
			return ""
		}
		return string(ranges[0])
	}
	return string(printable[w.draws.below(len(printable))])
}
