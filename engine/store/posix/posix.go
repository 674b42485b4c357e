// Package posix keeps objects as the files of a file system: temporary names, syncs of files and folders, renames and links are known here
// and nowhere else. What the objects mean is not.
package posix

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"seedloom.dev/seedloom/engine/store/objects"
)

// TemporarySuffix marks files that are being written. What has it after a crash is garbage.
const TemporarySuffix = ".tmp"

const (
	fileMode   = 0o644
	folderMode = 0o755
)

// Folder is a folder of a file system. Nothing in it reaches out of the root that it was opened below.
type Folder struct {
	// beside is the folder that this one lies in, and name its name there.
	beside *os.Root
	root   *os.Root
	name   string
	// writer tells the temporary files of this Folder from those of others, which may be other processes'.
	writer string
}

var _ objects.Volume = (*Folder)(nil)

// Open opens a folder below the root, and creates it where it is missing.
func Open(root, folder string) (_ *Folder, err error) {
	output, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	if err := output.MkdirAll(folder, folderMode); err != nil {
		return nil, err
	}
	beside, err := output.OpenRoot(path.Dir(folder))
	if err != nil {
		return nil, err
	}
	opened := &Folder{beside: beside, name: path.Base(folder), writer: rand.Text()}
	if opened.root, err = beside.OpenRoot(opened.name); err != nil {
		return nil, errors.Join(err, beside.Close())
	}
	return opened, nil
}

// Close implements objects.Volume.
func (f *Folder) Close() error { return errors.Join(f.root.Close(), f.beside.Close()) }

// Get implements objects.Volume.
func (f *Folder) Get(name string) ([]byte, error) { return f.root.ReadFile(name) }

// Version implements objects.Volume. It is a digest of the content.
func (f *Folder) Version(name string) (objects.Version, error) {
	data, err := f.root.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return objects.Version(hex.EncodeToString(sum[:])), nil
}

// Put implements objects.Volume.
func (f *Folder) Put(name string, data []byte) error { return f.write(name, data, f.root.Rename) }

// PutNew implements objects.Volume.
func (f *Folder) PutNew(name string, data []byte) error {
	return f.write(name, data, func(temporary, name string) error {
		// Unlike a rename, a link never replaces what another process has written in the meantime.
		err := f.root.Link(temporary, name)
		if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
			// A file system without links: the best is then that the last writer's file is there as a whole.
			return f.root.Rename(temporary, name)
		}
		_ = f.root.Remove(temporary)
		return err
	})
}

// Replace implements objects.Volume. On a file system without locks, another writer may still come between the look and the rename.
func (f *Folder) Replace(name string, data []byte, version objects.Version) error {
	return f.write(name, data, func(temporary, name string) error {
		unlock, err := f.lock(path.Dir(name))
		if err != nil {
			return err
		}
		defer unlock()
		if err := f.hasVersion("replace", name, version); err != nil {
			_ = f.root.Remove(temporary)
			return err
		}
		return f.root.Rename(temporary, name)
	})
}

// Move implements objects.Volume.
func (f *Folder) Move(from, to string) error {
	if err := f.root.Rename(from, to); err != nil {
		return classified(err)
	}
	return f.syncFolder(path.Dir(to))
}

// MoveOver implements objects.Volume. On a file system without locks, another writer may still come between the look and the rename.
func (f *Folder) MoveOver(from, to string, version objects.Version) error {
	unlock, err := f.lock(path.Dir(to))
	if errors.Is(err, fs.ErrNotExist) {
		if err = f.createFolder(path.Dir(to)); err == nil {
			unlock, err = f.lock(path.Dir(to))
		}
	}
	if err != nil {
		return classified(err)
	}
	defer unlock()
	if err := f.hasVersion("move", to, version); err != nil {
		return err
	}
	return f.Move(from, to)
}

// hasVersion holds a file to a version.
func (f *Folder) hasVersion(operation, name string, version objects.Version) error {
	found, err := f.Version(name)
	if err == nil && found != version {
		err = &fs.PathError{Op: operation, Path: name, Err: objects.ErrChanged}
	}
	return err
}

// write writes and syncs a temporary file, and lets place give it its name.
func (f *Folder) write(name string, data []byte, place func(temporary, name string) error) error {
	temporary := name + "." + f.writer + TemporarySuffix
	if err := f.writeTemporary(temporary, data); err != nil {
		// The space is given back, so that metadata can still be written to a full volume.
		_ = f.root.Remove(temporary)
		return classified(err)
	}
	if err := place(temporary, name); err != nil {
		return classified(err)
	}
	return f.syncFolder(path.Dir(name))
}

// classified names what the file system says in the terms of a volume.
func classified(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: %w", objects.ErrFull, err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: %w", objects.ErrReadOnly, err)
	}
	return err
}

func (f *Folder) writeTemporary(name string, data []byte) (err error) {
	file, err := f.openFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.Write(data); err != nil {
		return err
	}
	return file.Sync()
}

// openFile opens a file, and creates its folder where that is missing.
func (f *Folder) openFile(name string, flags int) (*os.File, error) {
	file, err := f.root.OpenFile(name, flags, fileMode)
	if folder := path.Dir(name); errors.Is(err, fs.ErrNotExist) && folder != "." {
		if err := f.createFolder(folder); err != nil {
			return nil, err
		}
		file, err = f.root.OpenFile(name, flags, fileMode)
	}
	return file, err
}

// createFolder creates a folder and those above it, so that they survive the end of the machine.
func (f *Folder) createFolder(name string) error {
	if err := f.root.MkdirAll(name, folderMode); err != nil {
		return err
	}
	for above := name; above != "."; {
		above = path.Dir(above)
		if err := f.syncFolder(above); err != nil {
			return err
		}
	}
	return nil
}

func (f *Folder) syncFolder(name string) error {
	folder, err := f.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// Remove implements objects.Volume.
func (f *Folder) Remove(name string) error {
	if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// RemoveAll implements objects.Volume.
func (f *Folder) RemoveAll(folder string) error { return f.root.RemoveAll(folder) }

// Tidy implements objects.Volume.
func (f *Folder) Tidy() error {
	return fs.WalkDir(f.root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case entry.IsDir() || !strings.HasSuffix(name, TemporarySuffix):
			return nil
		}
		return f.Remove(name)
	})
}

// List implements objects.Volume. Files that are being written, or that a crash has left half written, are none of its objects.
func (f *Folder) List(folder string) ([]objects.Entry, error) {
	found, err := fs.ReadDir(f.root.FS(), folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	entries := make([]objects.Entry, 0, len(found))
	for _, entry := range found {
		if !strings.HasSuffix(entry.Name(), TemporarySuffix) {
			entries = append(entries, objects.Entry{Name: entry.Name(), Folder: entry.IsDir()})
		}
	}
	return entries, nil
}
