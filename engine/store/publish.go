package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/table"
)

// Published is what is made of the records of a row group at the end.
type Published struct {
	Records []*table.Record
	// Files are other forms of the records.
	Files []File
	// Dropped are the rows that were given up, and Added and Filtered what resizes have done.
	Dropped         []DroppedRow
	Added, Filtered int64
}

// Publisher makes the final records of a row group from those that were generated.
type Publisher func(ctx context.Context, index int64, records []*table.Record) (Published, error)

func publishedPath(index int64) string {
	return path.Join(manifestFolder, fmt.Sprintf("%05d.published.json", index))
}

// path is where the manifest lies.
func (m *Manifest) path() string {
	if m.Source != "" {
		return publishedPath(m.Index)
	}
	return manifestPath(m.Index)
}

// source names the content of a row group.
func (m *Manifest) source() string {
	if m.SHA256 == "" {
		return "none"
	}
	return m.SHA256
}

// publish makes the dataset from the row groups, one after another. One that was published as it is now is left alone, so that publishing
// may be cut off and called again at any time; what was generated is never touched.
func (s *Store) publish(ctx context.Context, manifests []*Manifest, attempt int32, publisher Publisher) error {
	final := *s.layout
	final.Staged = false
	for _, manifest := range manifests {
		before, _, err := s.group(publishedPath(manifest.Index), manifest.Index)
		if err != nil {
			return err
		}
		if before != nil && before.Source == manifest.source() && (len(before.Dropped) == 0 || before.Attempt >= attempt) {
			continue
		}
		if ctx.Err() != nil {
			return failure.Of(context.Cause(ctx))
		}
		records, err := s.ReadRecords(manifest)
		if err != nil {
			return err
		}
		processed, err := publisher(ctx, manifest.Index, records)
		if err != nil {
			return err
		}
		published := &Manifest{
			Index: manifest.Index, Start: manifest.Start, End: manifest.End, Mode: manifest.Mode, Attempt: attempt, Source: manifest.source(),
			Dropped: processed.Dropped, Added: processed.Added, Filtered: processed.Filtered,
		}
		if err := s.Commit(published, Content{Records: processed.Records, Files: processed.Files, Layout: &final}); err != nil {
			return err
		}
	}
	return nil
}

// published returns the manifest of what was made of a row group as it is now, or nil.
func (s *Store) published(manifest *Manifest) (*Manifest, error) {
	found, err := s.readManifest(publishedPath(manifest.Index), manifest.Index)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, errManifest):
		return nil, nil
	case err != nil:
		return nil, fail(err, "reading "+publishedPath(manifest.Index))
	case found.Source != manifest.source():
		return nil, nil
	}
	return found, nil
}

// dataset returns the manifests of what is in the dataset: the row groups themselves, or what was made of them. A row group that is not
// published yet has no files in the dataset; complete says that there is none.
func (s *Store) dataset(manifests []*Manifest) (merged []*Manifest, complete bool, err error) {
	merged, complete = make([]*Manifest, len(manifests)), true
	for i, manifest := range manifests {
		if path.Dir(manifest.File) != manifestFolder {
			merged[i] = manifest
			continue
		}
		final := *manifest
		published, err := s.published(manifest)
		if err != nil {
			return nil, false, err
		}
		if published == nil {
			complete = false
			final.File, final.SHA256, final.RowsSHA256, final.Bytes = "", "", "", 0
			merged[i] = &final
			continue
		}
		final.File, final.SHA256, final.Bytes, final.Rows = published.File, published.SHA256, published.Bytes, published.Rows
		final.RowsSHA256 = published.RowsSHA256
		final.Identities = published.Identities
		final.Files = append(append([]FileEntry(nil), published.Files...), manifest.Files...)
		final.Added += published.Added
		final.Filtered += published.Filtered
		final.recount(published.Dropped)
		merged[i] = &final
	}
	return merged, complete, nil
}

// recount counts the cells of the rows that there are now, and adds those that were given up. Which of the rows that are left had cells
// that were skipped is not known: the most that can be are counted as such.
func (m *Manifest) recount(dropped []DroppedRow) {
	m.Dropped = append(append([]DroppedRow(nil), m.Dropped...), dropped...)
	columns := m.Columns
	m.Columns = nil
	for _, column := range columns {
		column.Skipped = min(column.Skipped, m.Rows)
		column.Succeeded = m.Rows - column.Skipped
		column.Dropped += int64(len(dropped))
		m.Columns = append(m.Columns, column)
	}
}
