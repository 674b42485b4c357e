package ruff

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/tetratelabs/wazero"
)

// tiny is a module with one function, which returns 7.
var tiny = []byte("\x00asm\x01\x00\x00\x00\x01\x05\x01\x60\x00\x01\x7f\x03\x02\x01\x00" +
	"\x07\x05\x01\x01\x66\x00\x00\x0a\x06\x01\x04\x00\x41\x07\x0b")

// compile compiles the tiny module with kept machine code, and calls its function.
func compile(t *testing.T, code wazero.CompilationCache) error {
	t.Helper()
	machine := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfig().WithCompilationCache(code))
	defer func() { _ = machine.Close(context.Background()) }()
	compiled, err := machine.CompileModule(t.Context(), tiny)
	if err != nil {
		return err
	}
	module, err := machine.InstantiateModule(t.Context(), compiled, wazero.NewModuleConfig())
	if err != nil {
		t.Fatal(err)
	}
	if returned, err := module.ExportedFunction("f").Call(t.Context()); err != nil || returned[0] != 7 {
		t.Errorf("the function returns %v, %v", returned, err)
	}
	return nil
}

// files are those below a folder.
func files(folder string) (found []string) {
	_ = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			found = append(found, path)
		}
		return nil
	})
	return found
}

func TestMachineCodeIsKept(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the folder of caches is set as on Linux")
	}
	caches := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", caches)
	first := keptCode()
	if err := compile(t, first.cache); err != nil {
		t.Fatal(err)
	}
	_ = first.cache.Close(t.Context())
	kept := files(caches)
	if len(kept) != 1 || filepath.Dir(filepath.Dir(kept[0])) != filepath.Join(caches, "seedloom", "ruff") {
		t.Fatalf("kept is %v", kept)
	}
	info, err := os.Stat(filepath.Join(caches, "seedloom", "ruff"))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has the mode %v, %v", info.Mode(), err)
	}
	second := keptCode()
	if err := compile(t, second.cache); err != nil {
		t.Errorf("what is kept is not used: %v", err)
	}
	_ = second.cache.Close(t.Context())

	data, err := os.ReadFile(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(kept[0], data[:len(data)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := keptCode()
	if err := compile(t, damaged.cache); err == nil {
		t.Fatal("half a file is taken for a whole one")
	}
	damaged.discard()
	if err := compile(t, damaged.cache); err != nil || len(files(caches)) != 0 {
		t.Errorf("what is damaged stays: %v, %v", err, files(caches))
	}
}

func TestMachineCodeIsKeptInMemoryWhereNoFolderIsOurs(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the folder of caches is set as on Linux")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	linked, elsewhere := t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(linked, "seedloom"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(linked, "seedloom", "ruff")); err != nil {
		t.Fatal(err)
	}
	for name, folder := range map[string]string{"a file": file, "a link to another folder": linked, "none": "relative"} {
		t.Setenv("XDG_CACHE_HOME", folder)
		code := keptCode()
		if err := compile(t, code.cache); code.folder != "" || err != nil || len(files(elsewhere)) != 0 {
			t.Errorf("%s: the folder is %q, %v", name, code.folder, err)
		}
	}
}
