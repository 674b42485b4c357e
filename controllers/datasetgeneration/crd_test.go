package datasetgeneration

import (
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

var _ = Describe("The custom resource", func() {
	read := func(path string) *unstructured.Unstructured {
		GinkgoHelper()
		data, err := os.ReadFile(path)
		Expect(err).NotTo(HaveOccurred())
		object := &unstructured.Unstructured{}
		Expect(yaml.Unmarshal(data, &object.Object)).To(Succeed())
		return object
	}
	strict := func(w *world, object *unstructured.Unstructured) error {
		object.SetNamespace(w.namespace)
		return client.WithFieldValidation(kube, "Strict").Create(w.ctx, object, client.DryRunAll)
	}
	samples := filepath.Join("..", "..", "config", "samples")

	It("takes every sample, without an unknown field", func() {
		w := newWorld()
		seen := 0
		for _, pattern := range []string{"*.yaml", "*/*.yaml"} {
			paths, err := filepath.Glob(filepath.Join(samples, pattern))
			Expect(err).NotTo(HaveOccurred())
			for _, path := range paths {
				if object := read(path); object.GetKind() == "DatasetGeneration" {
					Expect(strict(w, object)).To(Succeed(), path)
					seen++
				}
			}
		}
		Expect(seen).To(BeNumerically(">=", 4))
	})

	DescribeTable("refuses",
		func(change func(spec map[string]any), want string) {
			object := read(filepath.Join(samples, "minimal.yaml"))
			change(object.Object["spec"].(map[string]any))
			Expect(strict(newWorld(), object)).To(MatchError(ContainSubstring(want)))
		},
		Entry("an unknown field", func(spec map[string]any) { spec["numRecord"] = int64(5) }, `unknown field "spec.numRecord"`),
		Entry("no records", func(spec map[string]any) { spec["numRecords"] = int64(0) }, "spec.numRecords"),
		Entry("a column of two kinds", func(spec map[string]any) {
			spec["columns"].([]any)[0].(map[string]any)["expression"] = map[string]any{"expr": "x"}
		}, "exactly one of the fields in [sampler llmText llmCode llmStructured llmJudge expression validation embedding image custom] "+
			"must be set"),
		Entry("allowResize on a sampler", func(spec map[string]any) {
			spec["columns"].([]any)[0].(map[string]any)["allowResize"] = true
		}, "allowResize is possible for custom columns only"),
		Entry("llmText without models", func(spec map[string]any) {
			spec["columns"] = append(spec["columns"].([]any), map[string]any{"name": "text", "llmText": map[string]any{"model": "writer", "prompt": "x"}})
		}, "columns of models need at least one entry in models"),
		Entry("skip on a sampler", func(spec map[string]any) {
			spec["columns"].([]any)[0].(map[string]any)["skip"] = map[string]any{"when": "{{ x }}"}
		}, "skip is not possible for samplers"),
		Entry("a processor of two kinds", func(spec map[string]any) {
			spec["processors"] = []any{map[string]any{"name": "both", "dropColumns": map[string]any{"columnNames": []any{"id"}},
				"schemaTransform": map[string]any{"template": map[string]any{"a": "b"}}}}
		}, "exactly one of the fields in [dropColumns schemaTransform form starlark] must be set"),
		Entry("a tool server without its program", func(spec map[string]any) {
			spec["toolServers"] = []any{map[string]any{"name": "files", "type": "Stdio"}}
		}, "stdio is required when type is Stdio"),
		Entry("a temperature and a distribution of it", func(spec map[string]any) {
			spec["providers"] = []any{map[string]any{"name": "local", "type": "OpenAI", "endpoint": "http://models/v1"}}
			spec["models"] = []any{map[string]any{"alias": "writer", "provider": "local", "model": "m", "parameters": map[string]any{
				"temperature": int64(1), "temperatureDistribution": map[string]any{"uniform": map[string]any{"low": 0.1, "high": 0.9}}}}}
		}, "temperature and temperatureDistribution exclude each other"),
		Entry("media in base64 without a format", func(spec map[string]any) {
			spec["columns"] = append(spec["columns"].([]any), map[string]any{"name": "text", "llmText": map[string]any{"model": "writer", "prompt": "x",
				"context": []any{map[string]any{"column": "id", "modality": "Image", "dataType": "Base64"}}}})
		}, "format is required when dataType is Base64"),
		Entry("a policy that is no percentage", func(spec map[string]any) {
			spec["completionPolicy"] = map[string]any{"minRecords": "most"}
		}, "must be a count of at least 1 or a percentage from 0% to 100%"),
		Entry("two columns of one name", func(spec map[string]any) {
			columns := spec["columns"].([]any)
			spec["columns"] = append(columns, columns[0])
		}, "Duplicate value"),
	)

	It("says what its fields mean, and can be applied from the client's side", func() {
		definition := read(filepath.Join("..", "..", "config", "crd", "bases", "seedloom.dev_datasetgenerations.yaml"))
		versions, _, err := unstructured.NestedSlice(definition.Object, "spec", "versions")
		Expect(err).NotTo(HaveOccurred())
		described, _, err := unstructured.NestedString(versions[0].(map[string]any),
			"schema", "openAPIV3Schema", "properties", "spec", "properties", "numRecords", "description")
		Expect(err).NotTo(HaveOccurred())
		Expect(described).To(ContainSubstring("how many records to generate"))
		data, err := definition.MarshalJSON()
		Expect(err).NotTo(HaveOccurred())
		// kubectl keeps all of it in an annotation, and all annotations together may have 262144 bytes: what is above is room for others.
		Expect(len(data)).To(BeNumerically("<", 200_000))
	})

	It("shows a resource that nobody has looked at as not observed", func() {
		object := read(filepath.Join(samples, "minimal.yaml"))
		Expect(strict(newWorld(), object)).To(Succeed())
		generation, _, err := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
		Expect(err).NotTo(HaveOccurred())
		Expect(generation).To(Equal(int64(-1)))
	})
})
