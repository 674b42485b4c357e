package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	strictjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
)

const kindDatasetGeneration = "DatasetGeneration"

// manifestError is what is wrong with the form of a manifest.
type manifestError struct {
	file     string
	problems []string
}

// Error lists all problems.
func (e *manifestError) Error() string {
	return fmt.Sprintf("%s is no valid manifest: %s", e.file, strings.Join(e.problems, "; "))
}

// readManifest reads the one DatasetGeneration of a file, or of standard input when its name is "-". Fields that the API does not have are
// errors. Other resources in the file are left alone. With an error, the resource may be there all the same, as far as it could be read.
func readManifest(streams *Streams, name string) (*v1alpha1.DatasetGeneration, error) {
	data, err := readInput(streams, name)
	if err != nil {
		return nil, err
	}
	var found [][]byte
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, &manifestError{name, []string{err.Error()}}
		}
		var kind struct{ APIVersion, Kind string }
		if err := yaml.Unmarshal(document, &kind); err != nil {
			return nil, &manifestError{name, []string{err.Error()}}
		}
		if kind.Kind != kindDatasetGeneration {
			continue
		}
		if want := v1alpha1.SchemeGroupVersion.String(); kind.APIVersion != want {
			return nil, &manifestError{name, []string{fmt.Sprintf("its apiVersion is %q, and must be %q", kind.APIVersion, want)}}
		}
		found = append(found, document)
	}
	switch len(found) {
	case 0:
		return nil, &manifestError{name, []string{fmt.Sprintf("there is no resource of kind %s in it", kindDatasetGeneration)}}
	case 1:
		return decodeManifest(name, found[0])
	}
	return nil, &manifestError{name, []string{fmt.Sprintf("there are %d resources of kind %s in it; give each a file of its own",
		len(found), kindDatasetGeneration)}}
}

func readInput(streams *Streams, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(streams.In)
	}
	return os.ReadFile(name)
}

func decodeManifest(name string, document []byte) (*v1alpha1.DatasetGeneration, error) {
	data, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return nil, &manifestError{name, []string{err.Error()}}
	}
	var resource v1alpha1.DatasetGeneration
	strict, err := strictjson.UnmarshalStrict(data, &resource)
	if err != nil {
		return nil, &manifestError{name, []string{misfit(data, err)}}
	}
	if resource.Namespace == "" {
		resource.Namespace = "default"
	}
	var problems []string
	for _, problem := range strict {
		problems = append(problems, problem.Error())
	}
	if resource.Name == "" {
		problems = append(problems, "metadata.name is missing")
	}
	if len(problems) > 0 {
		return &resource, &manifestError{name, problems}
	}
	return &resource, nil
}

// misfit says which field has a value of another type than the API has. The strict decoder keeps its error's type to itself, so the document is
// read once more.
func misfit(data []byte, err error) string {
	var wrong *json.UnmarshalTypeError
	if !errors.As(json.Unmarshal(data, new(v1alpha1.DatasetGeneration)), &wrong) || wrong.Field == "" {
		return err.Error()
	}
	switch wrong.Value {
	case "bool":
		return fmt.Sprintf("%s: must be %s, but is true or false; in YAML y, n, yes, no, on and off are, unless they are quoted", wrong.Field, typeName(wrong.Type))
	case "array":
		return fmt.Sprintf("%s: must be %s, but is a list", wrong.Field, typeName(wrong.Type))
	}
	return fmt.Sprintf("%s: must be %s, but is of the type %s", wrong.Field, typeName(wrong.Type), wrong.Value)
}

// typeName names a type of the API as users know it.
func typeName(of reflect.Type) string {
	switch of.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map, reflect.Pointer:
		return "an object"
	}
	return "a whole number"
}
