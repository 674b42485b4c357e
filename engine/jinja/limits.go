package jinja

import (
	"context"
	"fmt"
	"strings"
)

// maxBigBits bounds integers: Python has no bound, but a power of powers needs one.
const maxBigBits = 1 << 15

// stepsPerContextCheck is how often, in steps, the context is looked at.
const stepsPerContextCheck = 256

// evaluation is the state of one rendering. It belongs to one goroutine.
type evaluation struct {
	ctx     context.Context
	vars    Vars
	options Options
	limits  Limits
	steps   int
	memory  int
	depth   int
	out     *strings.Builder
	// written counts the output that was given out, captured blocks included.
	written int
	scope   *scope
}

func newEvaluation(ctx context.Context, vars Vars, options Options) *evaluation {
	limits, defaults := options.Limits, DefaultLimits()
	for _, limit := range []struct{ value, fallback *int }{
		{&limits.Steps, &defaults.Steps}, {&limits.Depth, &defaults.Depth},
		{&limits.OutputBytes, &defaults.OutputBytes}, {&limits.MemoryBytes, &defaults.MemoryBytes},
	} {
		if *limit.value <= 0 {
			*limit.value = *limit.fallback
		}
	}
	return &evaluation{ctx: ctx, vars: vars, options: options, limits: limits, out: &strings.Builder{}, scope: &scope{}}
}

// run calls work, and turns a panic, which would be a defect of ours, into an error: no panic crosses the package's boundary.
func (e *evaluation) run(work func() error) (err error) {
	defer func() {
		if caught := recover(); caught != nil {
			err = fail(KindValue, "internal error of the template engine: %v", caught)
		}
	}()
	return work()
}

// step counts n steps.
func (e *evaluation) step(n int) error {
	before := e.steps
	e.steps += n
	if e.steps > e.limits.Steps || n < 0 {
		return fail(KindLimit, "the template needs more than %d steps", e.limits.Steps)
	}
	if before/stepsPerContextCheck != e.steps/stepsPerContextCheck {
		if cause := context.Cause(e.ctx); cause != nil {
			return &RenderError{Kind: KindCanceled, Message: "rendering was cancelled", Cause: cause}
		}
	}
	return nil
}

// allocate counts n bytes that are about to be allocated.
func (e *evaluation) allocate(n int) error {
	if n < 0 || e.memory+n > e.limits.MemoryBytes {
		return fail(KindLimit, "the template needs more than %d bytes of memory", e.limits.MemoryBytes)
	}
	e.memory += n
	return nil
}

// itemBytes is the rough size of a value in a list.
const itemBytes = 32

// list makes a list of items, and counts its memory.
func (e *evaluation) list(items []Value) (Value, error) {
	if err := e.allocate(itemBytes * len(items)); err != nil {
		return nil, err
	}
	return &List{Items: items}, nil
}

// text counts the memory of a string that was made.
func (e *evaluation) text(text string) (Value, error) {
	if err := e.allocate(len(text)); err != nil {
		return nil, err
	}
	return text, nil
}

// write gives out text.
func (e *evaluation) write(text string) error {
	e.written += len(text)
	if e.written > e.limits.OutputBytes {
		return fail(KindLimit, "the template's output has more than %d bytes", e.limits.OutputBytes)
	}
	e.out.WriteString(text)
	return nil
}

// capture runs work and returns what it has written, instead of giving it out.
func (e *evaluation) capture(work func() error) (string, error) {
	outer := e.out
	e.out = &strings.Builder{}
	defer func() { e.out = outer }()
	err := work()
	return e.out.String(), err
}

func (e *evaluation) enter() error {
	e.depth++
	if e.depth > e.limits.Depth {
		return fail(KindLimit, "calls are nested more than %d deep", e.limits.Depth)
	}
	return nil
}

func (e *evaluation) leave() { e.depth-- }

// useUndefined is called where an undefined value is printed, iterated or tested; only strict mode minds.
func (e *evaluation) useUndefined(value Undefined) error {
	if e.options.Undefined == UndefinedStrict && !value.empty {
		return fail(KindUndefined, "%s", value.Message)
	}
	return nil
}

func undefinedName(text string) Undefined {
	return Undefined{Message: fmt.Sprintf("'%s' is undefined", text)}
}

// scope is the chain of assigned names; short lists are faster than maps here.
type scope struct {
	names  []string
	values []Value
	outer  *scope
}

func (s *scope) lookup(text string) (Value, bool) {
	for ; s != nil; s = s.outer {
		for i := len(s.names) - 1; i >= 0; i-- {
			if s.names[i] == text {
				return s.values[i], true
			}
		}
	}
	return nil, false
}

func (s *scope) assign(text string, value Value) {
	for i, known := range s.names {
		if known == text {
			s.values[i] = value
			return
		}
	}
	s.names = append(s.names, text)
	s.values = append(s.values, value)
}

// scoped runs work in a scope of its own.
func (e *evaluation) scoped(work func() error) error {
	outer := e.scope
	e.scope = &scope{outer: outer}
	defer func() { e.scope = outer }()
	return work()
}
