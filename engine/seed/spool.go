package seed

import (
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	// maxInMemory is how much of a seed is kept in memory before it goes to a file.
	maxInMemory = 8 << 20
	// maxSpool bounds what is kept of a seed on disk: what a compressed file becomes, a download, the rows of a Parquet file.
	maxSpool = 16 << 30
)

// spool keeps bytes that were written one after the other: the first of them in memory, and all of them in a temporary file as soon as they
// are more. Reading and writing don't overlap.
type spool struct {
	memory []byte
	file   *os.File
	// pending is what is still to be written to the file.
	pending []byte
	size    int64
	// repeats says that some rows have texts that stand in others, so that they are larger than where they lie.
	repeats bool
}

var errSpoolFull = fmt.Errorf("it becomes more than %d GiB when it is read; select a part of it, or give it uncompressed as CSV or "+
	"JSON Lines "+
	"on a volume", maxSpool>>30)

// Write appends.
func (s *spool) Write(data []byte) (int, error) {
	if s.size+int64(len(data)) > maxSpool {
		return 0, errSpoolFull
	}
	if s.file == nil && s.size+int64(len(data)) <= maxInMemory {
		s.memory = append(s.memory, data...)
		s.size += int64(len(data))
		return len(data), nil
	}
	if s.file == nil {
		if err := s.toFile(); err != nil {
			return 0, err
		}
	}
	if len(s.pending)+len(data) > readSize {
		if err := s.flush(); err != nil {
			return 0, err
		}
	}
	s.pending = append(s.pending, data...)
	s.size += int64(len(data))
	return len(data), nil
}

// flush writes what is still to be written. It is called before reading begins.
func (s *spool) flush() error {
	if len(s.pending) == 0 {
		return nil
	}
	if _, err := s.file.Write(s.pending); err != nil {
		return s.full(err)
	}
	s.pending = s.pending[:0]
	return nil
}

func (s *spool) toFile() error {
	file, err := os.CreateTemp("", "seedloom-seed-*")
	if err != nil {
		return s.full(err)
	}
	// The file goes with the process, however that ends, where the system can do so.
	_ = os.Remove(file.Name())
	s.file = file
	if _, err := file.Write(s.memory); err != nil {
		return s.full(err)
	}
	s.memory = nil
	return nil
}

func (s *spool) full(err error) error {
	return fmt.Errorf("it needs room in the folder for temporary files (%s), where %d MiB could be written: %w", os.TempDir(), s.size>>20, err)
}

// ReadAt reads what was written.
func (s *spool) ReadAt(to []byte, offset int64) (int, error) {
	if s.file != nil {
		return s.file.ReadAt(to, offset)
	}
	if offset >= int64(len(s.memory)) {
		return 0, io.EOF
	}
	count := copy(to, s.memory[offset:])
	if count < len(to) {
		return count, io.EOF
	}
	return count, nil
}

// Close removes what was written.
func (s *spool) Close() error {
	if s.file == nil {
		return nil
	}
	return errors.Join(s.file.Close(), ignoreMissing(os.Remove(s.file.Name())))
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
