package jinja

// callArguments are evaluated arguments.
type callArguments struct {
	positional []Value
	names      []string
	named      []Value
}

// function is a built-in callable.
type function func(e *evaluation, call callArguments) (Value, error)

// parameters reads the arguments of a built-in by position or by name, and finds those that it does not have.
type parameters struct {
	what  string
	call  callArguments
	at    int
	named map[string]bool
	err   error
}

// value returns the next parameter, or the fallback.
func (p *parameters) value(text string, fallback Value) Value {
	if p.at < len(p.call.positional) {
		p.at++
		return p.call.positional[p.at-1]
	}
	for i, given := range p.call.names {
		if given == text {
			if p.named == nil {
				p.named = map[string]bool{}
			}
			p.named[text] = true
			return p.call.named[i]
		}
	}
	return fallback
}

// required returns the next parameter, which must be given.
func (p *parameters) required(text string) Value {
	missing := Undefined{Message: "missing"}
	value := p.value(text, missing)
	if value == Value(missing) && p.err == nil {
		p.err = fail(KindType, "%s needs the argument '%s'", p.what, text)
	}
	return value
}

func (p *parameters) integer(text string, fallback int64) int64 {
	switch v := p.value(text, fallback).(type) {
	case int64:
		return v
	case bool:
		if v {
			return 1
		}
		return 0
	default:
		if p.err == nil {
			p.err = fail(KindType, "%s: '%s' must be an int, not %s", p.what, text, typeName(v))
		}
		return fallback
	}
}

func (p *parameters) string(text, fallback string) string {
	switch v := p.value(text, fallback).(type) {
	case string:
		return v
	default:
		if p.err == nil {
			p.err = fail(KindType, "%s: '%s' must be a str, not %s", p.what, text, typeName(v))
		}
		return fallback
	}
}

func (p *parameters) boolean(text string, fallback bool) bool {
	return Truthy(p.value(text, fallback))
}

// finish reports the first wrong or left over argument.
func (p *parameters) finish() error {
	if p.err != nil {
		return p.err
	}
	if p.at < len(p.call.positional) {
		return fail(KindType, "%s takes at most %d arguments, got %d", p.what, p.at, len(p.call.positional))
	}
	for _, text := range p.call.names {
		if !p.named[text] {
			return fail(KindType, "%s has no argument '%s'", p.what, text)
		}
	}
	return nil
}

// method is a method of a type: it gets the object that it is called on.
type method func(e *evaluation, object Value, p *parameters) (Value, error)

// boundMethod is a method together with the object that it is called on.
type boundMethod struct {
	owner, name string
	function    function
}

// uncalled is the error of a method that stands where a value is wanted.
func (m *boundMethod) uncalled() error {
	return fail(KindType, "'%s' is a method of '%s' objects, and is not called: write %s(), or ['%s'] for a member of that name",
		m.name, m.owner, m.name, m.name)
}

// filterFunction applies a filter to a value.
type filterFunction func(e *evaluation, value Value, p *parameters) (Value, error)

// testFunction decides a test such as "is even".
type testFunction func(e *evaluation, value Value, p *parameters) (bool, error)
