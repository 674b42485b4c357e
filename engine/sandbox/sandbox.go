package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"seedloom.dev/seedloom/internal/clip"
)

// Limits bound one call, so that a mistake in a program ends as a message and not as a process without memory. A zero field means its
// default.
type Limits struct {
	// Steps bounds the work. A step is one operation of Starlark's virtual machine; the default takes seconds.
	Steps uint64
	// Values and Bytes bound what is returned: the number of values, and the sum of their texts' lengths.
	Values, Bytes int
	// Memory bounds, in bytes, the heap of the process that the program runs in.
	Memory int64
	// Processor bounds the processor time of a call, to a second, and Wall the time that passes.
	Processor, Wall time.Duration
}

// DefaultLimits are those of a program over a row group.
func DefaultLimits() Limits {
	return Limits{Steps: 200_000_000, Values: 1_000_000, Bytes: 64 << 20, Memory: 256 << 20, Processor: 2 * time.Minute,
		Wall: 10 * time.Minute}
}

// withDefaults returns the limits with the default in the place of what is zero.
func (l Limits) withDefaults() Limits {
	defaults := DefaultLimits()
	l.Steps, l.Values, l.Bytes = cmp.Or(l.Steps, defaults.Steps), cmp.Or(l.Values, defaults.Values), cmp.Or(l.Bytes, defaults.Bytes)
	l.Memory, l.Processor, l.Wall = cmp.Or(l.Memory, defaults.Memory), cmp.Or(l.Processor, defaults.Processor), cmp.Or(l.Wall, defaults.Wall)
	return l
}

// maxMessage bounds, in bytes, what is repeated of an error: the code chooses the text, and it becomes part of the status.
const maxMessage = 400

// Program is a program that can run. It may be called from many goroutines at once: each call begins anew.
type Program struct {
	entryPoint, source string
	workers            *Workers
}

// Error is what a program has done wrong.
type Error struct {
	// Message says what, bounded in its length; Place says where in the source, where that is known.
	Message, Place string
	// TooManySteps says that the program was ended because it did not come to its end.
	TooManySteps bool
}

// Error returns the message with its place.
func (e *Error) Error() string {
	if e.Place == "" {
		return e.Message
	}
	return e.Place + ": " + e.Message
}

// Program returns a program that defines the function with the name entryPoint. It runs in these workers.
func (w *Workers) Program(source, entryPoint string) (*Program, error) {
	if found := Check(source, entryPoint); len(found) > 0 {
		return nil, errors.New(found[0])
	}
	return &Program{entryPoint: entryPoint, source: source, workers: w}, nil
}

// Call calls the program's function with rows. Its error is an *Error, or that of the context.
func (p *Program) Call(ctx context.Context, limits Limits, rows []starlark.Value) (starlark.Value, error) {
	return p.workers.call(ctx, p, limits.withDefaults(), rows)
}

// Describe says what a program did wrong, with the place in the source where it happened.
func Describe(err error) *Error {
	described := &Error{Message: err.Error()}
	var evaluation *starlark.EvalError
	if errors.As(err, &evaluation) {
		described.Message = evaluation.Msg
		for i := range evaluation.CallStack {
			// The innermost frames may be those of built-in functions, which have no place.
			if position := evaluation.CallStack.At(i).Pos; position.Filename() == fileName {
				described.Place = position.String()
				break
			}
		}
	}
	described.Message = shorten(described.Message)
	return described
}

// shorten cuts a message, and what is not text out of it.
func shorten(message string) string {
	return clip.Text(strings.ToValidUTF8(message, ""), maxMessage)
}

// Items returns the dicts of the list that a program returned. entryPoint names the function in errors.
func (p *Program) Items(returned starlark.Value) ([]*starlark.Dict, error) {
	list, isIterable := returned.(starlark.Iterable)
	if !isIterable {
		return nil, fmt.Errorf("%s must return a list of dicts, but returned a %s", p.entryPoint, returned.Type())
	}
	iterator := list.Iterate()
	defer iterator.Done()
	var dicts []*starlark.Dict
	var item starlark.Value
	for position := 0; iterator.Next(&item); position++ {
		dict, isDict := item.(*starlark.Dict)
		if !isDict {
			return nil, fmt.Errorf("%s must return a list of dicts, but item %d is a %s", p.entryPoint, position, item.Type())
		}
		dicts = append(dicts, dict)
	}
	return dicts, nil
}

// Meter counts what a program has returned.
type Meter struct {
	limits        Limits
	values, bytes int
}

// NewMeter returns a meter with these limits.
func NewMeter(limits Limits) *Meter { return &Meter{limits: limits} }

// Add counts a value; its error says that there are too many, or that they are too long.
func (m *Meter) Add(value any) error {
	m.values++
	m.bytes += textBytes(value)
	if m.values > m.limits.Values || m.bytes > m.limits.Bytes {
		return fmt.Errorf("the code must return at most %d values with %d bytes of text in all", m.limits.Values, m.limits.Bytes)
	}
	return nil
}

func textBytes(value any) int {
	switch typed := value.(type) {
	case string:
		return len(typed)
	case []any:
		bytes := 0
		for _, item := range typed {
			bytes += textBytes(item)
		}
		return bytes
	}
	return 0
}

// RowNumber reads the number of the row to which a returned dict belongs.
func RowNumber(dict *starlark.Dict) (int64, starlark.Value, error) {
	value, found, err := dict.Get(starlark.String(RowKey))
	if err != nil {
		return 0, nil, err
	}
	if !found {
		return 0, nil, fmt.Errorf("has no key %q, which says to which row it belongs", RowKey)
	}
	var number int64
	if err := starlark.AsInt(value, &number); err != nil {
		return 0, value, fmt.Errorf("%s must be the %s of one of the rows, but is %s", RowKey, RowKey, shorten(value.String()))
	}
	return number, value, nil
}
