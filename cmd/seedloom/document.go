package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

// maxNodes bounds what a document is when its aliases are written out: far more than an API server takes.
const maxNodes = 100_000

// place is where something stands in a file, from 1.
type place struct{ line, column int }

// document is one resource of a file: what kubectl would send of it, and where each field stands.
type document struct {
	file     string
	root     *yamlv3.Node
	places   map[string]place
	problems []problem
	nodes    int
	// open are the anchors whose values are being read.
	open map[*yamlv3.Node]bool
}

// readDocuments splits a file into its documents. With problems, the documents before them are there.
func readDocuments(file string, data []byte) (documents []*document, problems []problem) {
	decoder := yamlv3.NewDecoder(bytes.NewReader(data))
	for {
		var node yamlv3.Node
		err := decoder.Decode(&node)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return documents, []problem{syntaxProblem(file, err)}
		}
		if root := node.Content[0]; root.Kind != yamlv3.ScalarNode || root.Value != "" {
			documents = append(documents, &document{file: file, root: root, places: map[string]place{}, open: map[*yamlv3.Node]bool{}})
		}
	}
}

var syntaxPlace = regexp.MustCompile(`^yaml: (?:unmarshal errors:\s*)?line (\d+): `)

// syntaxProblem says where a file is no YAML.
func syntaxProblem(file string, err error) problem {
	found := problem{File: file, Severity: severityError, Message: "is no YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}
	if match := syntaxPlace.FindStringSubmatch(err.Error()); match != nil {
		found.Line, _ = strconv.Atoi(match[1]) // it is made of digits
		found.Column = 1
		found.Message = "is no YAML: " + err.Error()[len(match[0]):]
	}
	return found
}

// text is the value of a key of the document's root, when that is a text.
func (d *document) text(keys ...string) string {
	node := d.root
	for _, key := range keys {
		next := (*yamlv3.Node)(nil)
		for i := 0; node.Kind == yamlv3.MappingNode && i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == key {
				next = node.Content[i+1]
			}
		}
		if next == nil {
			return ""
		}
		node = next
	}
	return node.Value
}

// at is the problem with its place: that of the field, or of the innermost field around it that is there.
func (d *document) at(severity severity, field, message string) problem {
	found := problem{File: d.file, Severity: severity, Field: field, Message: message}
	for path := field; ; {
		if place, known := d.places[path]; known {
			found.Line, found.Column = place.line, place.column
			return found
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			break
		}
		path = path[:cut]
	}
	found.Line, found.Column = d.root.Line, d.root.Column
	return found
}

func (d *document) add(field string, node *yamlv3.Node, format string, arguments ...any) {
	if d.nodes > maxNodes+1 {
		return // nobody reads what else is wrong with it
	}
	d.problems = append(d.problems, problem{
		File: d.file, Line: node.Line, Column: node.Column, Severity: severityError, Field: field, Message: fmt.Sprintf(format, arguments...),
	})
}

// object is the document as kubectl would send it to the API server: YAML as it was before version 1.2, in which yes and on are truths.
// What is lost on that way is a problem. shape is what is known of the fields.
func (d *document) object(shape *schema.Structural) (map[string]any, bool) {
	value := d.value(d.root, "", shape)
	object, is := value.(map[string]any)
	return object, is
}

func (d *document) value(node *yamlv3.Node, path string, shape *schema.Structural) any {
	if d.nodes++; d.nodes > maxNodes {
		if d.nodes == maxNodes+1 {
			d.add(path, node, "the document is larger than %d values when its aliases are written out", maxNodes)
		}
		return nil
	}
	if node.Anchor != "" {
		if d.open[node] {
			d.add(path, node, "the anchor &%s has an alias of itself inside, so it has no end; write out what is meant", node.Anchor)
			return nil
		}
		d.open[node] = true
		defer delete(d.open, node)
	}
	if _, known := d.places[path]; !known {
		d.places[path] = place{node.Line, node.Column}
	}
	switch node.Kind {
	case yamlv3.AliasNode:
		return d.value(node.Alias, path, shape)
	case yamlv3.MappingNode:
		return d.mapping(node, path, shape)
	case yamlv3.SequenceNode:
		list := make([]any, 0, len(node.Content))
		var items *schema.Structural
		if shape != nil {
			items = shape.Items
		}
		for i, entry := range node.Content {
			list = append(list, d.value(entry, fmt.Sprintf("%s[%d]", path, i), items))
		}
		return list
	}
	return d.scalar(node, path, shape)
}

func (d *document) mapping(node *yamlv3.Node, path string, shape *schema.Structural) map[string]any {
	object := make(map[string]any, len(node.Content)/2)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if key.Tag == "!!merge" {
			d.merge(object, value, path, shape)
			continue
		}
		name := d.key(key, path)
		field := name
		if path != "" {
			field = path + "." + name
		}
		if _, twice := object[name]; twice {
			d.add(field, key, "the key %q is there twice; remove one of the two", name)
		}
		d.places[field] = place{key.Line, key.Column}
		// Fields that the API server names by their keys in brackets stand at the same place.
		d.places[fmt.Sprintf("%s[%s]", path, name)] = place{key.Line, key.Column}
		object[name] = d.value(value, field, member(shape, name))
	}
	return object
}

// member is what is known of a field of an object.
func member(shape *schema.Structural, name string) *schema.Structural {
	if shape == nil {
		return nil
	}
	if property, known := shape.Properties[name]; known {
		return &property
	}
	if shape.AdditionalProperties != nil {
		return shape.AdditionalProperties.Structural
	}
	return nil
}

// merge takes over the members of other objects that a mapping does not have itself.
func (d *document) merge(object map[string]any, value *yamlv3.Node, path string, shape *schema.Structural) {
	sources := []*yamlv3.Node{value}
	if value.Kind == yamlv3.SequenceNode {
		sources = value.Content
	}
	for _, source := range sources {
		merged, is := d.value(source, path, shape).(map[string]any)
		if !is {
			d.add(path, source, "<< needs an object, or a list of objects")
			continue
		}
		for name, one := range merged {
			if _, there := object[name]; !there {
				object[name] = one
			}
		}
	}
}

// key is the name that a key gets in JSON. A key that YAML takes for something else than a text loses what was written.
func (d *document) key(node *yamlv3.Node, path string) string {
	if node.Kind != yamlv3.ScalarNode {
		d.add(path, node, "a key must be a text")
		return ""
	}
	read, ok := plain(node)
	if !ok || read == nil {
		if isPlain(node) && node.Value != "" && (!ok || read == nil) {
			d.add(joined(path, node.Value), node, "the key %s is no text in YAML; put quotes around it: %q", node.Value, node.Value)
		}
		return node.Value
	}
	if name := textOf(read); name != node.Value {
		d.add(joined(path, node.Value), node, "YAML reads the key %s as %s; put quotes around it to keep it as it is: %q",
			node.Value, name, node.Value)
	}
	return node.Value
}

func joined(path, name string) string { return strings.TrimPrefix(path+"."+name, ".") }

// yamlTruths are the words that older YAML takes for true and false, and that are hardly ever meant so.
var yamlTruths = regexp.MustCompile(`^(?i:y|n|yes|no|on|off)$`)

// oddNumber is how a whole number is written that is hardly meant as one: with a zero before it, in another base, or with '_' in it.
var oddNumber = regexp.MustCompile(`^[-+]?(0[0-9_]+|0[xXbBoO].*|.*_.*)$`)

func (d *document) scalar(node *yamlv3.Node, path string, shape *schema.Structural) any {
	if node.Style&yamlv3.TaggedStyle != 0 && node.Tag != "!!str" {
		d.add(path, node, "the tag %s has no meaning here; remove it", node.Tag)
		return node.Value
	}
	if !isPlain(node) {
		return node.Value
	}
	read, ok := plain(node)
	if !ok {
		d.add(path, node, "%s is no value of JSON; put quotes around it if a text is meant: %q", node.Value, node.Value)
		return nil
	}
	switch typed := read.(type) {
	case bool:
		if yamlTruths.MatchString(node.Value) && (shape == nil || shape.Type != "boolean") {
			d.add(path, node, "YAML reads %s as %v; put quotes around it if a text is meant: %q, or write %v", node.Value, typed, node.Value, typed)
			return node.Value
		}
	case int64:
		if oddNumber.MatchString(node.Value) {
			d.add(path, node, "YAML reads %s as the number %d; put quotes around it to keep it as it is: %q, or write %d",
				node.Value, typed, node.Value, typed)
		}
	}
	return read
}

// isPlain says whether a scalar is written without quotes, so that YAML chooses its type.
func isPlain(node *yamlv3.Node) bool {
	quoted := yamlv3.DoubleQuotedStyle | yamlv3.SingleQuotedStyle | yamlv3.LiteralStyle | yamlv3.FoldedStyle | yamlv3.TaggedStyle
	return node.Style&quoted == 0
}

// notText is how a plain scalar begins or reads that YAML may take for something else than a text.
var notText = regexp.MustCompile(`^(?i:[-+.0-9~].*|y|n|yes|no|on|off|true|false|null|)$`)

// plain is a scalar as kubectl reads it. It is not ok when JSON has no such value.
func plain(node *yamlv3.Node) (value any, ok bool) {
	if !isPlain(node) || !notText.MatchString(node.Value) {
		return node.Value, true
	}
	data, err := yaml.YAMLToJSON([]byte(node.Value))
	if err != nil {
		return nil, false
	}
	if err := utiljson.Unmarshal(data, &value); err != nil {
		return nil, false
	}
	switch value.(type) {
	case map[string]any, []any:
		return node.Value, true // "- a" in the middle of a text
	}
	return value, true
}

// textOf is a scalar as a key of JSON.
func textOf(value any) string {
	if text, is := value.(string); is {
		return text
	}
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(data)
}
