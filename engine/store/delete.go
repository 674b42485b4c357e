package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// Delete deletes the datasets of all runs of a resource below the root of an output volume, and the folder of its namespace when nothing
// else is in it. That there are none is no error. Nothing may be writing to them. Its errors are failure.Error.
func Delete(root, namespace, name string) error {
	for _, part := range []string{namespace, name} {
		if part == "." || part != filepath.Base(part) || !filepath.IsLocal(part) {
			return fail(fmt.Errorf("%q is no name", part), "deleting the datasets")
		}
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
