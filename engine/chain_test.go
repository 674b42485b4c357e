package engine_test

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/seedrows"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/internal/runreport"
)

const customersSpec = `
numRecords: 40
randomSeed: 7
columns:
- {name: customer_id, sampler: {type: Sequence, sequence: {start: 100}}}
- {name: signed_up, sampler: {type: DateTime, dateTime: {start: "2024-01-01", end: "2024-12-31", unit: Day}}}
processors:
- {name: chat, schemaTransform: {template: {who: "customer {{ customer_id }}"}}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 7}
`

const ordersSpec = `
numRecords: 100
randomSeed: 3
seed:
  datasetRef: {name: customers}
  rowsPerSeedRow: {sampler: {type: Poisson, poisson: {mean: 3}}, numberColumn: number}
columns:
- {name: order_id, expression: {expr: "{{ customer_id }}-{{ number }}"}}
- {name: ordered_at, sampler: {type: TimeDelta, timeDelta: {from: signed_up, min: 1, max: 30, unit: Day}}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 9}
`

// chain is a dataset of customers, and one whose seed it is.
type chain struct {
	customers, orders *world
	rows              *store.RowFiles
}

func newChain(t *testing.T) *chain {
	t.Helper()
	c := &chain{customers: newWorld(t, customersSpec, ""), orders: newWorld(t, ordersSpec, "")}
	c.generateSeed(t)
	return c
}

// generateSeed generates the customers, and finds their rows.
func (c *chain) generateSeed(t *testing.T) {
	t.Helper()
	ending := c.customers.generate(t.Context(), 0)
	if ending.Result.Outcome != runreport.OutcomeComplete || !strings.HasPrefix(ending.Result.Output.RowsDigest, "sha256:") {
		t.Fatalf("the seed has ended as %+v", ending.Result)
	}
	rows, err := store.OpenRows(c.customers.output, ending.Result.Output.Path, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rows.Close() })
	if rows.Digest != ending.Result.Output.RowsDigest {
		t.Errorf("the digest is %s, and the result says %s", rows.Digest, ending.Result.Output.RowsDigest)
	}
	c.rows = rows
}

// config is that of the orders, whose output is in a folder.
func (c *chain) config(shard int32, output string) engine.Config {
	config := c.orders.config(shard)
	config.OutputDirectory, config.SeedDirectory = output, c.customers.output
	hash := plan.ConfigHash(&c.customers.spec)
	config.Run.SeedDataset = &runreport.SeedDataset{Name: "customers", Path: runreport.Folder("ns", "ds", hash), RowsDigest: c.rows.Digest}
	config.Run.ConfigHash = plan.RunHash(&c.orders.spec, c.rows.Digest)
	return config
}

// orderRows are the orders in an output.
func (c *chain) orderRows(t *testing.T, output string) (names []string, rows [][]any) {
	t.Helper()
	folder := filepath.Join(output, runreport.Folder("ns", "ds", plan.RunHash(&c.orders.spec, c.rows.Digest)), "parquet-files")
	relative, err := filepath.Rel(c.orders.folder(), folder)
	if err != nil {
		t.Fatal(err)
	}
	return c.orders.rowsIn(relative)
}

// total is how many orders there are in all.
func (c *chain) total(t *testing.T) int64 {
	t.Helper()
	spec := c.orders.spec.DeepCopy()
	spec.NumRecords = 0
	total, err := plan.NumRecords(spec, c.customers.spec.NumRecords)
	if err != nil {
		t.Fatal(err)
	}
	return total
}

func TestTablesThatBelongTogether(t *testing.T) {
	c := newChain(t)
	_, customers := c.customers.rows()
	for _, order := range []v1alpha1.SeedOrder{v1alpha1.SeedOrdered, v1alpha1.SeedShuffled} {
		c.orders.spec.Seed.Order = order
		c.orders.spec.NumRecords = c.total(t)
		ending := engine.Generate(t.Context(), c.config(0, c.orders.output))
		checkEnding(t, ending, runreport.OutcomeComplete, "", runreport.ExitOK, c.orders.spec.NumRecords, 0)
		names, rows := c.orderRows(t, c.orders.output)
		if want := []string{"customer_id", "signed_up", "number", "order_id", "ordered_at"}; !slices.Equal(names, want) {
			t.Fatalf("the columns are %v", names)
		}
		expansion, err := seedrows.New(&c.orders.spec)
		if err != nil {
			t.Fatal(err)
		}
		numbers := map[any]int64{}
		for _, row := range rows {
			if numbers[row[0]]++; row[2] != numbers[row[0]] || row[3] != fmt.Sprintf("%d-%d", row[0], row[2]) {
				t.Fatalf("%s: order %d of customer %v is %v", order, numbers[row[0]], row[0], row)
			}
			signedUp, ordered := row[1].(time.Time), row[4].(time.Time)
			if late := ordered.Sub(signedUp); late < 24*time.Hour || late >= 30*24*time.Hour {
				t.Errorf("%s: an order of %s after the customer has signed up", order, late)
			}
		}
		for number, customer := range customers {
			if want := expansion.Of(int64(number)); numbers[customer[0]] != want {
				t.Errorf("%s: customer %v has %d orders, want %d", order, customer[0], numbers[customer[0]], want)
			}
			delete(numbers, customer[0])
		}
		if len(numbers) != 0 {
			t.Errorf("%s: orders of customers that there are not: %v", order, numbers)
		}
	}
}

// constrainedOrders are orders whose columns are drawn until they fit each other, the customer's row and the number of the order.
const constrainedOrders = `
- {name: bill, sampler: {type: Sequence, sequence: {start: 1000, gaps: 3}}}
- {name: quantity, sampler: {type: Poisson, poisson: {mean: 4}}}
- {name: ordered_at, sampler: {type: DateTime, dateTime: {start: "2024-01-01", end: "2025-12-31", unit: Day}}}
- {name: sent_at, sampler: {type: TimeDelta, timeDelta: {from: ordered_at, min: 0, max: 30, unit: Day}}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 9}
constraints:
- {column: ordered_at, operator: GreaterThan, otherColumn: signed_up}
- {column: quantity, operator: GreaterThanOrEqual, otherColumn: number}
- {column: sent_at, operator: LessThan, value: "2026-01-15"}
- {column: bill, operator: GreaterThan, otherColumn: quantity}
`

// What is drawn under constraints is that of its row, whichever shard draws it, and however many rows of the seed come before.
func TestConstraintsHoldInRowsThatFollowFromASeed(t *testing.T) {
	c := newChain(t)
	before, _, _ := strings.Cut(ordersSpec, "- {name: ordered_at")
	c.orders = newWorld(t, before+strings.TrimPrefix(constrainedOrders, "\n"), "")
	for _, rows := range []v1alpha1.RowsPerSeedRow{*c.orders.spec.Seed.RowsPerSeedRow, {Count: new(int32(2)), NumberColumn: "number"}} {
		c.orders.spec.Seed.RowsPerSeedRow, c.orders.shards = &rows, 1
		c.orders.spec.NumRecords = 0
		if violations := plan.Validate(&c.orders.spec); len(violations) > 0 {
			t.Fatalf("before the seed is there: %v", violations)
		}
		c.orders.spec.NumRecords = c.total(t)
		whole, apart := t.TempDir(), t.TempDir()
		checkEnding(t, engine.Generate(t.Context(), c.config(0, whole)), runreport.OutcomeComplete, "", runreport.ExitOK,
			c.orders.spec.NumRecords, 0)
		names, want := c.orderRows(t, whole)
		columns := "customer_id signed_up number order_id bill quantity ordered_at sent_at"
		if difference := cmp.Diff(columns, strings.Join(names, " ")); difference != "" {
			t.Fatal(difference)
		}
		for _, row := range want {
			signedUp, number, bill, quantity := row[1].(time.Time), row[2].(int64), row[4].(int64), row[5].(int64)
			ordered, sent := row[6].(time.Time), row[7].(time.Time)
			if !ordered.After(signedUp) || quantity < number || !sent.Before(time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC)) || bill <= quantity {
				t.Errorf("a constraint does not hold in %v", row)
			}
		}
		c.orders.shards = 2
		for _, shard := range []int32{1, 0} {
			if ending := engine.Generate(t.Context(), c.config(shard, apart)); ending.ExitCode != runreport.ExitOK {
				t.Fatalf("shard %d: %+v", shard, ending.Result)
			}
		}
		if _, got := c.orderRows(t, apart); !reflect.DeepEqual(got, want) {
			t.Error("two shards make other rows than one")
		}
	}
}

func TestShardsAndExtensionsMakeTheSameRowsOfASeedDataset(t *testing.T) {
	c := newChain(t)
	c.orders.spec.NumRecords = c.total(t)
	whole := t.TempDir()
	engine.Generate(t.Context(), c.config(0, whole))
	_, want := c.orderRows(t, whole)
	if int64(len(want)) != c.orders.spec.NumRecords {
		t.Fatalf("%d rows", len(want))
	}

	apart := t.TempDir()
	c.orders.shards = 3
	for _, shard := range []int32{2, 0, 1} {
		if ending := engine.Generate(t.Context(), c.config(shard, apart)); ending.ExitCode != runreport.ExitOK {
			t.Fatalf("shard %d: %+v", shard, ending.Result)
		}
	}
	if _, got := c.orderRows(t, apart); !reflect.DeepEqual(got, want) {
		t.Errorf("three shards make %d other rows than one, which makes %d", len(got), len(want))
	}

	extended := t.TempDir()
	c.orders.shards = 1
	all := c.orders.spec.NumRecords
	for _, records := range []int64{5, 31, all} {
		c.orders.spec.NumRecords = records
		stopped, stop := context.WithCancel(t.Context())
		stop()
		engine.Generate(stopped, c.config(0, extended))
		ending := engine.Generate(t.Context(), c.config(0, extended))
		checkEnding(t, ending, runreport.OutcomeComplete, "", runreport.ExitOK, records, 0)
	}
	if _, got := c.orderRows(t, extended); !reflect.DeepEqual(got, want) {
		t.Error("an extended run has other rows than one that was made at once")
	}
}

func TestTheDigestIsThatOfTheRows(t *testing.T) {
	first := newChain(t).rows.Digest
	for name, test := range map[string]struct {
		same   bool
		change func(*v1alpha1.DatasetGenerationSpec)
	}{
		"another template that prints the same": {true, func(spec *v1alpha1.DatasetGenerationSpec) {
			spec.Processors[0].SchemaTransform.Template.Raw = []byte(`{"who": "nobody"}`)
		}},
		"other values": {false, func(spec *v1alpha1.DatasetGenerationSpec) { spec.RandomSeed++ }},
		"another name of a column": {false, func(spec *v1alpha1.DatasetGenerationSpec) {
			spec.Columns[0].Name = "id"
			spec.Processors = nil
		}},
		"more rows": {false, func(spec *v1alpha1.DatasetGenerationSpec) { spec.NumRecords++ }},
	} {
		c := &chain{customers: newWorld(t, customersSpec, ""), orders: newWorld(t, ordersSpec, "")}
		test.change(&c.customers.spec)
		c.generateSeed(t)
		if (c.rows.Digest == first) != test.same {
			t.Errorf("%s: the digest is %s, and was %s", name, c.rows.Digest, first)
		}
	}
}

func TestASeedDatasetThatCanNotBeUsed(t *testing.T) {
	c := newChain(t)
	total := c.total(t)
	for want, test := range map[string]struct {
		exit   int
		change func(*v1alpha1.DatasetGenerationSpec, *engine.Config)
	}{
		fmt.Sprintf("lower it to %d, or leave it out", total): {runreport.ExitInvalid,
			func(spec *v1alpha1.DatasetGenerationSpec, _ *engine.Config) { spec.NumRecords = total + 1 }},
		`the seed dataset "customers" can't be used: there is no dataset`: {runreport.ExitInvalid,
			func(_ *v1alpha1.DatasetGenerationSpec, config *engine.Config) {
				config.Run.SeedDataset.Path = "ns/other"
			}},
		"there is no dataset in ../outside": {runreport.ExitInvalid,
			func(_ *v1alpha1.DatasetGenerationSpec, config *engine.Config) {
				config.Run.SeedDataset.Path = "../outside"
			}},
		"have changed since this run was started": {runreport.ExitRetry,
			func(_ *v1alpha1.DatasetGenerationSpec, config *engine.Config) {
				config.Run.SeedDataset.RowsDigest = "sha256:other"
			}},
		`has no form "other"`: {runreport.ExitInvalid,
			func(spec *v1alpha1.DatasetGenerationSpec, _ *engine.Config) { spec.Seed.DatasetRef.Form = "other" }},
		"the file has no column": {runreport.ExitInvalid, func(spec *v1alpha1.DatasetGenerationSpec, _ *engine.Config) {
			spec.Seed.Columns = []v1alpha1.SeedColumn{{Name: "missing"}}
		}},
		"no row follows from the 40 rows": {runreport.ExitInvalid, func(spec *v1alpha1.DatasetGenerationSpec, _ *engine.Config) {
			none, _ := v1alpha1.NewDecimal("0")
			spec.Seed.RowsPerSeedRow.Sampler = &v1alpha1.Sampler{Type: v1alpha1.SamplerPoisson, Poisson: &v1alpha1.PoissonSampler{Mean: &none}}
		}},
	} {
		spec := c.orders.spec.DeepCopy()
		digest := c.rows.Digest
		config := c.config(0, t.TempDir())
		test.change(&c.orders.spec, &config)
		seed := config.Run.SeedDataset
		config.Run = c.orders.config(0).Run
		config.Run.SeedDataset = seed
		config.Run.ConfigHash = plan.RunHash(&c.orders.spec, seed.RowsDigest)
		ending := engine.Generate(t.Context(), config)
		if !strings.Contains(ending.Result.Message, want) || ending.ExitCode != test.exit || ending.Result.Reason != v1alpha1.ReasonSeedFailed {
			t.Errorf("want %q with %d, got %d: %s: %s", want, test.exit, ending.ExitCode, ending.Result.Reason, ending.Result.Message)
		}
		c.orders.spec, c.rows.Digest = *spec, digest
	}
}

func TestAFormOfADatasetIsASeed(t *testing.T) {
	c := newChain(t)
	c.orders.spec.Seed.DatasetRef.Form = "chat"
	c.orders.spec.Columns = []v1alpha1.Column{{Name: "hello", Expression: &v1alpha1.Expression{Expr: "hello {{ who }}, {{ number }}"}}}
	c.orders.spec.NumRecords = 5
	ending := engine.Generate(t.Context(), c.config(0, c.orders.output))
	checkEnding(t, ending, runreport.OutcomeComplete, "", runreport.ExitOK, 5, 0)
	names, rows := c.orderRows(t, c.orders.output)
	if !slices.Equal(names, []string{"who", "number", "hello"}) || rows[0][2] != fmt.Sprintf("hello %s, 1", rows[0][0]) ||
		!strings.HasPrefix(fmt.Sprint(rows[0][0]), "customer 1") {
		t.Errorf("%v: %v", names, rows[0])
	}
}

func TestAPreviewHasAtMostAsManyRowsAsFollow(t *testing.T) {
	c := newChain(t)
	c.orders.spec.Seed.Selection = &v1alpha1.SeedSelection{Limit: new(int64(2))}
	result, err := engine.Preview(t.Context(), c.config(0, t.TempDir()), 1000)
	if err != nil {
		t.Fatal(err)
	}
	if want := c.total(t); result.Ending.Result.Outcome != runreport.OutcomeComplete || int64(len(result.Dataset.Rows)) != want {
		t.Errorf("%d rows, want %d: %+v", len(result.Dataset.Rows), want, result.Ending.Result)
	}
}
