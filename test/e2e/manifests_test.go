package e2e

import (
	"k8s.io/apimachinery/pkg/util/intstr"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// stories is a dataset of 120 rows in 12 row groups, each row with one request, whose prompt names the row: from the requests that
// reached the model server one can tell which rows were generated how often.
const stories = `
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: stories}
spec:
  numRecords: 120
  randomSeed: 11
  providers:
  - {name: simulator, type: OpenAI, endpoint: "http://llmsim:8000/v1"}
  models:
  - {alias: writer, provider: simulator, model: test/writer, maxParallelRequests: 4, timeoutSeconds: 20}
  columns:
  - name: id
    sampler: {type: UUID, uuid: {length: 16}}
  - name: mood
    sampler: {type: Category, category: {values: [calm, glad, cross], weights: [3, 2, 1]}}
  - name: story
    llmText: {model: writer, prompt: "{{ id }}"}
  - name: title
    expression: {expr: "{{ mood | title }}: {{ story }}"}
  output: {persistentVolumeClaim: {claimName: datasets}}
  limits: {startupTimeoutSeconds: 20}
  run: {rowGroupSize: 10}
`

// openings has what another dataset has, and asks no model.
const openings = `
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: openings}
spec:
  columns:
  - name: opening
    expression: {expr: "{{ title }} begins"}
  output: {persistentVolumeClaim: {claimName: datasets}}
  run: {rowGroupSize: 50}
`

// shirts resizes: each row becomes between zero and three.
const shirts = `
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: shirts}
spec:
  numRecords: 40
  randomSeed: 7
  providers:
  - {name: simulator, type: OpenAI, endpoint: "http://llmsim:8000/v1"}
  models:
  - {alias: writer, provider: simulator, model: test/writer}
  columns:
  - name: color
    sampler: {type: Category, category: {values: [red, green, blue]}}
  - name: sizes
    sampler: {type: Uniform, uniform: {low: -0.4, high: 3.4}, convertTo: int}
  - name: size
    allowResize: true
    custom:
      strategy: Batch
      requiredColumns: [sizes]
      starlark:
        source: |
          def generate(rows):
              made = []
              for row in rows:
                  for size in ["S", "M", "L"][:row["sizes"]]:
                      made.append({"_row": row["_row"], "size": size})
              return made
  - name: slogan
    llmText: {model: writer, prompt: "A slogan for a {{ color }} shirt in {{ size }}"}
  output: {persistentVolumeClaim: {claimName: datasets}}
  run: {rowGroupSize: 10}
`

func named(name string) func(*v1alpha1.DatasetGeneration) {
	return func(dataset *v1alpha1.DatasetGeneration) { dataset.Name = name }
}

func records(count int64) func(*v1alpha1.DatasetGeneration) {
	return func(dataset *v1alpha1.DatasetGeneration) { dataset.Spec.NumRecords = count }
}

func shards(count int32) func(*v1alpha1.DatasetGeneration) {
	return func(dataset *v1alpha1.DatasetGeneration) { dataset.Spec.Parallelism = &count }
}

func seeded(seed v1alpha1.Seed) func(*v1alpha1.DatasetGeneration) {
	return func(dataset *v1alpha1.DatasetGeneration) { dataset.Spec.Seed = &seed }
}

func endpoint(url string) func(*v1alpha1.DatasetGeneration) {
	return func(dataset *v1alpha1.DatasetGeneration) { dataset.Spec.Providers[0].Endpoint = url }
}

func apiKey(secret string) func(*v1alpha1.DatasetGeneration) {
	return func(dataset *v1alpha1.DatasetGeneration) {
		dataset.Spec.Providers[0].APIKeySecretRef = &v1alpha1.SecretKeyReference{Name: secret, Key: "api-key"}
	}
}

func requestAttempts(count int32) func(*v1alpha1.DatasetGeneration) {
	return func(dataset *v1alpha1.DatasetGeneration) { dataset.Spec.Run.MaxRequestAttempts = &count }
}

func backoffLimit(count int32) func(*v1alpha1.DatasetGeneration) {
	return func(dataset *v1alpha1.DatasetGeneration) { dataset.Spec.Limits.BackoffLimit = &count }
}

func allRecords(dataset *v1alpha1.DatasetGeneration) {
	all := intstr.FromString("100%")
	dataset.Spec.CompletionPolicy = &v1alpha1.CompletionPolicy{MinRecords: &all}
}
