package posix

import (
	"errors"
	"io/fs"
)

// Lead implements objects.Volume, by a symbolic link. It is relative, so that it also leads there where the volume is mounted elsewhere.
// Where there are no links, a file with the folder's name takes its place.
func (f *Folder) Lead(name string) error {
	temporary := name + "." + f.writer + TemporarySuffix
	err := f.beside.Symlink(f.name, temporary)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
		err = f.beside.WriteFile(temporary, []byte(f.name+"\n"), fileMode)
	}
	if err != nil {
		return err
	}
	if err := f.beside.Rename(temporary, name); err != nil {
		_ = f.beside.Remove(temporary)
		return err
	}
	return nil
}
