package store

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

const manifestVersion = 2

// errManifest says that a manifest can't be used.
var errManifest = errors.New("the manifest is damaged")

// Manifest describes a committed row group.
type Manifest struct {
	Version int   `json:"version"`
	Index   int64 `json:"index"`
	// Start and End bound the rows that were asked for: Start <= row < End.
	Start table.RowIndex `json:"start"`
	End   table.RowIndex `json:"end"`
	// Rows is the number of records in the file; File is empty when there are none.
	Rows   int64  `json:"rows"`
	File   string `json:"file,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
	// RowsSHA256 is the digest of what the file holds, whichever run has written it; manifests of older engines have none.
	RowsSHA256 string `json:"rowsSHA256,omitempty"`
	Bytes      int64  `json:"bytes"`
	// Files are the further files of the row group: its dropped columns, and what processors have made.
	Files []FileEntry `json:"files,omitempty"`
	// Columns and Models count cells and requests, over all attempts.
	Columns []runreport.Column `json:"columns"`
	Models  []runreport.Model  `json:"models,omitempty"`
	Dropped []DroppedRow       `json:"dropped,omitempty"`
	// Added and Filtered are what resizes have done.
	Added    int64 `json:"added,omitempty"`
	Filtered int64 `json:"filtered,omitempty"`
	// Missing are rows that were never tried to their end.
	Missing []RowRange `json:"missing,omitempty"`
	// JournalBytes is how much of the row group's journal is counted in Models.
	JournalBytes int64  `json:"journalBytes,omitempty"`
	Mode         string `json:"mode"`
	// Source names, in the manifest of what was made of a row group when the run was finalized, the row group's content. Such a manifest
	// counts only what was done then.
	Source  string `json:"source,omitempty"`
	Attempt int32  `json:"attempt"`
	// Identities say which record is which row.
	Identities Identities `json:"identities"`
}

// FileEntry describes a file.
type FileEntry struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
	// Rows and Identities say, of a file that a processor has made, which of its rows is which; there are none where it has the rows of the
	// dataset.
	Rows       int64      `json:"rows,omitempty"`
	Identities Identities `json:"identities,omitempty"`
}

// all are all files of the row group.
func (m *Manifest) all() []FileEntry {
	if m.File == "" {
		return m.Files
	}
	return append([]FileEntry{{Path: m.File, SHA256: m.SHA256, Bytes: m.Bytes}}, m.Files...)
}

// file returns the further file that lies in a folder, or nil.
func (m *Manifest) file(folder string) *FileEntry {
	for i := range m.Files {
		if path.Dir(m.Files[i].Path) == folder {
			return &m.Files[i]
		}
	}
	return nil
}

// RowRange is a range of rows: Start <= row < End.
type RowRange struct {
	Start table.RowIndex `json:"start"`
	End   table.RowIndex `json:"end"`
	// Attempt is the attempt at which rows that are missing go on: those before it have failed.
	Attempt int32 `json:"attempt,omitempty"`
}

// DroppedRow is a row that was given up.
type DroppedRow struct {
	Row table.RowIndex `json:"row"`
	// SeedRow is the row of the seed that belongs to it.
	SeedRow *int64 `json:"seed_row,omitempty"`
	// Column and Reason say what caused it, Message is the last failure's.
	Column   string `json:"column"`
	Reason   string `json:"reason"`
	Attempts int32  `json:"attempts"`
	Message  string `json:"message"`
}

// Identities are the rows, ordinals and attempts of a file's records: runs of consecutive rows, each as
// "start-end" or "row.ordinal", with "@attempt" when the row was not made at the first attempt.
type Identities []string

type recordIdentity struct {
	Row              table.RowIndex
	Ordinal, Attempt int32
}

func identitiesOf(records []*table.Record) Identities {
	var identities Identities
	for i := 0; i < len(records); {
		first := records[i]
		end := i + 1
		for end < len(records) && first.Ordinal == 0 && records[end].Ordinal == 0 && records[end].Attempt == first.Attempt &&
			records[end].Row == first.Row+table.RowIndex(end-i) {
			end++
		}
		text := strconv.FormatInt(int64(first.Row), 10)
		if first.Ordinal > 0 {
			text += "." + strconv.Itoa(int(first.Ordinal))
		} else if end > i+1 {
			text += "-" + strconv.FormatInt(int64(first.Row)+int64(end-i), 10)
		}
		if first.Attempt > 0 {
			text += "@" + strconv.Itoa(int(first.Attempt))
		}
		identities = append(identities, text)
		i = end
	}
	return identities
}

// identitiesOfRange are those of consecutive rows that were made at their first attempt.
func identitiesOfRange(first table.RowIndex, rows int) Identities {
	text := strconv.FormatInt(int64(first), 10)
	if rows > 1 {
		text += "-" + strconv.FormatInt(int64(first)+int64(rows), 10)
	}
	return Identities{text}
}

// records returns empty records with these identities, of which there are so many.
func (identities Identities) records(schema *table.Schema, count int64) ([]*table.Record, error) {
	all, err := identities.all(count)
	if err != nil || int64(len(all)) != count {
		return nil, errManifest
	}
	records := make([]*table.Record, len(all))
	for i, identity := range all {
		records[i] = table.NewRecord(schema, identity.Row, identity.Attempt)
		records[i].Ordinal = identity.Ordinal
	}
	return records, nil
}

// all returns the identity of each record of a file with so many of them.
func (identities Identities) all(count int64) ([]recordIdentity, error) {
	var all []recordIdentity
	for _, text := range identities {
		rows, attemptText, _ := strings.Cut(text, "@")
		attempt, err := number(attemptText)
		if err != nil {
			return nil, err
		}
		rows, ordinalText, _ := strings.Cut(rows, ".")
		ordinal, err := number(ordinalText)
		if err != nil {
			return nil, err
		}
		startText, endText, isRange := strings.Cut(rows, "-")
		start, err := number(startText)
		if err != nil {
			return nil, err
		}
		end := start + 1
		if isRange {
			if end, err = number(endText); err != nil {
				return nil, err
			}
		}
		if end-start > count-int64(len(all)) {
			return nil, errManifest
		}
		for row := start; row < end; row++ {
			all = append(all, recordIdentity{table.RowIndex(row), int32(ordinal), int32(attempt)})
		}
	}
	return all, nil
}

func number(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	return strconv.ParseInt(text, 10, 64)
}

func manifestPath(index int64) string {
	return path.Join(manifestFolder, fmt.Sprintf("%05d.json", index))
}

func batchPath(folder string, index int64) string {
	extension := "parquet"
	if folder == manifestFolder {
		extension = "rows" // some readers look for Parquet files in hidden folders too
	}
	return path.Join(folder, fmt.Sprintf("batch_%05d.%s", index, extension))
}

// completeCommits completes the commits that were cut off after their files were written.
func (s *Store) completeCommits() error {
	entries, err := s.list(manifestFolder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		digits, isNext := strings.CutSuffix(entry.Name, ".json"+nextSuffix)
		index, err := strconv.ParseInt(digits, 10, 64)
		if !isNext || err != nil {
			continue
		}
		if _, _, err := s.Group(index); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) readManifest(name string, index int64) (*Manifest, error) {
	data, err := s.volume.Get(name)
	if err != nil {
		return nil, err
	}
	var manifest Manifest
	if err := unseal(data, &manifest); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errManifest, name, err)
	}
	if manifest.Version != manifestVersion || manifest.Index != index {
		return nil, fmt.Errorf("%w: %s has version %d and index %d", errManifest, name, manifest.Version, manifest.Index)
	}
	if problem := manifest.problem(); problem != "" {
		return nil, fmt.Errorf("%w: %s: %s", errManifest, name, problem)
	}
	return &manifest, nil
}

// problem says which numbers of the manifest can't be; empty when all can.
func (m *Manifest) problem() string {
	switch {
	case m.Start < 0 || m.End < m.Start:
		return fmt.Sprintf("its rows go from %d to %d", m.Start, m.End)
	case m.Rows < 0 || (m.Rows > 0) != (m.File != ""):
		return fmt.Sprintf("it has %d records in the file %q", m.Rows, m.File)
	case m.Added < 0 || m.Filtered < 0 || m.JournalBytes < 0:
		return fmt.Sprintf("%d records were added, %d filtered, and %d bytes are of the journal", m.Added, m.Filtered, m.JournalBytes)
	}
	if identities, err := m.Identities.all(m.Rows); err != nil || int64(len(identities)) != m.Rows {
		return fmt.Sprintf("it names other records than the %d that it counts", m.Rows)
	}
	for _, missing := range m.Missing {
		if missing.Start < m.Start || missing.End > m.End || missing.End < missing.Start {
			return fmt.Sprintf("the rows from %d to %d are missing of those from %d to %d", missing.Start, missing.End, m.Start, m.End)
		}
	}
	for _, dropped := range m.Dropped {
		if dropped.Row < m.Start || dropped.Row >= m.End {
			return fmt.Sprintf("row %d was dropped of those from %d to %d", dropped.Row, m.Start, m.End)
		}
	}
	return ""
}

// manifests returns all manifests of which the volume has whole ones, in the order of their row groups, but for those of commits that were
// cut off.
func (s *Store) manifests() ([]*Manifest, error) {
	manifests, _, err := s.committed()
	return manifests, err
}

// committed returns the manifests of row groups that were committed, and those that a process was killed over before it had written the
// file with the rows, as it may in a bucket. In a dataset that has its mark of success there are none of these: of a file that is gone
// from it, who reads it is told. With an error come those that could be read.
func (s *Store) committed() (whole, cutOff []*Manifest, err error) {
	manifests, unreadable := s.readableManifests()
	if !s.Pace().MoveCopies {
		return manifests, nil, unreadable
	}
	finished, err := s.version(successFile)
	if err != nil || finished != "" {
		return manifests, nil, cmp.Or(unreadable, err)
	}
	there := s.listing()
	for _, manifest := range manifests {
		written := manifest.File == ""
		if !written {
			if written, err = there(manifest.File); err != nil {
				return nil, nil, err
			}
		}
		if written {
			whole = append(whole, manifest)
		} else {
			cutOff = append(cutOff, manifest)
		}
	}
	return whole, cutOff, unreadable
}

// readableManifests are those that the volume lets be read; the error is the first one of those that it doesn't.
func (s *Store) readableManifests() (manifests []*Manifest, unreadable error) {
	entries, err := s.list(manifestFolder)
	if err != nil {
		return nil, err
	}
	var indexes []int64
	for _, entry := range entries {
		if index, err := strconv.ParseInt(strings.TrimSuffix(entry.Name, ".json"), 10, 64); err == nil { // others are left over from a crash
			indexes = append(indexes, index)
		}
	}
	slices.Sort(indexes)
	read := make([]*Manifest, len(indexes))
	errs := make([]error, len(indexes))
	s.each(len(indexes), func(i int) { read[i], errs[i] = s.readManifest(manifestPath(indexes[i]), indexes[i]) })
	for i, err := range errs {
		switch {
		case err == nil:
			manifests = append(manifests, read[i])
		case !errors.Is(err, errManifest) && unreadable == nil:
			unreadable = fail(err, fmt.Sprintf("reading the manifest of row group %d", indexes[i]))
		}
	}
	return manifests, unreadable
}

// each calls a function for each of so many numbers, as many at once as the volume makes the best of.
func (s *Store) each(count int, call func(number int)) {
	slots := make(chan struct{}, max(1, s.Pace().Writers))
	var all sync.WaitGroup
	for number := range count {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			call(number)
		})
	}
	all.Wait()
}

// Groups returns the indexes of the row groups that the store has something of, ascending. It lists, and reads nothing.
func (s *Store) Groups() ([]int64, error) {
	entries, err := s.list(manifestFolder)
	if err != nil {
		return nil, err
	}
	var groups []int64
	for _, entry := range entries {
		digits, isManifest := strings.CutSuffix(strings.TrimSuffix(entry.Name, nextSuffix), ".json")
		if index, err := strconv.ParseInt(digits, 10, 64); isManifest && err == nil {
			groups = append(groups, index)
		}
	}
	slices.Sort(groups)
	return slices.Compact(groups), nil
}
