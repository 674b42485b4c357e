package column

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/structured"
)

// SchemaOf compiles the schema of the documents that a column computes; nil where it has none.
func SchemaOf(name string, document *apiextensionsv1.JSON) (*structured.Schema, error) {
	if document == nil {
		return nil, nil
	}
	schema, problems := structured.Compile(document.Raw)
	if len(problems) > 0 {
		return nil, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: schema.%s %s", name, problems[0].Path,
			problems[0].Message)
	}
	return schema, nil
}
