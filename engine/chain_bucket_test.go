package engine_test

import (
	"reflect"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/store/s3/s3test"
	"seedloom.dev/seedloom/internal/runreport"
)

// A dataset in a bucket is the same seed as on a volume, also one of a form.
func TestADatasetInABucketIsASeed(t *testing.T) {
	c := newChain(t)
	c.orders.spec.NumRecords = c.total(t)
	engine.Generate(t.Context(), c.config(0, c.orders.output))
	_, want := c.orderRows(t, c.orders.output)

	place := inBucket(t, s3test.New())
	place.Prefix = "team"
	customers := c.customers.config(0)
	customers.ObjectStore = place
	ending := engine.Generate(t.Context(), customers)
	if ending.Result.Output.RowsDigest != c.rows.Digest {
		t.Fatalf("in the bucket the rows are others: %+v", ending.Result)
	}
	inBucketToo := func(output string) engine.Config {
		config := c.config(0, output)
		config.SeedDirectory, config.SeedStore = "", place
		return config
	}
	output := t.TempDir()
	ending = engine.Generate(t.Context(), inBucketToo(output))
	checkEnding(t, ending, runreport.OutcomeComplete, "", runreport.ExitOK, c.orders.spec.NumRecords, 0)
	if _, got := c.orderRows(t, output); len(got) == 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("there are %d orders, and %d where the seed lies on a volume, or others", len(got), len(want))
	}

	if err := engine.Delete(t.Context(), customers, "ns", "ds"); err != nil {
		t.Fatal(err)
	}
	gone := engine.Generate(t.Context(), inBucketToo(t.TempDir())).Result
	if gone.Reason != v1alpha1.ReasonSeedFailed || !strings.Contains(gone.Message, "was it deleted?") {
		t.Errorf("once it is deleted: %+v", gone)
	}
}
