// Package pdf reads the text of PDF documents: its pages, headings, tables, and what of it a reader can't see. PDFium does so as
// WebAssembly in this process, without files, network or clock; what becomes of the text is decided elsewhere.
package pdf

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"fmt"
	"io"
	"runtime"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// compressed is PDFium; where it comes from, and under which licences, is in the file LICENSE beside it.
//
//go:embed pdfium.wasm.gz
var compressed []byte

// MaxMemory is how much memory PDFium may use for one document, with the document in it.
const (
	MaxMemory   = 256 << 20
	memoryPages = MaxMemory >> 16
)

// Library is PDFium, ready to read documents one after the other. Close frees its memory.
type Library struct {
	runtime wazero.Runtime
	cache   wazero.CompilationCache
	code    wazero.CompiledModule
}

// Load compiles PDFium, which takes seconds, or finds it compiled in a folder; without a folder it is kept nowhere.
func Load(ctx context.Context, folder string) (*Library, error) {
	cache := wazero.NewCompilationCache()
	if folder != "" {
		var err error
		if cache, err = wazero.NewCompilationCacheWithDir(folder); err != nil {
			return nil, err
		}
	}
	config := wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling).
		WithMemoryLimitPages(memoryPages).WithCompilationCache(cache)
	library := &Library{runtime: wazero.NewRuntimeWithConfig(ctx, config), cache: cache}
	if err := library.load(ctx); err != nil {
		library.Close()
		return nil, fmt.Errorf("starting PDFium: %w", err)
	}
	return library, nil
}

func (l *Library) load(ctx context.Context) error {
	reader, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return err
	}
	binary, err := io.ReadAll(reader)
	if err != nil {
		return err
	}
	if l.code, err = l.runtime.CompileModule(experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0)), binary); err != nil {
		return err
	}
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, l.runtime); err != nil {
		return err
	}
	// PDFium calls its host for forms, and for files that come piece by piece. There are none of them.
	host := l.runtime.NewHostModuleBuilder("env")
	for _, function := range l.code.ImportedFunctions() {
		if module, name, _ := function.Import(); module == "env" {
			host.NewFunctionBuilder().WithGoModuleFunction(nothing, function.ParamTypes(), function.ResultTypes()).Export(name)
		}
	}
	_, err = host.Instantiate(ctx)
	return err
}

var nothing = api.GoModuleFunc(func(_ context.Context, _ api.Module, stack []uint64) { clear(stack) })

// Close frees the memory.
func (l *Library) Close() {
	_ = l.runtime.Close(context.Background())
	_ = l.cache.Close(context.Background()) // what is kept in files stays
}
