package llmsim

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// A form is a document whose values are placeholders, such as {"name":"<name, at most 80 characters>","age":<integer, 1 to 5>}.
var (
	fencedForm = regexp.MustCompile("(?s)```json\n(.*?)\n```")
	// barePlaceholder is one without quotes, for a number or a truth.
	barePlaceholder = regexp.MustCompile(`([:,\[])<([^<>"]*)>`)
	bounded         = regexp.MustCompile(`(?:^|, )(at least |at most )?(-?[0-9.]+)(?: to (-?[0-9.]+))?( characters)?(?:$|,)`)
	formatted       = regexp.MustCompile(`, a ([a-z-]+)(?:$|,)`)
)

// bareMark begins a placeholder that had no quotes.
const bareMark = "bare "

// findForm returns the schema of the form in the last of the texts that has one; its answer is fenced as the form was.
func findForm(texts []string) (schema map[string]any, fenced bool) {
	for _, text := range slices.Backward(texts) {
		if schema := formIn(text); schema != nil {
			return schema, true
		}
	}
	return nil, false
}

// formIn returns the schema of the last form in a text, or nil.
func formIn(text string) map[string]any {
	if !strings.Contains(text, "```json\n") {
		return nil
	}
	blocks := fencedForm.FindAllStringSubmatch(text, -1)
	if len(blocks) == 0 {
		return nil
	}
	form := blocks[len(blocks)-1][1]
	var document any
	quoted := barePlaceholder.ReplaceAllString(form, `$1"<`+bareMark+`$2>"`)
	if !strings.Contains(form, "<") || json.Unmarshal([]byte(quoted), &document) != nil {
		return nil
	}
	schema, _ := schemaOfForm(document).(map[string]any)
	return schema
}

func schemaOfForm(value any) any {
	switch typed := value.(type) {
	case map[string]any:
		properties, required := map[string]any{}, []any{}
		for name, member := range typed {
			properties[name] = schemaOfForm(member)
			required = append(required, name)
		}
		slices.SortFunc(required, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
		return map[string]any{"type": "object", "properties": properties, "required": required}
	case []any:
		if len(typed) == 0 {
			return map[string]any{"type": "array"}
		}
		return map[string]any{"type": "array", "items": schemaOfForm(typed[0])}
	case string:
		if said, isPlaceholder := strings.CutPrefix(typed, "<"); isPlaceholder && strings.HasSuffix(said, ">") {
			return schemaOfPlaceholder(strings.TrimSuffix(said, ">"))
		}
	}
	return map[string]any{"const": value}
}

// schemaOfPlaceholder reads what belongs in a place.
func schemaOfPlaceholder(said string) map[string]any {
	said = strings.TrimSuffix(strings.TrimSuffix(said, ", or null"), "or null")
	bare, isBare := strings.CutPrefix(said, bareMark)
	options, isChoice := strings.CutPrefix(said, "one of: ")
	schema := map[string]any{"type": "string"}
	least, most := "minLength", "maxLength"
	switch {
	case isChoice:
		var values []any
		for _, option := range strings.Split(options, ", ") {
			values = append(values, option)
		}
		return map[string]any{"enum": values}
	case isBare && strings.Contains(bare, "true or false"):
		return map[string]any{"type": "boolean"}
	case isBare:
		schema["type"], least, most = "number", "minimum", "maximum"
		if strings.Contains(bare, "integer") {
			schema["type"] = "integer"
		}
	}
	if format := formatted.FindStringSubmatch(said); format != nil && !isBare {
		schema["format"] = format[1]
	}
	if found := bounded.FindStringSubmatch(said); len(found) > 4 && (found[4] != "") != isBare {
		limit(schema, least, most, found[1], found[2], found[3])
	}
	return schema
}

func limit(schema map[string]any, least, most, word, first, second string) {
	set := func(keyword, text string) {
		var number float64
		if json.Unmarshal([]byte(text), &number) == nil {
			schema[keyword] = number
		}
	}
	switch {
	case second != "":
		set(least, first)
		set(most, second)
	case word == "at least ":
		set(least, first)
	case word == "at most ":
		set(most, first)
	}
}
