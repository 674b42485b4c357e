package store

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/table"
)

// imageFolder holds the images of the dataset, each column's in a folder of its own.
const imageFolder = "images"

// SaveImage writes the image with a number, from 0, of a cell, and returns its path in the dataset. The image of an earlier attempt at the
// cell is replaced. It may be called from many goroutines.
func (s *Store) SaveImage(column string, row table.RowIndex, ordinal int32, number int, extension string, data []byte) (string, error) {
	if err := s.guard(); err != nil {
		return "", err
	}
	folder := path.Join(imageFolder, column)
	name := strconv.FormatInt(int64(row), 10)
	if ordinal > 0 {
		// Of the rows that a resize has made of one.
		name += "." + strconv.Itoa(int(ordinal))
	}
	file := path.Join(folder, fmt.Sprintf("%s-%d.%s", name, number, extension))
	return file, s.put(file, data)
}

// ReadImage returns an image of the dataset by its path.
func (s *Store) ReadImage(name string) ([]byte, error) {
	if cleaned := path.Clean(name); !strings.HasPrefix(cleaned, imageFolder+"/") {
		return nil, fs.ErrNotExist
	}
	return s.volume.Get(path.Clean(name))
}

// Images are the paths of all images of the dataset.
func (s *Store) Images() (names []string, err error) {
	columns, err := s.list(imageFolder)
	if err != nil {
		return nil, err
	}
	for _, column := range columns {
		images, err := s.list(path.Join(imageFolder, column.Name))
		if err != nil {
			return nil, err
		}
		for _, image := range images {
			names = append(names, path.Join(imageFolder, column.Name, image.Name))
		}
	}
	return names, nil
}

// removeImages removes the images of rows that were dropped.
func (s *Store) removeImages(manifests []*Manifest) error {
	dropped := map[string]bool{}
	for _, manifest := range manifests {
		if manifest.Mode == string(v1alpha1.ExecutionSync) {
			continue // a resize may have made several rows of one, of which only some were dropped
		}
		for _, row := range manifest.Dropped {
			dropped[strconv.FormatInt(int64(row.Row), 10)] = true
		}
	}
	columns, err := s.list(imageFolder)
	if err != nil || len(dropped) == 0 {
		return err
	}
	for _, column := range columns {
		if err := s.removeImagesOf(path.Join(imageFolder, column.Name), dropped); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) removeImagesOf(folder string, dropped map[string]bool) error {
	images, err := s.list(folder)
	if err != nil {
		return err
	}
	for _, image := range images {
		row, _, _ := strings.Cut(image.Name, "-")
		row, ordinal, _ := strings.Cut(row, ".")
		if !dropped[row] || ordinal != "" {
			continue
		}
		if err := s.remove(path.Join(folder, image.Name)); err != nil {
			return err
		}
	}
	return nil
}
