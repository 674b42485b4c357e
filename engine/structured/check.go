package structured

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Which keywords hold schemas: one, a list of them, or one for each of some names. What stands anywhere else is data.
var (
	schemaKeywords = []string{"not", "if", "then", "else", "items", "contains", "additionalProperties", "propertyNames",
		"unevaluatedItems", "unevaluatedProperties", "contentSchema"}
	schemaLists = []string{"allOf", "anyOf", "oneOf", "prefixItems"}
	schemaMaps  = []string{"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"}
)

// refused are keywords that the engine does not follow.
var refused = map[string]string{
	"$dynamicRef": "is not supported; use $ref", "$dynamicAnchor": "is not supported; refer to it by a path like #/$defs/name",
	"$recursiveRef": "is not supported; use $ref", "$recursiveAnchor": "is not supported",
	"$anchor": "is not supported; refer to it by a path like #/$defs/name", "$vocabulary": "is not supported",
}

const draft = "https://json-schema.org/draft/2020-12/schema"

// checker finds what the compiler would not, or would tell one at a time.
type checker struct {
	root     map[string]any
	count    int
	problems []Problem
}

func check(root map[string]any) *checker {
	c := &checker{root: root}
	c.schema(root, nil)
	if c.count > maxSubschemas {
		c.add(nil, "has more than %d schemas in it", maxSubschemas)
	}
	return c
}

func (c *checker) add(path []string, format string, arguments ...any) {
	c.problems = append(c.problems, Problem{Path: join(path), Message: fmt.Sprintf(format, arguments...)})
}

func (c *checker) schema(schema any, path []string) {
	if c.count++; c.count > maxSubschemas {
		return
	}
	object, isObject := schema.(map[string]any)
	if !isObject {
		return
	}
	c.keywords(object, path)
	for keyword, part := range subschemas(object) {
		c.schema(part, append(slices.Clone(path), keyword...))
	}
}

func (c *checker) keywords(object map[string]any, path []string) {
	at := func(name string) []string { return append(slices.Clone(path), name) }
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if problem, found := refused[name]; found {
			c.add(at(name), "%s", problem)
		}
	}
	if id, found := object["$id"]; found && len(path) > 0 {
		c.add(at("$id"), "%q would be another document; only the whole schema may have one", id)
	}
	if named, found := object["$schema"]; found && (len(path) > 0 || strings.TrimSuffix(fmt.Sprint(named), "#") != draft) {
		c.add(at("$schema"), "schemas are read as 2020-12 (%s); remove it", draft)
	}
	if pattern, found := object["pattern"].(string); found {
		c.pattern(at("pattern"), pattern)
	}
	if patterns, found := object["patternProperties"].(map[string]any); found {
		for _, pattern := range slices.Sorted(maps.Keys(patterns)) {
			c.pattern(append(at("patternProperties"), pattern), pattern)
		}
	}
	if reference, found := object["$ref"].(string); found {
		c.reference(at("$ref"), reference)
	}
}

func (c *checker) pattern(path []string, pattern string) {
	// Decimals of Pydantic have a look-ahead, and are not validated by their pattern.
	if _, err := regexp.Compile(pattern); err != nil && !isDecimalPattern(pattern) {
		c.add(path, "is not a regular expression of RE2, which knows no look-around and no back-references: %v", err)
	}
}

func (c *checker) reference(path []string, reference string) {
	if !strings.HasPrefix(reference, "#") {
		c.add(path, "%q is another document; only references inside of this one, like #/$defs/name, are followed", reference)
		return
	}
	target, found := resolve(c.root, reference)
	if !found {
		c.add(path, "%q points at nothing in the schema", reference)
		return
	}
	// A reference that leads back to itself describes nothing.
	for range maxSubschemas {
		object, isObject := target.(map[string]any)
		next, refers := object["$ref"].(string)
		if !isObject || !refers {
			return
		}
		if next == reference {
			c.add(path, "%q leads back to itself", reference)
			return
		}
		if target, found = resolve(c.root, next); !found {
			return
		}
	}
}

// resolve returns what a reference inside of the document points at.
func resolve(root map[string]any, reference string) (any, bool) {
	pointer, err := url.PathUnescape(strings.TrimPrefix(reference, "#"))
	if err != nil {
		return nil, false
	}
	var target any = root
	if pointer == "" {
		return target, true
	}
	if pointer[0] != '/' {
		return nil, false
	}
	for token := range strings.SplitSeq(pointer[1:], "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch typed := target.(type) {
		case map[string]any:
			next, found := typed[token]
			if !found {
				return nil, false
			}
			target = next
		case []any:
			index, err := strconv.Atoi(token)
			if err != nil || index < 0 || index >= len(typed) {
				return nil, false
			}
			target = typed[index]
		default:
			return nil, false
		}
	}
	return target, true
}

// subschemas yields the schemas right below one, with the way to them, in a fixed order.
func subschemas(object map[string]any) func(yield func([]string, any) bool) {
	return func(yield func([]string, any) bool) {
		for _, keyword := range schemaKeywords {
			if part, found := object[keyword]; found && !yield([]string{keyword}, part) {
				return
			}
		}
		_ = listedSchemas(object, yield) && namedSchemas(object, yield)
	}
}

// listedSchemas yields those in lists. It returns false where no more are wanted.
func listedSchemas(object map[string]any, yield func([]string, any) bool) bool {
	for _, keyword := range schemaLists {
		list, _ := object[keyword].([]any)
		for i, part := range list {
			if !yield([]string{keyword, strconv.Itoa(i)}, part) {
				return false
			}
		}
	}
	return true
}

// namedSchemas yields those under names. It returns false where no more are wanted.
func namedSchemas(object map[string]any, yield func([]string, any) bool) bool {
	for _, keyword := range schemaMaps {
		named, _ := object[keyword].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(named)) {
			if !yield([]string{keyword, name}, named[name]) {
				return false
			}
		}
	}
	return true
}

var plainName = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*$`)

// join writes a path as people write it: properties.age.enum[2].
func join(path []string) string {
	var text strings.Builder
	for i, token := range path {
		_, err := strconv.ParseUint(token, 10, 32)
		switch {
		case err == nil:
			text.WriteString("[" + token + "]")
		case !plainName.MatchString(token):
			text.WriteString("[" + strconv.Quote(token) + "]")
		case i > 0:
			text.WriteString("." + token)
		default:
			text.WriteString(token)
		}
	}
	return text.String()
}
