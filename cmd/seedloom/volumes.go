package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// volumes returns where the engine finds the volumes with media for prompts: each in the folder that a flag names, or else in one of its
// name beside the manifest.
func (i *input) volumes(of *manifest) (folderOf func(name string) string, err error) {
	used := mediaVolumes(&of.resource.Spec)
	var problems []error
	for _, given := range slices.Sorted(maps.Keys(i.volumeDirectories)) {
		if !slices.Contains(used, given) {
			problems = append(problems, fmt.Errorf("--volume-dir is for volumes that the context of a prompt names, and %q is none", given))
		}
	}
	folders := map[string]string{}
	for _, name := range used {
		folder, given := i.volumeDirectories[name]
		if !given {
			folder = filepath.Join(of.folder(), name)
		}
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			problems = append(problems, fmt.Errorf("the files of the volume %s are looked for in %s, which is no folder; name it with "+
				"--volume-dir %s=DIR", name, folder, name))
		}
		folders[name] = folder
	}
	return func(name string) string { return folders[name] }, errors.Join(problems...)
}

// mediaVolumes are the names of the volumes that have media for prompts.
func mediaVolumes(spec *v1alpha1.DatasetGenerationSpec) []string {
	var names []string
	for i := range spec.Columns {
		for _, context := range spec.Columns[i].MediaContexts() {
			if context.Volume != "" && !slices.Contains(names, context.Volume) {
				names = append(names, context.Volume)
			}
		}
	}
	return names
}
