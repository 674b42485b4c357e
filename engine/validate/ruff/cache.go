package ruff

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tetratelabs/wazero"
)

// machineCode is where the machine code that Ruff's module is compiled to is kept: in memory, and in a folder where there is one. Its names
// there tell the module, the compiler and the processor, so that another version finds nothing of this one.
type machineCode struct {
	cache wazero.CompilationCache
	// folder is empty where it is kept in memory alone.
	folder string
}

// keptCode keeps machine code in the folder of the user's caches, where one can be written that belongs to nobody else: whoever could write
// there would have his code run here.
func keptCode() machineCode {
	folder, err := ownFolder()
	if err != nil {
		return codeInMemory()
	}
	cache, err := wazero.NewCompilationCacheWithDir(folder)
	if err != nil {
		return codeInMemory()
	}
	return machineCode{cache, folder}
}

func codeInMemory() machineCode { return machineCode{cache: wazero.NewCompilationCache()} }

var errOthersWrite = errors.New("others may write in the folder")

// ownFolder makes the folder. Its mode can be set by its owner only.
func ownFolder() (string, error) {
	caches, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(caches, "seedloom", "ruff")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	if err := os.Chmod(folder, 0o700); err != nil {
		return "", err
	}
	info, err := os.Lstat(folder)
	if err != nil {
		return "", err
	}
	if !info.IsDir() || info.Mode().Perm()&(fs.ModePerm&^0o700) != 0 {
		return "", errOthersWrite
	}
	return folder, nil
}

// discard removes what is kept in the folder, which is of no use, and goes on in memory.
func (c *machineCode) discard() {
	_ = os.RemoveAll(c.folder) // what stays is found to be of no use again
	*c = codeInMemory()
}
