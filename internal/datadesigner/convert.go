package datadesigner

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// Options are what a configuration does not say, and a DatasetGeneration needs.
type Options struct {
	// Name is the name of the resource.
	Name string
	// NumRecords is how many records to generate.
	NumRecords int64
	// ClaimName is the claim of the output, and of a seed that is a local file.
	ClaimName string
	// Providers, ToolProviders and RunConfig are the contents of the files in which Data Designer keeps what is no part of a
	// configuration: model_providers.yaml, mcp_providers.yaml, and that of the flag -c. Each may be nil.
	Providers, ToolProviders, RunConfig []byte
}

// Note is something that a user should know of a conversion.
type Note struct {
	// Path is the field of the configuration, such as columns[2].params.
	Path string
	// Message says what became of it, and the way round where there is one.
	Message string
	// Lost says that the result does without it.
	Lost bool
}

// Conversion is a converted configuration.
type Conversion struct {
	Resource *v1alpha1.DatasetGeneration
	// Notes are in the order of the configuration.
	Notes []Note
}

// ErrNotConfiguration is what the error wraps of what is no configuration of Data Designer.
var ErrNotConfiguration = errors.New("not a configuration of Data Designer")

// converter writes one configuration as one resource.
type converter struct {
	*reader
	options Options
	spec    *v1alpha1.DatasetGenerationSpec
	// providers and toolProviders are those of the files, by their names.
	providers, toolProviders map[string]*object
	// resolved and resolvedTools are the names of providers and tool servers that the spec has already, by their names in the configuration.
	resolved, resolvedTools map[string]string
}

// Convert writes a configuration as a DatasetGeneration. What has no counterpart becomes a note; only what is no configuration at all is an
// error, which wraps ErrNotConfiguration.
func Convert(config []byte, options Options) (*Conversion, error) {
	c := &converter{reader: &reader{merging: map[*yaml.Node]bool{}}, options: options, resolved: map[string]string{}}
	c.resolvedTools = map[string]string{}
	resource := &v1alpha1.DatasetGeneration{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: "DatasetGeneration"},
		ObjectMeta: metav1.ObjectMeta{Name: options.Name},
	}
	c.spec = &resource.Spec
	c.spec.NumRecords = options.NumRecords
	c.spec.Output.PersistentVolumeClaim = &v1alpha1.PersistentVolumeClaimOutput{ClaimName: options.ClaimName}
	root, err := c.root(config)
	if err != nil {
		return nil, err
	}
	if err := c.files(); err != nil {
		return nil, err
	}
	c.models(root)
	c.tools(root)
	c.seed(root)
	c.columns(root)
	c.constraints(root)
	c.processors(root)
	for _, profiler := range root.children("profilers") {
		if profiler != nil {
			c.lose(profiler.path, "profilers have no counterpart: look at the finished dataset with a tool of yours, such as DuckDB")
		}
	}
	root.rest()
	if err := c.members(); err != nil {
		return nil, err
	}
	if c.nodes > maxNodes {
		return nil, fmt.Errorf("%w: %w", ErrNotConfiguration, errTooLarge)
	}
	return &Conversion{Resource: resource, Notes: c.notes}, nil
}

// root finds the configuration in either of its two forms.
func (c *converter) root(config []byte) (*object, error) {
	top, err := c.document(config, "the file", "")
	if err != nil {
		return nil, err
	}
	root := top
	if inner := top.child("data_designer"); inner != nil {
		top.value("library_version") // says nothing about the dataset
		top.rest()
		root = inner
	}
	if _, there := root.values["columns"]; !there {
		return nil, fmt.Errorf("%w: it has no columns", ErrNotConfiguration)
	}
	return root, nil
}

// document is a file whose content is a mapping. path stands before the paths of its fields.
func (c *converter) document(data []byte, what, path string) (*object, error) {
	var node yaml.Node
	if err := yaml.Unmarshal(data, &node); err != nil {
		return nil, fmt.Errorf("%w: %s is no YAML: %s", ErrNotConfiguration, what, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(node.Content) == 0 || node.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%w: %s is no mapping", ErrNotConfiguration, what)
	}
	return c.newObject(node.Content[0], path), nil
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// longestDatasetName is how long the name of a DatasetGeneration may be.
const longestDatasetName = 52

// DatasetName is a name that a DatasetGeneration may have: its Jobs are named after it, so that it begins with a letter.
func DatasetName(name string) string {
	result := resourceName(name)
	if result[0] >= '0' && result[0] <= '9' {
		result = "dataset-" + result
	}
	return strings.TrimRight(result[:min(len(result), longestDatasetName)], "-")
}

// resourceName is a name as Kubernetes allows it.
func resourceName(name string) string {
	return cmp.Or(strings.Trim(notInNames.ReplaceAllString(strings.ToLower(name), "-"), "-"), "unnamed")
}
