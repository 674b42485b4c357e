package datadesigner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// maxNodes bounds how many values are read when aliases are written out: far more than any configuration has.
const maxNodes = 200_000

// errTooLarge is what reading ends with beyond maxNodes.
var errTooLarge = errors.New("the configuration has too many values when its aliases are written out")

// reader is what all objects of a configuration share.
type reader struct {
	notes []Note
	nodes int
	// merging are the mappings that are being merged into others.
	merging map[*yaml.Node]bool
}

// note tells of a field that is carried over with another meaning than it had.
func (r *reader) note(path, format string, arguments ...any) {
	r.notes = append(r.notes, Note{Path: path, Message: fmt.Sprintf(format, arguments...)})
}

// lose tells of a field that is not carried over.
func (r *reader) lose(path, format string, arguments ...any) {
	r.notes = append(r.notes, Note{Path: path, Message: fmt.Sprintf(format, arguments...), Lost: true})
}

// resolve follows an alias. The parser has refused aliases of themselves; maxNodes bounds those that multiply.
func (r *reader) resolve(node *yaml.Node) (*yaml.Node, error) {
	for node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if r.nodes++; r.nodes > maxNodes {
		return nil, errTooLarge
	}
	return node, nil
}

// object is a mapping of the configuration. It remembers which of its members were read, so that rest can name the others.
type object struct {
	*reader
	path   string
	keys   []string
	values map[string]*yaml.Node
	read   map[string]bool
}

// newObject returns nil, and tells why, when the node is no mapping.
func (r *reader) newObject(node *yaml.Node, path string) *object {
	node, err := r.resolve(node)
	if err != nil || node.Kind != yaml.MappingNode {
		r.lose(path, "must be a mapping, but is %s", r.kindOf(node))
		return nil
	}
	o := &object{reader: r, path: path, values: map[string]*yaml.Node{}, read: map[string]bool{}}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i].Value, node.Content[i+1]
		if node.Content[i].Tag == "!!merge" {
			o.merge(value)
			continue
		}
		if _, there := o.values[key]; !there {
			o.keys = append(o.keys, key)
		}
		o.values[key] = value
	}
	return o
}

// merge takes over the members of another mapping that this one does not have, or of a list of mappings.
func (o *object) merge(node *yaml.Node) {
	node, err := o.resolve(node)
	if err != nil {
		return
	}
	if o.merging[node] {
		o.lose(o.at("<<"), "merges a mapping into itself")
		return
	}
	o.merging[node] = true
	defer delete(o.merging, node)
	if node.Kind == yaml.SequenceNode {
		for _, entry := range node.Content {
			o.merge(entry)
		}
		return
	}
	merged := o.newObject(node, o.at("<<"))
	if merged == nil {
		return
	}
	for _, key := range merged.keys {
		if _, there := o.values[key]; !there {
			o.keys, o.values[key] = append(o.keys, key), merged.values[key]
		}
	}
}

// at is the path of a member.
func (o *object) at(key string) string {
	if o.path == "" {
		return key
	}
	return o.path + "." + key
}

// value is a member, nil when it is not there or null.
func (o *object) value(key string) *yaml.Node {
	o.read[key] = true
	node, there := o.values[key]
	if !there {
		return nil
	}
	node, err := o.resolve(node)
	if err != nil || node.Tag == "!!null" {
		return nil
	}
	return node
}

// has says whether a member is there and not null.
func (o *object) has(key string) bool { return o.value(key) != nil }

// rest loses the members that nobody has read. An empty list or mapping says nothing.
func (o *object) rest() {
	for _, key := range o.keys {
		if o.read[key] {
			continue
		}
		if node := o.value(key); node != nil && (node.Kind == yaml.ScalarNode || len(node.Content) > 0) {
			o.lose(o.at(key), "has no counterpart, and is left out")
		}
	}
}

// scalar is a member that is no list and no mapping.
func (o *object) scalar(key, want string) *yaml.Node {
	node := o.value(key)
	if node != nil && node.Kind != yaml.ScalarNode {
		o.lose(o.at(key), "must be %s, but is %s", want, o.kindOf(node))
		return nil
	}
	return node
}

// text is a member that is a text; empty when it is not there.
func (o *object) text(key string) string {
	if node := o.scalar(key, "a text"); node != nil {
		return node.Value
	}
	return ""
}

// truth is a member that is true or false; nil when it is not there.
func (o *object) truth(key string) *bool {
	node := o.scalar(key, "true or false")
	if node == nil {
		return nil
	}
	var value bool
	if node.Decode(&value) != nil {
		o.lose(o.at(key), "must be true or false, but is %q", node.Value)
		return nil
	}
	return &value
}

// isTrue says whether a member is there and true.
func (o *object) isTrue(key string) bool {
	value := o.truth(key)
	return value != nil && *value
}

// whole is a member that is a whole number; nil when it is not there.
func (o *object) whole(key string) *int64 {
	node := o.scalar(key, "a whole number")
	if node == nil {
		return nil
	}
	return o.wholeOf(node, o.at(key))
}

func (r *reader) wholeOf(node *yaml.Node, path string) *int64 {
	number, err := strconv.ParseFloat(node.Value, 64)
	if err != nil || number != math.Trunc(number) || math.Abs(number) > 1<<53 {
		r.lose(path, "must be a whole number, but is %q", node.Value)
		return nil
	}
	value := int64(number)
	return &value
}

// small is a whole number that fits 32 bits.
func (o *object) small(key string) *int32 {
	value := o.whole(key)
	if value == nil {
		return nil
	}
	if *value < math.MinInt32 || *value > math.MaxInt32 {
		o.lose(o.at(key), "is out of range: %d", *value)
		return nil
	}
	fits := int32(*value)
	return &fits
}

// decimal is a member that is a number; nil when it is not there.
func (o *object) decimal(key string) *v1alpha1.Decimal {
	node := o.scalar(key, "a number")
	if node == nil {
		return nil
	}
	return o.decimalOf(node, o.at(key))
}

func (r *reader) decimalOf(node *yaml.Node, path string) *v1alpha1.Decimal {
	value, err := v1alpha1.NewDecimal(numberText(node.Value))
	if err != nil {
		r.lose(path, "must be a number, but is %q", node.Value)
		return nil
	}
	return &value
}

// numberText is a number of YAML as JSON writes it: 1e-3 and .5 and +1 are numbers there, too.
func numberText(text string) string {
	if json.Valid([]byte(text)) {
		return text
	}
	if number, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64); err == nil && !math.IsInf(number, 0) && !math.IsNaN(number) {
		return strconv.FormatFloat(number, 'g', -1, 64)
	}
	return text
}

// decimals is a list of numbers.
func (o *object) decimals(key string) []v1alpha1.Decimal {
	var list []v1alpha1.Decimal
	for i, node := range o.list(key) {
		if value := o.decimalOf(node, fmt.Sprintf("%s[%d]", o.at(key), i)); value != nil {
			list = append(list, *value)
		}
	}
	return list
}

// child is a member that is a mapping; nil when it is not there.
func (o *object) child(key string) *object {
	node := o.value(key)
	if node == nil {
		return nil
	}
	return o.newObject(node, o.at(key))
}

// list are the entries of a member that is a list.
func (o *object) list(key string) []*yaml.Node {
	node := o.value(key)
	if node == nil {
		return nil
	}
	if node.Kind != yaml.SequenceNode {
		o.lose(o.at(key), "must be a list, but is %s", o.kindOf(node))
		return nil
	}
	entries := make([]*yaml.Node, 0, len(node.Content))
	for _, entry := range node.Content {
		entry, err := o.resolve(entry)
		if err != nil {
			return nil
		}
		entries = append(entries, entry)
	}
	return entries
}

// children are the entries of a list of mappings. An entry that is none is nil, so that the indexes stay those of the configuration.
func (o *object) children(key string) []*object {
	var children []*object
	for i, node := range o.list(key) {
		children = append(children, o.newObject(node, fmt.Sprintf("%s[%d]", o.at(key), i)))
	}
	return children
}

// texts are the entries of a list of texts.
func (o *object) texts(key string) []string {
	var texts []string
	for i, node := range o.list(key) {
		if node.Kind != yaml.ScalarNode {
			o.lose(fmt.Sprintf("%s[%d]", o.at(key), i), "must be a text, but is %s", o.kindOf(node))
			continue
		}
		texts = append(texts, node.Value)
	}
	return texts
}

// oneOrMore is a text, or a list of texts.
func (o *object) oneOrMore(key string) []string {
	if node := o.value(key); node != nil && node.Kind == yaml.ScalarNode {
		return []string{node.Value}
	}
	return o.texts(key)
}

// raw is a member as JSON, with its keys in their order; nil when it is not there.
func (o *object) raw(key string) *apiextensionsv1.JSON {
	node := o.value(key)
	if node == nil {
		return nil
	}
	return o.rawOf(node, o.at(key))
}

func (r *reader) rawOf(node *yaml.Node, path string) *apiextensionsv1.JSON {
	var text bytes.Buffer
	if err := r.writeJSON(&text, node); err != nil {
		r.lose(path, "is no JSON: %v", err)
		return nil
	}
	return &apiextensionsv1.JSON{Raw: text.Bytes()}
}

// raws is a list of any values.
func (o *object) raws(key string) []apiextensionsv1.JSON {
	var list []apiextensionsv1.JSON
	for i, node := range o.list(key) {
		if value := o.rawOf(node, fmt.Sprintf("%s[%d]", o.at(key), i)); value != nil {
			list = append(list, *value)
		}
	}
	return list
}

func (r *reader) writeJSON(to *bytes.Buffer, node *yaml.Node) error {
	node, err := r.resolve(node)
	if err != nil {
		return err
	}
	switch node.Kind {
	case yaml.MappingNode:
		return r.writeMapping(to, node)
	case yaml.SequenceNode:
		return r.writeSequence(to, node)
	}
	var value any
	if err := node.Decode(&value); err != nil {
		return err
	}
	if node.Tag == "!!timestamp" {
		value = node.Value // JSON has no type for moments
	}
	if node.Tag == "!!float" || node.Tag == "!!int" {
		value = json.Number(numberText(node.Value))
	}
	text, err := json.Marshal(value)
	to.Write(text)
	return err
}

func (r *reader) writeMapping(to *bytes.Buffer, node *yaml.Node) error {
	to.WriteByte('{')
	for i := 0; i+1 < len(node.Content); i += 2 {
		if i > 0 {
			to.WriteByte(',')
		}
		key, err := json.Marshal(node.Content[i].Value)
		if err != nil {
			return err
		}
		to.Write(key)
		to.WriteByte(':')
		if err := r.writeJSON(to, node.Content[i+1]); err != nil {
			return err
		}
	}
	to.WriteByte('}')
	return nil
}

func (r *reader) writeSequence(to *bytes.Buffer, node *yaml.Node) error {
	to.WriteByte('[')
	for i, entry := range node.Content {
		if i > 0 {
			to.WriteByte(',')
		}
		if err := r.writeJSON(to, entry); err != nil {
			return err
		}
	}
	to.WriteByte(']')
	return nil
}

// kindOf names what a node is, for messages.
func (r *reader) kindOf(node *yaml.Node) string {
	switch {
	case node == nil:
		return "too large"
	case node.Kind == yaml.MappingNode:
		return "a mapping"
	case node.Kind == yaml.SequenceNode:
		return "a list"
	case node.Tag == "!!null":
		return "null"
	}
	return strconv.Quote(node.Value)
}
