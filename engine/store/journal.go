package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path"

	"seedloom.dev/seedloom/engine/journal"
	"seedloom.dev/seedloom/engine/store/objects"
)

// journalFolder holds the finished cells of row groups that are being made. A row group that is committed as a whole has none.
const journalFolder = engineFolder + "/journal"

func journalPath(index int64) string {
	return path.Join(journalFolder, fmt.Sprintf("%05d.jsonl", index))
}

// ReadJournal returns the journal of a row group as it stands on the volume, or nil when there is none.
func (s *Store) ReadJournal(index int64) ([]byte, error) {
	data, err := s.volume.ReadLog(journalPath(index))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fail(err, "reading "+journalPath(index))
	}
	return data, nil
}

// OpenJournal opens the journal of a row group for appending, and creates it where there is none. Only its first bytes count: the rest, a
// line that was cut off, is removed. The caller closes it.
func (s *Store) OpenJournal(index, valid int64) (journal.File, error) {
	file, err := s.volume.Append(journalPath(index), valid)
	if err != nil {
		return nil, fail(err, "opening "+journalPath(index))
	}
	return file, nil
}

// JournalFailed classifies a failure to write to the journal of a row group.
func JournalFailed(err error, index int64) error { return fail(err, "writing "+journalPath(index)) }

// RemoveJournal removes the journal of a row group, if there is one.
func (s *Store) RemoveJournal(index int64) error {
	if err := s.volume.RemoveLog(journalPath(index)); err != nil {
		return fail(err, "removing "+journalPath(index))
	}
	return nil
}

// Pace is how the volume is best worked with.
func (s *Store) Pace() objects.Pace { return s.volume.Pace() }

// removeJournals removes what is left of the journals of a dataset to which nothing is missing any more.
func (s *Store) removeJournals() error { return s.removeAll(journalFolder) }
