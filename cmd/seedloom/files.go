package main

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"seedloom.dev/seedloom/engine/plan"
)

// resources are what the files of a command line hold.
type resources struct {
	manifests  []*manifest
	configMaps []*document
	// problems are those of files as a whole.
	problems []problem
}

// listFiles returns the files that the names stand for: of a folder those that end in .yaml, .yml or .json, with recursive also below it.
// named says which were named themselves.
func listFiles(names []string, recursive bool) (files []string, named map[string]bool, err error) {
	named = map[string]bool{}
	add := func(path string) {
		if path != "-" {
			path = filepath.Clean(path)
		}
		if !slices.Contains(files, path) {
			files = append(files, path)
		}
	}
	for _, name := range names {
		info, err := os.Stat(name)
		switch {
		case name == "-" || err == nil && !info.IsDir():
			named[filepath.Clean(name)] = true
			add(name)
			continue
		case err != nil:
			return nil, nil, err
		}
		before := len(files)
		if err := walkFolder(name, recursive, add); err != nil {
			return nil, nil, err
		}
		if len(files) == before {
			return nil, nil, fmt.Errorf("there is no .yaml, .yml or .json file in %s; -R looks below it too", name)
		}
	}
	return files, named, nil
}

// walkFolder calls add with each file of a folder that ends in .yaml, .yml or .json, with recursive also with those below it.
func walkFolder(folder string, recursive bool, add func(path string)) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != folder && !recursive:
			return fs.SkipDir
		case !entry.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path)):
			add(path)
		}
		return nil
	})
}

// load reads all files.
func (d *definition) load(streams *Streams, files []string, named map[string]bool, changes *overrides) (*resources, error) {
	all := &resources{}
	var without []problem
	for _, file := range files {
		data, err := readInput(streams, file)
		if err != nil {
			return nil, err
		}
		documents, problems := readDocuments(file, data)
		all.problems = append(all.problems, problems...)
		found, before := len(all.manifests), len(all.configMaps)
		if err := d.addDocuments(all, documents, changes); err != nil {
			return nil, err
		}
		if len(all.manifests) == found && len(problems) == 0 && named[file] {
			if len(documents) > 0 && len(all.configMaps) == before+len(documents) {
				without = append(without, nothingIn(file, documents))
			} else {
				all.problems = append(all.problems, nothingIn(file, documents))
			}
		}
	}
	all.refuseTwins()
	// A file that only brings data along is one for the manifests of other files.
	if len(all.manifests) == 0 {
		all.problems = append(all.problems, without...)
	}
	return all, nil
}

// refuseTwins refuses resources that are there twice: which one is meant is not known, and kubectl would take the last.
func (r *resources) refuseTwins() {
	first := map[string]*document{}
	isTwin := func(kind string, of *document) (message string, twin bool) {
		name, namespace := of.text("metadata", "name"), cmp.Or(of.text("metadata", "namespace"), "default")
		before, twin := first[kind+"/"+namespace+"/"+name]
		if !twin || name == "" {
			first[kind+"/"+namespace+"/"+name] = of
			return "", false
		}
		return fmt.Sprintf("the %s %q of namespace %q is there twice: it stands at %s:%d:%d too; remove one, or give it another name",
			kind, name, namespace, before.file, before.root.Line, before.root.Column), true
	}
	for _, one := range r.manifests {
		if message, twin := isTwin(kindDatasetGeneration, one.document); twin {
			one.report(severityError, "metadata.name", message)
		}
	}
	for _, one := range r.configMaps {
		if message, twin := isTwin("ConfigMap", one); twin {
			r.problems = append(r.problems, one.at(severityError, "", message))
		}
	}
}

// addDocuments puts the manifests and the ConfigMaps among the documents of a file into all.
func (d *definition) addDocuments(all *resources, documents []*document, changes *overrides) error {
	for _, document := range documents {
		switch document.text("kind") {
		case kindDatasetGeneration:
			read, err := d.readManifest(document, changes)
			if err != nil {
				return err
			}
			all.manifests = append(all.manifests, read)
		case "ConfigMap":
			all.configMaps = append(all.configMaps, document)
		}
	}
	return nil
}

// nothingIn says that a file has no manifest, and what it has.
func nothingIn(file string, documents []*document) problem {
	found := problem{File: file, Severity: severityError, Message: fmt.Sprintf("there is no resource of kind %s in it", kindDatasetGeneration)}
	for _, document := range documents {
		kind := document.text("kind")
		if kind == "" {
			found.Line, found.Column = document.root.Line, document.root.Column
			found.Message += "; a manifest begins with apiVersion and kind"
			return found
		}
		if hint := plan.Suggestion(kind, []string{kindDatasetGeneration}); strings.Contains(hint, "did you mean") {
			found.Line, found.Column = document.root.Line, document.root.Column
			found.Message = fmt.Sprintf("there is no kind %q%s", kind, hint)
		}
	}
	return found
}

func readInput(streams *Streams, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(streams.In)
	}
	return os.ReadFile(name)
}

// choose returns the one manifest that a command works on: the one with the name, or the only one.
func (r *resources) choose(name string) (*manifest, error) {
	var names []string
	var chosen *manifest
	for _, one := range r.manifests {
		own := one.document.text("metadata", "name")
		names = append(names, own)
		if name == "" || own == name {
			chosen = cmp.Or(chosen, one)
		}
	}
	switch {
	case chosen == nil && name != "":
		return nil, fmt.Errorf("--name: no manifest is called %q%s", name, plan.Suggestion(name, names))
	case chosen == nil:
		return nil, errors.New("there is no manifest in the files")
	case name == "" && len(names) > 1:
		return nil, fmt.Errorf("there are %d resources of kind %s (%s); choose one with --name",
			len(names), kindDatasetGeneration, strings.Join(names, ", "))
	}
	return chosen, nil
}

// configMapData is a file of a ConfigMap that stands in the files too.
func (r *resources) configMapData(namespace, name, key string) (data []byte, found bool, err error) {
	for _, document := range r.configMaps {
		own := cmp.Or(document.text("metadata", "namespace"), "default")
		if document.text("metadata", "name") != name || own != cmp.Or(namespace, "default") {
			continue
		}
		object, is := document.object(nil)
		if !is {
			continue
		}
		if texts, is := object["data"].(map[string]any); is {
			if text, is := texts[key].(string); is {
				return []byte(text), true, nil
			}
		}
		if binary, is := object["binaryData"].(map[string]any); is {
			if text, is := binary[key].(string); is {
				data, err := base64.StdEncoding.DecodeString(text)
				if err != nil {
					return nil, false, fmt.Errorf("%s: binaryData of the ConfigMap %q: %w", document.file, name, err)
				}
				return data, true, nil
			}
		}
		return nil, false, fmt.Errorf("%s: the ConfigMap %q has no key %q, which the seed names", document.file, name, key)
	}
	return nil, false, nil
}
