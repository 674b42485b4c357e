// Package repository finds and fetches the files of a seed that lie in a dataset repository of a hub: those that paths name, or those that
// make up a configuration and a split of the dataset, as its card or the names of its files say. How a hub is talked to is the concern of
// package hub, and what is in the files is not known here.
package repository

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/hub"
	"seedloom.dev/seedloom/engine/seed/files"
	"seedloom.dev/seedloom/engine/seed/remote"
)

// Choice is what was chosen of a repository.
type Choice struct {
	// Address is the page of the repository, and Commit what is read of it.
	Address, Commit string
	// Config and Split are empty where paths name the files.
	Config, Split string
	// Files are the files, in their order.
	Files []files.File
}

// Options say how a repository is read.
type Options struct {
	Source hub.Source
	// Pin returns the commit that a run has begun with, or else the one that a function looks up, which it notes. It may be nil.
	Pin func(lookUp func() (string, error)) (commit string, err error)
	// Chosen is called with what was chosen. It may be nil.
	Chosen func(*Choice)
}

// Repository is a repository with files of a seed.
type Repository struct {
	spec *v1alpha1.HuggingFaceSeed
	// format is the format that is asked for; empty where the names of files tell.
	format  v1alpha1.SeedFormat
	options Options
	reader  *hub.Reader

	mutex sync.Mutex
	// commit is what is read; empty before it is known.
	commit string
	// found are the files that were listed, by their paths, and listed are the folders that were.
	found  map[string]hub.Listed
	listed map[listing][]hub.Listed
}

// listing is a folder that was listed.
type listing struct {
	folder    string
	recursive bool
}

var _ remote.Place = (*Repository)(nil)

// Open opens a repository. No request is sent yet. Its errors are remote.Error.
func Open(spec *v1alpha1.Seed, options Options) (*Repository, error) {
	reader, err := hub.OpenReader(options.Source)
	if err != nil {
		return nil, failed(err)
	}
	return &Repository{
		spec: spec.HuggingFace, format: spec.Format, options: options, reader: reader, found: map[string]hub.Listed{},
		listed: map[listing][]hub.Listed{},
	}, nil
}

// Close implements remote.Place.
func (r *Repository) Close() error { return r.reader.Close() }

// List implements remote.Place. Without patterns, the files are those of the configuration and the split.
func (r *Repository) List(ctx context.Context, patterns ...string) ([]files.File, error) {
	if err := r.pin(ctx); err != nil {
		return nil, err
	}
	choice := &Choice{Address: r.reader.Address(), Commit: r.commit}
	var err error
	if len(patterns) > 0 {
		choice.Files, err = files.ListFlat(ctx, r, patterns...)
		err = r.withNames(ctx, err)
	} else {
		err = r.choose(ctx, choice)
	}
	if err != nil {
		return nil, err
	}
	if r.options.Chosen != nil {
		r.options.Chosen(choice)
	}
	return choice.Files, nil
}

// withNames says of a pattern that matches nothing what there is instead.
func (r *Repository) withNames(ctx context.Context, err error) error {
	var none *files.NoneError
	if !errors.As(err, &none) {
		return err
	}
	all, problem := r.folder(ctx, "", true)
	if problem != nil || len(all) == 0 {
		return err
	}
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].Path
	}
	return fmt.Errorf("no file matches %q; it has %s", none.Pattern, listed(names))
}

// pin finds the commit that is read.
func (r *Repository) pin(ctx context.Context) (err error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.commit != "" {
		return nil
	}
	lookUp := func() (string, error) {
		commit, err := r.reader.Commit(ctx, r.spec.EffectiveRevision())
		return commit, failed(err)
	}
	if r.options.Pin == nil {
		r.commit, err = lookUp()
	} else {
		r.commit, err = r.options.Pin(lookUp)
	}
	return err
}

// File implements files.Flat.
func (r *Repository) File(ctx context.Context, name string) (files.File, error) {
	folder := path.Dir(path.Clean(name))
	if folder == "." {
		folder = ""
	}
	listed, err := r.folder(ctx, folder, false)
	if err != nil {
		return files.File{}, err
	}
	at := slices.IndexFunc(listed, func(file hub.Listed) bool { return file.Path == path.Clean(name) })
	if at < 0 {
		return files.File{}, fs.ErrNotExist
	}
	return fileOf(listed[at]), nil
}

// Below implements files.Flat.
func (r *Repository) Below(ctx context.Context, prefix string, right bool, found func(files.File) error) error {
	listed, err := r.folder(ctx, strings.TrimSuffix(prefix, "/"), !right)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, file := range listed {
		if err := found(fileOf(file)); err != nil {
			return err
		}
	}
	return nil
}

// folder lists a folder, once.
func (r *Repository) folder(ctx context.Context, folder string, recursive bool) ([]hub.Listed, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	wanted := listing{folder, recursive}
	if listed, known := r.listed[wanted]; known {
		return listed, nil
	}
	listed, err := r.reader.List(ctx, r.commit, folder, recursive)
	if hub.IsNoCommit(err) {
		return nil, fmt.Errorf("the commit %s, with which the run began, is not in the repository any more: %w", r.commit, remote.ErrChanged)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, failed(err)
	}
	slices.SortFunc(listed, func(a, b hub.Listed) int { return strings.Compare(a.Path, b.Path) })
	for _, file := range listed {
		r.found[file.Path] = file
	}
	r.listed[wanted] = listed
	return listed, nil
}

func fileOf(file hub.Listed) files.File {
	return files.File{Path: file.Path, Size: file.Bytes, Version: file.Digest}
}

// Fetch implements remote.Place.
func (r *Repository) Fetch(ctx context.Context, file files.File, to io.Writer) error {
	r.mutex.Lock()
	listed, known := r.found[file.Path]
	commit := r.commit
	r.mutex.Unlock()
	if !known {
		return fs.ErrNotExist
	}
	return failed(r.reader.Read(ctx, commit, listed, to))
}

// failed is an error of the hub as readers of seeds tell it from others.
func failed(err error) error {
	var problem *hub.ReadError
	if !errors.As(err, &problem) {
		return err
	}
	return &remote.Error{Err: problem, MayPass: problem.MayPass}
}
