// Package crd holds the custom resource definition as data, for programs that check manifests without an API server. No code that uses
// it is here.
package crd

import _ "embed"

// DatasetGenerations is the definition of DatasetGeneration, as YAML.
//
//go:embed bases/seedloom.dev_datasetgenerations.yaml
var DatasetGenerations []byte
