package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"seedloom.dev/seedloom/engine/journal"
)

// journalFolder holds the finished cells of row groups that are being made. A row group that is committed as a whole has none.
const journalFolder = "journal"

func journalPath(index int64) string {
	return path.Join(journalFolder, fmt.Sprintf("%05d.jsonl", index))
}

// ReadJournal returns the journal of a row group as it stands in the file, or nil when there is none.
func (s *Store) ReadJournal(index int64) ([]byte, error) {
	data, err := s.root.ReadFile(journalPath(index))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fail(err, "reading "+journalPath(index))
	}
	return data, nil
}

// OpenJournal opens the journal of a row group for appending, and makes it where there is none. The caller closes it.
func (s *Store) OpenJournal(index int64) (journal.File, error) {
	if err := s.root.Mkdir(journalFolder, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fail(err, "making the folder "+journalFolder)
	}
	file, err := s.root.OpenFile(journalPath(index), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fail(err, "opening "+journalPath(index))
	}
	return file, nil
}

// JournalFailed classifies a failure to write to the journal of a row group.
func JournalFailed(err error, index int64) error { return fail(err, "writing "+journalPath(index)) }

// RemoveJournal removes the journal of a row group, if there is one.
func (s *Store) RemoveJournal(index int64) error {
	if err := s.root.Remove(journalPath(index)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fail(err, "removing "+journalPath(index))
	}
	return nil
}

// removeJournals removes what is left of the journals of a dataset to which nothing is missing any more.
func (s *Store) removeJournals() error {
	if err := s.root.RemoveAll(journalFolder); err != nil {
		return fail(err, "removing "+journalFolder)
	}
	return nil
}
