package repository

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"

	"seedloom.dev/seedloom/engine/seed/files"
)

const (
	// cardPath is the card of a dataset, whose head says which file is what, and headPath is a file that has nothing but such a head; what it
	// says comes before the card.
	cardPath = "README.md"
	headPath = ".huggingface.yaml"
	// maxCard bounds both, and maxHead what of them is read as a head, in bytes.
	maxCard = 4 << 20
	maxHead = 1 << 20
)

// configuration is one of the tables that a dataset has.
type configuration struct {
	Name    string `yaml:"config_name"`
	Default bool   `yaml:"default"`
	// Folder is where its files are looked for; empty for the whole repository.
	Folder string `yaml:"data_dir"`
	// DataFiles names its files; of kind 0 where their names tell which they are.
	DataFiles yaml.Node `yaml:"data_files"`
}

// split is a part of a configuration.
type split struct {
	name     string
	patterns []string
	// files are those of the split, where no patterns name them.
	files []files.File
}

// configurations are those that the card names; none where it names none.
func (r *Repository) configurations(ctx context.Context) ([]configuration, error) {
	for _, name := range []string{headPath, cardPath} {
		text, err := r.text(ctx, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if name == cardPath {
			text = headOf(text)
		}
		if len(text) > maxHead {
			return nil, fmt.Errorf("the head of its card, %s, has more than %d bytes; name the files in paths", name, maxHead)
		}
		var head struct {
			Configurations []configuration `yaml:"configs"`
		}
		if err := yaml.Unmarshal(text, &head); err != nil {
			return nil, fmt.Errorf("the head of its card, %s, can't be read; name the files in paths (%s)", name, shown(err.Error()))
		}
		if len(head.Configurations) > 0 {
			return head.Configurations, nil
		}
	}
	return nil, nil
}

// text is the content of a small file.
func (r *Repository) text(ctx context.Context, name string) ([]byte, error) {
	if _, err := r.File(ctx, name); err != nil {
		return nil, err
	}
	r.mutex.Lock()
	listed := r.found[name]
	r.mutex.Unlock()
	text, err := r.reader.ReadText(ctx, r.commit, listed, maxCard)
	return text, failed(err)
}

// headOf is the head of a card; empty where it has none.
func headOf(card []byte) []byte {
	card = bytes.ReplaceAll(bytes.TrimPrefix(card, []byte("\ufeff")), []byte("\r\n"), []byte("\n"))
	head, found := bytes.CutPrefix(card, []byte("---\n"))
	if !found {
		return nil
	}
	head, _, found = bytes.Cut(head, []byte("\n---"))
	if !found {
		return nil
	}
	return head
}

// splits are those that a configuration of the card names; nil where the names of files tell.
func (c *configuration) splits() ([]split, error) {
	node := &c.DataFiles
	switch node.Kind {
	case 0:
		return nil, nil
	case yaml.SequenceNode:
		if len(node.Content) > 0 && node.Content[0].Kind == yaml.MappingNode {
			return c.namedSplits(node)
		}
	}
	patterns, err := c.patterns(node)
	return []split{{name: defaultSplit, patterns: patterns}}, err
}

// namedSplits are those of a list that says the name of each.
func (c *configuration) namedSplits(node *yaml.Node) ([]split, error) {
	var list []struct {
		Name string    `yaml:"split"`
		Path yaml.Node `yaml:"path"`
	}
	if err := node.Decode(&list); err != nil {
		return nil, c.unclear()
	}
	splits := make([]split, 0, len(list))
	for _, one := range list {
		patterns, err := c.patterns(&one.Path)
		if err != nil {
			return nil, err
		}
		if one.Name == "" {
			return nil, c.unclear()
		}
		splits = append(splits, split{name: one.Name, patterns: patterns})
	}
	return splits, nil
}

// patterns are the paths and patterns of a text, or of a list of texts, below the root of the repository.
func (c *configuration) patterns(node *yaml.Node) ([]string, error) {
	var list []string
	if node.Kind == yaml.ScalarNode {
		list = []string{node.Value}
	} else if node.Kind != yaml.SequenceNode || node.Decode(&list) != nil || len(list) == 0 {
		return nil, c.unclear()
	}
	for i, pattern := range list {
		if strings.Contains(pattern, "://") {
			return nil, fmt.Errorf("the files of its configuration %q lie elsewhere (%s); read them from there, with spec.seed.http or "+
				"another huggingFace.repository", c.Name, shown(pattern))
		}
		list[i] = strings.TrimPrefix(path.Join(c.Folder, pattern), "/")
		if err := files.Check(list[i]); err != nil {
			return nil, fmt.Errorf("its card names the files of the configuration %q in a way that can't be read; name them in paths (%s)",
				c.Name, shown(err.Error()))
		}
	}
	return list, nil
}

func (c *configuration) unclear() error {
	return fmt.Errorf("its card does not say which are the files of the configuration %q (data_files); name them in paths", c.Name)
}
