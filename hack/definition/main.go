// Command definition shortens the custom resource definition that controller-gen has written: kubectl keeps what it applies in an
// annotation of at most 256 KiB, and an eighth of the file would describe the fields of Kubernetes' affinity.
package main

import (
	"errors"
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

const path = "config/crd/bases/seedloom.dev_datasetgenerations.yaml"

// bare are the properties whose own description stays and below which nothing is described: `kubectl explain pod.spec.affinity` does.
var bare = []string{"affinity"}

func main() {
	if err := shorten(); err != nil {
		fmt.Fprintln(os.Stderr, "definition:", err)
		os.Exit(1)
	}
}

func shorten() error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the definition: %w", err)
	}
	var definition map[string]any
	if err := yaml.Unmarshal(data, &definition); err != nil {
		return fmt.Errorf("parsing the definition: %w", err)
	}
	for _, name := range bare {
		if !visit(definition, name) {
			return errors.New("the definition has no property " + name)
		}
	}
	short, err := yaml.Marshal(definition)
	if err != nil {
		return fmt.Errorf("writing the definition: %w", err)
	}
	if err := os.WriteFile(path, append([]byte("---\n"), short...), 0o644); err != nil {
		return fmt.Errorf("writing the definition: %w", err)
	}
	return nil
}

// visit leaves out the descriptions below each property of a name, and tells whether there is one.
func visit(node any, name string) (found bool) {
	switch node := node.(type) {
	case map[string]any:
		properties, _ := node["properties"].(map[string]any)
		if property, is := properties[name].(map[string]any); is {
			undescribeBelow(property)
			return true
		}
		for _, value := range node {
			found = visit(value, name) || found
		}
	case []any:
		for _, value := range node {
			found = visit(value, name) || found
		}
	}
	return found
}

// undescribeBelow leaves out the descriptions of all that a property holds, and keeps its own.
func undescribeBelow(property map[string]any) {
	for key, value := range property {
		if key != "description" {
			undescribe(value)
		}
	}
}

// undescribe leaves out all descriptions of a schema. A property that is called so is no description.
func undescribe(node any) {
	switch node := node.(type) {
	case map[string]any:
		if _, is := node["description"].(string); is {
			delete(node, "description")
		}
		for _, value := range node {
			undescribe(value)
		}
	case []any:
		for _, value := range node {
			undescribe(value)
		}
	}
}
