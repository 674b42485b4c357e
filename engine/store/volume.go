package store

import (
	"io/fs"
	"os"
)

// Volume is the file system of a dataset's folder: *os.Root, or what stands before it in a simulation of faults. Nothing in it reaches out of
// the folder.
type Volume interface {
	Close() error
	Create(name string) (*os.File, error)
	FS() fs.FS
	Link(oldname, newname string) error
	Mkdir(name string, mode os.FileMode) error
	MkdirAll(name string, mode os.FileMode) error
	Open(name string) (*os.File, error)
	OpenFile(name string, flag int, mode os.FileMode) (*os.File, error)
	ReadFile(name string) ([]byte, error)
	Remove(name string) error
	RemoveAll(name string) error
	Rename(oldname, newname string) error
}

// Through has everything from now on go through what stands before the volume.
func (s *Store) Through(before func(Volume) Volume) { s.root = before(s.root) }
