package sandbox

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"go.starlark.net/starlark"
)

// workerVariable is set, in the environment, for the processes that run programs.
const workerVariable = "SEEDLOOM_SANDBOX_WORKER"

// A process that is started as a worker is nothing else: it serves programs until its input ends. It is the same executable, so that
// programs run the same in a Pod, on a laptop and in tests, without a file beside it.
func init() {
	if os.Getenv(workerVariable) == "" {
		return
	}
	os.Exit(serve(os.Stdin, os.Stdout))
}

// How a worker ends when a program goes beyond what it may use.
const (
	exitMemory    = 89
	exitProcessor = 88
)

// Kinds of answers of a worker.
const (
	answerValue byte = iota
	answerError
)

// maxRequestBytes bounds what a worker reads for one call.
const maxRequestBytes = 1 << 30

// request is a call of a program.
type request struct {
	source, entryPoint string
	limits             Limits
	rows               starlark.Value
}

// serve answers requests until there are no more.
func serve(input io.Reader, output io.Writer) int {
	from, to := bufio.NewReaderSize(input, 1<<16), bufio.NewWriterSize(output, 1<<16)
	for limited := false; ; limited = true {
		called, err := readRequest(from)
		if err != nil {
			return 0
		}
		if !limited {
			endOnOverrun()
			limitMemory(called.limits.Memory)
		}
		limitProcessor(called.limits.Processor)
		stop := watchMemory(called.limits.Memory)
		err = answer(to, called)
		stop()
		if err != nil {
			return 1
		}
		tidy(called.limits.Memory)
	}
}

// tidy frees what a call has left over, which would count against the next one, where it is more than a little.
func tidy(most int64) {
	if heapBytes() > most/16 {
		debug.FreeOSMemory()
	}
}

// heapBytes is what the heap holds, garbage that was not collected yet included.
func heapBytes() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

func readRequest(from *bufio.Reader) (*request, error) {
	reader := &decoder{from: from, left: maxRequestBytes, values: maxRequestBytes}
	value, err := reader.value(0)
	if err != nil {
		return nil, err
	}
	parts, isTuple := value.(starlark.Tuple)
	if !isTuple || len(parts) != 4 {
		return nil, errWire
	}
	numbers, isTuple := parts[2].(starlark.Tuple)
	if !isTuple || len(numbers) != 5 {
		return nil, errWire
	}
	var limits [5]int64
	for i := range limits {
		if err := starlark.AsInt(numbers[i], &limits[i]); err != nil {
			return nil, err
		}
	}
	source, _ := starlark.AsString(parts[0])
	entryPoint, _ := starlark.AsString(parts[1])
	return &request{
		source: source, entryPoint: entryPoint, rows: parts[3],
		limits: Limits{
			Steps: uint64(limits[0]), Values: int(limits[1]), Bytes: int(limits[2]), Memory: limits[3], Processor: time.Duration(limits[4]),
		},
	}, nil
}

// answer runs a program, and writes what it has returned, or what it did wrong. What turns out to be too much while it is written ends the
// values, and what is wrong follows. The error is that of the output.
func answer(to *bufio.Writer, called *request) error {
	value, err := run(called)
	if err == nil {
		if err := to.WriteByte(answerValue); err != nil {
			return err
		}
		writer := encoder{to: to}
		writer.mostValues, writer.most = called.limits.crossing()
		err = writer.value(value, 0)
		if err == nil {
			return to.Flush()
		}
		if errors.Is(err, errTooMuch) {
			err = &Error{Message: fmt.Sprintf("the code must return at most %d values with %d bytes of text in all", called.limits.Values,
				called.limits.Bytes)}
		}
		if writeErr := to.WriteByte(tagBroken); writeErr != nil {
			return writeErr
		}
		return answerWrong(to, err)
	}
	if err := to.WriteByte(answerError); err != nil {
		return err
	}
	return answerWrong(to, err)
}

// answerWrong writes what a program did wrong.
func answerWrong(to *bufio.Writer, err error) error {
	var wrong *Error
	if !errors.As(err, &wrong) {
		wrong = Describe(err)
	}
	writer := encoder{to: to}
	described := starlark.Tuple{starlark.String(wrong.Message), starlark.String(wrong.Place), starlark.Bool(wrong.TooManySteps)}
	if err := writer.value(described, 0); err != nil {
		return err
	}
	return to.Flush()
}

// run calls the function of a program.
func run(called *request) (value starlark.Value, err error) {
	// A defect of the interpreter costs the program, not the worker.
	defer func() {
		if defect := recover(); defect != nil {
			err = &Error{Message: shorten(fmt.Sprintf("the code could not be run: %v", defect))}
		}
	}()
	_, program, err := starlark.SourceProgramOptions(options, fileName, called.source, isPredeclared)
	if err != nil {
		return nil, err
	}
	thread := &starlark.Thread{Name: called.entryPoint, Print: func(*starlark.Thread, string) {}}
	withoutClock(thread)
	thread.SetMaxExecutionSteps(called.limits.Steps)
	tooManySteps := false
	thread.OnMaxSteps = func(thread *starlark.Thread) {
		tooManySteps = true
		thread.Cancel("too many steps")
	}
	globals, err := program.Init(thread, predeclared())
	if err == nil {
		if value, err = starlark.Call(thread, globals[called.entryPoint], starlark.Tuple{called.rows}, nil); err == nil {
			return value, nil
		}
	}
	if tooManySteps {
		rows, _ := called.rows.(starlark.Sequence)
		return nil, &Error{Message: fmt.Sprintf("needed more than %d steps for %d rows", called.limits.Steps, starlark.Len(rows)),
			TooManySteps: true}
	}
	return nil, Describe(err)
}

// watchMemory ends the process when its heap grows beyond a number of bytes, until stop is called. It is what finds most programs that use
// too much; limitMemory holds those that grow faster than it looks.
func watchMemory(most int64) (stop func()) {
	ended := make(chan struct{})
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		ticks := time.NewTicker(2 * time.Millisecond)
		defer ticks.Stop()
		for {
			select {
			case <-ended:
				return
			case <-ticks.C:
				if heapBytes() > most {
					os.Exit(exitMemory)
				}
			}
		}
	}()
	return func() {
		close(ended)
		<-finished
	}
}
