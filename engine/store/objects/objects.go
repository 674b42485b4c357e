// Package objects says what the store asks of the place where a dataset lies: whole objects under names, and logs that grow. How a place
// does it, a file system or an object store, is the concern of the packages that implement Volume; package storetest holds them to what is
// said here.
package objects

import (
	"errors"
	"io"
	"time"
)

// The errors of a volume that its users tell apart, beside fs.ErrNotExist, fs.ErrExist and fs.ErrPermission.
var (
	// ErrChanged says that an object is not the one any more that was to be replaced.
	ErrChanged = errors.New("the object has changed meanwhile")
	// ErrFull says that there is no room for what was to be written.
	ErrFull = errors.New("the volume is full")
	// ErrReadOnly says that nothing can be written.
	ErrReadOnly = errors.New("the volume is read-only")
	// ErrUnfit says that the place does not do what a Volume must.
	ErrUnfit = errors.New("the place is unfit for datasets")
)

// Version names the content of an object, as an object store's entity tag does. It is empty for an object that is not there.
type Version string

// Volume is the folder of a dataset. Names are relative, with slashes between their parts; folders are there as soon as an object is in
// them. Its methods may be called from many goroutines, and by many processes at once.
//
// An object is written as a whole: whoever reads it, and whatever is killed meanwhile, meets the old content, the new one, or none where
// there was none. What Put, PutNew, Replace and Move have done when they return survives the end of the machine, in the order in which they
// returned. Errors wrap fs.ErrNotExist where there is no object, and fs.ErrExist where there should be none. A write that has failed may
// have been done all the same.
type Volume interface {
	// Get returns the content of an object.
	Get(name string) ([]byte, error)
	// Version returns the version of an object; that of one that is not there is empty.
	Version(name string) (Version, error)
	// Put writes an object, in place of the one that is there.
	Put(name string, data []byte) error
	// PutNew writes an object that is not there yet. Of several callers at once, one succeeds.
	PutNew(name string, data []byte) error
	// Replace writes an object unless it has another version than the one named; then its error wraps ErrChanged. Of several callers at once
	// that name the same version, one succeeds.
	Replace(name string, data []byte, version Version) error
	// Move gives an object another name, in place of the object that has it. One that was cut off may have left the object under both names.
	Move(from, to string) error
	// MoveOver is Move, unless the object that has the other name has another version than the one named; then its error wraps ErrChanged, and
	// nothing is moved. Of several callers at once that name the same version, one succeeds.
	MoveOver(from, to string, version Version) error
	// Remove removes an object. That there is none is no error. An object that was removed may come back with the end of the machine, until
	// another one was written into the same folder.
	Remove(name string) error
	// RemoveAll removes all objects below a folder, as Remove does.
	RemoveAll(folder string) error
	// List returns what is right below a folder, in the order of the names: objects and folders. It is empty for a folder without anything in
	// it.
	List(folder string) ([]Entry, error)
	// Append opens a log, of which only its first bytes count: what is behind them is cut off. Where there is none it is created, even before
	// something is written. Only one process may have a log open.
	Append(name string, from int64) (Log, error)
	// ReadLog returns the content of a log, and RemoveLog removes it; that there is none is no error of the latter. A volume may know which
	// logs there are from the time when it was first asked for one of a folder, and of those that it has opened itself.
	ReadLog(name string) ([]byte, error)
	RemoveLog(name string) error
	// Tidy removes what writes that were cut off have left where List does not show it. Nobody may be writing meanwhile.
	Tidy() error
	// Lead has a name beside the folder lead to it, and to no other folder any more.
	Lead(name string) error
	// Pace says how the volume is best worked with.
	Pace() Pace
	// Close releases the folder.
	Close() error
}

// Pace is how a volume is best worked with.
type Pace struct {
	// Writers is how many calls at once make the best of it. Zero stands for a volume that keeps a processor busy, as file systems do.
	Writers int
	// SyncInterval is how often logs that are written to should be synced.
	SyncInterval time.Duration
	// MoveCopies says that to move an object costs as much as to write it, and that PutNew never replaces one, whoever else writes: what is
	// new is best written under its last name.
	MoveCopies bool
}

// Entry is what a folder holds.
type Entry struct {
	Name   string
	Folder bool
}

// Log grows. What was written to it survives the end of the machine once Sync or Close has returned; on a volume in a file system it
// survives the end of the process as soon as Write returns, on others not before Sync does. After a crash its end may be torn in the middle
// of a write.
type Log interface {
	// Write appends all of the data. When it fails, nothing of them is left behind as far as the volume lets it.
	io.WriteCloser
	Sync() error
	// Finish closes a log that nobody will append to any more: it becomes an object, which Get reads.
	Finish() error
}
