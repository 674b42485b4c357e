package jinja

import (
	"sort"
	"strconv"
	"strings"
)

func filterItems(e *evaluation, value Value, _ *parameters) (Value, error) {
	switch v := value.(type) {
	case *Dict:
		return e.pairs(v)
	case Undefined:
		return &List{}, e.useUndefined(v)
	}
	return nil, badFilterValue("items", value)
}

func filterList(e *evaluation, value Value, _ *parameters) (Value, error) {
	items, err := e.items(value)
	if err != nil {
		return nil, err
	}
	return e.list(append([]Value(nil), items...))
}

func filterFirst(e *evaluation, value Value, _ *parameters) (Value, error) {
	items, err := e.items(value)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return Undefined{Message: "there is no first item, the sequence was empty"}, nil
	}
	return items[0], nil
}

func filterLast(e *evaluation, value Value, _ *parameters) (Value, error) {
	items, err := e.items(value)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return Undefined{Message: "there is no last item, the sequence was empty"}, nil
	}
	return items[len(items)-1], nil
}

func filterReverse(e *evaluation, value Value, _ *parameters) (Value, error) {
	if text, ok := value.(string); ok {
		runes := []rune(text)
		for i, j := 0, len(runes)-1; i < j; i, j = i+1, j-1 {
			runes[i], runes[j] = runes[j], runes[i]
		}
		return e.text(string(runes))
	}
	items, err := e.items(value)
	if err != nil {
		return nil, err
	}
	reversed := append([]Value(nil), items...)
	reverse(reversed)
	return e.list(reversed)
}

// path makes a function that reads an attribute such as "address.city" or 0 of an item.
func (e *evaluation) path(attribute Value, fallback Value) func(Value) (Value, error) {
	if attribute == nil {
		return func(item Value) (Value, error) { return item, nil }
	}
	parts := []Value{attribute}
	if text, ok := attribute.(string); ok {
		parts = nil
		for _, part := range strings.Split(text, ".") {
			if index, err := strconv.ParseInt(part, 10, 64); err == nil {
				parts = append(parts, index)
			} else {
				parts = append(parts, part)
			}
		}
	}
	return func(item Value) (Value, error) {
		for _, part := range parts {
			next, err := e.subscript(item, part)
			if err != nil {
				return nil, err
			}
			if _, missing := next.(Undefined); missing && fallback != nil {
				next = fallback
			}
			item = next
		}
		return item, nil
	}
}

// ignoringCase makes texts of different case equal, unless the case matters.
func ignoringCase(matters bool, key func(Value) (Value, error)) func(Value) (Value, error) {
	return func(item Value) (Value, error) {
		value, err := key(item)
		if text, ok := value.(string); ok && !matters && err == nil {
			return strings.ToLower(text), nil
		}
		return value, err
	}
}

func filterSort(e *evaluation, value Value, p *parameters) (Value, error) {
	descending, matters, attribute := p.boolean("reverse", false), p.boolean("case_sensitive", false), p.value("attribute", nil)
	items, err := e.items(value)
	if err != nil {
		return nil, err
	}
	sorted := append([]Value(nil), items...)
	key := e.path(attribute, nil)
	if text, ok := attribute.(string); ok && strings.Contains(text, ",") {
		key = e.paths(strings.Split(text, ","), matters)
	}
	if err := e.sort(sorted, ignoringCase(matters, key), descending); err != nil {
		return nil, err
	}
	return e.list(sorted)
}

// paths reads several attributes as a tuple.
func (e *evaluation) paths(attributes []string, matters bool) func(Value) (Value, error) {
	return func(item Value) (Value, error) {
		keys := make(Tuple, len(attributes))
		for i, attribute := range attributes {
			key, err := ignoringCase(matters, e.path(strings.TrimSpace(attribute), nil))(item)
			if err != nil {
				return nil, err
			}
			keys[i] = key
		}
		return keys, nil
	}
}

func filterDictSort(e *evaluation, value Value, p *parameters) (Value, error) {
	matters, by, descending := p.boolean("case_sensitive", false), p.string("by", "key"), p.boolean("reverse", false)
	dict, ok := value.(*Dict)
	if !ok {
		return nil, badFilterValue("dictsort", value)
	}
	position := map[string]int64{"key": 0, "value": 1}
	at, known := position[by]
	if !known {
		return nil, fail(KindValue, "filter 'dictsort': 'by' must be key or value")
	}
	pairs, err := e.pairs(dict)
	if err != nil {
		return nil, err
	}
	list := pairs.(*List)
	return list, e.sort(list.Items, ignoringCase(matters, e.path(at, nil)), descending)
}

func filterUnique(e *evaluation, value Value, p *parameters) (Value, error) {
	matters, attribute := p.boolean("case_sensitive", false), p.value("attribute", nil)
	items, err := e.items(value)
	if err != nil {
		return nil, err
	}
	key := ignoringCase(matters, e.path(attribute, nil))
	seen := NewDict()
	var kept []Value
	for _, item := range items {
		found, err := key(item)
		if err != nil {
			return nil, err
		}
		if _, known := seen.Get(found); known {
			continue
		}
		if err := seen.Set(found, true); err != nil {
			return nil, err
		}
		kept = append(kept, item)
	}
	return e.list(kept)
}

func filterSum(e *evaluation, value Value, p *parameters) (Value, error) {
	attribute, total := p.value("attribute", nil), p.value("start", int64(0))
	items, err := e.items(value)
	if err != nil {
		return nil, err
	}
	key := e.path(attribute, nil)
	for _, item := range items {
		found, err := key(item)
		if err != nil {
			return nil, err
		}
		if total, err = e.arithmetic("+", total, found); err != nil {
			return nil, err
		}
	}
	return total, nil
}

// filterExtreme makes min and max.
func filterExtreme(sign int) filterFunction {
	return func(e *evaluation, value Value, p *parameters) (Value, error) {
		matters, attribute := p.boolean("case_sensitive", false), p.value("attribute", nil)
		items, err := e.items(value)
		if err != nil {
			return nil, err
		}
		if len(items) == 0 {
			return Undefined{Message: "there is no smallest or largest item, the sequence was empty"}, nil
		}
		key := ignoringCase(matters, e.path(attribute, nil))
		best := items[0]
		bestKey, err := key(best)
		if err != nil {
			return nil, err
		}
		for _, item := range items[1:] {
			itemKey, err := key(item)
			if err != nil {
				return nil, err
			}
			order, err := e.compare(itemKey, bestKey, 0)
			if err != nil {
				return nil, err
			}
			if order != unordered && order*sign > 0 {
				best, bestKey = item, itemKey
			}
		}
		return best, nil
	}
}

func filterJoin(e *evaluation, value Value, p *parameters) (Value, error) {
	separator, attribute := p.value("d", ""), p.value("attribute", nil)
	items, err := e.items(value)
	if err != nil {
		return nil, err
	}
	key := e.path(attribute, nil)
	parts := make([]string, len(items))
	for i, item := range items {
		found, err := key(item)
		if err != nil {
			return nil, err
		}
		if parts[i], err = e.print(found); err != nil {
			return nil, err
		}
	}
	return e.join(parts, Str(separator))
}

// filterMap reads an attribute of every item, or applies a filter to it.
func filterMap(e *evaluation, value Value, p *parameters) (Value, error) {
	items, err := e.items(value)
	if err != nil {
		return nil, err
	}
	apply, err := e.mapping(p)
	if err != nil {
		return nil, err
	}
	mapped := make([]Value, len(items))
	for i, item := range items {
		if mapped[i], err = apply(item); err != nil {
			return nil, err
		}
	}
	return e.list(mapped)
}

func (e *evaluation) mapping(p *parameters) (func(Value) (Value, error), error) {
	if len(p.call.positional) == 0 {
		attribute := p.required("attribute")
		return e.path(attribute, p.value("default", nil)), nil
	}
	text := p.string("filter", "")
	filter, found := filters[text]
	if !found {
		return nil, fail(KindValue, "no filter named '%s'", text)
	}
	rest := p.rest()
	return func(item Value) (Value, error) { return e.filter(text, filter, item, rest) }, nil
}

// rest takes all arguments that were not read yet.
func (p *parameters) rest() callArguments {
	rest := callArguments{positional: p.call.positional[p.at:], names: p.call.names, named: p.call.named}
	p.at = len(p.call.positional)
	for _, text := range p.call.names {
		p.value(text, nil)
	}
	return rest
}

// filterSelect makes select, reject, selectattr and rejectattr.
func filterSelect(byAttribute, wanted bool) filterFunction {
	return func(e *evaluation, value Value, p *parameters) (Value, error) {
		key := e.path(nil, nil)
		if byAttribute {
			key = e.path(p.required("attribute"), nil)
		}
		test := func(item Value) (bool, error) { return e.truthy(item) }
		if p.at < len(p.call.positional) {
			text := p.string("test", "")
			named, found := tests[text]
			if !found {
				return nil, fail(KindValue, "no test named '%s'", text)
			}
			rest := p.rest()
			test = func(item Value) (bool, error) { return e.runTest(text, named, item, rest) }
		}
		items, err := e.items(value)
		if err != nil {
			return nil, err
		}
		var kept []Value
		for _, item := range items {
			found, err := key(item)
			if err != nil {
				return nil, err
			}
			holds, err := test(found)
			if err != nil {
				return nil, err
			}
			if holds == wanted {
				kept = append(kept, item)
			}
		}
		return e.list(kept)
	}
}

func filterGroupBy(e *evaluation, value Value, p *parameters) (Value, error) {
	attribute, fallback, matters := p.required("attribute"), p.value("default", nil), p.boolean("case_sensitive", false)
	items, err := e.items(value)
	if err != nil {
		return nil, err
	}
	key := e.path(attribute, fallback)
	folded := ignoringCase(matters, key)
	sorted := append([]Value(nil), items...)
	if err := e.sort(sorted, folded, false); err != nil {
		return nil, err
	}
	var groups []Value
	var last Value
	for i, item := range sorted {
		found, err := folded(item)
		if err != nil {
			return nil, err
		}
		same := false
		if i > 0 {
			if same, err = e.equal(found, last, 0); err != nil {
				return nil, err
			}
		}
		if !same {
			grouper, err := key(item)
			if err != nil {
				return nil, err
			}
			groups = append(groups, newGroup(grouper))
		}
		group := groups[len(groups)-1].(Tuple)[1].(*List)
		group.Items = append(group.Items, item)
		last = found
	}
	return e.list(groups)
}

// newGroup is a pair of the grouper and its list.
func newGroup(grouper Value) Tuple { return Tuple{grouper, &List{}} }

func filterBatch(e *evaluation, value Value, p *parameters) (Value, error) {
	size, fill := p.integer("linecount", 0), p.value("fill_with", nil)
	items, err := e.items(value)
	if err != nil {
		return nil, err
	}
	if size < 1 {
		return nil, fail(KindValue, "filter 'batch': the size must be at least 1")
	}
	var batches []Value
	for start := int64(0); start < int64(len(items)); start += size {
		batch := append([]Value(nil), items[start:min(start+size, int64(len(items)))]...)
		if fill != nil {
			if err := e.allocate(itemBytes * int(min(size, int64(e.limits.MemoryBytes)))); err != nil {
				return nil, err
			}
			for int64(len(batch)) < size {
				batch = append(batch, fill)
			}
		}
		batches = append(batches, &List{Items: batch})
	}
	return e.list(batches)
}

func filterSlice(e *evaluation, value Value, p *parameters) (Value, error) {
	slices, fill := p.integer("slices", 0), p.value("fill_with", nil)
	items, err := e.items(value)
	if err != nil {
		return nil, err
	}
	if slices < 1 {
		return nil, fail(KindValue, "filter 'slice': the number of slices must be at least 1")
	}
	if err := e.allocate(itemBytes * int(min(slices, int64(e.limits.MemoryBytes)))); err != nil {
		return nil, err
	}
	each, longer := int64(len(items))/slices, int64(len(items))%slices
	var result []Value
	at := int64(0)
	for i := range slices {
		end := at + each
		if i < longer {
			end++
		}
		part := append([]Value(nil), items[at:end]...)
		if fill != nil && i >= longer && longer > 0 {
			part = append(part, fill)
		}
		result = append(result, &List{Items: part})
		at = end
	}
	return e.list(result)
}

func filterRandom(e *evaluation, value Value, _ *parameters) (Value, error) {
	if e.options.Random == nil {
		return nil, fail(KindValue, "filter 'random' is not available here: the same row must always render the same")
	}
	if numbers, isRange := value.(*Range); isRange && numbers.Len() > 0 {
		return numbers.Start + numbers.Step*int64(e.options.Random(int(numbers.Len()))), nil
	}
	items, err := e.items(value)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return Undefined{Message: "there is no random item, the sequence was empty"}, nil
	}
	return items[e.options.Random(len(items))], nil
}

func sortedKeys(dict *Dict) []int {
	order := make([]int, dict.Len())
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return Str(dict.keys[order[i]]) < Str(dict.keys[order[j]]) })
	return order
}
