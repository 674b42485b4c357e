package jinja

import "sort"

var listMethods = map[string]method{
	"append": func(e *evaluation, object Value, p *parameters) (Value, error) {
		list, item := object.(*List), p.required("object")
		if err := e.allocate(itemBytes); err != nil {
			return nil, err
		}
		list.Items = append(list.Items, item)
		return nil, nil
	},
	"extend": func(e *evaluation, object Value, p *parameters) (Value, error) {
		list := object.(*List)
		items, err := e.items(p.required("iterable"))
		if err != nil {
			return nil, err
		}
		if err := e.allocate(itemBytes * len(items)); err != nil {
			return nil, err
		}
		list.Items = append(list.Items, items...)
		return nil, nil
	},
	"insert": func(e *evaluation, object Value, p *parameters) (Value, error) {
		list, at, item := object.(*List), p.integer("index", 0), p.required("object")
		if err := e.allocate(itemBytes * (1 + len(list.Items))); err != nil {
			return nil, err
		}
		length := int64(len(list.Items))
		if at < 0 {
			at += length
		}
		at = min(max(at, 0), length)
		list.Items = append(append(append([]Value(nil), list.Items[:at]...), item), list.Items[at:]...)
		return nil, nil
	},
	"pop": func(_ *evaluation, object Value, p *parameters) (Value, error) {
		list, at := object.(*List), p.integer("index", -1)
		if at < 0 {
			at += int64(len(list.Items))
		}
		if at < 0 || at >= int64(len(list.Items)) {
			return nil, fail(KindValue, "pop index out of range")
		}
		item := list.Items[at]
		list.Items = append(append([]Value(nil), list.Items[:at]...), list.Items[at+1:]...)
		return item, nil
	},
	"remove": func(e *evaluation, object Value, p *parameters) (Value, error) {
		list := object.(*List)
		at, err := e.indexOf(list.Items, p.required("value"))
		if err != nil {
			return nil, err
		}
		list.Items = append(append([]Value(nil), list.Items[:at]...), list.Items[at+1:]...)
		return nil, nil
	},
	"reverse": func(_ *evaluation, object Value, _ *parameters) (Value, error) {
		reverse(object.(*List).Items)
		return nil, nil
	},
	"sort": func(e *evaluation, object Value, p *parameters) (Value, error) {
		return nil, e.sort(object.(*List).Items, nil, p.boolean("reverse", false))
	},
	"copy": func(e *evaluation, object Value, _ *parameters) (Value, error) {
		return e.list(append([]Value(nil), object.(*List).Items...))
	},
	"clear": func(_ *evaluation, object Value, _ *parameters) (Value, error) {
		object.(*List).Items = nil
		return nil, nil
	},
	"index": func(e *evaluation, object Value, p *parameters) (Value, error) {
		return e.indexMethod(object.(*List).Items, p)
	},
	"count": func(e *evaluation, object Value, p *parameters) (Value, error) {
		return e.countMethod(object.(*List).Items, p)
	},
}

var tupleMethods = map[string]method{
	"index": func(e *evaluation, object Value, p *parameters) (Value, error) {
		return e.indexMethod(object.(Tuple), p)
	},
	"count": func(e *evaluation, object Value, p *parameters) (Value, error) {
		return e.countMethod(object.(Tuple), p)
	},
}

func (e *evaluation) indexOf(items []Value, wanted Value) (int, error) {
	for i, item := range items {
		if same, err := e.equal(item, wanted, 0); err != nil || same {
			return i, err
		}
	}
	return 0, fail(KindValue, "the value is not in the sequence")
}

func (e *evaluation) indexMethod(items []Value, p *parameters) (Value, error) {
	at, err := e.indexOf(items, p.required("value"))
	return int64(at), err
}

func (e *evaluation) countMethod(items []Value, p *parameters) (Value, error) {
	wanted, count := p.required("value"), int64(0)
	for _, item := range items {
		same, err := e.equal(item, wanted, 0)
		if err != nil {
			return nil, err
		}
		if same {
			count++
		}
	}
	return count, nil
}

func reverse(items []Value) {
	for i, j := 0, len(items)-1; i < j; i, j = i+1, j-1 {
		items[i], items[j] = items[j], items[i]
	}
}

// sort sorts items in place, stably, by what key gives for each.
func (e *evaluation) sort(items []Value, key func(Value) (Value, error), descending bool) error {
	keys := make([]Value, len(items))
	for i, item := range items {
		keys[i] = item
		if key != nil {
			var err error
			if keys[i], err = key(item); err != nil {
				return err
			}
		}
	}
	var failed error
	order := make([]int, len(items))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool {
		if failed != nil {
			return false
		}
		a, b := keys[order[i]], keys[order[j]]
		if descending {
			a, b = b, a
		}
		less, err := e.compare(a, b, 0)
		if err != nil {
			failed = err
		}
		return less < 0
	})
	if failed != nil {
		return failed
	}
	sorted := make([]Value, len(items))
	for i, from := range order {
		sorted[i] = items[from]
	}
	copy(items, sorted)
	return nil
}

var dictMethods = map[string]method{
	"keys": func(e *evaluation, object Value, _ *parameters) (Value, error) {
		return e.list(append([]Value(nil), object.(*Dict).keys...))
	},
	"values": func(e *evaluation, object Value, _ *parameters) (Value, error) {
		return e.list(append([]Value(nil), object.(*Dict).values...))
	},
	"items": func(e *evaluation, object Value, _ *parameters) (Value, error) {
		return e.pairs(object.(*Dict))
	},
	"get": func(_ *evaluation, object Value, p *parameters) (Value, error) {
		key, fallback := p.required("key"), p.value("default", nil)
		if value, found := object.(*Dict).Get(key); found {
			return value, nil
		}
		return fallback, nil
	},
	"pop": func(_ *evaluation, object Value, p *parameters) (Value, error) {
		key, fallback := p.required("key"), p.value("default", Undefined{})
		if value, found := object.(*Dict).Get(key); found {
			object.(*Dict).Delete(key)
			return value, nil
		}
		if _, missing := fallback.(Undefined); missing {
			return nil, fail(KindValue, "the dict has no such key")
		}
		return fallback, nil
	},
	"setdefault": func(e *evaluation, object Value, p *parameters) (Value, error) {
		key, fallback := p.required("key"), p.value("default", nil)
		if value, found := object.(*Dict).Get(key); found {
			return value, nil
		}
		if err := e.allocate(2 * itemBytes); err != nil {
			return nil, err
		}
		return fallback, object.(*Dict).Set(key, fallback)
	},
	"update": func(e *evaluation, object Value, p *parameters) (Value, error) {
		dict := object.(*Dict)
		if len(p.call.positional) > 0 {
			if err := e.updateDict(dict, p.required("other")); err != nil {
				return nil, err
			}
		}
		for _, text := range p.call.names {
			if err := dict.Set(text, p.value(text, nil)); err != nil {
				return nil, err
			}
		}
		return nil, e.allocate(2 * itemBytes * len(p.call.names))
	},
	"copy": func(e *evaluation, object Value, _ *parameters) (Value, error) {
		return object.(*Dict).copy(), e.allocate(2 * itemBytes * object.(*Dict).Len())
	},
}

func (e *evaluation) pairs(dict *Dict) (Value, error) {
	items := make([]Value, dict.Len())
	for i, key := range dict.keys {
		items[i] = Tuple{key, dict.values[i]}
	}
	if err := e.allocate(2 * itemBytes * len(items)); err != nil {
		return nil, err
	}
	return e.list(items)
}
