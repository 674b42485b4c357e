package e2e

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"seedloom.dev/seedloom/api/v1alpha1"
)

var _ = Describe("A chain of datasets", func() {
	It("waits for the dataset that is its seed, and has rows for each of its rows", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		w.apply(ctx, readSample("shop/orders.yaml"), shards(2))
		w.apply(ctx, readSample("shop/customers.yaml"))
		customers := w.waitFor(ctx, "shop-customers", v1alpha1.ConditionComplete)
		orders := w.waitFor(ctx, "shop-orders", v1alpha1.ConditionComplete)

		Expect(orders.Status.Run.Seed.RunID).To(Equal(customers.Status.Run.ID))
		Expect(orders.Status.Run.Seed.RowsDigest).To(Equal(customers.Status.Output.RowsDigest))
		Expect(orders.Status.Run.Seed.RowsDigest).To(HavePrefix("sha256:"))
		known := map[string]bool{}
		for _, id := range w.readDataset(ctx, customers).column("customer_id") {
			known[id] = true
		}
		Expect(known).To(HaveLen(200))
		read := w.readDataset(ctx, orders)
		Expect(read.columns).To(Equal([]string{"customer_id", "order_number", "order_id", "product", "ordered_at"}))
		Expect(orders.Status.Records.Actual).To(BeEquivalentTo(len(read.values)))
		Expect(len(read.values)).To(BeNumerically("~", 800, 100))
		for _, id := range read.column("customer_id") {
			Expect(known).To(HaveKey(id))
		}
	})
})
