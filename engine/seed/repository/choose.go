package repository

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/seed/files"
	"seedloom.dev/seedloom/internal/clip"
)

const (
	// defaultSplit is the split of files that name none, and defaultConfiguration is what a dataset is whose card names no configurations.
	defaultSplit         = "train"
	defaultConfiguration = "default"
	// maxNames is how many names an error lists, and maxShown how many bytes of a text of the repository.
	maxNames = 20
	maxShown = 200
)

// choose finds the files of the configuration and of the split.
func (r *Repository) choose(ctx context.Context, into *Choice) error {
	list, err := r.configurations(ctx)
	if err != nil {
		return err
	}
	config, err := r.configuration(list)
	if err != nil {
		return err
	}
	splits, err := config.splits()
	if err == nil && splits == nil {
		splits, err = r.conventional(ctx, config.Folder)
	}
	if err != nil {
		return err
	}
	chosen, err := r.split(config.Name, splits)
	if err != nil {
		return err
	}
	if chosen.patterns != nil {
		if chosen.files, err = r.named(ctx, chosen.patterns); err != nil {
			return err
		}
	}
	into.Config, into.Split = config.Name, chosen.name
	into.Files, err = r.ofOneFormat(chosen.files)
	return err
}

// configuration is the one that is asked for, or that is taken where none is.
func (r *Repository) configuration(list []configuration) (*configuration, error) {
	if len(list) == 0 {
		if asked := r.spec.Config; asked != "" && asked != defaultConfiguration {
			return nil, fmt.Errorf("its card names no configurations: leave config out, or name the files of %q in paths", asked)
		}
		return &configuration{Name: defaultConfiguration}, nil
	}
	var names []string
	var byDefault []*configuration
	for i := range list {
		one := &list[i]
		one.Name = cmp.Or(one.Name, defaultConfiguration)
		names = append(names, one.Name)
		if one.Name == r.spec.Config {
			return one, nil
		}
		if one.Default || one.Name == defaultConfiguration || len(list) == 1 {
			byDefault = append(byDefault, one)
		}
	}
	if r.spec.Config != "" {
		return nil, fmt.Errorf("it has no configuration %q (config); it has %s", r.spec.Config, listed(names))
	}
	if at := slices.IndexFunc(byDefault, func(one *configuration) bool { return one.Default }); at > 0 {
		return byDefault[at], nil
	}
	if len(byDefault) == 0 {
		return nil, fmt.Errorf("it has several configurations: name one of them in config: %s", listed(names))
	}
	return byDefault[0], nil
}

// split is the one that is asked for, or that is taken where none is.
func (r *Repository) split(config string, splits []split) (*split, error) {
	asked := cmp.Or(r.spec.Split, defaultSplit)
	if at := slices.IndexFunc(splits, func(one split) bool { return one.name == asked }); at >= 0 {
		return &splits[at], nil
	}
	if r.spec.Split == "" && len(splits) == 1 {
		return &splits[0], nil
	}
	var names []string
	for i := range splits {
		names = append(names, splits[i].name)
	}
	if r.spec.Split == "" {
		return nil, fmt.Errorf("its configuration %q has several splits, and none called %s: name one of them in split: %s", config, defaultSplit,
			listed(names))
	}
	return nil, fmt.Errorf("its configuration %q has no split %q (split); it has %s", config, asked, listed(names))
}

// named are the files that patterns name, in the order of the patterns, and of one pattern in that of their paths, each once.
func (r *Repository) named(ctx context.Context, patterns []string) ([]files.File, error) {
	var found []files.File
	seen := map[string]bool{}
	for _, pattern := range patterns {
		list, err := files.ListFlat(ctx, r, pattern)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("its card names files that are not there: %s", shown(pattern))
		}
		if err != nil {
			return nil, err
		}
		for _, file := range list {
			if !seen[file.Path] {
				seen[file.Path] = true
				found = append(found, file)
			}
		}
	}
	return found, nil
}

// forms are the endings of files that a dataset may consist of together, the first where there are as many of another.
var forms = [][]string{{".parquet", ".pq"}, {".jsonl", ".json", ".ndjson"}, {".csv", ".tsv", ".tab"}}

// formOf is the place of the form among all that a file has by its name; -1 where it is none of them.
func formOf(name string) int {
	name = strings.ToLower(name)
	for _, compressed := range []string{".gz", ".zst", ".bz2"} {
		name = strings.TrimSuffix(name, compressed)
	}
	return slices.IndexFunc(forms, func(endings []string) bool { return slices.Contains(endings, path.Ext(name)) })
}

// formOfFormat is the place of the form that a format has.
var formOfFormat = map[v1alpha1.SeedFormat]int{
	v1alpha1.SeedFormatParquet: 0, v1alpha1.SeedFormatJSONL: 1, v1alpha1.SeedFormatJSON: 1, v1alpha1.SeedFormatCSV: 2,
}

// ofOneFormat leaves out what is not of the form that most of the files have, or that is asked for: beside its data a folder may have
// texts, scripts and licences.
func (r *Repository) ofOneFormat(list []files.File) ([]files.File, error) {
	counts := make([]int, len(forms))
	for _, file := range list {
		if form := formOf(file.Path); form >= 0 {
			counts[form]++
		}
	}
	wanted := slices.Index(counts, slices.Max(counts))
	if r.format != "" {
		wanted = formOfFormat[r.format]
		if counts[wanted] == 0 && len(list) > 0 {
			return list, nil // whatever they are called
		}
	}
	if counts[wanted] == 0 {
		names := make([]string, len(list))
		for i := range list {
			names[i] = list[i].Path
		}
		return nil, noneOfKnownForm(names)
	}
	return slices.DeleteFunc(slices.Clone(list), func(file files.File) bool { return formOf(file.Path) != wanted }), nil
}

func noneOfKnownForm(names []string) error {
	if len(names) == 0 {
		return errors.New("it has no files")
	}
	return fmt.Errorf("none of its files is Parquet, CSV, JSON Lines or JSON by its name; it has %s. Of a dataset of another form, the hub "+
		"may have Parquet files in the revision refs/convert/parquet: name them in paths", listed(names))
}

// listed are names for a message.
func listed(names []string) string {
	short := make([]string, 0, maxNames)
	for _, name := range names[:min(len(names), maxNames)] {
		short = append(short, shown(name))
	}
	text := strings.Join(short, ", ")
	if more := len(names) - len(short); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// shown is a text of the repository for a message.
func shown(text string) string {
	quoted := fmt.Sprintf("%q", clip.Text(text, maxShown))
	return quoted[1 : len(quoted)-1]
}
