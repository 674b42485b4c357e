package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Flat is a place in which files have names with slashes, and folders are nothing but what names begin with: a bucket, or a repository.
type Flat interface {
	// File returns the file with a name. Its error wraps fs.ErrNotExist where there is none.
	File(ctx context.Context, name string) (File, error)
	// Below calls a function with the files whose names begin with a prefix, until that returns an error. With right, files behind whose
	// prefix another slash follows are left out.
	Below(ctx context.Context, prefix string, right bool, found func(File) error) error
}

// maxLookedAt is how many files are looked at at most to find those that a pattern names.
const maxLookedAt = 5_000_000

// ListFlat returns the files of a place that any of some patterns names, as List does for a folder.
func ListFlat(ctx context.Context, place Flat, patterns ...string) ([]File, error) {
	return list(patterns, func(pattern string, found map[string]File) error { return named(ctx, place, pattern, found) })
}

// named adds the files that one pattern names.
func named(ctx context.Context, place Flat, pattern string, found map[string]File) error {
	name := strings.TrimSuffix(pattern, "/")
	if name == pattern && name != "" {
		switch file, err := place.File(ctx, name); {
		case err == nil:
			return keep(file, found)
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	if !IsPattern(name) {
		return matching(ctx, place, pattern, name+"/", "*", found)
	}
	prefix, rest := split(name)
	return matching(ctx, place, pattern, prefix, rest, found)
}

// split parts a pattern into what all names begin with, which ends with a slash or is empty, and the pattern of the rest.
func split(pattern string) (prefix, rest string) {
	end := strings.LastIndexByte(pattern[:strings.IndexAny(pattern, `*?[{\`)], '/') + 1
	return pattern[:end], pattern[end:]
}

// matching adds the files whose names begin with a prefix, and match a pattern from there on.
func matching(ctx context.Context, place Flat, named, prefix, pattern string, found map[string]File) error {
	looked, matched := 0, 0
	right := !strings.Contains(pattern, "/") && !strings.Contains(pattern, "**")
	err := place.Below(ctx, prefix, right, func(file File) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if looked++; looked > maxLookedAt {
			return fmt.Errorf("more than %d files were looked at for %q; say the folder that they are in", maxLookedAt, named)
		}
		if !matches(pattern, strings.TrimPrefix(file.Path, prefix)) {
			return nil
		}
		matched++
		return keep(file, found)
	})
	if err == nil && matched == 0 {
		err = &NoneError{Pattern: named}
	}
	return err
}

// matches says whether a name matches a pattern. One with parts that begin with a point does only where a part of the pattern begins so.
func matches(pattern, name string) bool {
	if name == "" || strings.HasSuffix(name, "/") { // some programs put objects that stand for folders
		return false
	}
	hides := func(text string) bool { return strings.HasPrefix(text, ".") || strings.Contains(text, "/.") }
	return (!hides(name) || hides(pattern)) && doublestar.MatchUnvalidated(pattern, name)
}
