package pdf

import (
	"context"
	"syscall"

	"github.com/tetratelabs/wazero/experimental"
)

// withMemory has the memory of a module reserved at once, so that it grows without being copied, and is given back when the module ends.
// The system counts only what is used of it.
func withMemory(ctx context.Context) context.Context {
	return experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(reserve))
}

// mapped is a memory that the system has given.
type mapped []byte

func reserve(_, most uint64) experimental.LinearMemory {
	most = min(most, MaxMemory)
	memory, err := syscall.Mmap(-1, 0, int(most), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return mapped(nil)
	}
	return mapped(memory)
}

// Reallocate returns so many bytes of it; none where there are not as many.
func (m mapped) Reallocate(size uint64) []byte {
	if size > uint64(len(m)) {
		return nil
	}
	return m[:size]
}

// Free gives it back.
func (m mapped) Free() { _ = syscall.Munmap(m) } // it is used no more
