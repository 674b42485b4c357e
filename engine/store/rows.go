package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"seedloom.dev/seedloom/engine/store/s3"
	"seedloom.dev/seedloom/engine/table"
)

// RowFiles are the files with the rows of a dataset, in the order of the rows, as another dataset reads them.
type RowFiles struct {
	Files []RowFile
	// Digest tells the rows of the dataset from others, in whatever form they are read.
	Digest string
	volume Volume
}

// RowFile is a file with rows.
type RowFile struct {
	Name   string
	Rows   int64
	sha256 string
}

// RowsDigestPrefix begins each digest of rows.
const RowsDigestPrefix = "sha256:"

// ErrNoDataset says that there is no dataset where one should be.
var ErrNoDataset = errors.New("there is no dataset")

// OpenRows finds the files with the rows of the dataset in a folder, of which nothing is written: in the form of a processor, or as they
// are where that is empty. The caller closes the result.
func OpenRows(root, folder, form string) (*RowFiles, error) {
	if info, err := statBelow(root, folder); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%w in %s", ErrNoDataset, folder)
	}
	opened, err := Open(root, folder, nil)
	if err != nil {
		return nil, err
	}
	return opened.openRows(folder, form)
}

// OpenRowsInBucket does the same with the dataset in a folder of a bucket.
func OpenRowsInBucket(ctx context.Context, location *s3.Location, folder, form string) (*RowFiles, error) {
	opened, err := OpenBucket(ctx, location, folder, nil)
	if err != nil {
		return nil, err
	}
	return opened.openRows(folder, form)
}

// openRows finds the files of the dataset in a folder that is open, which whoever gets them closes.
func (s *Store) openRows(folder, form string) (*RowFiles, error) {
	manifests, err := s.manifests()
	if err == nil && len(manifests) == 0 {
		err = fmt.Errorf("%w in %s", ErrNoDataset, folder)
	}
	var rows *RowFiles
	if err == nil {
		rows, err = s.rowFiles(manifests, form)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return rows, nil
}

// statBelow looks at what is below a root, and at nothing outside of it.
func statBelow(root, name string) (fs.FileInfo, error) {
	within, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	defer within.Close()
	return within.Stat(name)
}

func (s *Store) rowFiles(manifests []*Manifest, form string) (*RowFiles, error) {
	merged, _, err := s.dataset(manifests)
	if err != nil {
		return nil, err
	}
	found := &RowFiles{volume: s.volume, Digest: rowsDigest(merged)}
	for _, manifest := range merged {
		file := RowFile{Name: manifest.File, Rows: manifest.Rows, sha256: manifest.SHA256}
		if form != "" {
			file = RowFile{}
			if entry := manifest.file(formFolder(form)); entry != nil {
				file = RowFile{Name: entry.Path, Rows: entry.Rows, sha256: entry.SHA256}
			}
		}
		if file.Name != "" {
			found.Files = append(found.Files, file)
		}
	}
	return found, nil
}

// Read reads a file, which must be as it was written.
func (r *RowFiles) Read(file RowFile) ([]byte, error) {
	data, err := r.volume.Get(file.Name)
	if err != nil {
		return nil, fail(err, "reading "+file.Name)
	}
	if checksum(data) != file.sha256 {
		return nil, fmt.Errorf("%s is not as it was written: it has %d bytes", file.Name, len(data))
	}
	return data, nil
}

// Close closes the folder.
func (r *RowFiles) Close() error { return r.volume.Close() }

// rowsDigest is the digest of the rows of a dataset; empty where there are none. What the files say beside their rows is not in it, so that
// two runs with the same rows have the same.
func rowsDigest(manifests []*Manifest) string {
	sum := sha256.New()
	rows := int64(0)
	for _, manifest := range manifests {
		if manifest.File == "" {
			continue
		}
		digest := manifest.RowsSHA256
		if digest == "" {
			digest = manifest.SHA256
		}
		fmt.Fprintf(sum, "%d %s\n", manifest.Rows, digest)
		rows += manifest.Rows
	}
	if rows == 0 {
		return ""
	}
	return RowsDigestPrefix + hex.EncodeToString(sum.Sum(nil))
}

// parquetTail is what ends a Parquet file: the length of its footer, and four letters.
const parquetTail = 8

// rowsSHA256 is the digest of the columns of a Parquet file and of what is in them, without its footer, which says which run has written
// it.
func rowsSHA256(schema *table.Schema, data []byte) string {
	end := len(data) - parquetTail
	if end > 0 {
		end -= int(binary.LittleEndian.Uint32(data[end:]))
	}
	sum := sha256.New()
	for _, field := range schema.Fields() {
		fmt.Fprintf(sum, "%q %s\n", field.Name, field.Type)
	}
	sum.Write(data[:max(end, 0)])
	return hex.EncodeToString(sum.Sum(nil))
}
