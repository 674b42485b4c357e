// Package process has code parsed in processes of their own, so that a text that overwhelms a parser costs a process and not the run. It
// starts them, bounds their memory and time, and uses them again; what a mistake is, the parsers of package syntax say.
package process

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"time"

	"seedloom.dev/seedloom/engine/sandbox"
	"seedloom.dev/seedloom/engine/validate"
	"seedloom.dev/seedloom/internal/idle"
)

// What the parsing of one text may use.
const (
	// MaxBytes is how long a text may be.
	MaxBytes     = 1 << 20
	maxMemory    = 512 << 20
	maxProcessor = 10 * time.Second
	maxWall      = 20 * time.Second
	// The first text of a language in a process has more time: a parser may have to be compiled before.
	firstProcessor = time.Minute
	firstWall      = 5 * time.Minute
)

// Pool has the processes. As many work at once as there are processors; they are started as they are needed. Close ends them all.
type Pool struct {
	// places bounds the texts that are parsed at once.
	places    chan struct{}
	processes idle.List[*parser]
}

// NewPool returns a pool of which no process runs yet. Who makes it closes it.
func NewPool() *Pool { return &Pool{places: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)))} }

// Close ends the processes. Nothing may be asked any more.
func (p *Pool) Close() { p.processes.Close() }

// parser is one process.
type parser struct {
	*sandbox.Process
	to   *json.Encoder
	from *json.Decoder
	// seen are the languages of which the process has parsed a text.
	seen map[string]bool
}

func start() (*parser, error) {
	process, err := sandbox.StartProcess(processVariable, nil)
	if err != nil {
		return nil, err
	}
	return &parser{process, json.NewEncoder(process.Input), json.NewDecoder(process.Output), map[string]bool{}}, nil
}

func (p *parser) ask(asked question) ([]validate.Message, error) {
	if err := p.to.Encode(asked); err != nil {
		return nil, err
	}
	var answered answer
	err := p.from.Decode(&answered)
	return answered.Mistakes, err
}

// Check says whether code is right in a language that package syntax knows. The error is that of the context, or says why no process could
// be started.
func (p *Pool) Check(ctx context.Context, language, code string) (validate.Verdict, error) {
	if len(code) > MaxBytes {
		return validate.Undecided("the text has %d bytes; at most %d are judged", len(code), MaxBytes), nil
	}
	select {
	case p.places <- struct{}{}:
		defer func() { <-p.places }()
	case <-ctx.Done():
		return validate.Verdict{}, ctx.Err()
	}
	process, err := p.processes.Take(start)
	if err != nil {
		return validate.Verdict{}, fmt.Errorf("no process could be started to parse in: %w", err)
	}
	wall := maxWall
	if !process.seen[language] {
		wall = firstWall
	}
	limited, cancel := context.WithTimeout(ctx, wall)
	defer cancel()
	stop := context.AfterFunc(limited, process.Kill)
	mistakes, err := process.ask(question{Language: language, Code: code})
	if stop() && err == nil {
		process.seen[language] = true
		p.processes.GiveBack(process)
		return validate.Judge(mistakes), nil
	}
	process.Close()
	if ctx.Err() != nil {
		return validate.Verdict{}, ctx.Err()
	}
	return validate.Undecided("the text could not be judged within %d MiB of memory and %v: it is nested too deep, or takes too long to parse",
		maxMemory>>20, maxProcessor), nil
}
