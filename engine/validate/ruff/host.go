package ruff

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// host is what an instance sees of JavaScript: its values behind handles, and the functions that it imports. It belongs to the goroutine
// that works with the instance.
type host struct {
	module api.Module
	// externals reads, sets and grows the table of handles in the module.
	externals api.Module
	// values are those of one check, from the second on; names are short texts, whose handles the module keeps for its whole life.
	values []any
	names  []any
	known  map[string]uint64
}

// What tells handles of names from those of values, and how long a name is at most.
const (
	nameFlag    = uint64(1) << 40
	longestName = 40
)

func newHost() *host { return &host{values: []any{nil}, known: map[string]uint64{}} }

func (h *host) put(value any) uint64 {
	h.values = append(h.values, value)
	return uint64(len(h.values) - 1)
}

func (h *host) putText(text string) uint64 {
	if len(text) > longestName {
		return h.put(text)
	}
	handle, isKnown := h.known[text]
	if !isKnown {
		h.names = append(h.names, text)
		handle = nameFlag | uint64(len(h.names)-1)
		h.known[text] = handle
	}
	return handle
}

func (h *host) get(handle uint64) any {
	if handle&nameFlag != 0 {
		return h.names[handle&^nameFlag]
	}
	return h.values[handle]
}

func (h *host) read(at, length uint64) string {
	data, inside := h.module.Memory().Read(uint32(at), uint32(length))
	if !inside {
		panic(fmt.Sprintf("%d bytes at %d are outside of the memory", length, at))
	}
	return string(data)
}

// write puts a text into the memory of the module.
func (h *host) write(ctx context.Context, text string) (at, length uint32) {
	allocated, err := h.module.ExportedFunction("__wbindgen_malloc").Call(ctx, uint64(len(text)), 1)
	if err != nil {
		panic(err)
	}
	h.module.Memory().Write(uint32(allocated[0]), []byte(text))
	return uint32(allocated[0]), uint32(len(text))
}

// giveText hands a text over in the two words at an address.
func (h *host) giveText(ctx context.Context, to uint64, text string) {
	at, length := h.write(ctx, text)
	h.module.Memory().WriteUint32Le(uint32(to)+4, length)
	h.module.Memory().WriteUint32Le(uint32(to), at)
}

// giveWord hands over whether there is a value, and the value.
func (h *host) giveWord(to uint64, value uint64, is bool) {
	h.module.Memory().WriteUint64Le(uint32(to)+8, value)
	h.module.Memory().WriteUint32Le(uint32(to), uint32(asWord(is)))
}

func asWord(is bool) uint64 {
	if is {
		return 1
	}
	return 0
}

// imported is a function of JavaScript. It takes its arguments from the stack, and leaves its result there.
type imported func(ctx context.Context, h *host, stack []uint64)

// predicate is a function that says something of a value.
func predicate(holds func(value any) bool) imported {
	return func(_ context.Context, h *host, stack []uint64) { stack[0] = asWord(holds(h.get(stack[0]))) }
}

func is[T any](value any) bool {
	_, isOne := value.(T)
	return isOne
}

func isObject(value any) bool {
	switch value.(type) {
	case *object, *array, *iterator, *mapping, failed:
		return true
	}
	return false
}

// made is a function that makes a value.
func made(value func() any) imported {
	return func(_ context.Context, h *host, stack []uint64) { stack[0] = h.put(value()) }
}

func silent(context.Context, *host, []uint64) {}

// getItem is a member by its position.
func getItem(_ context.Context, h *host, stack []uint64) {
	stack[0] = h.put(property(h.get(stack[0]), float64(uint32(stack[1]))))
}

// getMember is a member by its name.
func getMember(_ context.Context, h *host, stack []uint64) {
	stack[0] = h.put(property(h.get(stack[0]), h.get(stack[1])))
}

func member(name string) imported {
	return func(_ context.Context, h *host, stack []uint64) { stack[0] = h.put(property(h.get(stack[0]), name)) }
}

func setMember(_ context.Context, h *host, stack []uint64) {
	if err := assign(h.get(stack[0]), h.get(stack[1]), h.get(stack[2])); err != nil {
		panic(err)
	}
}

func length(_ context.Context, h *host, stack []uint64) {
	list, isArray := h.get(stack[0]).(*array)
	stack[0] = 0
	if isArray {
		stack[0] = uint64(len(list.items))
	}
}

func castBigint(_ context.Context, h *host, stack []uint64) { stack[0] = h.put(bigint(stack[0])) }

// imports are the functions of JavaScript by their names. Those that several functions share end in the beginning of their hash: the module
// is pinned, and a test calls them all.
var imports = map[string]imported{
	"__wbg_Error": func(_ context.Context, h *host, s []uint64) { s[0] = h.put(failed{h.read(s[0], s[1])}) },
	"__wbg_Number": func(_ context.Context, h *host, s []uint64) {
		number, _ := h.get(s[0]).(float64)
		s[0] = math.Float64bits(number)
	},
	"__wbg_String": func(ctx context.Context, h *host, s []uint64) { h.giveText(ctx, s[0], fmt.Sprint(h.get(s[1]))) },
	"__wbg___wbindgen_bigint_get_as_i64": func(_ context.Context, h *host, s []uint64) {
		value, isOne := h.get(s[1]).(bigint)
		h.giveWord(s[0], uint64(value), isOne)
	},
	"__wbg___wbindgen_boolean_get": func(_ context.Context, h *host, s []uint64) {
		value, isOne := h.get(s[0]).(bool)
		s[0] = 0xFFFFFF
		if isOne {
			s[0] = asWord(value)
		}
	},
	"__wbg___wbindgen_debug_string": func(ctx context.Context, h *host, s []uint64) {
		text, _ := json.Marshal(toGo(h.get(s[1]))) // which is plain data
		h.giveText(ctx, s[0], string(text))
	},
	"__wbg___wbindgen_in": func(_ context.Context, h *host, s []uint64) {
		in, isObject := h.get(s[1]).(*object)
		found := false
		if isObject {
			_, found = in.members[fmt.Sprint(h.get(s[0]))]
		}
		s[0] = asWord(found)
	},
	"__wbg___wbindgen_is_bigint":    predicate(is[bigint]),
	"__wbg___wbindgen_is_function":  predicate(is[function]),
	"__wbg___wbindgen_is_object":    predicate(isObject),
	"__wbg___wbindgen_is_string":    predicate(is[string]),
	"__wbg___wbindgen_is_undefined": predicate(is[undefined]),
	"__wbg___wbindgen_jsval_eq": func(_ context.Context, h *host, s []uint64) {
		s[0] = asWord(isSame(h.get(s[0]), h.get(s[1])))
	},
	"__wbg___wbindgen_jsval_loose_eq": func(_ context.Context, h *host, s []uint64) {
		a, b := h.get(s[0]), h.get(s[1])
		s[0] = asWord(isSame(a, b) || isNothing(a) && isNothing(b))
	},
	"__wbg___wbindgen_number_get": func(_ context.Context, h *host, s []uint64) {
		value, isOne := h.get(s[1]).(float64)
		h.giveWord(s[0], math.Float64bits(value), isOne)
	},
	"__wbg___wbindgen_string_get": func(ctx context.Context, h *host, s []uint64) {
		if text, isText := h.get(s[1]).(string); isText {
			h.giveText(ctx, s[0], text)
			return
		}
		h.module.Memory().WriteUint64Le(uint32(s[0]), 0)
	},
	"__wbg___wbindgen_throw": func(_ context.Context, h *host, s []uint64) { panic(h.read(s[0], s[1])) },
	"__wbg_call": func(_ context.Context, h *host, s []uint64) {
		called, isFunction := h.get(s[0]).(function)
		if !isFunction {
			panic("what is called is no function")
		}
		s[0] = h.put(called(h.get(s[1])))
	},
	"__wbg_codePointAt": func(_ context.Context, h *host, s []uint64) {
		text, _ := h.get(s[0]).(string)
		runes := []rune(text)
		if position := uint32(s[1]); int(position) < len(runes) {
			s[0] = h.put(float64(runes[position]))
			return
		}
		s[0] = h.put(undefined{})
	},
	"__wbg_done": func(_ context.Context, h *host, s []uint64) {
		s[0] = asWord(property(h.get(s[0]), "done") == any(true))
	},
	"__wbg_entries":       func(_ context.Context, h *host, s []uint64) { s[0] = h.put(entries(h.get(s[0]))) },
	"__wbg_fromCodePoint": func(_ context.Context, h *host, s []uint64) { s[0] = h.put(string(rune(uint32(s[0])))) },
	"__wbg_debug":         silent, "__wbg_error": silent, "__wbg_info": silent, "__wbg_log": silent, "__wbg_warn": silent,
	"__wbg_get_44e98e27":           getMember,
	"__wbg_get_4b90d6d8":           getItem,
	"__wbg_get_unchecked":          getItem,
	"__wbg_get_with_ref_key":       getMember,
	"__wbg_instanceof_ArrayBuffer": predicate(func(any) bool { return false }),
	"__wbg_instanceof_Map":         predicate(is[*mapping]),
	"__wbg_instanceof_Uint8Array":  predicate(func(any) bool { return false }),
	"__wbg_isArray":                predicate(is[*array]),
	"__wbg_isSafeInteger":          predicate(isSafeInteger),
	"__wbg_iterator":               made(func() any { return symbol("iterator") }),
	"__wbg_length":                 length,
	"__wbg_new_0b303268":           made(func() any { return &array{} }),
	"__wbg_new_20b778a4":           made(func() any { return newObject() }),
	"__wbg_new_227d7c05":           made(func() any { return failed{} }),
	"__wbg_new_5fae30e6":           func(_ context.Context, h *host, s []uint64) { s[0] = h.put(failed{h.read(s[0], s[1])}) },
	"__wbg_new_883c0db0":           made(func() any { return &mapping{} }),
	"__wbg_new_b06772b2":           made(func() any { return &array{} }),
	"__wbg_next_8cb028b6": func(_ context.Context, h *host, s []uint64) {
		over, isIterator := h.get(s[0]).(*iterator)
		if !isIterator {
			panic("what is iterated is no iterator")
		}
		s[0] = h.put(over.step())
	},
	"__wbg_next_cfd0b146":      member("next"),
	"__wbg_prototypesetcall":   silent,
	"__wbg_set_5f806304":       setMember,
	"__wbg_set_6be42768":       setMember,
	"__wbg_set_da33c120":       func(_ context.Context, h *host, s []uint64) { assignAt(h.get(s[0]), int(uint32(s[1])), h.get(s[2])) },
	"__wbg_stack":              func(ctx context.Context, h *host, s []uint64) { h.giveText(ctx, s[0], "") },
	"__wbg_value":              member("value"),
	"__wbindgen_cast_00000001": func(_ context.Context, h *host, s []uint64) { s[0] = h.put(math.Float64frombits(s[0])) },
	"__wbindgen_cast_00000002": castBigint,
	"__wbindgen_cast_00000003": func(_ context.Context, h *host, s []uint64) { s[0] = h.putText(h.read(s[0], s[1])) },
	"__wbindgen_cast_00000004": castBigint,
	"__wbindgen_init_externref_table": func(ctx context.Context, h *host, _ []uint64) {
		grown, err := h.externals.ExportedFunction("grow").Call(ctx, 4)
		if err != nil {
			panic(err)
		}
		h.setExternal(ctx, 0, undefined{})
		for i, value := range []any{undefined{}, nil, true, false} {
			h.setExternal(ctx, grown[0]+uint64(i), value)
		}
	},
}

func (h *host) setExternal(ctx context.Context, at uint64, value any) {
	if _, err := h.externals.ExportedFunction("set").Call(ctx, at, h.put(value)); err != nil {
		panic(err)
	}
}

// external is the value at a place in the module's table.
func (h *host) external(ctx context.Context, at uint64) (any, error) {
	handle, err := h.externals.ExportedFunction("get").Call(ctx, at)
	if err != nil {
		return nil, err
	}
	return h.get(handle[0]), nil
}

// Lengths of the hash at the end of a name, and of the part of it that is in the table above.
const (
	hashDigits  = 16
	shownDigits = 8
)

// importNamed is the function with a name, which ends in a hash.
func importNamed(name string) imported {
	if known, found := imports[name]; found {
		return known
	}
	cut := strings.LastIndexByte(name, '_')
	if cut < 0 || len(name)-cut-1 != hashDigits {
		return nil
	}
	if known, found := imports[name[:cut]]; found {
		return known
	}
	digits := name[cut+1:]
	if strings.HasPrefix(name, "__wbindgen_cast_") {
		return imports[name[:cut+1]+digits[hashDigits-shownDigits:]]
	}
	return imports[name[:cut+1]+digits[:shownDigits]]
}

// export offers the imported functions of a module to it.
func (h *host) export(ctx context.Context, runtime wazero.Runtime, compiled wazero.CompiledModule) error {
	builder := runtime.NewHostModuleBuilder("./ruff_wasm_bg.js")
	for _, wanted := range compiled.ImportedFunctions() {
		_, name, _ := wanted.Import()
		called := importNamed(name)
		if called == nil {
			return fmt.Errorf("the module imports %s, which is not known", name)
		}
		function := api.GoModuleFunc(func(ctx context.Context, _ api.Module, stack []uint64) { called(ctx, h, stack) })
		builder = builder.NewFunctionBuilder().WithGoModuleFunction(function, wanted.ParamTypes(), wanted.ResultTypes()).Export(name)
	}
	_, err := builder.Instantiate(ctx)
	return err
}

// externalsModule is a module, in WebAssembly, that reads, sets and grows the table of handles: a host has no other way to it.
func externalsModule() []byte {
	named := func(name string) []byte { return append([]byte{byte(len(name))}, name...) }
	section := func(id byte, content []byte) []byte { return append([]byte{id, byte(len(content))}, content...) }
	binary := []byte{0, 'a', 's', 'm', 1, 0, 0, 0}
	binary = append(binary, section(1, []byte{3, 0x60, 1, 0x7f, 1, 0x6f, 0x60, 2, 0x7f, 0x6f, 0, 0x60, 1, 0x7f, 1, 0x7f})...)
	table := append(append([]byte{1}, named(moduleName)...), named("__wbindgen_externrefs")...)
	binary = append(binary, section(2, append(table, 1, 0x6f, 0, 0))...)
	binary = append(binary, section(3, []byte{3, 0, 1, 2})...)
	exports := []byte{3}
	for i, name := range []string{"get", "set", "grow"} {
		exports = append(append(exports, named(name)...), 0, byte(i))
	}
	binary = append(binary, section(7, exports)...)
	return append(binary, section(10, []byte{
		3, 6, 0, 0x20, 0, 0x25, 0, 0x0b, 8, 0, 0x20, 0, 0x20, 1, 0x26, 0, 0x0b, 9, 0, 0xd0, 0x6f, 0x20, 0, 0xfc, 15, 0, 0x0b,
	})...)
}
