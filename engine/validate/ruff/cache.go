package ruff

import (
	"os"

	"github.com/tetratelabs/wazero"

	"seedloom.dev/seedloom/internal/machinecode"
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
	folder, err := machinecode.Folder("ruff")
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

// discard removes what is kept in the folder, which is of no use, and goes on in memory.
func (c *machineCode) discard() {
	_ = os.RemoveAll(c.folder) // what stays is found to be of no use again
	*c = codeInMemory()
}
