// Package bucket finds and fetches the files of a seed that lie in a bucket. How a store is talked to is the concern of package s3, and
// what is in the files is not known here.
package bucket

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"seedloom.dev/seedloom/engine/seed/files"
	"seedloom.dev/seedloom/engine/seed/remote"
	"seedloom.dev/seedloom/engine/store/objects"
	"seedloom.dev/seedloom/engine/store/s3"
)

// Bucket is a bucket with files of a seed.
type Bucket struct{ reader *s3.Reader }

var _ remote.Place = Bucket{}

// Open opens a bucket. No request is sent yet.
func Open(ctx context.Context, location *s3.Location) (Bucket, error) {
	reader, err := s3.OpenReader(ctx, location)
	return Bucket{reader}, err
}

// Close implements remote.Place.
func (b Bucket) Close() error { return b.reader.Close() }

// List implements remote.Place.
func (b Bucket) List(ctx context.Context, patterns ...string) ([]files.File, error) {
	return files.ListFlat(ctx, b, patterns...)
}

// File implements files.Flat.
func (b Bucket) File(_ context.Context, name string) (files.File, error) {
	object, err := b.reader.Look(name)
	return fileOf(object), failed(err)
}

// Below implements files.Flat.
func (b Bucket) Below(_ context.Context, prefix string, right bool, found func(files.File) error) error {
	var refused error
	err := b.reader.List(prefix, right, func(object s3.Object) error {
		refused = found(fileOf(object))
		return refused
	})
	if refused != nil {
		return refused
	}
	return failed(err)
}

func fileOf(object s3.Object) files.File {
	return files.File{Path: object.Key, Size: object.Size, Modified: object.Modified, Version: object.Tag}
}

// Fetch implements remote.Place.
func (b Bucket) Fetch(_ context.Context, file files.File, to io.Writer) error {
	err := b.reader.Read(s3.Object{Key: file.Path, Size: file.Size, Tag: file.Version}, to)
	if errors.Is(err, objects.ErrChanged) {
		return remote.ErrChanged
	}
	return failed(err)
}

// failed is an error of the store as readers of seeds tell it from others. That there is no object stays what it is.
func failed(err error) error {
	var problem *s3.ReadError
	if !errors.As(err, &problem) || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return &remote.Error{Err: problem, MayPass: problem.MayPass}
}
