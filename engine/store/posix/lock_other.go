//go:build !unix

package posix

// lock does nothing where there are no locks on folders: the rename alone has to do.
func (f *Folder) lock(string) (unlock func(), err error) { return func() {}, nil }
