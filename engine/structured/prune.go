package structured

import (
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// walker adds up how many schemas meet how many values when a document is validated: recursive schemas with alternatives can make that
// exponential.
type walker struct{ steps int }

// affordable says whether validating the value costs no more than the limit.
func (w *walker) affordable(schema *jsonschema.Schema, value any, depth int) bool {
	if w.steps++; w.steps > maxValidationSteps || depth > 10*maxDepth {
		return false
	}
	if !w.allAffordable(inPlace(schema), value, depth) {
		return false
	}
	switch typed := value.(type) {
	case map[string]any:
		for name, member := range typed {
			if !w.allAffordable(memberSchemas(schema, name), member, depth) {
				return false
			}
		}
	case []any:
		for i, item := range typed {
			if !w.allAffordable(itemSchemas(schema, i), item, depth) {
				return false
			}
		}
	}
	return true
}

// allAffordable says the same of schemas that stand below the one at a depth.
func (w *walker) allAffordable(schemas []*jsonschema.Schema, value any, depth int) bool {
	for _, schema := range schemas {
		if !w.affordable(schema, value, depth+1) {
			return false
		}
	}
	return true
}

// inPlace are the schemas that look at the same value.
func inPlace(schema *jsonschema.Schema) []*jsonschema.Schema {
	parts := slices.Concat(schema.AllOf, schema.AnyOf, schema.OneOf)
	for _, part := range []*jsonschema.Schema{schema.Ref, schema.Not, schema.If, schema.Then, schema.Else} {
		if part != nil {
			parts = append(parts, part)
		}
	}
	for _, part := range schema.DependentSchemas {
		parts = append(parts, part)
	}
	return parts
}

func memberSchemas(schema *jsonschema.Schema, name string) []*jsonschema.Schema {
	var parts []*jsonschema.Schema
	if part, known := schema.Properties[name]; known {
		parts = append(parts, part)
	}
	for pattern, part := range schema.PatternProperties {
		if pattern.MatchString(name) {
			parts = append(parts, part)
		}
	}
	if part, isSchema := schema.AdditionalProperties.(*jsonschema.Schema); isSchema && len(parts) == 0 {
		parts = append(parts, part)
	}
	if schema.UnevaluatedProperties != nil {
		parts = append(parts, schema.UnevaluatedProperties)
	}
	return parts
}

func itemSchemas(schema *jsonschema.Schema, index int) []*jsonschema.Schema {
	var parts []*jsonschema.Schema
	if index < len(schema.PrefixItems) {
		parts = append(parts, schema.PrefixItems[index])
	} else if schema.Items2020 != nil {
		parts = append(parts, schema.Items2020)
	}
	for _, part := range []*jsonschema.Schema{schema.Contains, schema.UnevaluatedItems} {
		if part != nil {
			parts = append(parts, part)
		}
	}
	return parts
}

// pruner removes what a schema does not describe, and rounds decimals.
type pruner struct {
	schema *Schema
	steps  int
}

// value returns a value as the schemas that hold for it want it. It changes the value's parts.
func (p *pruner) value(schemas []*jsonschema.Schema, value any, depth int) any {
	if p.steps++; p.steps > maxValidationSteps || depth > maxDepth {
		return value
	}
	value = unwrapped(schemas, value)
	holding := p.holding(nil, schemas, value, depth)
	switch typed := value.(type) {
	case map[string]any:
		p.object(holding, typed, depth)
	case []any:
		for i, item := range typed {
			var parts []*jsonschema.Schema
			for _, schema := range holding {
				if i < len(schema.PrefixItems) {
					parts = append(parts, schema.PrefixItems[i])
				} else if schema.Items2020 != nil {
					parts = append(parts, schema.Items2020)
				}
			}
			typed[i] = p.value(parts, item, depth+1)
		}
	default:
		for _, schema := range holding {
			if places, isDecimal := p.schema.decimals[schema.Location]; isDecimal {
				return decimal(value, places)
			}
		}
	}
	return value
}

// object removes the properties that no schema has, once some schema has any and none of them allows others. An object of which nothing is
// said keeps all, and so does one whose schema allows additional properties. A null means that a property is absent, where it need not be
// there and null is no value of it.
func (p *pruner) object(holding []*jsonschema.Schema, object map[string]any, depth int) {
	closed := isClosedBy(holding)
	for name, member := range object {
		var parts []*jsonschema.Schema
		known := false
		for _, schema := range holding {
			for _, part := range memberSchemas(schema, name) {
				if part != schema.AdditionalProperties && part != schema.UnevaluatedProperties {
					known = true
				} else if closed {
					continue
				}
				parts = append(parts, part)
			}
		}
		if closed && !known || member == nil && p.meansAbsent(holding, name, parts) {
			delete(object, name)
			continue
		}
		object[name] = p.value(parts, member, depth+1)
	}
}

// isClosedBy says whether the properties that the schemas describe are all that an object may have.
func isClosedBy(holding []*jsonschema.Schema) bool {
	described, opened := false, false
	for _, schema := range holding {
		if schema.AdditionalProperties == false {
			return true
		}
		described = described || len(schema.Properties) > 0
		opened = opened || isOpen(schema)
	}
	return described && !opened
}

// isOpen says whether a schema asks for properties that it does not name to be kept.
func isOpen(schema *jsonschema.Schema) bool {
	if schema.AdditionalProperties != nil && schema.AdditionalProperties != false {
		return true
	}
	return schema.UnevaluatedProperties != nil && (schema.UnevaluatedProperties.Bool == nil || *schema.UnevaluatedProperties.Bool)
}

// meansAbsent says whether a null stands for a property that is not there.
func (p *pruner) meansAbsent(holding []*jsonschema.Schema, name string, parts []*jsonschema.Schema) bool {
	for _, schema := range holding {
		if slices.Contains(schema.Required, name) {
			return false
		}
	}
	return slices.ContainsFunc(parts, func(part *jsonschema.Schema) bool { return !p.holds(part, nil) })
}

// unwrapped returns the document that a text holds as JSON where a document is wanted and no text may be: models write documents within
// documents as strings.
func unwrapped(schemas []*jsonschema.Schema, value any) any {
	text, isText := value.(string)
	if !isText || len(schemas) == 0 || !slices.ContainsFunc(schemas, func(schema *jsonschema.Schema) bool { return !mayBe(schema, value) }) {
		return value
	}
	if head := strings.TrimLeft(text, " \t\r\n\ufeff"); head == "" || head[0] != '{' && head[0] != '[' {
		return value
	}
	document, err := parse(text)
	if err != nil {
		return value
	}
	for _, schema := range schemas {
		if !mayBe(schema, document) {
			return value
		}
	}
	return document
}

// holding adds the schemas that hold for a value: these, what they refer to, all of allOf, the alternative that fits, and what follows from
// conditions.
func (p *pruner) holding(list, schemas []*jsonschema.Schema, value any, depth int) []*jsonschema.Schema {
	for _, schema := range schemas {
		if p.steps++; p.steps > maxValidationSteps || slices.Contains(list, schema) {
			continue
		}
		list = append(list, schema)
		if schema.Ref != nil {
			list = p.holding(list, []*jsonschema.Schema{schema.Ref}, value, depth)
		}
		list = p.holding(list, schema.AllOf, value, depth)
		for _, alternatives := range [][]*jsonschema.Schema{schema.AnyOf, schema.OneOf} {
			if chosen := p.choose(alternatives, value, depth); chosen != nil {
				list = p.holding(list, []*jsonschema.Schema{chosen}, value, depth)
			}
		}
		if branch := p.branch(schema, value); branch != nil {
			list = p.holding(list, []*jsonschema.Schema{branch}, value, depth)
		}
		for _, dependent := range dependents(schema, value) {
			list = p.holding(list, []*jsonschema.Schema{dependent}, value, depth)
		}
	}
	return list
}

// branch returns what follows from the condition of a schema, or nil.
func (p *pruner) branch(schema *jsonschema.Schema, value any) *jsonschema.Schema {
	switch {
	case schema.If == nil:
		return nil
	case p.holds(schema.If, value):
		return schema.Then
	}
	return schema.Else
}

// dependents are the schemas that hold because a value has a property.
func dependents(schema *jsonschema.Schema, value any) (schemas []*jsonschema.Schema) {
	object, isObject := value.(map[string]any)
	if !isObject {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(schema.DependentSchemas)) {
		if _, there := object[name]; there {
			schemas = append(schemas, schema.DependentSchemas[name])
		}
	}
	return schemas
}

// choose returns the alternative that fits a value once it is pruned: the one that keeps most of its properties, and of equal ones the
// first.
func (p *pruner) choose(alternatives []*jsonschema.Schema, value any, depth int) *jsonschema.Schema {
	fitting := make([]*jsonschema.Schema, 0, len(alternatives))
	for _, alternative := range alternatives {
		if mayBe(alternative, value) {
			fitting = append(fitting, alternative)
		}
	}
	if len(fitting) == 0 {
		return nil
	}
	if len(fitting) == 1 {
		return fitting[0]
	}
	var best *jsonschema.Schema
	most := -1
	for _, alternative := range fitting {
		trial := p.value([]*jsonschema.Schema{alternative}, clone(value), depth+1)
		kept := size(trial)
		if kept > most && p.holds(alternative, trial) {
			best, most = alternative, kept
		}
	}
	return best
}

// holds validates a value, and adds what that costs.
func (p *pruner) holds(schema *jsonschema.Schema, value any) bool {
	cost := walker{steps: p.steps}
	affordable := cost.affordable(schema, value, 0)
	p.steps = cost.steps
	return affordable && schema.Validate(value) == nil
}

// mayBe says, at a glance, whether a schema may hold for a value.
func mayBe(schema *jsonschema.Schema, value any) bool {
	for range maxDepth {
		if schema.Ref == nil || schema.Types != nil {
			break
		}
		schema = schema.Ref
	}
	if schema.Types == nil {
		return true
	}
	name := kindName(value)
	names := schema.Types.ToStrings()
	return slices.Contains(names, name) || name == "number" && slices.Contains(names, "integer")
}

func clone(value any) any {
	switch typed := value.(type) {
	case map[string]any:
		object := make(map[string]any, len(typed))
		for name, member := range typed {
			object[name] = clone(member)
		}
		return object
	case []any:
		list := make([]any, len(typed))
		for i, item := range typed {
			list[i] = clone(item)
		}
		return list
	}
	return value
}

// size counts the values in a value.
func size(value any) int {
	total := 1
	switch typed := value.(type) {
	case map[string]any:
		for _, member := range typed {
			total += size(member)
		}
	case []any:
		for _, item := range typed {
			total += size(item)
		}
	}
	return total
}

// decimal brings a number, or a string of digits, to so many places, half away from zero.
func decimal(value any, places int) any {
	var text string
	switch typed := value.(type) {
	case json.Number:
		text = string(typed)
	case string:
		text = typed
	default:
		return value
	}
	if checkNumber(text) != nil || !isDecimal(text) {
		return value
	}
	number, read := new(big.Rat).SetString(text)
	if !read {
		return value
	}
	if places >= 0 {
		places = min(places, maxNumberBytes)
		scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil))
		number.Mul(number, scale)
		number.Quo(round(number), scale)
	}
	approximate, _ := number.Float64()
	written, err := json.Marshal(approximate)
	if err != nil {
		return value
	}
	return json.Number(written)
}

// isDecimal says whether a text is digits with at most one point and an exponent; big.Rat reads fractions and other bases too.
func isDecimal(text string) bool {
	for i := range len(text) {
		if char := text[i]; (char < '0' || char > '9') && char != '.' && char != '-' && char != '+' && char != 'e' && char != 'E' {
			return false
		}
	}
	return true
}

// round returns the nearest whole number, half away from zero.
func round(number *big.Rat) *big.Rat {
	half := big.NewRat(1, 2)
	if number.Sign() < 0 {
		half.Neg(half)
	}
	sum := new(big.Rat).Add(number, half)
	// Quo truncates towards zero.
	return new(big.Rat).SetInt(new(big.Int).Quo(sum.Num(), sum.Denom()))
}
