package engine

import (
	"io"
	"os"

	"seedloom.dev/seedloom/engine/store"
)

// mediaFiles are the files that models see: images of the dataset, and files of volumes.
type mediaFiles struct {
	*store.Store
	// seedDirectory is where the seed's volume is mounted, and volumeDirectory where another one is. Nothing outside of them is read.
	seedDirectory   string
	volumeDirectory func(name string) string
}

func (p *prepared) mediaFiles() mediaFiles {
	files := mediaFiles{Store: p.store, seedDirectory: p.config.SeedDirectory, volumeDirectory: p.config.VolumeDirectory}
	if files.volumeDirectory == nil {
		files.volumeDirectory = func(name string) string { return p.plan.Spec.PodVolume(name).MountPath } // which the plan has checked
	}
	return files
}

// ReadFile reads at most so many bytes of a file.
func (f mediaFiles) ReadFile(volume, name string, most int64) ([]byte, error) {
	directory := f.seedDirectory
	if volume != "" {
		directory = f.volumeDirectory(volume)
	}
	root, err := os.OpenRoot(directory)
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
