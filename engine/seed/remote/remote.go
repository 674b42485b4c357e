// Package remote has files that lie elsewhere at hand: each is fetched when it is first opened, and kept in a folder for temporary files
// until all are closed. Where the files are, and how they are asked for, is what a Place knows.
package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"seedloom.dev/seedloom/engine/seed/files"
)

// maxKept bounds the bytes of all files that are kept.
const maxKept = 16 << 30

// Place is where files lie. Several goroutines may use it.
type Place interface {
	// List returns the files that any of some patterns names, as files.ListFlat does.
	List(ctx context.Context, patterns ...string) ([]files.File, error)
	// Fetch writes a file. One that is another one by now than when it was listed ends with an error that wraps ErrChanged.
	Fetch(ctx context.Context, file files.File, to io.Writer) error
	Close() error
}

// ErrChanged says that a file is not the one any more that was listed.
var ErrChanged = errors.New("it has changed since the run began")

// Error is what went wrong between a place and here.
type Error struct {
	Err error
	// MayPass says that another try may succeed.
	MayPass bool
}

// Error says what went wrong.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Folder has the files of a place at hand. Several goroutines may use it.
type Folder struct {
	place Place
	// fetching ends with close.
	fetching context.Context
	end      context.CancelFunc

	mutex sync.Mutex
	// directory is where files are kept; empty before the first one.
	directory string
	listed    map[string]*kept
	bytes     int64
}

// kept is a file of the place.
type kept struct {
	file  files.File
	mutex sync.Mutex
	// path is where it is kept; empty before it was fetched.
	path string
}

// Open returns the files of a place, which it owns. Nothing is fetched any more once the context ends.
func Open(ctx context.Context, place Place) *Folder {
	folder := &Folder{place: place, listed: map[string]*kept{}}
	folder.fetching, folder.end = context.WithCancel(ctx)
	return folder
}

// List returns the files that any of some patterns names, as files.ListFlat does. These can be opened.
func (f *Folder) List(ctx context.Context, patterns ...string) ([]files.File, error) {
	list, err := f.place.List(ctx, patterns...)
	if err != nil {
		return nil, err
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for _, file := range list {
		if f.listed[file.Path] == nil {
			f.listed[file.Path] = &kept{file: file}
		}
	}
	return list, nil
}

// Open opens a file that was listed.
func (f *Folder) Open(name string) (content files.Content, size int64, err error) {
	f.mutex.Lock()
	wanted := f.listed[name]
	f.mutex.Unlock()
	if wanted == nil {
		return nil, 0, os.ErrNotExist
	}
	wanted.mutex.Lock()
	defer wanted.mutex.Unlock()
	if wanted.path == "" {
		if wanted.path, err = f.fetch(wanted.file); err != nil {
			return nil, 0, err
		}
	}
	opened, err := os.Open(wanted.path)
	if err != nil {
		return nil, 0, err
	}
	return opened, wanted.file.Size, nil
}

// fetch brings a file here, and returns where it is kept.
func (f *Folder) fetch(file files.File) (path string, err error) {
	directory, err := f.room(file.Size)
	if err != nil {
		return "", err
	}
	to, err := os.CreateTemp(directory, "file-")
	if err != nil {
		return "", full(err)
	}
	writing := &writer{to: to}
	err = f.place.Fetch(f.fetching, file, writing)
	if err == nil && writing.size != file.Size {
		err = fmt.Errorf("it has %d bytes, and is listed with %d: %w", writing.size, file.Size, ErrChanged)
	}
	if err = errors.Join(err, to.Close()); err != nil {
		return "", errors.Join(err, os.Remove(to.Name()))
	}
	return to.Name(), nil
}

// room makes sure that there is a folder, and that so many bytes more may be kept.
func (f *Folder) room(size int64) (directory string, err error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if err := f.fetching.Err(); err != nil { // nobody would remove the folder any more
		return "", err
	}
	if f.bytes += size; f.bytes > maxKept {
		return "", fmt.Errorf("its files have more than %d GiB, of which no more are kept here; select fewer of them", maxKept>>30)
	}
	if f.directory == "" {
		if f.directory, err = os.MkdirTemp("", "seedloom-seed-"); err != nil {
			return "", full(err)
		}
	}
	return f.directory, nil
}

func full(err error) error {
	return fmt.Errorf("it needs room in the folder for temporary files (%s): %w", os.TempDir(), err)
}

// writer counts what it writes, and says of an error that it is that of the folder for temporary files.
type writer struct {
	to   io.Writer
	size int64
}

// Write implements io.Writer.
func (w *writer) Write(data []byte) (int, error) {
	count, err := w.to.Write(data)
	w.size += int64(count)
	if err != nil {
		err = full(err)
	}
	return count, err
}

// Close ends what is being fetched, closes the place, and removes what was kept. Files that are open stay so where the system lets them.
func (f *Folder) Close() error {
	f.end()
	f.mutex.Lock()
	defer f.mutex.Unlock()
	err := f.place.Close()
	if f.directory != "" {
		err = errors.Join(err, os.RemoveAll(filepath.Clean(f.directory)))
	}
	return err
}
