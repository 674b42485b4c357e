package main

import (
	"path/filepath"
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/store/s3/s3test"
	"seedloom.dev/seedloom/internal/llmsim"
)

const shop = `
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: reviews}
spec:
  seed: {datasetRef: {name: orders}}
  providers: [{name: local, type: OpenAI, endpoint: "ENDPOINT"}]
  models: [{alias: writer, provider: local, model: m}]
  columns:
  - {name: review, llmText: {model: writer, prompt: "review {{ order_id }}"}}
  output: {persistentVolumeClaim: {claimName: c}}
---
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: orders}
spec:
  seed:
    datasetRef: {name: customers}
    columns: [{name: customer, from: id}]
    rowsPerSeedRow: {count: 3, numberColumn: number}
  columns:
  - {name: order_id, expression: {expr: "{{ customer }}-{{ number }}"}}
  output: {persistentVolumeClaim: {claimName: c}}
---
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: customers}
spec:
  numRecords: 4
  columns:
  - {name: id, sampler: {type: Sequence}}
  output: {persistentVolumeClaim: {claimName: c}}
`

func TestAChainRunsInOrderAndGoesOn(t *testing.T) {
	w := newWorld(t, shop, llmsim.Config{})
	code, out, log := w.run("run", "reviews.yaml", "--output", "out")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 0 || len(lines) != 3 || !strings.HasPrefix(lines[0], "datasetgeneration/customers complete: 4 records") ||
		!strings.HasPrefix(lines[1], "datasetgeneration/orders complete: 12 records") ||
		!strings.HasPrefix(lines[2], "datasetgeneration/reviews complete: 12 records") {
		t.Fatalf("exit code %d: %s%s", code, out, log)
	}
	for _, want := range []string{"datasetgeneration/customers: 1 of 3", "datasetgeneration/reviews: 3 of 3"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q: %s", want, log)
		}
	}
	sent := len(w.server.Prompts())
	if code, again, log := w.run("run", "reviews.yaml", "--output", "out"); code != 0 || again != out || len(w.server.Prompts()) != sent {
		t.Errorf("the second time: exit code %d, %d requests after %d: %s%s", code, len(w.server.Prompts()), sent, again, log)
	}

	// Other rows of the first are another run of the others; the same rows are not.
	w.write("reviews.yaml", strings.Replace(w.read("reviews.yaml"), "numRecords: 4", "randomSeed: 5\n  numRecords: 4", 1))
	if code, same, log := w.run("run", "reviews.yaml", "--output", "out"); code != 0 || strings.Split(same, "\n")[1] != lines[1] {
		t.Errorf("with the same rows: exit code %d: %s%s", code, same, log)
	}
	w.write("reviews.yaml", strings.Replace(w.read("reviews.yaml"), "numRecords: 4", "numRecords: 5", 1))
	code, more, log := w.run("run", "reviews.yaml", "--output", "out")
	if code != 0 || !strings.Contains(more, "orders complete: 15 records") || !strings.Contains(more, "reviews complete: 15 records") {
		t.Errorf("with more rows: exit code %d: %s%s", code, more, log)
	}
}

// TestAChainRunsInABucket has each dataset read that of the one before it from the bucket, also with another command, and to be looked at.
func TestAChainRunsInABucket(t *testing.T) {
	w, endpoint := bucketWorld(t, s3test.New())
	w.write("chain.yaml", strings.ReplaceAll(shop, "ENDPOINT", w.server.Endpoint()))
	to := []string{"run", "chain.yaml", "--output", "s3://bucket/team", "--output-endpoint", endpoint}
	code, out, log := w.run(to...)
	if code != 0 || !strings.Contains(out, "reviews complete: 12 records in s3://bucket/team/default/reviews/") {
		t.Fatalf("exit code %d: %s%s", code, out, log)
	}
	asked := len(w.server.Prompts())
	if code, out, log := w.run(append(to, "--name", "reviews")...); code != 0 || len(w.server.Prompts()) != asked {
		t.Errorf("the second time: exit code %d, %d requests after %d: %s%s", code, len(w.server.Prompts()), asked, out, log)
	}
	w.write("orders.yaml", strings.Split(shop, "---")[1])
	t.Setenv("AWS_ENDPOINT_URL", endpoint)
	code, out, log = w.run("preview", "orders.yaml", "--datasets", "s3://bucket/team", "-o", "jsonl", "-n", "2")
	if code != 0 || !strings.Contains(out, `"order_id":"0-1"`) {
		t.Errorf("a preview: exit code %d: %s%s", code, out, log)
	}
	w.write("orders.yaml", strings.Replace(w.read("orders.yaml"), "{name: customers}", "{name: nobody}", 1))
	code, _, log = w.run("run", "orders.yaml", "--output", "s3://bucket/team", "--output-endpoint", endpoint)
	if code == 0 || !strings.Contains(log, `the seed is the dataset "nobody", and there is none in s3://bucket/team`) {
		t.Errorf("without the seed: exit code %d: %s", code, log)
	}
}

func TestAPartOfAChain(t *testing.T) {
	w := newWorld(t, shop, llmsim.Config{})
	if code, out, log := w.run("run", "reviews.yaml", "--output", "out", "--name", "orders"); code != 0 || strings.Contains(out, "/reviews") ||
		!strings.Contains(out, "/orders complete: 12 records") {
		t.Fatalf("exit code %d: %s%s", code, out, log)
	}
	// The manifest of the seed alone is not needed any more: its dataset is there.
	last, _, _ := strings.Cut(w.read("reviews.yaml"), "\n---\n")
	w.write("last.yaml", last)
	if code, out, log := w.run("run", "last.yaml", "--output", "out"); code != 0 || !strings.Contains(out, "/reviews complete: 12 records") {
		t.Errorf("exit code %d: %s%s", code, out, log)
	}
	code, out, log := w.run("preview", "last.yaml", "-n", "100", "-o", "jsonl", "--datasets", "out")
	if lines := strings.Count(out, "\n"); code != 0 || lines != 12 && lines != 100 {
		t.Errorf("exit code %d, %d lines: %s", code, lines, log)
	}
	if code, _, log := w.run("preview", "last.yaml"); code != 1 || !strings.Contains(log, "--datasets DIR") {
		t.Errorf("exit code %d: %s", code, log)
	}
	if code, _, log := w.run("run", "last.yaml", "--output", "elsewhere"); code != 1 ||
		!strings.Contains(log, `the seed is the dataset "orders", and there is none in elsewhere`) {
		t.Errorf("exit code %d: %s", code, log)
	}
	opened, err := store.OpenRows(w.path("out"), "default/orders/latest", "")
	if err != nil || len(opened.Files) != 1 || opened.Files[0].Rows != 12 {
		t.Errorf("%+v, %v", opened, err)
	}
	_ = opened.Close() // was only read
}

func TestAChainStopsWhereADatasetIsMissing(t *testing.T) {
	broken := strings.Replace(shop, "{{ customer }}-{{ number }}", "{{ customer.missing.more }}", 1)
	w := newWorld(t, broken, llmsim.Config{})
	code, out, log := w.run("run", "reviews.yaml", "--output", "out", "--plain")
	if code == 0 || !strings.Contains(out, "/customers complete") || !strings.Contains(log, "not begun, since datasetgeneration/orders") ||
		!strings.Contains(log, "gives no seed yet: reviews") || strings.Contains(out, "/reviews") {
		t.Errorf("exit code %d: %s%s", code, out, log)
	}
}

func TestAChainIsCheckedAsAWhole(t *testing.T) {
	for name, test := range map[string]struct{ old, new, want string }{
		"a column that the seed does not give": {"review {{ order_id }}", "review {{ id }}", `no column is called "id"`},
		"a column that the seed has too":       {`order_id, expression: {expr: "{{ customer }}-{{ number }}"}`, `customer, expression: {expr: "{{ number }}"}`, `the seed has a column "customer" too`},
		"a column that is not in the dataset":  {"from: id", "from: key", `the file has no column "key"`},
		"a circle":                             {"numRecords: 4", "seed: {datasetRef: {name: reviews}}", "customers → reviews → orders → customers"},
		"a seed of its own":                    {"datasetRef: {name: orders}", "datasetRef: {name: reviews}", "reviews → reviews"},
		"a form that there is not":             {"datasetRef: {name: orders}", "datasetRef: {name: orders, form: chat}", "is called chat"},
		"no number of records":                 {"numRecords: 4", "randomSeed: 4", "numRecords"},
		"a number column that is there":        {"numberColumn: number", "numberColumn: customer", "spec.seed.columns[0] is called"},
		"rows by no whole number":              {"count: 3,", "sampler: {type: Uniform, uniform: {low: 1, high: 3}},", "must draw whole numbers"},
		"rows by the row":                      {"count: 3,", "sampler: {type: Sequence},", "depends on the rows of the dataset"},
		"a format":                             {"datasetRef: {name: orders}", "datasetRef: {name: orders}, format: CSV", "format and csv are of files"},
	} {
		w := newWorld(t, strings.Replace(shop, test.old, test.new, 1), llmsim.Config{})
		got := inProcess(t, 0, "validate", w.path("reviews.yaml"))
		if got.code != 1 || !strings.Contains(got.out, test.want) {
			t.Errorf("%s: exit code %d: %s%s", name, got.code, got.out, got.log)
		}
	}
	w := newWorld(t, shop, llmsim.Config{})
	if got := inProcess(t, 0, "validate", w.path("reviews.yaml")); got.code != 0 || got.log != "" {
		t.Errorf("exit code %d: %s%s", got.code, got.out, got.log)
	}
	for _, processor := range []string{
		"schemaTransform: {template: {order: '{{ order_id }}'}}", "form: {chat: {user: '{{ customer }}', assistant: '{{ order_id }}'}}",
	} {
		ofForm := strings.Replace(shop, "datasetRef: {name: orders}", "datasetRef: {name: orders, form: told}", 1)
		orders := "metadata: {name: orders}\nspec:\n"
		ofForm = strings.Replace(ofForm, orders, orders+"  processors: [{name: told, "+processor+"}]\n", 1)
		w := newWorld(t, ofForm, llmsim.Config{})
		if got := inProcess(t, 0, "validate", w.path("reviews.yaml")); got.code != 0 {
			t.Errorf("the form of a processor with %s: exit code %d: %s%s", processor, got.code, got.out, got.log)
		}
	}
	w.write("two.yaml", shop+"---\n"+localOnly)
	for _, test := range []struct {
		arguments []string
		want      string
	}{
		{[]string{"two.yaml"}, "only those that need each other's datasets are run together"},
		{[]string{"reviews.yaml", "--num-records", "3"}, "--num-records is for one dataset, and there are 3"},
		{[]string{"reviews.yaml", "--api-key", "other=KEY"}, `--api-key names the provider "other", which no manifest has`},
		{[]string{"reviews.yaml", "--endpoint", "other=http://x/v1"}, `--endpoint names the provider "other"`},
	} {
		arguments := append([]string{"run", w.path(test.arguments[0]), "--output", w.path("out")}, test.arguments[1:]...)
		if got := inProcess(t, 0, arguments...); got.code != 1 || !strings.Contains(got.log, test.want) {
			t.Errorf("%v: exit code %d: %s", test.arguments, got.code, got.log)
		}
	}
}

// read returns the text of a file of the world.
func (w *world) read(name string) string {
	w.t.Helper()
	data, err := readInput(nil, filepath.Join(w.folder, name))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(data)
}
