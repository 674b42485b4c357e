package main

import (
	"io"

	"go.yaml.in/yaml/v3"

	"seedloom.dev/seedloom/engine"
)

// printYAML prints the same document as JSON, with its keys in the same order.
func printYAML(streams *Streams, result *engine.PreviewResult) error {
	text, err := encode(result)
	if err != nil {
		return err
	}
	return writeYAML(streams.Out, text)
}

// writeYAML writes a document of JSON as YAML, with its keys in the same order and long texts as blocks.
func writeYAML(to io.Writer, text []byte) error {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil { // JSON is YAML
		return err
	}
	inBlocks(&root)
	encoder := yaml.NewEncoder(to)
	encoder.SetIndent(2)
	if err := encoder.Encode(&root); err != nil {
		return err
	}
	return encoder.Close()
}

// inBlocks makes the encoder choose how it writes each value, but for texts that only quotes make texts for every reader.
func inBlocks(node *yaml.Node) {
	if node.Kind != yaml.ScalarNode || isPlain(node) || !notText.MatchString(node.Value) {
		node.Style = 0
	}
	for _, child := range node.Content {
		inBlocks(child)
	}
}
