package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"seedloom.dev/seedloom/engine/store/s3"
)

// Delete deletes the datasets of all runs of a resource below the root of an output volume, and the folder of its namespace when nothing
// else is in it. That there are none is no error. Nothing may be writing to them. Its errors are failure.Error.
func Delete(root, namespace, name string) error {
	if err := checkNames(namespace, name); err != nil {
		return err
	}
	volume, err := os.OpenRoot(root)
	if err != nil {
		return fail(err, "opening the output volume")
	}
	defer volume.Close()
	if err := volume.RemoveAll(path.Join(namespace, name)); err != nil {
		return fail(err, "deleting the folder "+path.Join(namespace, name)+" of the output volume")
	}
	entries, err := fs.ReadDir(volume.FS(), namespace)
	switch {
	case errors.Is(err, fs.ErrNotExist) || len(entries) > 0:
		return nil
	case err != nil:
		return fail(err, "reading the folder "+namespace+" of the output volume")
	}
	if err := volume.Remove(namespace); err != nil && !errors.Is(err, fs.ErrNotExist) {
		// Another resource of the namespace may have begun to write there.
		if entries, again := fs.ReadDir(volume.FS(), namespace); again == nil && len(entries) > 0 {
			return nil
		}
		return fail(err, "deleting the folder "+namespace+" of the output volume")
	}
	return nil
}

// DeleteFromBucket deletes the datasets of all runs of a resource in a bucket. That there are none is no error. Nothing may be writing to
// them. Its errors are failure.Error.
func DeleteFromBucket(ctx context.Context, location *s3.Location, namespace, name string) error {
	if err := checkNames(namespace, name); err != nil {
		return err
	}
	folder := path.Join(namespace, name)
	if err := s3.RemoveTree(ctx, location, folder); err != nil {
		return fail(err, "deleting the folder "+folder+" of "+location.String())
	}
	return nil
}

// checkNames refuses names that lead elsewhere.
func checkNames(names ...string) error {
	for _, part := range names {
		if part == "." || part != filepath.Base(part) || !filepath.IsLocal(part) {
			return fail(fmt.Errorf("%q is no name", part), "deleting the datasets")
		}
	}
	return nil
}
