package main

import (
	"fmt"
	"maps"
	"slices"

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
	for _, given := range slices.Sorted(maps.Keys(i.peopleFiles)) {
		if !readsPeople(&of.resource.Spec, given) {
			return nil, func() {}, fmt.Errorf("--people-file is for columns with people from a ConfigMap or a volume, and %q is none", given)
		}
	}
	for at := range of.resource.Spec.Columns {
		column := &of.resource.Spec.Columns[at]
		if len(filesOf(peopleFile(column))) == 0 {
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

// peopleOf is the folder of the file that a column draws from.
func (i *input) peopleOf(of *manifest, all *resources, column *v1alpha1.Column) (folder string, remove func(), err error) {
	return of.find(all, &dataFile{
		Seed: peopleFile(column), given: i.peopleFiles[column.Name],
		outside: "the file name %q of the people of column " + column.Name + " leaves its folder",
		missing: "the people of column " + column.Name + " are looked for in %s, and are not there; give them with --people-file " +
			column.Name + "=FILE",
	})
}

// readsPeople says whether a spec has a column of this name that draws people from a file.
func readsPeople(spec *v1alpha1.DatasetGenerationSpec, name string) bool {
	column := spec.Column(name)
	return column != nil && len(filesOf(peopleFile(column))) > 0
}

// peopleFile is the file that a column draws from; nil where there is none.
func peopleFile(column *v1alpha1.Column) *v1alpha1.Seed {
	if dataset := column.PersonDataset(); dataset != nil {
		return dataset.AsSeed()
	}
	return nil
}
