// Package store keeps a dataset on a volume: it commits row groups atomically, finds out what is already there, and writes the metadata
// that describes the whole. It knows nothing of how rows come about, nor of Kubernetes, nor of how a volume keeps objects (see package
// objects).
package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/store/objects"
	"seedloom.dev/seedloom/engine/store/posix"
	"seedloom.dev/seedloom/engine/store/s3"
)

// The names below a dataset's folder.
const (
	parquetFolder = "parquet-files"
	droppedFolder = "dropped-columns-parquet-files"
	formsFolder   = "processors-files"
	metadataFile  = "metadata.json"
	cardFile      = "README.md"
	configFile    = "builder_config.json"
	droppedFile   = "dropped-rows.jsonl"
	successFile   = "_SUCCESS"
	// engineFolder has what the engine keeps to go on: a name that readers of datasets skip.
	engineFolder   = ".seedloom"
	manifestFolder = engineFolder + "/row-groups"
	// latestName leads, beside the folders of all runs, to that of the last one that has ended with a dataset.
	latestName = "latest"
	// nextSuffix marks the manifest of a commit that is under way, and its files until they get their names.
	nextSuffix = ".next"
)

// Store is a dataset's folder. Several processes may have it open, as long as each row group is written by one of them.
type Store struct {
	volume objects.Volume
	folder string
	layout *Layout
	// fence is this process's right to write, where it has taken one.
	fence *Fence
	// found has the indexes of the row groups that were found committed.
	found sync.Map
}

// Volume is where a dataset lies.
type Volume = objects.Volume

// Open opens the dataset in a folder below a root in the file system, and creates the folder. The layout may be nil where only manifests
// are read. Its errors are failure.Error.
func Open(root, folder string, layout *Layout) (*Store, error) {
	volume, err := posix.Open(root, folder)
	if err != nil {
		return nil, fail(err, "opening the folder "+folder+" of the output volume")
	}
	return On(volume, folder, layout), nil
}

// OpenBucket opens the dataset in a folder of a bucket. Its errors are failure.Error.
func OpenBucket(ctx context.Context, location *s3.Location, folder string, layout *Layout) (*Store, error) {
	volume, err := s3.Open(ctx, location, folder)
	if err != nil {
		return nil, fail(err, "opening the folder "+folder+" of "+location.String())
	}
	return On(volume, folder, layout), nil
}

// Probe finds out, where the place of the dataset is one that not everybody builds alike, whether it can hold datasets. Its errors are
// failure.Error.
func (s *Store) Probe() error {
	place, is := s.volume.(interface{ Probe(folder string) error })
	if !is {
		return nil
	}
	err := place.Probe(fenceFolder) // where what a kill leaves is removed with the rest
	var unfit *s3.UnfitError
	if errors.As(err, &unfit) {
		return failure.Wrap(err, v1alpha1.ReasonObjectStoreUnfit, failure.EndRun, "%s", unfit)
	}
	if err != nil {
		return fail(err, "trying the object store")
	}
	return nil
}

// On returns the dataset on a volume, which it owns from then on. The folder is what the dataset is called to users.
func On(volume objects.Volume, folder string, layout *Layout) *Store {
	return &Store{volume: volume, folder: folder, layout: layout}
}

// Through has everything from now on go through what stands before the volume.
func (s *Store) Through(before func(Volume) Volume) { s.volume = before(s.volume) }

// SetLayout sets the layout of a store that was opened before all its columns were known. No row group may have been committed by it.
func (s *Store) SetLayout(layout *Layout) { s.layout = layout }

// Close closes the volume.
func (s *Store) Close() error { return s.volume.Close() }

// put writes an object.
func (s *Store) put(name string, data []byte) error {
	if err := s.volume.Put(name, data); err != nil {
		return fail(err, "writing "+name)
	}
	return nil
}

// get returns the content of an object; nil where there is none.
func (s *Store) get(name string) ([]byte, error) {
	data, err := s.volume.Get(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fail(err, "reading "+name)
	}
	return data, nil
}

func (s *Store) remove(name string) error {
	if err := s.volume.Remove(name); err != nil {
		return fail(err, "removing "+name)
	}
	return nil
}

func (s *Store) removeAll(folder string) error {
	if err := s.volume.RemoveAll(folder); err != nil {
		return fail(err, "removing "+folder)
	}
	return nil
}

func (s *Store) list(folder string) ([]objects.Entry, error) {
	entries, err := s.volume.List(folder)
	if err != nil {
		return nil, fail(err, "listing "+folder)
	}
	return entries, nil
}

// putOwned is put for an object that describes the dataset as a whole: another process may take over at any moment, and then has written a
// newer one. What that one wrote is never replaced.
func (s *Store) putOwned(name string, data []byte) error {
	for {
		version, err := s.volume.Version(name)
		if err != nil {
			return fail(err, "reading "+name)
		}
		if err := s.guard(); err != nil {
			return err
		}
		err = s.volume.Replace(name, data, version)
		if errors.Is(err, objects.ErrChanged) {
			continue // by one that has the right to write now; else by one that had lost it
		}
		if err != nil {
			return fail(err, "writing "+name)
		}
		return nil
	}
}

// fail classifies what the volume says. Starting again may help with all of it.
func fail(err error, doing string) *failure.Error {
	advice := "check the volume of the output"
	var advised interface {
		error
		Advice() string
	}
	switch {
	case errors.As(err, &advised):
		advice = advised.Advice()
	case errors.Is(err, objects.ErrFull):
		advice = "the volume is full: enlarge the claim, or delete what is no longer needed; everything that was committed is kept"
	case errors.Is(err, fs.ErrPermission):
		advice = "it can't be written by this user (65532 in Pods): change the owner of the files, or, of a volume, " +
			"let its storage class honour fsGroup"
	case errors.Is(err, objects.ErrReadOnly):
		advice = "the volume is mounted read-only"
	}
	result := failure.Wrap(err, v1alpha1.ReasonStorageFailed, failure.EndRun, "%s failed; %s", doing, advice)
	result.Temporary = true
	return result
}

// seedFile holds the digest of the seed from which the dataset is made.
const seedFile = engineFolder + "/seed.sha256"

// commitFile holds the commit of a repository of which the seed is read.
const commitFile = engineFolder + "/seed.commit"

// PinCommit returns the commit with which the run has begun; where it begins, that is the one that a function looks up, and is noted. All
// shards of a run may call it at the same time.
func (s *Store) PinCommit(lookUp func() (string, error)) (string, error) {
	pinned, err := s.get(commitFile)
	if err != nil {
		return "", err
	}
	if pinned == nil {
		commit, err := lookUp()
		if err != nil {
			return "", err
		}
		if err := s.volume.PutNew(commitFile, []byte(commit+"\n")); err != nil && !errors.Is(err, fs.ErrExist) {
			return "", fail(err, "writing "+commitFile)
		}
		if pinned, err = s.get(commitFile); err != nil {
			return "", err
		}
	}
	return strings.TrimSpace(string(pinned)), nil
}

// PinSeed notes the digest of the seed at the first call, and from then on refuses any other: rows of two seeds must not be mixed. All
// shards of a run may call it at the same time. The description says in words which data it is; it is empty where there are none.
func (s *Store) PinSeed(digest, description string) error {
	pinned, err := s.get(seedFile)
	if err != nil {
		return err
	}
	if pinned == nil {
		text := strings.TrimSuffix(digest+"\n"+description, "\n") + "\n"
		if err := s.volume.PutNew(seedFile, []byte(text)); err != nil && !errors.Is(err, fs.ErrExist) {
			return fail(err, "writing "+seedFile)
		}
		if pinned, err = s.get(seedFile); err != nil {
			return err
		}
	}
	before, described, _ := strings.Cut(string(pinned), "\n")
	if strings.TrimSpace(before) == digest {
		return nil
	}
	versions := ""
	if described = strings.TrimSpace(described); described != "" && description != "" && described != description {
		versions = fmt.Sprintf(" (then it was %s, now it is %s)", described, description)
	}
	return failure.New(v1alpha1.ReasonSeedChanged, failure.EndRun,
		"the data of the seed, or the types of its columns, or a dataset of people, have changed since this run began%s; "+
			"put the data back, say the types in spec.seed.columns, or change spec.randomSeed to start a new run with the new data", versions)
}
