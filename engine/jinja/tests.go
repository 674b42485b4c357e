package jinja

import "strings"

// tests are the tests by name.
var tests = map[string]testFunction{
	"defined": func(_ *evaluation, value Value, _ *parameters) (bool, error) {
		_, missing := value.(Undefined)
		return !missing, nil
	},
	"undefined": func(_ *evaluation, value Value, _ *parameters) (bool, error) {
		_, missing := value.(Undefined)
		return missing, nil
	},
	"none":    typeTest("NoneType"),
	"boolean": typeTest("bool"),
	"integer": typeTest("int"),
	"float":   typeTest("float"),
	"string":  typeTest("str"),
	"mapping": typeTest("dict"),
	"number":  func(_ *evaluation, value Value, _ *parameters) (bool, error) { return isNumber(value), nil },
	"true":    func(_ *evaluation, value Value, _ *parameters) (bool, error) { return value == Value(true), nil },
	"false":   func(_ *evaluation, value Value, _ *parameters) (bool, error) { return value == Value(false), nil },
	"sequence": func(_ *evaluation, value Value, _ *parameters) (bool, error) {
		switch value.(type) {
		case string, *List, Tuple, *Dict, *Range, Undefined:
			return true, nil
		}
		return false, nil
	},
	"iterable": func(_ *evaluation, value Value, _ *parameters) (bool, error) {
		switch value.(type) {
		case string, *List, Tuple, *Dict, *Range, Undefined:
			return true, nil
		}
		return false, nil
	},
	"callable": func(_ *evaluation, value Value, _ *parameters) (bool, error) {
		switch value.(type) {
		case function, *macro, *boundMethod:
			return true, nil
		}
		return false, nil
	},
	"sameas": func(e *evaluation, value Value, p *parameters) (bool, error) {
		other := p.required("other")
		if typeName(value) != typeName(other) {
			return false, nil
		}
		switch v := value.(type) {
		case *List:
			return v == other, nil
		case *Dict:
			return v == other, nil
		}
		return e.equal(value, other, 0)
	},
	"escaped": func(*evaluation, Value, *parameters) (bool, error) { return false, nil },
	"odd":     remainderTest(func(e *evaluation, v Value, _ *parameters) (Value, Value) { return int64(2), int64(1) }),
	"even":    remainderTest(func(e *evaluation, v Value, _ *parameters) (Value, Value) { return int64(2), int64(0) }),
	"divisibleby": remainderTest(func(_ *evaluation, _ Value, p *parameters) (Value, Value) {
		return p.required("num"), int64(0)
	}),
	"lower": func(_ *evaluation, value Value, _ *parameters) (bool, error) {
		text := Str(value)
		return text == strings.ToLower(text) && text != strings.ToUpper(text), nil
	},
	"upper": func(_ *evaluation, value Value, _ *parameters) (bool, error) {
		text := Str(value)
		return text == strings.ToUpper(text) && text != strings.ToLower(text), nil
	},
	"filter": func(_ *evaluation, value Value, _ *parameters) (bool, error) {
		text, _ := value.(string)
		_, found := filters[text]
		return found, nil
	},
	"test": func(_ *evaluation, value Value, _ *parameters) (bool, error) {
		text, _ := value.(string)
		return isTest(text), nil
	},
	"in": compareTest("in"),
	"eq": compareTest("=="), "equalto": compareTest("=="), "==": compareTest("=="),
	"ne": compareTest("!="), "!=": compareTest("!="),
	"lt": compareTest("<"), "lessthan": compareTest("<"), "<": compareTest("<"),
	"le": compareTest("<="), "<=": compareTest("<="),
	"gt": compareTest(">"), "greaterthan": compareTest(">"), ">": compareTest(">"),
	"ge": compareTest(">="), ">=": compareTest(">="),
}

// isTest is not written in the table itself, which would then depend on itself.
var isTest func(name string) bool

func init() {
	isTest = func(name string) bool { _, found := tests[name]; return found }
}

func typeTest(wanted string) testFunction {
	return func(_ *evaluation, value Value, _ *parameters) (bool, error) { return typeName(value) == wanted, nil }
}

func remainderTest(operands func(*evaluation, Value, *parameters) (divisor, wanted Value)) testFunction {
	return func(e *evaluation, value Value, p *parameters) (bool, error) {
		divisor, wanted := operands(e, value, p)
		if p.err != nil {
			return false, p.err
		}
		if _, isText := value.(string); isText {
			return false, unsupported("%", value, divisor)
		}
		rest, err := e.arithmetic("%", value, divisor)
		if err != nil {
			return false, err
		}
		return e.equal(rest, wanted, 0)
	}
}

func compareTest(operator string) testFunction {
	return func(e *evaluation, value Value, p *parameters) (bool, error) {
		other := p.required("other")
		if p.err != nil {
			return false, p.err
		}
		return e.compareBy(operator, value, other)
	}
}
