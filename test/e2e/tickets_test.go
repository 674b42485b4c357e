package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"seedloom.dev/seedloom/api/v1alpha1"
)

var _ = Describe("Documents, judgements, vectors and processors", func() {
	It("make the dataset of the sample, with what was used and what was left out in the status", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		sample, err := filepath.Abs(filepath.Join(repositoryRoot, "config", "samples", "tickets.yaml"))
		Expect(err).NotTo(HaveOccurred())
		w.kubectl(ctx, "apply", "--filename", sample)
		w.kubectl(ctx, "wait", "--for=condition=Complete", "--timeout=240s", "datasetgeneration/tickets")
		dataset := w.get(ctx, "tickets")
		expectAccounted(dataset)
		Expect(conditionOf(dataset, v1alpha1.ConditionComplete).Reason).To(Equal(v1alpha1.ReasonAllRecords))

		By("leaving out the columns that are dropped, by their own word or a processor's, and keeping them beside the dataset")
		read := w.readDataset(ctx, dataset)
		Expect(read.columns).To(Equal([]string{"product", "urgency", "ticket", "reply", "verdict", "subject_vector", "headline"}))
		Expect(read.values).To(HaveLen(40))
		dropped, err := filepath.Glob(filepath.Join(w.folder(dataset), "dropped-columns-parquet-files", "*.parquet"))
		Expect(err).NotTo(HaveOccurred())
		Expect(dropped).To(HaveLen(4))

		By("having documents and judgements in their schemas, and replies to urgent tickets alone")
		skipped := 0
		tickets, verdicts, urgencies := read.column("ticket"), read.column("verdict"), read.column("urgency")
		replies, headlines := read.column("reply"), read.column("headline")
		for row := range read.values {
			var ticket struct {
				Subject, Body string
				Tags          []string
			}
			Expect(json.Unmarshal([]byte(tickets[row]), &ticket)).To(Succeed(), tickets[row])
			Expect(len(ticket.Subject)).To(BeNumerically(">=", 3))
			Expect(ticket.Tags).NotTo(BeEmpty())
			Expect(headlines[row]).To(ContainSubstring("] " + ticket.Subject + " ("))
			var verdict struct {
				Realism struct{ Score int }
				Tone    struct{ Score string }
			}
			Expect(json.Unmarshal([]byte(verdicts[row]), &verdict)).To(Succeed(), verdicts[row])
			Expect(verdict.Realism.Score).To(BeElementOf(1, 2, 3))
			Expect(verdict.Tone.Score).To(BeElementOf("calm", "cross"))
			if strings.Compare(urgencies[row], "3") < 0 {
				skipped++
				Expect(replies[row]).To(Equal("(null)"))
			} else {
				Expect(replies[row]).NotTo(BeEmpty())
			}
		}
		Expect(skipped).To(BeNumerically(">", 0))
		for _, column := range dataset.Status.Columns {
			if column.Name == "reply" {
				Expect(column.Skipped).To(BeEquivalentTo(skipped))
			}
		}

		By("saying what was used, and what it has cost")
		Expect(dataset.Status.Usage).NotTo(BeNil())
		Expect(dataset.Status.Usage.Tokens.Input).To(BeNumerically(">", 0))
		Expect(dataset.Status.Usage.Cost).To(MatchRegexp(`^0\.\d+$`))

		By("writing the other form of the rows, and a trace of each shard")
		chats, err := filepath.Glob(filepath.Join(w.folder(dataset), "processors-files", "chat", "*.parquet"))
		Expect(err).NotTo(HaveOccurred())
		Expect(chats).To(HaveLen(4))
		traces, err := os.ReadDir(filepath.Join(w.folder(dataset), "traces"))
		Expect(err).NotTo(HaveOccurred())
		Expect(len(traces)).To(BeNumerically(">=", 2))
	})
})
