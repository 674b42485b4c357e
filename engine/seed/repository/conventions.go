package repository

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"seedloom.dev/seedloom/engine/seed/files"
)

// sharded is how the field's programs name the files of a split that they write.
var sharded = regexp.MustCompile(`^data/([^/]+)-[0-9]{5}-of-[0-9]{5}[^/]*\.[^/]*$`)

// keywords are the splits that names of files and folders tell, and the words by which they do, in the order in which files are taken.
var keywords = []struct {
	split string
	words []string
}{
	{"train", []string{"train", "training"}},
	{"validation", []string{"validation", "valid", "dev", "val"}},
	{"test", []string{"test", "testing", "eval", "evaluation"}},
}

// between is what may stand beside such a word.
const between = `[-._ 0-9]`

// inFolder and inName find a word in the name of a folder, and in that of a file.
func inFolder(word string) *regexp.Regexp {
	return regexp.MustCompile(`(^|/)([^/]*` + between + `)?` + word + `(` + between + `[^/]*)?/`)
}

func inName(word string) *regexp.Regexp {
	return regexp.MustCompile(`(^|/)([^/]*` + between + `)?` + word + between + `[^/]*$`)
}

// noData are files that are no data, whatever their endings say.
var noData = []string{cardPath, "config.json", "dataset_info.json", "dataset_infos.json", "dummy_data.zip", "dataset_dict.json"}

// conventional are the splits that the names of the files in a folder tell; the folder is empty for the whole repository.
func (r *Repository) conventional(ctx context.Context, folder string) ([]split, error) {
	if folder = strings.Trim(path.Clean("/"+folder), "/"); folder != "" {
		folder += "/"
	}
	all, err := r.folder(ctx, strings.TrimSuffix(folder, "/"), true)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	data := map[string]files.File{}
	for _, file := range all {
		name := strings.TrimPrefix(file.Path, folder)
		if names = append(names, file.Path); isData(name) {
			data[name] = fileOf(file)
		}
	}
	if len(data) == 0 {
		return nil, noneOfKnownForm(names)
	}
	return splitsOf(data), nil
}

// isData says of a path whether it may be one of a dataset.
func isData(name string) bool {
	parts := strings.Split(name, "/")
	hidden := func(part string) bool { return strings.HasPrefix(part, ".") }
	special := func(part string) bool { return strings.HasPrefix(part, "__") }
	return formOf(name) >= 0 && !slices.ContainsFunc(parts, hidden) && !slices.ContainsFunc(parts[:len(parts)-1], special) &&
		!slices.Contains(noData, path.Base(name))
}

// splitsOf are the splits that names tell: those of files that are numbered, else the names of folders, else those of files; where none
// does, all files are one split.
func splitsOf(data map[string]files.File) []split {
	names := make([]string, 0, len(data))
	for name := range data {
		names = append(names, name)
	}
	slices.Sort(names)
	if found := shardedSplits(names, data); len(found) > 0 {
		return found
	}
	for _, expression := range []func(string) *regexp.Regexp{inFolder, inName} {
		if found := wordSplits(names, data, expression); len(found) > 0 {
			return found
		}
	}
	all := split{name: defaultSplit}
	for _, name := range names {
		all.files = append(all.files, data[name])
	}
	return []split{all}
}

// shardedSplits are those of files that are numbered.
func shardedSplits(names []string, data map[string]files.File) []split {
	var found []split
	for _, name := range names {
		parts := sharded.FindStringSubmatch(name)
		if parts == nil {
			continue
		}
		at := slices.IndexFunc(found, func(one split) bool { return one.name == parts[1] })
		if at < 0 {
			at = len(found)
			found = append(found, split{name: parts[1]})
		}
		found[at].files = append(found[at].files, data[name])
	}
	return found
}

// wordSplits are those that words in names tell.
func wordSplits(names []string, data map[string]files.File, expression func(word string) *regexp.Regexp) []split {
	var found []split
	for _, known := range keywords {
		one, seen := split{name: known.split}, map[string]bool{}
		for _, word := range known.words {
			matches := expression(word)
			for _, name := range names {
				if !seen[name] && strings.Contains(name, word) && matches.MatchString(name) {
					seen[name] = true
					one.files = append(one.files, data[name])
				}
			}
		}
		if len(one.files) > 0 {
			found = append(found, one)
		}
	}
	return found
}
