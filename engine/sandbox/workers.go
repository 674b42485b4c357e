package sandbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"go.starlark.net/starlark"

	"seedloom.dev/seedloom/internal/idle"
)

// Workers are the processes in which programs run: what a program takes, or breaks, is not the engine's. Each process runs one call at a
// time, and is used again; one whose program went beyond its limits is ended. Close ends them all.
type Workers struct {
	// places bounds the calls under way.
	places    chan struct{}
	processes idle.List[*worker]
}

// NewWorkers returns workers of which none runs yet. Who makes them closes them.
func NewWorkers() *Workers {
	return &Workers{places: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)))}
}

// Close ends the processes. Nothing may be called any more.
func (w *Workers) Close() { w.processes.Close() }

// worker is one process.
type worker struct {
	*Process
	// problems is what the process says when it dies; it is read once it has ended.
	problems *os.File
	to       *bufio.Writer
	from     *bufio.Reader
}

func start() (*worker, error) {
	reading, writing, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	process, err := StartProcess(workerVariable, writing)
	_ = writing.Close() // the process has its own end
	if err != nil {
		_ = reading.Close()
		return nil, err
	}
	return &worker{process, reading, bufio.NewWriterSize(process.Input, 1<<16), bufio.NewReaderSize(process.Output, 1<<16)}, nil
}

// end ends the process, and returns how it has ended.
func (w *worker) end() (state *os.ProcessState, problems string) {
	w.Process.Close()
	said, _ := io.ReadAll(io.LimitReader(w.problems, 4096))
	_ = w.problems.Close()
	return w.command.ProcessState, string(said)
}

// Close ends the process.
func (w *worker) Close() { w.end() }

// call runs a program in a process. Its error is an *Error, or that of the context.
func (w *Workers) call(ctx context.Context, program *Program, limits Limits, rows []starlark.Value) (starlark.Value, error) {
	select {
	case w.places <- struct{}{}:
		defer func() { <-w.places }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	process, err := w.processes.Take(start)
	if err != nil {
		return nil, &Error{Message: fmt.Sprintf("no process could be started to run the code in: %v", err)}
	}
	limited, cancel := context.WithTimeout(ctx, limits.Wall)
	defer cancel()
	stop := context.AfterFunc(limited, process.Kill)
	value, wrong, err := process.call(program, limits, rows)
	if stopped := stop(); err == nil && stopped {
		w.processes.GiveBack(process)
		if wrong != nil {
			return nil, wrong
		}
		return value, nil
	}
	state, problems := process.end()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case limited.Err() != nil:
		return nil, &Error{Message: fmt.Sprintf("took longer than %v for %d rows", limits.Wall, len(rows)), TooManySteps: true}
	}
	return nil, diagnose(state, problems, limits, len(rows), err)
}

// diagnose says why the process of a call has ended.
func diagnose(state *os.ProcessState, problems string, limits Limits, rows int, cause error) *Error {
	switch {
	case state.ExitCode() == exitMemory, strings.Contains(problems, "out of memory"), strings.Contains(problems, "cannot allocate memory"):
		return &Error{Message: fmt.Sprintf("used more than %d MiB of memory for %d rows", limits.Memory>>20, rows)}
	case state.ExitCode() == exitProcessor:
		return &Error{Message: fmt.Sprintf("used more than %v of processor time for %d rows", limits.Processor, rows), TooManySteps: true}
	case strings.Contains(problems, "stack"):
		return &Error{Message: "ran out of stack: its calls, or its values, are nested too deep"}
	}
	first, _, _ := strings.Cut(strings.TrimSpace(problems), "\n")
	if first == "" {
		first = state.String()
	}
	return &Error{Message: shorten(fmt.Sprintf("its process has ended (%s): %v", first, cause))}
}

// call sends a call to the process and reads the answer. wrong is what the program did wrong; err is that of the process.
func (w *worker) call(program *Program, limits Limits, rows []starlark.Value) (value starlark.Value, wrong *Error, err error) {
	writer := encoder{to: w.to}
	called := starlark.Tuple{
		starlark.String(program.source), starlark.String(program.entryPoint),
		starlark.Tuple{
			starlark.MakeUint64(limits.Steps), starlark.MakeInt(limits.Values), starlark.MakeInt(limits.Bytes),
			starlark.MakeInt64(limits.Memory), starlark.MakeInt64(int64(limits.Processor)),
		},
		starlark.NewList(rows),
	}
	if err := writer.value(called, 0); err != nil {
		return nil, nil, err
	}
	if err := w.to.Flush(); err != nil {
		return nil, nil, err
	}
	kind, err := w.from.ReadByte()
	if err != nil {
		return nil, nil, err
	}
	values, bytes := limits.crossing()
	reader := &decoder{from: w.from, left: bytes + 1<<10, values: values + 16}
	answered, err := reader.value(0)
	if errors.Is(err, errBroken) && kind == answerValue {
		kind = answerError
		answered, err = (&decoder{from: w.from, left: 1 << 12, values: 8}).value(0)
	}
	if err != nil {
		return nil, nil, err
	}
	if kind == answerValue {
		return answered, nil, nil
	}
	parts, isTuple := answered.(starlark.Tuple)
	if kind != answerError || !isTuple || len(parts) != 3 {
		return nil, nil, errWire
	}
	message, _ := starlark.AsString(parts[0])
	place, _ := starlark.AsString(parts[1])
	return nil, &Error{Message: shorten(message), Place: shorten(place), TooManySteps: bool(parts[2].Truth())}, nil
}
