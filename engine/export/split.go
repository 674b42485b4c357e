package export

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"seedloom.dev/seedloom/engine/table"
)

const (
	// maxParts is how many values the column that rows are split by may have: each has a file that is open.
	maxParts = 100
	// maxPrefix bounds the name of a file, of which its number and its ending are still to come.
	maxPrefix = 120
	// wholeName is what the names of files begin with where the rows are not split.
	wholeName = "data"
	// nullName and emptyName stand for null and for a text without characters: no other value has them, since an underscore at the beginning
	// is written in another way.
	nullName, emptyName = "_null", "_empty"
	// digestDigits is how many digits of a digest tell values apart whose names would be the same.
	digestDigits = 16
)

// splitColumn is the position of the column with a name, which rows can be split by; -1 without a name.
func splitColumn(schema *table.Schema, name string) (int, error) {
	if name == "" {
		return -1, nil
	}
	index, found := schema.Index(name)
	if !found {
		return -1, fmt.Errorf("splitBy: there is no column %q", name)
	}
	switch kind := schema.Fields()[index].Type; kind.Kind {
	case table.KindString, table.KindInt, table.KindBool, table.KindDate:
		return index, nil
	default:
		return -1, fmt.Errorf("splitBy: the column %q is of the type %s; rows can be split by texts, whole numbers, truth values and dates",
			name, kind)
	}
}

// part returns what a row with a value belongs to.
func (w *Writer) part(of any) (*part, error) {
	if w.options.SplitBy == "" {
		return w.known("", func() *part { return &part{prefix: wholeName} })
	}
	if of == nil {
		return w.known(nullName, func() *part { return &part{prefix: nullName} })
	}
	text, err := plainCell(nil, w.splitType, of)
	if err != nil {
		return nil, err
	}
	value := string(text)
	return w.known("="+value, func() *part { return &part{prefix: w.fileName(value), value: &value} })
}

// known returns a part by its key, and adds it where there is none yet.
func (w *Writer) known(key string, add func() *part) (*part, error) {
	if found := w.parts[key]; found != nil {
		return found, nil
	}
	if len(w.order) == maxParts {
		return nil, fmt.Errorf("the column %q has more than %d different values, and the rows of each would have files of their own: "+
			"split by a column with fewer", w.options.SplitBy, maxParts)
	}
	added := add()
	w.parts[key] = added
	w.order = append(w.order, added)
	return added, nil
}

// fileName is what the names of the files of a value begin with: on every file system another one than those of the values before it, and
// one that leads nowhere else.
func (w *Writer) fileName(value string) string {
	var name strings.Builder
	for i := range len(value) {
		c := value[i]
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || i > 0 && (c == '-' || c == '_' || c == '.')
		if plain {
			name.WriteByte(c)
		} else {
			fmt.Fprintf(&name, "%%%02X", c)
		}
	}
	prefix := name.String()
	if prefix == "" {
		prefix = emptyName
	}
	isTaken := func(other *part) bool { return strings.EqualFold(other.prefix, prefix) }
	if len(prefix) > maxPrefix || slices.ContainsFunc(w.order, isTaken) {
		sum := sha256.Sum256([]byte(value))
		prefix = prefix[:min(len(prefix), maxPrefix-digestDigits-1)] + "_" + hex.EncodeToString(sum[:digestDigits/2])
	}
	return prefix
}
