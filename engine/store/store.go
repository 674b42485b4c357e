// Package store keeps a dataset on a volume: it commits row groups atomically, finds out what is already there, and writes the metadata
// that describes the whole. It knows nothing of how rows are made, nor of Kubernetes.
package store

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/table"
)

// The names below a dataset's folder.
const (
	parquetFolder  = "parquet-files"
	manifestFolder = "row-groups"
	metadataFile   = "metadata.json"
	configFile     = "builder_config.json"
	droppedFile    = "dropped-rows.jsonl"
	successFile    = "_SUCCESS"
	// temporarySuffix marks files that are being written; what has it after a crash is garbage.
	temporarySuffix = ".tmp"
	// nextSuffix marks the manifest of a commit that is under way.
	nextSuffix = ".next"
)

// hashDigits is how many hexadecimal digits of the configuration's hash name a run's folder.
const hashDigits = 16

// Folder returns the folder of a run's dataset below the root of the output.
func Folder(namespace, name, configHash string) string {
	digits := strings.TrimPrefix(configHash, "sha256:")
	return path.Join(namespace, name, digits[:min(hashDigits, len(digits))])
}

// Store is a dataset's folder. Several processes may have it open, as long as each row group is written by one of them.
type Store struct {
	root   *os.Root
	folder string
	schema *table.Schema
	// writer tells the temporary files of this Store from those of other processes that write in the same folder.
	writer string
}

// Open opens the dataset in a folder below root, and makes the folder. schema is that of the dataset's files; it may be nil for who only
// reads manifests and finalizes. Its errors are failure.Error.
func Open(root, folder string, schema *table.Schema) (*Store, error) {
	output, err := os.OpenRoot(root)
	if err != nil {
		return nil, fail(err, "opening the output volume")
	}
	defer output.Close()
	for _, below := range []string{parquetFolder, manifestFolder} {
		if err := output.MkdirAll(path.Join(folder, below), 0o755); err != nil {
			return nil, fail(err, "making the folder "+folder)
		}
	}
	opened, err := output.OpenRoot(folder)
	if err != nil {
		return nil, fail(err, "opening the folder "+folder)
	}
	return &Store{root: opened, folder: folder, schema: schema, writer: rand.Text()}, nil
}

// Close closes the folder.
func (s *Store) Close() error { return s.root.Close() }

// Commit writes a row group: first its Parquet file, then its manifest, which makes it count. Each appears as a whole or not at all. It
// sorts the records and fills in what the manifest says of them.
func (s *Store) Commit(manifest *Manifest, records []*table.Record) error {
	slices.SortFunc(records, func(a, b *table.Record) int {
		if a.Row != b.Row {
			return int(a.Row - b.Row)
		}
		return int(a.Ordinal - b.Ordinal)
	})
	manifest.Version = manifestVersion
	manifest.Rows = int64(len(records))
	manifest.File, manifest.SHA256, manifest.Bytes = "", "", 0
	manifest.Identities = identitiesOf(records)
	var file []byte
	if len(records) > 0 {
		var err error
		if file, err = s.encode(manifest, records); err != nil {
			return err
		}
	}
	data, err := json.Marshal(manifest)
	if err != nil {
		return failure.Wrap(err, v1alpha1.ReasonInternalError, failure.EndRun, "encoding the manifest of row group %d", manifest.Index)
	}
	data = append(data, '\n')
	if file == nil {
		if err := s.write(manifestPath(manifest.Index), data); err != nil {
			return err
		}
		// A file that was there before, and was damaged, must not be taken for a part of the dataset.
		if err := s.root.Remove(parquetPath(manifest.Index)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fail(err, "removing "+parquetPath(manifest.Index))
		}
		return nil
	}
	// The next manifest is there before the file is replaced: so a crash between the two never leaves a file without its manifest.
	next := manifestPath(manifest.Index) + nextSuffix
	if err := s.write(next, data); err != nil {
		return err
	}
	if err := s.write(manifest.File, file); err != nil {
		_ = s.root.Remove(next)
		return err
	}
	return s.adopt(manifest.Index)
}

// adopt makes the next manifest of a row group the current one.
func (s *Store) adopt(index int64) error {
	if err := s.root.Rename(manifestPath(index)+nextSuffix, manifestPath(index)); err != nil {
		return fail(err, fmt.Sprintf("committing row group %d", index))
	}
	if err := s.syncFolder(manifestFolder); err != nil {
		return fail(err, fmt.Sprintf("committing row group %d", index))
	}
	return nil
}

// encode makes the file of a row group, and notes in the manifest what it is.
func (s *Store) encode(manifest *Manifest, records []*table.Record) ([]byte, error) {
	rows := make([][]any, len(records))
	for i, record := range records {
		rows[i] = record.Cells
	}
	var buffer bytes.Buffer
	if err := parquetfile.Write(&buffer, s.schema, rows); err != nil {
		return nil, failure.Wrap(err, v1alpha1.ReasonInternalError, failure.EndRun, "encoding row group %d as Parquet", manifest.Index)
	}
	sum := sha256.Sum256(buffer.Bytes())
	manifest.File = parquetPath(manifest.Index)
	manifest.SHA256 = hex.EncodeToString(sum[:])
	manifest.Bytes = int64(buffer.Len())
	return buffer.Bytes(), nil
}

// Group returns the manifest of a committed row group whose file is as it was written, or nil when there is none. The note says, of a group
// that is there but can't be used, why not. A commit that was cut off after its file was written is completed here.
func (s *Store) Group(index int64) (manifest *Manifest, note string, err error) {
	manifest, note, err = s.verified(manifestPath(index), index)
	if err != nil || manifest != nil {
		return manifest, note, err
	}
	next, _, err := s.verified(manifestPath(index)+nextSuffix, index)
	if err != nil || next == nil {
		return nil, note, err
	}
	return next, "", s.adopt(index)
}

// verified returns a manifest whose file is as it says.
func (s *Store) verified(name string, index int64) (*Manifest, string, error) {
	manifest, err := s.readManifest(name, index)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, "", nil
	case errors.Is(err, errManifest):
		return nil, err.Error(), nil
	case err != nil:
		return nil, "", fail(err, "reading "+name)
	case manifest.File == "":
		return manifest, "", nil
	}
	data, err := s.root.ReadFile(manifest.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, manifest.File + " is missing", nil
	}
	if err != nil {
		return nil, "", fail(err, "reading "+manifest.File)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != manifest.SHA256 {
		return nil, fmt.Sprintf("%s is not as it was written (it has %d bytes, %d were written)", manifest.File, len(data), manifest.Bytes), nil
	}
	return manifest, "", nil
}

// ReadRecords reads the rows of a committed row group back.
func (s *Store) ReadRecords(manifest *Manifest) ([]*table.Record, error) {
	if manifest.File == "" {
		return nil, nil
	}
	data, err := s.root.ReadFile(manifest.File)
	if err != nil {
		return nil, fail(err, "reading "+manifest.File)
	}
	schema, rows, err := parquetfile.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, failure.Wrap(err, v1alpha1.ReasonStorageFailed, failure.EndRun, "reading %s", manifest.File)
	}
	if !sameSchema(schema, s.schema) {
		return nil, failure.New(v1alpha1.ReasonStorageFailed, failure.EndRun,
			"%s has other columns than the dataset has now: the data behind the seed has changed; change spec.randomSeed to start a new run", manifest.File)
	}
	identities, err := manifest.Identities.all(manifest)
	if err != nil || len(identities) != len(rows) {
		return nil, failure.New(v1alpha1.ReasonStorageFailed, failure.EndRun, "the manifest of row group %d does not fit %s", manifest.Index, manifest.File)
	}
	records := make([]*table.Record, len(rows))
	for i, cells := range rows {
		records[i] = &table.Record{Schema: s.schema, Row: identities[i].Row, Ordinal: identities[i].Ordinal, Attempt: identities[i].Attempt, Cells: cells}
	}
	return records, nil
}

func sameSchema(a, b *table.Schema) bool {
	return slices.EqualFunc(a.Fields(), b.Fields(), func(x, y table.Field) bool { return x.Name == y.Name && x.Type.Equal(y.Type) })
}

// write writes a file so that after a crash at any moment either the old or the new one is there.
func (s *Store) write(name string, data []byte) error {
	if err := s.writeThen(name, data, s.root.Rename); err != nil {
		return fail(err, "writing "+name)
	}
	return nil
}

// create is write for a file that must not be there yet; with one that is, its error wraps fs.ErrExist.
func (s *Store) create(name string, data []byte) error {
	return s.writeThen(name, data, func(temporary, name string) error {
		// Unlike a rename, a link never replaces what another process has written in the meantime.
		err := s.root.Link(temporary, name)
		if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
			// A file system without links: the best is then that the last writer's file is there as a whole.
			return s.root.Rename(temporary, name)
		}
		_ = s.root.Remove(temporary)
		return err
	})
}

// writeThen writes and syncs a temporary file, and lets place give it its name.
func (s *Store) writeThen(name string, data []byte, place func(temporary, name string) error) error {
	temporary := name + "." + s.writer + temporarySuffix
	if err := s.writeTemporary(temporary, data); err != nil {
		// The space is given back, so that metadata can still be written to a full volume.
		_ = s.root.Remove(temporary)
		return err
	}
	if err := place(temporary, name); err != nil {
		return err
	}
	return s.syncFolder(path.Dir(name))
}

func (s *Store) writeTemporary(name string, data []byte) (err error) {
	file, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.Write(data); err != nil {
		return err
	}
	return file.Sync()
}

func (s *Store) syncFolder(name string) error {
	folder, err := s.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// fail classifies what the file system says. Starting again may help with all of it.
func fail(err error, doing string) *failure.Error {
	advice := "check the volume of the output"
	switch {
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		advice = "the volume is full: enlarge the claim, or delete what is no longer needed; everything that was committed is kept"
	case errors.Is(err, fs.ErrPermission):
		advice = "the volume can't be written by user 65532: let its storage class honour fsGroup, or change the owner of its files"
	case errors.Is(err, syscall.EROFS):
		advice = "the volume is mounted read-only"
	}
	result := failure.Wrap(err, v1alpha1.ReasonStorageFailed, failure.EndRun, "%s failed; %s", doing, advice)
	result.Temporary = true
	return result
}

// seedFile holds the digest of the seed from which the dataset is made.
const seedFile = "seed.sha256"

// PinSeed notes the digest of the seed at the first call, and from then on refuses any other: rows of two seeds must not be mixed. All
// shards of a run may call it at the same time.
func (s *Store) PinSeed(digest string) error {
	pinned, err := s.root.ReadFile(seedFile)
	if errors.Is(err, fs.ErrNotExist) {
		if err := s.create(seedFile, []byte(digest+"\n")); err != nil && !errors.Is(err, fs.ErrExist) {
			return fail(err, "writing "+seedFile)
		}
		pinned, err = s.root.ReadFile(seedFile)
	}
	if err != nil {
		return fail(err, "reading "+seedFile)
	}
	if strings.TrimSpace(string(pinned)) != digest {
		return failure.New(v1alpha1.ReasonSeedFailed, failure.EndRun,
			"the data of the seed has changed since this run began; put it back, or change spec.randomSeed to start a new run with the new data")
	}
	return nil
}
