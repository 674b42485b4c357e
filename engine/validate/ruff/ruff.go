// Package ruff lints Python by Ruff, which runs as WebAssembly in the process, without files, network or clock, and within limits on memory
// and time. It knows Ruff's rules by their names only; how grave a message is, and the score, are those of the reference's linter.
package ruff

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"

	"seedloom.dev/seedloom/engine/validate"
	"seedloom.dev/seedloom/internal/idle"
)

// compressed is Ruff 0.17.3 as the npm package @astral-sh/ruff-wasm-nodejs has it (ruff_wasm_bg.wasm), under the licence beside it.
//
//go:embed ruff.wasm.gz
var compressed []byte

// What one check may use, and how many names an instance keeps before it is replaced.
const (
	MaxBytes    = 1 << 20
	memoryPages = 4096 // of 64 KiB
	maxWall     = 20 * time.Second
	maxNames    = 20_000
)

// Linter has the instances of Ruff. As many work at once as there are processors; they are started as they are needed. Close ends them.
type Linter struct {
	places chan struct{}
	// starting is held by whoever starts an instance, so that the module is compiled once.
	starting  sync.Mutex
	code      machineCode
	instances idle.List[*instance]
}

// New returns a linter of which nothing runs yet. Who makes it closes it.
func New() *Linter {
	return &Linter{places: make(chan struct{}, max(1, runtime.GOMAXPROCS(0))), code: keptCode()}
}

// Close ends the instances. Nothing may be checked any more.
func (l *Linter) Close() {
	l.instances.Close()
	_ = l.code.cache.Close(context.Background()) // what is kept in files stays
}

// RulesError says what is wrong with a selection of rules.
type RulesError struct{ Message string }

// Error returns the message.
func (e *RulesError) Error() string { return e.Message }

// Prepare starts an instance, and says whether Ruff knows the rules: the error is a *RulesError where it does not.
func (l *Linter) Prepare(ctx context.Context, rules []string) error {
	one, err := l.take(ctx)
	if err != nil {
		return err
	}
	if _, err := one.workspace(ctx, rules); err != nil {
		one.Close()
		return err
	}
	l.giveBack(one)
	return nil
}

// start starts an instance, one after the other.
func (l *Linter) start(ctx context.Context) (*instance, error) {
	l.starting.Lock()
	defer l.starting.Unlock()
	one, err := start(ctx, l.code.cache)
	if err != nil && l.code.folder != "" && ctx.Err() == nil {
		l.code.discard()
		return start(ctx, l.code.cache)
	}
	return one, err
}

func (l *Linter) take(ctx context.Context) (*instance, error) {
	return l.instances.Take(func() (*instance, error) { return l.start(ctx) })
}

func (l *Linter) giveBack(one *instance) {
	if len(one.host.names) < maxNames {
		l.instances.GiveBack(one)
		return
	}
	one.Close()
}

// Check lints code by rules of Ruff; by none of them, its syntax alone. The error is that of the context, or says what keeps Ruff from
// working.
func (l *Linter) Check(ctx context.Context, rules []string, code string) (validate.Verdict, error) {
	if len(code) > MaxBytes {
		return validate.Undecided("the text has %d bytes; at most %d are judged", len(code), MaxBytes), nil
	}
	if strings.TrimSpace(code) == "" {
		return nothing(), nil
	}
	select {
	case l.places <- struct{}{}:
		defer func() { <-l.places }()
	case <-ctx.Done():
		return validate.Verdict{}, ctx.Err()
	}
	one, err := l.take(ctx)
	if err != nil {
		return validate.Verdict{}, err
	}
	limited, cancel := context.WithTimeout(ctx, maxWall)
	defer cancel()
	verdict, err := one.check(limited, rules, code)
	if err == nil {
		l.giveBack(one)
		return verdict, nil
	}
	one.Close()
	var unknown *RulesError
	switch {
	case ctx.Err() != nil:
		return validate.Verdict{}, ctx.Err()
	case errors.As(err, &unknown):
		return validate.Verdict{}, err
	}
	return validate.Undecided("the text could not be judged within %d MiB of memory and %v: it is nested too deep, or takes too long to parse",
		memoryPages>>4, maxWall), nil
}

// nothing is the verdict on a text without code.
func nothing() validate.Verdict {
	return verdictOf([]validate.Message{{Severity: validate.SeverityFatal, Symbol: syntaxSymbol, Text: "there is nothing but white space"}}, 0)
}

// moduleName is under which the module of handles finds the table.
const moduleName = "ruff"

// instance is Ruff with a memory of its own. It belongs to one goroutine at a time.
type instance struct {
	runtime wazero.Runtime
	host    *host
	// workspaces are Ruff's, by their rules; values of the host below mark are theirs.
	workspaces map[string]uint64
	mark       int
}

func start(ctx context.Context, code wazero.CompilationCache) (*instance, error) {
	binary, err := decompressed()
	if err != nil {
		return nil, err
	}
	config := wazero.NewRuntimeConfig().WithMemoryLimitPages(memoryPages).WithCloseOnContextDone(true).WithCompilationCache(code)
	one := &instance{runtime: wazero.NewRuntimeWithConfig(ctx, config), host: newHost(), workspaces: map[string]uint64{}}
	if err := one.load(ctx, binary); err != nil {
		one.Close()
		return nil, fmt.Errorf("starting Ruff: %w", err)
	}
	return one, nil
}

func (i *instance) load(ctx context.Context, binary []byte) error {
	compiled, err := i.runtime.CompileModule(experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0)), binary)
	if err != nil {
		return err
	}
	if err := i.host.export(ctx, i.runtime, compiled); err != nil {
		return err
	}
	config := wazero.NewModuleConfig().WithName(moduleName).WithStartFunctions()
	if i.host.module, err = i.runtime.InstantiateModule(ctx, compiled, config); err != nil {
		return err
	}
	i.host.externals, err = i.runtime.InstantiateWithConfig(ctx, externalsModule(), wazero.NewModuleConfig().WithName("externals"))
	if err != nil {
		return err
	}
	_, err = i.host.module.ExportedFunction("__wbindgen_start").Call(ctx)
	i.mark = len(i.host.values)
	return err
}

// Close frees the memory.
func (i *instance) Close() { _ = i.runtime.Close(context.Background()) }

func decompressed() ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(reader)
}

// workspace is Ruff with rules.
func (i *instance) workspace(ctx context.Context, rules []string) (uint64, error) {
	key := strings.Join(rules, ",")
	if known, found := i.workspaces[key]; found {
		return known, nil
	}
	options := fromGo(map[string]any{"target-version": "py313", "lint": map[string]any{"select": rules}})
	const utf32 = 2 // columns count letters
	made, err := i.host.module.ExportedFunction("workspace_new").Call(ctx, i.host.put(options), utf32)
	if err != nil {
		return 0, err
	}
	if isError := made[2] != 0; isError {
		wrong, err := i.host.external(ctx, made[1])
		if err != nil {
			return 0, err
		}
		return 0, &RulesError{Message: fmt.Sprint(toGo(wrong))}
	}
	i.workspaces[key] = made[0]
	i.mark = len(i.host.values)
	return made[0], nil
}

// call calls a function of a workspace with a text. It takes the text that is handed over.
func (i *instance) call(ctx context.Context, name string, workspace uint64, code string) ([]uint64, error) {
	at, length := i.host.write(ctx, code)
	return i.host.module.ExportedFunction(name).Call(ctx, workspace, uint64(at), uint64(length))
}

func (i *instance) check(ctx context.Context, rules []string, code string) (verdict validate.Verdict, err error) {
	// What the host finds wrong outside of a call is an error of the check.
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("a defect of the host: %v", cause)
		}
		i.host.values = i.host.values[:min(i.mark, len(i.host.values))]
	}()
	workspace, err := i.workspace(ctx, rules)
	if err != nil {
		return verdict, err
	}
	returned, err := i.call(ctx, "workspace_check", workspace, code)
	if err != nil {
		return verdict, err
	}
	found, err := i.host.external(ctx, returned[0])
	if err != nil {
		return verdict, err
	}
	diagnostics, _ := toGo(found).([]any)
	if _, err := i.host.module.ExportedFunction("__externref_table_dealloc").Call(ctx, returned[0]); err != nil {
		return verdict, err
	}
	messages := messagesOf(diagnostics)
	if len(messages) == 0 || messages[0].Severity == validate.SeverityFatal {
		return verdictOf(messages, 0), nil
	}
	statements, err := i.statements(ctx, workspace, code)
	return verdictOf(messages, statements), err
}
