package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/store/objects"
)

// Commit writes a row group: its files, and its manifest, which makes them count; all of it, or nothing. It sorts the records and fills in
// what the manifest says of them.
func (s *Store) Commit(manifest *Manifest, content Content) error {
	sortRecords(content.Records)
	if content.Layout == nil {
		content.Layout = s.layout
	}
	if s.mayBeNew(manifest, &content) {
		if err := s.commitNew(manifest, &content); !errors.Is(err, errTaken) {
			return err
		}
	}
	return s.commitOver(manifest, &content)
}

// commitOver commits a row group that may be there already.
//
// The files first get names that nobody reads; once the next manifest is there beside them, a crash can only delay the commit: whoever
// looks at the row group next gives the files their names. The manifest takes the place of the one that was there when the commit began,
// and of no other: that of a process that has taken over meanwhile stays.
func (s *Store) commitOver(manifest *Manifest, content *Content) error {
	if err := s.guard(); err != nil {
		return err
	}
	before, err := s.version(manifest.path())
	if err != nil {
		return err
	}
	files := content.files()
	encoded, err := s.encodeGroup(manifest, content, files)
	if err != nil {
		return err
	}
	for _, object := range encoded {
		if err := s.put(object.name+nextSuffix, object.data); err != nil {
			s.abandon(manifest)
			return err
		}
	}
	// Encoding and writing take their time: another process may have taken over in it.
	if err := s.guard(); err != nil {
		return err
	}
	// A file that is gone before it has its name was taken away by a process that has lost its right.
	if err := s.adopt(manifest, before, false); err != nil {
		return err
	}
	return s.removeStale(manifest, files)
}

// encoded is an object of a row group as it is written.
type encoded struct {
	name string
	data []byte
}

// encodeGroup encodes the files of a row group, and last its manifest, in which it notes what they are.
func (s *Store) encodeGroup(manifest *Manifest, content *Content, files []File) ([]encoded, error) {
	manifest.Version = manifestVersion
	manifest.Rows = content.rows()
	manifest.File, manifest.SHA256, manifest.RowsSHA256, manifest.Bytes, manifest.Files = "", "", "", 0, nil
	manifest.Identities = content.identities()
	var all []encoded
	for _, file := range files {
		if file.rows() == 0 {
			continue
		}
		object, err := s.encodeFile(manifest, file)
		if err != nil {
			return nil, failure.Wrap(err, v1alpha1.ReasonInternalError, failure.EndRun,
				"encoding row group %d as Parquet, for %s", manifest.Index, file.Folder)
		}
		all = append(all, object)
	}
	data, err := seal(manifest)
	if err != nil {
		return nil, failure.Wrap(err, v1alpha1.ReasonInternalError, failure.EndRun, "encoding the manifest of row group %d", manifest.Index)
	}
	return append(all, encoded{manifest.path(), data}), nil
}

// encodeFile encodes a file of a row group, and notes in the manifest what it is.
func (s *Store) encodeFile(manifest *Manifest, file File) (encoded, error) {
	var buffer bytes.Buffer
	if err := s.encode(&buffer, file); err != nil {
		return encoded{}, err
	}
	entry := FileEntry{Path: batchPath(file.Folder, manifest.Index), SHA256: checksum(buffer.Bytes()), Bytes: int64(buffer.Len())}
	if file.Identities != nil {
		entry.Rows, entry.Identities = file.rows(), file.Identities
	}
	if file.main {
		manifest.File, manifest.SHA256, manifest.Bytes = entry.Path, entry.SHA256, entry.Bytes
		manifest.RowsSHA256 = rowsSHA256(file.Schema, buffer.Bytes())
	} else {
		manifest.Files = append(manifest.Files, entry)
	}
	return encoded{entry.Path, buffer.Bytes()}, nil
}

func (s *Store) encode(to *bytes.Buffer, file File) error {
	if file.Columns != nil {
		return s.layout.Writer.WriteColumns(to, file.Schema, file.Columns.Of, file.Columns.Rows)
	}
	return s.layout.Writer.Write(to, file.Schema, file.Rows)
}

// abandon gives back the space of a commit that can't be finished.
func (s *Store) abandon(manifest *Manifest) {
	for _, file := range manifest.all() {
		_ = s.volume.Remove(file.Path + nextSuffix)
	}
}

func (s *Store) version(name string) (objects.Version, error) {
	version, err := s.volume.Version(name)
	if err != nil {
		return "", fail(err, "reading "+name)
	}
	return version, nil
}

// adopt gives the files of a commit, and then its manifest, their names. The manifest that it takes the place of has the version. Of a
// commit that was cut off, some files may have theirs already.
func (s *Store) adopt(manifest *Manifest, before objects.Version, wasCutOff bool) error {
	doing := fmt.Sprintf("committing row group %d", manifest.Index)
	for _, file := range manifest.all() {
		err := s.volume.Move(file.Path+nextSuffix, file.Path)
		if err != nil && !(wasCutOff && errors.Is(err, fs.ErrNotExist)) {
			return fail(err, doing)
		}
	}
	err := s.volume.MoveOver(manifest.path()+nextSuffix, manifest.path(), before)
	if errors.Is(err, objects.ErrChanged) {
		// By one that has the right to write now; else by one that had lost it.
		if lost := s.guard(); lost != nil {
			return lost
		}
	}
	if err != nil {
		return fail(err, doing)
	}
	return nil
}

// removeStale removes the files that the row group had before, and has no more: a reader of the folder must not take them for a part of
// the dataset.
func (s *Store) removeStale(manifest *Manifest, files []File) error {
	for _, file := range files {
		if file.rows() > 0 {
			continue
		}
		if err := s.remove(batchPath(file.Folder, manifest.Index)); err != nil {
			return err
		}
	}
	return nil
}

// Group returns the manifest of a committed row group whose files are as they were written, or nil when there is none. The note says, of a
// group that is there but can't be used, why not. A commit that was cut off after its files were written is completed here.
func (s *Store) Group(index int64) (manifest *Manifest, note string, err error) {
	manifest, note, err = s.group(manifestPath(index), index)
	if manifest != nil {
		s.found.Store(index, true)
	}
	return manifest, note, err
}

func (s *Store) group(name string, index int64) (manifest *Manifest, note string, err error) {
	manifest, note, err = s.verified(name, index, "")
	if err != nil || manifest != nil {
		return manifest, note, err
	}
	before, err := s.version(name)
	if err != nil {
		return nil, "", err
	}
	if note == "" && before != "" { // it was committed meanwhile, or a new one was cut off
		if manifest, note, err = s.verified(name, index, ""); err != nil || manifest != nil || note != "" {
			return manifest, note, err
		}
	}
	next, _, err := s.verified(name+nextSuffix, index, nextSuffix)
	if err != nil || next == nil {
		return nil, note, err
	}
	if err := s.adopt(next, before, true); errors.Is(err, objects.ErrChanged) || errors.Is(err, fs.ErrNotExist) {
		return s.verified(name, index, "") // the one that has begun the commit has ended it meanwhile
	} else if err != nil {
		return nil, "", err
	}
	return next, "", nil
}

// verified returns a manifest whose files are as it says, each under its name, or under that with the suffix.
func (s *Store) verified(name string, index int64, suffix string) (*Manifest, string, error) {
	manifest, err := s.readManifest(name, index)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, "", nil
	case errors.Is(err, errManifest):
		return nil, err.Error(), nil
	case err != nil:
		return nil, "", fail(err, "reading "+name)
	}
	for _, file := range manifest.all() {
		rows := manifest.Rows
		if file.Identities != nil {
			rows = file.Rows
		}
		note, err := s.check(file, file.Path, rows)
		if suffix == "" && note == missing(manifest.File) && s.Pace().MoveCopies {
			return nil, "", err // the commit of a new row group was cut off
		}
		if note != "" && suffix != "" && err == nil {
			note, err = s.check(file, file.Path+suffix, rows)
		}
		if note != "" || err != nil {
			return nil, note, err
		}
	}
	return manifest, "", nil
}

// missing is what is wrong with a file that is not there.
func missing(name string) string { return name + " is missing" }

// check says what is wrong with a file that is to have so many rows.
func (s *Store) check(file FileEntry, name string, rows int64) (note string, err error) {
	data, err := s.volume.Get(name)
	if errors.Is(err, fs.ErrNotExist) {
		return missing(name), nil
	}
	if err != nil {
		return "", fail(err, "reading "+name)
	}
	if checksum(data) != file.SHA256 {
		return fmt.Sprintf("%s is not as it was written (it has %d bytes, %d were written)", name, len(data), file.Bytes), nil
	}
	if found, err := parquetfile.RowCount(data); err != nil || found != rows {
		return fmt.Sprintf("%s has %d rows, but its manifest counts %d", name, found, rows), nil
	}
	return "", nil
}
