package main

import (
	"fmt"
	"os"
	"path/filepath"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// people returns where the engine finds the file of persons that a column draws from, and what removes the copies again.
func (i *input) people(of *manifest, all *resources) (folderOf func(column string) string, remove func(), err error) {
	folders := map[string]string{}
	var removals []func()
	remove = func() {
		for _, one := range removals {
			one()
		}
	}
	defer func() {
		if err != nil {
			remove()
		}
	}()
	for given := range i.peopleFiles {
		if column := columnNamed(&of.resource.Spec, given); column == nil || fileOf(column.PersonDataset()) == "" {
			return nil, func() {}, fmt.Errorf("--people-file is for columns with people from a ConfigMap or a volume, and %q is none", given)
		}
	}
	for at := range of.resource.Spec.Columns {
		column := &of.resource.Spec.Columns[at]
		if fileOf(column.PersonDataset()) == "" {
			continue
		}
		folder, removal, err := i.peopleOf(of, all, column)
		removals = append(removals, removal)
		if err != nil {
			return nil, func() {}, err
		}
		folders[column.Name] = folder
	}
	return func(column string) string { return folders[column] }, remove, nil
}

// fileOf is the name of a file of persons in its ConfigMap or volume; empty where there is none.
func fileOf(dataset *v1alpha1.PersonDataset) string {
	switch {
	case dataset == nil:
	case dataset.ConfigMap != nil:
		return dataset.ConfigMap.Key
	case dataset.PersistentVolumeClaim != nil:
		return dataset.PersistentVolumeClaim.Path
	}
	return ""
}

func columnNamed(spec *v1alpha1.DatasetGenerationSpec, name string) *v1alpha1.Column {
	for i := range spec.Columns {
		if spec.Columns[i].Name == name {
			return &spec.Columns[i]
		}
	}
	return nil
}

// peopleOf is the folder of the file that a column draws from: that of a flag, a ConfigMap of the same files, or one beside the manifest.
func (i *input) peopleOf(of *manifest, all *resources, column *v1alpha1.Column) (folder string, remove func(), err error) {
	dataset, nothing := column.PersonDataset(), func() {}
	name := fileOf(dataset)
	if !filepath.IsLocal(name) {
		return "", nothing, fmt.Errorf("the file name %q of the people of column %s leaves its folder", name, column.Name)
	}
	if given := i.peopleFiles[column.Name]; given != "" {
		return inFolder(func(folder string) error { return copyFile(given, filepath.Join(folder, name)) })
	}
	if dataset.ConfigMap != nil {
		data, found, err := all.configMapData(of.resource.Namespace, dataset.ConfigMap.Name, name)
		if err != nil {
			return "", nothing, err
		}
		if found {
			return inFolder(func(folder string) error { return os.WriteFile(filepath.Join(folder, name), data, 0o600) })
		}
	}
	folder = "."
	if of.document.file != "-" {
		folder = filepath.Dir(of.document.file)
	}
	if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
		return "", nothing, fmt.Errorf("the people of column %s are looked for in %s, and are not there; give them with --people-file %s=FILE",
			column.Name, filepath.Join(folder, name), column.Name)
	}
	return folder, nothing, nil
}
