package store

import (
	"errors"
	"io/fs"
	"slices"
)

// errTaken says that something lies already where a new row group was to be written.
var errTaken = errors.New("something is there already")

// mayBeNew says whether a row group is to be committed as a new one. One without rows has no file that could make it count.
func (s *Store) mayBeNew(manifest *Manifest, content *Content) bool {
	if !s.Pace().MoveCopies || manifest.Source != "" || content.rows() == 0 {
		return false
	}
	_, found := s.found.Load(manifest.Index)
	return !found
}

// commitNew commits a row group of which nothing is there: each of its objects is written once, under its name. A write is refused where
// something is, by a process that has taken over, or that was killed; the error is then errTaken, and nothing of others was touched.
//
// The manifest comes first, and the file with the rows last. Until it is there, the manifest counts for nothing: whoever makes the row
// group next replaces it by commitOver, and Finalize removes it. So a reader of the rows' folder meets none that don't count, whatever is
// killed, and the right to write is checked between the manifest and what makes it count.
func (s *Store) commitNew(manifest *Manifest, content *Content) error {
	if s.fence != nil {
		if err := s.fence.Lost(); err != nil {
			return err
		}
	}
	objects, err := s.encodeGroup(manifest, content, content.files())
	if err != nil {
		return err
	}
	slices.Reverse(objects) // the manifest was encoded last, and the file with the rows first
	for number, object := range objects {
		if number == 1 {
			// Encoding and writing take their time: another process may have taken over in it.
			if err := s.guard(); err != nil {
				return err
			}
		}
		err := s.volume.PutNew(object.name, object.data)
		if errors.Is(err, fs.ErrExist) {
			return errTaken
		}
		if err != nil {
			return fail(err, "writing "+object.name)
		}
	}
	return nil
}
