// Package files finds the files below a folder that paths and patterns name, and opens them. What is in the files is not known here, and
// nothing outside of the folder can be reached, whatever names and links say.
package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
)

// MaxFiles is how many files may be found at most.
const MaxFiles = 250_000

// File is a regular file, as it was when it was found.
type File struct {
	// Path is its name below the folder, with slashes.
	Path     string
	Size     int64
	Modified time.Time
	// Version tells its content from another one, where the place says what does; else it is empty.
	Version string
}

// Content is what is in a file.
type Content interface {
	io.Reader
	io.ReaderAt
	io.Closer
}

// Folder is a folder whose files are looked for. Several goroutines may use it.
type Folder struct{ root *os.Root }

// Open opens a folder. Who opened it closes it; files that were opened before stay open.
func Open(directory string) (*Folder, error) {
	root, err := os.OpenRoot(directory)
	if err != nil {
		return nil, err
	}
	return &Folder{root}, nil
}

// Close releases the folder.
func (f *Folder) Close() error { return f.root.Close() }

// NoneError says that a pattern matches no file, or that no file lies in a folder.
type NoneError struct {
	Pattern string
	// IsFolder says that there is such a folder.
	IsFolder bool
}

// Error names the pattern.
func (e *NoneError) Error() string {
	if e.IsFolder {
		return fmt.Sprintf("no file lies in the folder %q; name one, or those below it by a pattern, as in %s", e.Pattern,
			path.Join(e.Pattern, "**"))
	}
	return fmt.Sprintf("no file matches %q; check the name", e.Pattern)
}

// Is has it count as a file that does not exist.
func (e *NoneError) Is(target error) bool { return target == fs.ErrNotExist }

// ErrNotFile says that what has a name is no regular file.
var ErrNotFile = errors.New("it is not a file; give the path of one")

// Check says what is wrong with a path or pattern, whatever there is below the folder.
func Check(pattern string) error {
	switch {
	case pattern == "":
		return errors.New("must not be empty")
	case strings.HasPrefix(pattern, "/"), slices.Contains(strings.Split(pattern, "/"), ".."):
		return fmt.Errorf("%q must be relative, without '..'", pattern)
	case !doublestar.ValidatePattern(pattern):
		return fmt.Errorf("%q is not a pattern: a '[' or '{' in it is not closed", pattern)
	}
	return nil
}

// IsPattern says whether a name is one of several files: it has a star, a question mark, brackets or braces.
func IsPattern(name string) bool { return strings.ContainsAny(name, "*?[{") }

// NamesSeveral says whether a name is one of several files, as far as it tells: it is a pattern, or ends as that of a folder.
func NamesSeveral(name string) bool { return IsPattern(name) || strings.HasSuffix(name, "/") }

// List returns the files that any of some patterns names, each once, in the order of their paths as bytes. A pattern is the path of a file;
// or that of a folder, which stands for the files directly in it; or has *, ?, [a-z], {one,other}, and ** for any folders between. What
// begins with a point is matched only where the pattern says the point. Links within the folder are followed to files; ** follows none to
// folders. A link to something outside is an error, as is a pattern without a file, and what can't be read.
func (f *Folder) List(ctx context.Context, patterns ...string) ([]File, error) {
	return list(patterns, func(pattern string, found map[string]File) error {
		before := len(found)
		named, err := f.named(ctx, path.Clean(pattern), found)
		if err == nil && named == 0 && len(found) == before {
			info, problem := f.root.Stat(path.Clean(pattern))
			err = &NoneError{Pattern: pattern, IsFolder: problem == nil && info.IsDir()}
		}
		return err
	})
}

// list returns the files that any of some patterns names, each once, in the order of their paths; named adds those of one pattern.
func list(patterns []string, named func(pattern string, found map[string]File) error) ([]File, error) {
	found := map[string]File{}
	for _, pattern := range patterns {
		if err := Check(pattern); err != nil {
			return nil, err
		}
		if err := named(pattern, found); err != nil {
			return nil, err
		}
	}
	list := make([]File, 0, len(found))
	for _, file := range found {
		list = append(list, file)
	}
	slices.SortFunc(list, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return list, nil
}

// named adds the files that one pattern names, and returns how many they are.
func (f *Folder) named(ctx context.Context, pattern string, found map[string]File) (int, error) {
	info, err := f.root.Stat(pattern)
	switch {
	case err == nil && info.Mode().IsRegular():
		found[pattern] = describe(pattern, info)
		return 1, nil
	case err == nil && !info.IsDir():
		return 0, fmt.Errorf("%q: %w", pattern, ErrNotFile)
	case err == nil:
		pattern = path.Join(escape(pattern), "*")
	case !IsPattern(pattern):
		return 0, linkError(pattern, err)
	}
	count := 0
	collect := func(name string, _ fs.DirEntry) error {
		info, err := f.root.Stat(name)
		if err != nil {
			return linkError(name, err)
		}
		if !info.Mode().IsRegular() {
			return nil
		}
		count++
		return keep(describe(name, info), found)
	}
	below := folders{f.root.FS(), ctx}
	err = doublestar.GlobWalk(below, pattern, collect, doublestar.WithFailOnIOErrors(), doublestar.WithNoFollow(), doublestar.WithNoHidden())
	return count, err
}

// keep notes a file that was found.
func keep(file File, found map[string]File) error {
	if found[file.Path] = file; len(found) > MaxFiles {
		return fmt.Errorf("more than %d files match; select fewer", MaxFiles)
	}
	return nil
}

func describe(name string, info fs.FileInfo) File {
	return File{Path: name, Size: info.Size(), Modified: info.ModTime()}
}

// linkError says of what was found under a name why it is not there.
func linkError(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &NoneError{Pattern: name}
	}
	err = cause(err)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%q: %w", name, err)
	}
	return fmt.Errorf("%q can't be reached; a link may lead only to what lies in the same folder or below it: %w", name, err)
}

// escape has the characters of a name stand for themselves in a pattern.
func escape(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `{`, `\{`, `}`, `\}`).Replace(name)
}

// folders reads folders until a context ends. It knows nothing of what file systems keep for themselves.
type folders struct {
	fs.FS
	ctx context.Context
}

// lostAndFound is where a check of a file system puts what it has found. Only root may read it.
const lostAndFound = "lost+found"

// ReadDir implements fs.ReadDirFS.
func (f folders) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := f.ctx.Err(); err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(f.FS, name)
	if err != nil {
		return nil, fmt.Errorf("the folder %q can't be read: %w", name, cause(err))
	}
	if name == "." {
		entries = slices.DeleteFunc(entries, func(entry fs.DirEntry) bool { return entry.Name() == lostAndFound && entry.IsDir() })
	}
	return entries, nil
}

// cause is what has failed, without a path that says where the folder is mounted.
func cause(err error) error {
	var onPath *fs.PathError
	var inSystem *os.SyscallError
	if errors.As(err, &onPath) {
		err = onPath.Err
	}
	if errors.As(err, &inSystem) {
		err = inSystem.Err
	}
	return err
}

// Open opens a file that was found. The size is that of the file now.
func (f *Folder) Open(name string) (content Content, size int64, err error) {
	// Looking first keeps from waiting for ever on what is not a file.
	info, err := f.root.Stat(name)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, ErrNotFile
	}
	opened, err := f.root.Open(name)
	if err != nil {
		return nil, 0, err
	}
	return opened, info.Size(), nil
}
