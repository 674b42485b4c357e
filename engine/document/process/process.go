// Package process has documents read in processes of their own, so that one that overwhelms a reader costs a process and not the run. It
// starts them, bounds their memory and time, and uses them again; what is in a document, package document says.
package process

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/document"
	"seedloom.dev/seedloom/engine/document/format"
	"seedloom.dev/seedloom/engine/sandbox"
	"seedloom.dev/seedloom/internal/idle"
)

// What the reading of one document may use.
const (
	maxMemory    = 384 << 20
	maxProcessor = time.Minute
	maxWall      = 5 * time.Minute
	// maxAnswer bounds what a process answers: the text with what JSON makes of it, and the places in it.
	maxAnswer = 256 << 20
	// maxPlaces bounds the processes, since each may take all of its memory.
	maxPlaces = 2
)

// Pool has the processes, which are started as they are needed. Close ends them all.
type Pool struct {
	// PageMargins says what becomes of headers and footers of PDFs. It is set before the first document is read.
	PageMargins v1alpha1.PageMargins
	// places bounds the documents that are read at once.
	places chan struct{}
	// processor is the time of a processor that a document may use.
	processor time.Duration
	processes idle.List[*reader]
	// pdf has those that were started with the library that reads PDFs.
	pdf library
}

// Places is how many documents a pool reads at once.
func Places() int { return min(maxPlaces, max(1, runtime.GOMAXPROCS(0))) }

// NewPool returns a pool of which no process runs yet. Who makes it closes it.
func NewPool() *Pool { return &Pool{places: make(chan struct{}, Places()), processor: maxProcessor} }

// Close ends the processes. Nothing may be asked any more.
func (p *Pool) Close() {
	p.processes.Close()
	p.pdf.close()
}

// reader is one process.
type reader struct {
	*sandbox.Process
	from *bufio.Reader
}

func start() (*reader, error) { return startAs(processVariable) }

func startAs(variable string) (*reader, error) {
	process, err := sandbox.StartProcess(variable, nil)
	if err != nil {
		return nil, err
	}
	return &reader{process, bufio.NewReaderSize(process.Output, 1<<16)}, nil
}

// ask hands a document over and reads the answer. The error is that of the process.
func (r *reader) ask(asked question, data []byte) (*answer, error) {
	header, err := json.Marshal(asked)
	if err != nil {
		return nil, err
	}
	if _, err := r.Input.Write(append(header, '\n')); err != nil {
		return nil, err
	}
	if _, err := r.Input.Write(data); err != nil {
		return nil, err
	}
	line, err := readLine(r.from, maxAnswer)
	if err != nil {
		return nil, err
	}
	answered := &answer{}
	return answered, json.Unmarshal(line, answered)
}

var errTooLong = errors.New("a line is too long")

// readLine reads a line of bounded length.
func readLine(from *bufio.Reader, most int) ([]byte, error) {
	var line []byte
	for {
		part, err := from.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(line) > most:
			return nil, errTooLong
		}
	}
}

// Read reads a document. What is wrong with it is a *document.Problem; other errors are those of the context, or say why no process could
// be started.
func (p *Pool) Read(ctx context.Context, of format.Format, data []byte, hidden v1alpha1.HiddenText) (*document.Document, error) {
	select {
	case p.places <- struct{}{}:
		defer func() { <-p.places }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	processes, begin := &p.processes, start
	if of == format.PDF {
		processes, begin = &p.pdf.processes, func() (*reader, error) { return p.pdf.start(ctx) }
	}
	process, err := processes.Take(begin)
	if ctx.Err() != nil {
		if err == nil {
			process.Close()
		}
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("no process could be started to read it in: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, maxWall)
	defer cancel()
	stop := context.AfterFunc(limited, process.Kill)
	answered, err := process.ask(question{Format: of, Hidden: hidden, Margins: p.PageMargins, Size: len(data), Processor: p.processor}, data)
	if stop() && err == nil {
		processes.GiveBack(process)
		return answered.read()
	}
	process.Close()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case limited.Err() != nil:
		return nil, &document.Problem{Message: fmt.Sprintf("it could not be read within %v", maxWall)}
	}
	return nil, &document.Problem{Message: fmt.Sprintf(
		"it could not be read within %d MiB of memory and %v of processor time: it is damaged, made to do harm, or too large; split it",
		maxMemory>>20, p.processor)}
}

// read returns the document of an answer, as far as it holds together.
func (a *answer) read() (*document.Document, error) {
	if a.Problem != "" {
		return nil, &document.Problem{Message: a.Problem}
	}
	if a.Document == nil {
		return nil, &document.Problem{Message: "its reader has given no text"}
	}
	if err := a.Document.Check(); err != nil {
		return nil, &document.Problem{Message: err.Error()}
	}
	return a.Document, nil
}
