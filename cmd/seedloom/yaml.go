package main

import (
	"go.yaml.in/yaml/v3"

	"seedloom.dev/seedloom/engine"
)

// printYAML prints the same document as JSON, with its keys in the same order.
func printYAML(streams *Streams, result *engine.PreviewResult) error {
	text, err := encode(result)
	if err != nil {
		return err
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil { // JSON is YAML
		return err
	}
	inBlocks(&root)
	encoder := yaml.NewEncoder(streams.Out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&root); err != nil {
		return err
	}
	return encoder.Close()
}

// inBlocks makes the encoder choose how it writes each value.
func inBlocks(node *yaml.Node) {
	node.Style = 0
	for _, child := range node.Content {
		inBlocks(child)
	}
}
