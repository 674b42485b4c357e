package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/seed/files"
)

// input are the flags that say what a command works on.
type input struct {
	filenames []string
	recursive bool
	name      string
	apiKeys   map[string]string
	endpoints map[string]string
	// toolKeys and toolSockets are those of tool servers.
	toolKeys map[string]string
	// seedHeaders are those of requests for the seed.
	seedHeaders map[string]string
	// seedToken is the environment variable with the token for the hub of the seed.
	seedToken string
	// validatorHeaders are those of requests to servers that judge rows, by COLUMN:HEADER.
	validatorHeaders map[string]string
	toolSockets      map[string]string
	// seedFile is the data of a seed, seedDirectory where the file of a seed is looked for.
	seedFile, seedDirectory string
	// volumeDirectories are the folders of volumes with media, by their names.
	volumeDirectories map[string]string
	// peopleFiles are the files of persons, by the column that draws from them.
	peopleFiles map[string]string
	// tlsDirectory has the certificates of providers.
	tlsDirectory string
}

func (i *input) register(command *cobra.Command) {
	flags := command.Flags()
	flags.StringArrayVarP(&i.filenames, "filename", "f", nil,
		"the manifests: a `FILE` of YAML or JSON, a folder with such files, or - for standard input (can be repeated)")
	flags.BoolVarP(&i.recursive, "recursive", "R", false, "look below the folders too")
	flags.StringVar(&i.name, "name", "", "which manifest is meant, by its metadata.`NAME`, where there are several")
	pairs(flags, &i.apiKeys, "api-key",
		"the environment variable that holds the API key of a provider, as `PROVIDER=VARIABLE` (can be repeated)")
	pairs(flags, &i.endpoints, "endpoint",
		"use another endpoint than the manifest's, such as that of a port-forward, as `PROVIDER=URL`; it is part of the dataset's identity "+
			"(can be repeated)")
	pairs(flags, &i.toolKeys, "tool-key",
		"the environment variable that holds the API key of a tool server, as `SERVER=VARIABLE` (can be repeated)")
	pairs(flags, &i.seedHeaders, "seed-header",
		"the environment variable that holds the value of a header of spec.seed.http, where that comes from a Secret, as `HEADER=VARIABLE` "+
			"(can be repeated)")
	flags.StringVar(&i.seedToken, "seed-token", "",
		"the environment `VARIABLE` that holds the token for spec.seed.huggingFace (default: HF_TOKEN, for the hub of HF_ENDPOINT alone, or "+
			v1alpha1.DefaultHub+")")
	pairs(flags, &i.validatorHeaders, "validator-header",
		"the environment variable that holds the value of a header of validation.remote of a column, where that comes from a Secret, as "+
			"`COLUMN:HEADER=VARIABLE` (can be repeated)")
	pairs(flags, &i.toolSockets, "tool-socket",
		"the socket on which the bridge of a tool server of type Stdio listens, as `SERVER=PATH` (can be repeated)")
	flags.StringVar(&i.tlsDirectory, "tls-dir", "",
		"the `DIR` with a folder for each provider that has tls, by its name, with ca.crt, tls.crt and tls.key")
	flags.StringVar(&i.seedFile, "seed-file", "", "the `FILE` with the data of the seed, in place of the ConfigMap or the volume")
	flags.StringVar(&i.seedDirectory, "seed-dir", "",
		"the `DIR` in which the file that the seed names is looked for (default: the folder of the manifest)")
	command.MarkFlagsMutuallyExclusive("seed-file", "seed-dir")
	pairs(flags, &i.volumeDirectories, "volume-dir",
		"the folder with the files of a volume of spec.pod.volumes that the context of a prompt names, as `VOLUME=DIR` (default: the folder "+
			"with the volume's name beside the manifest; can be repeated)")
	pairs(flags, &i.peopleFiles, "people-file",
		"the file with the people that a column draws from, in place of the ConfigMap or the volume, as `COLUMN=FILE` (can be repeated)")
}

// pairs defines a flag of NAME=VALUE that can be repeated. By itself the library would show an empty list as its default.
func pairs(flags *pflag.FlagSet, values *map[string]string, name, usage string) {
	flags.StringToStringVar(values, name, nil, usage)
	flags.Lookup(name).DefValue = ""
}

// read reads all manifests of the flags and the arguments, with what the flags change in them.
func (i *input) read(streams *Streams, arguments []string, changes overrides) (*definition, *resources, error) {
	names := append(slices.Clone(i.filenames), arguments...)
	if len(names) == 0 {
		return nil, nil, errors.New("no manifest is named: give files or folders, as arguments or with -f (--filename); - is standard input")
	}
	files, named, err := listFiles(names, i.recursive)
	if err != nil {
		return nil, nil, err
	}
	known, err := readDefinition()
	if err != nil {
		return nil, nil, err
	}
	changes.endpoints, changes.applied = i.endpoints, map[string]bool{}
	all, err := known.load(streams, files, named, &changes)
	if err == nil && len(all.manifests) > 0 {
		err = changes.unknown()
	}
	return known, all, err
}

// seed returns the folder in which the engine finds the files of the seed, and what removes the folder again.
func (i *input) seed(of *manifest, all *resources) (folder string, remove func(), err error) {
	from := of.resource.Spec.Seed
	switch names := filesOf(from); {
	case i.seedFile != "" && len(names) == 0:
		return "", func() {}, errors.New("--seed-file is for seeds from a ConfigMap or a volume, and the manifest has none")
	case len(names) == 0:
		return ".", func() {}, nil
	case i.seedFile != "" && (len(names) > 1 || files.NamesSeveral(names[0])):
		return "", func() {}, fmt.Errorf("--seed-file is for a seed of one file, and the manifest names %q: give their folder with --seed-dir",
			names)
	case isFolder(i.seedFile):
		return "", func() {}, fmt.Errorf("--seed-file wants a file, and %s is a folder: name a file in it, or give the folder with --seed-dir, "+
			"below which %q is looked for", i.seedFile, names)
	}
	return of.find(all, &dataFile{
		Seed: from, given: i.seedFile, folder: i.seedDirectory,
		outside: "the seed's file name %q leaves its folder",
		missing: "the data of the seed is looked for in %s, and is not there; give it with --seed-file FILE, or its folder with --seed-dir",
	})
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// dataFile are files of a ConfigMap or a volume that a spec reads.
type dataFile struct {
	*v1alpha1.Seed
	// given is the file that a flag names in place of a single one, and folder where flags say that they are; both may be empty.
	given, folder string
	// outside and missing are the messages for a name that leaves its folder and for a file that is not there, each with a verb for it.
	outside, missing string
}

// filesOf are the names and patterns of files in their ConfigMap or volume; none where they have none.
func filesOf(data *v1alpha1.Seed) []string {
	switch {
	case data == nil:
	case data.ConfigMap != nil:
		return []string{data.ConfigMap.Key}
	case data.PersistentVolumeClaim != nil:
		return data.PersistentVolumeClaim.Patterns()
	}
	return nil
}

// find returns the folder of the files that the manifest reads, and what removes the folder again: a file may be that of a flag, in a
// ConfigMap of the same files, or beside the manifest.
func (m *manifest) find(all *resources, file *dataFile) (folder string, remove func(), err error) {
	names, nothing := filesOf(file.Seed), func() {}
	for _, name := range names {
		if !filepath.IsLocal(name) {
			return "", nothing, fmt.Errorf(file.outside, name)
		}
	}
	name := names[0]
	if file.given != "" {
		return inFolder(func(folder string) error { return copyFile(file.given, filepath.Join(folder, name)) })
	}
	if file.ConfigMap != nil && file.folder == "" {
		data, found, err := all.configMapData(m.resource.Namespace, file.ConfigMap.Name, name)
		if err != nil {
			return "", nothing, err
		}
		if found {
			return inFolder(func(folder string) error { return os.WriteFile(filepath.Join(folder, name), data, 0o600) })
		}
	}
	folder = cmp.Or(file.folder, m.folder())
	return folder, nothing, file.look(folder, names)
}

// folder is the folder of the manifest; that of the process where it comes from standard input.
func (m *manifest) folder() string {
	if m.document.file == "-" {
		return "."
	}
	return filepath.Dir(m.document.file)
}

// look sees that each of some names leads to a file.
func (f *dataFile) look(directory string, names []string) error {
	folder, err := files.Open(directory)
	if err != nil {
		return fmt.Errorf(f.missing, directory)
	}
	defer func() { _ = folder.Close() }() // was only read
	for _, name := range names {
		_, err := folder.List(context.Background(), name)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf(f.missing, filepath.Join(directory, name))
		}
		if err != nil {
			return fmt.Errorf("the data in %s can't be used: %w", directory, err)
		}
	}
	return nil
}

// inFolder puts the data of a seed into a temporary folder.
func inFolder(write func(folder string) error) (folder string, remove func(), err error) {
	folder, err = os.MkdirTemp("", "seedloom-seed-")
	if err != nil {
		return "", func() {}, err
	}
	remove = func() { _ = os.RemoveAll(folder) } // a leftover in the temporary folder is the system's to remove
	if err := write(folder); err != nil {
		remove()
		return "", func() {}, fmt.Errorf("the data of the seed can't be read: %w", err)
	}
	return folder, remove, nil
}

// copyFile copies a file to the name that the spec has for it.
func copyFile(from, to string) (err error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }() // was only read
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	_, err = io.Copy(target, source)
	return err
}
