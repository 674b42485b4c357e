package posix

import (
	"os"
	"time"

	"seedloom.dev/seedloom/engine/store/objects"
)

// log is a file that is appended to. Its owner calls Write from one goroutine at a time.
type log struct {
	file *os.File
	size int64
}

// Append implements objects.Volume.
func (f *Folder) Append(name string, from int64) (objects.Log, error) {
	file, err := f.openFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND)
	if err != nil {
		return nil, classified(err)
	}
	if err := file.Truncate(from); err != nil {
		_ = file.Close() // the first error says more
		return nil, classified(err)
	}
	return &log{file: file, size: from}, nil
}

// ReadLog implements objects.Volume. A log is a file like others.
func (f *Folder) ReadLog(name string) ([]byte, error) { return f.Get(name) }

// RemoveLog implements objects.Volume.
func (f *Folder) RemoveLog(name string) error { return f.Remove(name) }

// Pace implements objects.Volume.
func (f *Folder) Pace() objects.Pace { return objects.Pace{SyncInterval: time.Second} }

// Write implements objects.Log.
func (l *log) Write(data []byte) (int, error) {
	written, err := l.file.Write(data)
	if err != nil {
		if written > 0 {
			_ = l.file.Truncate(l.size) // half a line must not stand before a whole one
		}
		return 0, classified(err)
	}
	l.size += int64(written)
	return written, nil
}

// Sync implements objects.Log.
func (l *log) Sync() error { return l.file.Sync() }

// Close implements objects.Log.
func (l *log) Close() error { return l.file.Close() }

// Finish implements objects.Log.
func (l *log) Finish() error { return l.Close() }
