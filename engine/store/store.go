// Package store keeps a dataset on a volume: it commits row groups atomically, finds out what is already there, and writes the metadata
// that describes the whole. It knows nothing of how rows are made, nor of Kubernetes.
package store

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
)

// The names below a dataset's folder.
const (
	parquetFolder  = "parquet-files"
	droppedFolder  = "dropped-columns-parquet-files"
	formsFolder    = "processors-files"
	manifestFolder = "row-groups"
	metadataFile   = "metadata.json"
	configFile     = "builder_config.json"
	droppedFile    = "dropped-rows.jsonl"
	successFile    = "_SUCCESS"
	// temporarySuffix marks files that are being written; what has it after a crash is garbage.
	temporarySuffix = ".tmp"
	// nextSuffix marks the manifest of a commit that is under way, and its files until they get their names.
	nextSuffix = ".next"
)

// hashDigits is how many hexadecimal digits of the configuration's hash name a run's folder.
const hashDigits = 16

// Folder returns the folder of a run's dataset below the root of the output.
func Folder(namespace, name, configHash string) string {
	digits := strings.TrimPrefix(configHash, "sha256:")
	return path.Join(namespace, name, digits[:min(hashDigits, len(digits))])
}

// Store is a dataset's folder. Several processes may have it open, as long as each row group is written by one of them.
type Store struct {
	root   Volume
	folder string
	layout *Layout
	// writer tells the temporary files of this Store from those of other processes that write in the same folder.
	writer string
	// fence is this process's right to write, where it has taken one.
	fence *Fence
}

// Open opens the dataset in a folder below root, and makes the folder. The layout may be nil for who only reads manifests. Its errors are
// failure.Error.
func Open(root, folder string, layout *Layout) (*Store, error) {
	output, err := os.OpenRoot(root)
	if err != nil {
		return nil, fail(err, "opening the output volume")
	}
	defer output.Close()
	for _, below := range []string{parquetFolder, manifestFolder} {
		if err := output.MkdirAll(path.Join(folder, below), 0o755); err != nil {
			return nil, fail(err, "making the folder "+folder)
		}
	}
	opened, err := output.OpenRoot(folder)
	if err != nil {
		return nil, fail(err, "opening the folder "+folder)
	}
	return &Store{root: opened, folder: folder, layout: layout, writer: rand.Text()}, nil
}

// SetLayout sets the layout of a store that was opened before all its columns were known. No row group may have been committed by it.
func (s *Store) SetLayout(layout *Layout) { s.layout = layout }

// Close closes the folder.
func (s *Store) Close() error { return s.root.Close() }

// write writes a file so that after a crash at any moment either the old or the new one is there.
func (s *Store) write(name string, data []byte) error {
	if err := s.writeThen(name, data, s.root.Rename); err != nil {
		return fail(err, "writing "+name)
	}
	return nil
}

// create is write for a file that must not be there yet; with one that is, its error wraps fs.ErrExist.
func (s *Store) create(name string, data []byte) error {
	return s.writeThen(name, data, func(temporary, name string) error {
		// Unlike a rename, a link never replaces what another process has written in the meantime.
		err := s.root.Link(temporary, name)
		if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
			// A file system without links: the best is then that the last writer's file is there as a whole.
			return s.root.Rename(temporary, name)
		}
		_ = s.root.Remove(temporary)
		return err
	})
}

// writeThen writes and syncs a temporary file, and lets place give it its name.
func (s *Store) writeThen(name string, data []byte, place func(temporary, name string) error) error {
	temporary := name + "." + s.writer + temporarySuffix
	if err := s.writeTemporary(temporary, data); err != nil {
		// The space is given back, so that metadata can still be written to a full volume.
		_ = s.root.Remove(temporary)
		return err
	}
	if err := place(temporary, name); err != nil {
		return err
	}
	return s.syncFolder(path.Dir(name))
}

func (s *Store) writeTemporary(name string, data []byte) (err error) {
	file, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.Write(data); err != nil {
		return err
	}
	return file.Sync()
}

func (s *Store) syncFolder(name string) error {
	folder, err := s.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// fail classifies what the file system says. Starting again may help with all of it.
func fail(err error, doing string) *failure.Error {
	advice := "check the volume of the output"
	switch {
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		advice = "the volume is full: enlarge the claim, or delete what is no longer needed; everything that was committed is kept"
	case errors.Is(err, fs.ErrPermission):
		advice = "it can't be written by this user (65532 in Pods): change the owner of the files, or, of a volume, let its storage class honour fsGroup"
	case errors.Is(err, syscall.EROFS):
		advice = "the volume is mounted read-only"
	}
	result := failure.Wrap(err, v1alpha1.ReasonStorageFailed, failure.EndRun, "%s failed; %s", doing, advice)
	result.Temporary = true
	return result
}

// seedFile holds the digest of the seed from which the dataset is made.
const seedFile = "seed.sha256"

// PinSeed notes the digest of the seed at the first call, and from then on refuses any other: rows of two seeds must not be mixed. All
// shards of a run may call it at the same time.
func (s *Store) PinSeed(digest string) error {
	pinned, err := s.root.ReadFile(seedFile)
	if errors.Is(err, fs.ErrNotExist) {
		if err := s.create(seedFile, []byte(digest+"\n")); err != nil && !errors.Is(err, fs.ErrExist) {
			return fail(err, "writing "+seedFile)
		}
		pinned, err = s.root.ReadFile(seedFile)
	}
	if err != nil {
		return fail(err, "reading "+seedFile)
	}
	if strings.TrimSpace(string(pinned)) != digest {
		return failure.New(v1alpha1.ReasonSeedFailed, failure.EndRun,
			"the data of the seed has changed since this run began; put it back, or change spec.randomSeed to start a new run with the new data")
	}
	return nil
}
