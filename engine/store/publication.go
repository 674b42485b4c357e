package store

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path"
	"slices"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/table"
)

// PublicDataset is what of a dataset is for others: the rows, their other forms and the images in them. Dropped columns, the spec, and what
// was said about the run are not.
type PublicDataset struct {
	Tables []PublicTable
	// Images are the images that the rows name.
	Images []FileEntry
	// about is what metadata.json says, and models are the names of the models by their aliases.
	about  metadata
	models map[string]string
}

// PublicTable is the dataset, or another form of its rows.
type PublicTable struct {
	// Name is "default" for the dataset, Folder where its files are, and Columns are those of its files.
	Name, Folder string
	Columns      *table.Schema
	Files        []FileEntry
	Rows         int64
}

// Records are how many records the dataset has.
func (d *PublicDataset) Records() int64 { return d.about.Records.Actual }

// Public finds what of the dataset is for others. One whose run has not ended with a dataset has none. Its errors are failure.Error.
func (s *Store) Public(ctx context.Context) (*PublicDataset, error) {
	success, err := s.volume.Version(successFile)
	if err != nil {
		return nil, fail(err, "reading "+successFile)
	}
	found := &PublicDataset{models: map[string]string{}}
	described, err := s.get(metadataFile)
	if err != nil {
		return nil, err
	}
	if success == "" || json.Unmarshal(described, &found.about) != nil {
		return nil, failure.New(v1alpha1.ReasonPublicationRefused, failure.EndRun,
			"the run in %s has not ended with a dataset: there is no %s", s.folder, successFile)
	}
	if err := s.readModels(found); err != nil {
		return nil, err
	}
	manifests, err := s.manifests()
	if err != nil {
		return nil, err
	}
	if manifests, _, err = s.dataset(manifests); err != nil {
		return nil, err
	}
	if err := s.addTables(found, manifests); err != nil {
		return nil, err
	}
	return found, s.addImages(ctx, found)
}

// readModels takes the names of the models from the spec.
func (s *Store) readModels(found *PublicDataset) error {
	data, err := s.get(configFile)
	if err != nil {
		return err
	}
	var spec v1alpha1.DatasetGenerationSpec
	if json.Unmarshal(data, &spec) == nil {
		for i := range spec.Models {
			found.models[spec.Models[i].Alias] = spec.Models[i].Model
		}
	}
	return nil
}

// addTables adds the dataset, and the other forms of its rows by their names.
func (s *Store) addTables(found *PublicDataset, manifests []*Manifest) error {
	rows := PublicTable{Name: defaultConfig, Folder: parquetFolder}
	forms := map[string]*PublicTable{}
	for _, manifest := range manifests {
		if path.Dir(manifest.File) == parquetFolder {
			rows.add(FileEntry{Path: manifest.File, SHA256: manifest.SHA256, Bytes: manifest.Bytes}, manifest.Rows)
		}
		for _, file := range manifest.Files {
			folder := path.Dir(file.Path)
			if path.Dir(folder) != formsFolder {
				continue
			}
			if forms[folder] == nil {
				forms[folder] = &PublicTable{Name: formConfig(path.Base(folder)), Folder: folder}
			}
			forms[folder].add(file, file.Rows)
		}
	}
	if len(rows.Files) > 0 {
		found.Tables = append(found.Tables, rows)
	}
	for _, form := range forms {
		found.Tables = append(found.Tables, *form)
	}
	slices.SortFunc(found.Tables, func(a, b PublicTable) int { return cmp.Compare(a.Folder, b.Folder) })
	for i := range found.Tables {
		data, err := s.ReadFile(found.Tables[i].Files[0].Path)
		if err != nil {
			return err
		}
		reader, err := parquetfile.Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return failure.Wrap(err, v1alpha1.ReasonStorageFailed, failure.EndRun, "reading %s", found.Tables[i].Files[0].Path)
		}
		found.Tables[i].Columns = reader.Schema()
	}
	return nil
}

func (t *PublicTable) add(file FileEntry, rows int64) {
	t.Files, t.Rows = append(t.Files, file), t.Rows+rows
}

// addImages adds the images that are named in the rows: those of dropped columns, and of rows that processors have left out, are not.
func (s *Store) addImages(ctx context.Context, found *PublicDataset) error {
	images, err := s.Images()
	if err != nil || len(images) == 0 {
		return err
	}
	named, err := s.namedImages(ctx, found)
	if err != nil {
		return err
	}
	for _, name := range images {
		if !named[name] {
			continue
		}
		if ctx.Err() != nil {
			return failure.Of(context.Cause(ctx))
		}
		data, err := s.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(data)
		found.Images = append(found.Images, FileEntry{Path: name, SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(data))})
	}
	return nil
}

// namedImages are the texts in the rows that may be paths of images.
func (s *Store) namedImages(ctx context.Context, found *PublicDataset) (map[string]bool, error) {
	named := map[string]bool{}
	for i := range found.Tables {
		for _, file := range found.Tables[i].Files {
			if ctx.Err() != nil {
				return nil, failure.Of(context.Cause(ctx))
			}
			_, rows, err := s.readRows(file.Path)
			if err != nil {
				return nil, err
			}
			for _, cells := range rows {
				namesIn(cells, named)
			}
		}
	}
	return named, nil
}

// namesIn notes the texts in cells, at any depth, that may be paths of images.
func namesIn(cells []any, named map[string]bool) {
	for _, cell := range cells {
		switch value := cell.(type) {
		case string:
			if strings.HasPrefix(value, imageFolder+"/") {
				named[value] = true
			}
		case []any:
			namesIn(value, named)
		}
	}
}

// ReadFile returns the content of a file of the dataset. Its errors are failure.Error.
func (s *Store) ReadFile(name string) ([]byte, error) {
	data, err := s.volume.Get(name)
	if err != nil {
		return nil, fail(err, "reading "+name)
	}
	return data, nil
}
