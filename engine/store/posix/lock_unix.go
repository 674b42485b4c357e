//go:build unix

package posix

import (
	"errors"
	"syscall"
)

// lock keeps other processes that replace files in a folder out of it. It goes with the process, so that a kill leaves none behind.
func (f *Folder) lock(folder string) (unlock func(), err error) {
	opened, err := f.root.Open(folder)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(opened.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			// A file system that knows no locks on folders says so: there the rename alone has to do.
			return func() { _ = opened.Close() }, nil
		}
	}
}
