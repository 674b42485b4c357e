package engine

import (
	"io"
	"os"

	"seedloom.dev/seedloom/engine/store"
)

// mediaFiles are the files that models see: images of the dataset, and files beside the seed.
type mediaFiles struct {
	*store.Store
	// seedDirectory is where the seed's volume is mounted; nothing outside of it is read.
	seedDirectory string
}

// ReadSeedFile reads at most so many bytes of a file.
func (f mediaFiles) ReadSeedFile(name string, most int64) ([]byte, error) {
	root, err := os.OpenRoot(f.seedDirectory)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	// To open what is no file, such as a pipe, could wait for ever.
	if info, err := root.Stat(name); err != nil || !info.Mode().IsRegular() {
		return nil, os.ErrInvalid
	}
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	// What was read is whole when closing fails.
	defer func() { _ = file.Close() }()
	return io.ReadAll(io.LimitReader(file, most))
}
