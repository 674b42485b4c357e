package hub

import (
	"crypto/sha1" //nolint:gosec // it is what git names its objects by
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// changes are what leads from a state to a content.
type changes struct {
	files   []File
	removed []string
	// inline has, by their paths, the content of the files that are part of the commit itself.
	inline map[string][]byte
}

func (c *changes) empty() bool { return len(c.files)+len(c.removed) == 0 }

func (c *changes) bytes() (sum int64) {
	for i := range c.files {
		sum += c.files[i].Bytes
	}
	return sum
}

// changesTo are what the repository lacks of a content, and what it has too much.
func (s *state) changesTo(content *Content) (*changes, error) {
	found := &changes{inline: map[string][]byte{}}
	wanted := map[string]bool{}
	for _, file := range append(slices.Clone(content.Files), content.Card) {
		wanted[file.Path] = true
		there, err := s.has(&file)
		if err != nil {
			return nil, err
		}
		if !there {
			found.files = append(found.files, file)
		}
	}
	for name := range s.files {
		if !wanted[name] && slices.ContainsFunc(content.Folders, func(folder string) bool { return strings.HasPrefix(name, folder+"/") }) {
			found.removed = append(found.removed, name)
		}
	}
	slices.Sort(found.removed)
	return found, nil
}

// has says whether a file is there as it is to be.
func (s *state) has(file *File) (bool, error) {
	there, found := s.files[file.Path]
	switch {
	case !found:
		return false, nil
	case there.LFS != nil:
		return there.LFS.OID == file.SHA256, nil
	case there.Size != file.Bytes:
		return false, nil
	}
	data, err := file.Read()
	if err != nil {
		return false, err
	}
	return there.OID == gitDigest(data), nil
}

// gitDigest is the name of an object with a content in git.
func gitDigest(data []byte) string {
	sum := sha1.New() //nolint:gosec // see above
	fmt.Fprintf(sum, "blob %d\x00", len(data))
	_, _ = sum.Write(data) // never fails
	return hex.EncodeToString(sum.Sum(nil))
}
