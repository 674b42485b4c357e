// Package datadesigner reads configurations of NeMo Data Designer, as YAML or JSON, and writes each as a DatasetGeneration.
// It knows the names and meanings of that format alone: whether the result is valid is for the API's own checks to say, and nothing is
// read from files or the network here.
package datadesigner
